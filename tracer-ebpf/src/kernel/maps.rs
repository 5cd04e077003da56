//! Maps and settings. One ring buffer for all records; counters per CPU; one byte per process id for the target table.

use aya_ebpf::{
    Global,
    bindings::{BPF_F_MMAPABLE, BPF_RB_NO_WAKEUP},
    macros::map,
    maps::{Array, PerCpuArray, RingBuf},
};
use tracer_ebpf::{Settings, counter};

/// BPF_RB_NO_WAKEUP for every record: the reader polls on a timer; waking it costs more than all the rest of a record.
pub const NO_WAKEUP: u64 = BPF_RB_NO_WAKEUP as u64;

/// User space sets the real size; it must be a power of two of pages.
#[map]
pub static RECORDS: RingBuf = RingBuf::with_byte_size(4096, 0);

#[map]
static COUNTERS: PerCpuArray<u64> = PerCpuArray::with_max_entries(counter::COUNT, 0);

/// Eight process ids an entry, because the kernel rounds values up to 8 bytes. User space maps it and sets its size to
/// the host's `pid_max`. A table look-up costs about 1 ns where a hash costs 95: every socket call on the host pays it.
#[map]
static TARGETS: Array<[u8; 8]> = Array::with_max_entries(1, BPF_F_MMAPABLE);

/// How many processes the table holds now; user space sets the beginning.
#[map]
static TARGET_COUNT: Array<i64> = Array::with_max_entries(1, 0);

#[unsafe(no_mangle)]
static SETTINGS: Global<Settings> = Global::new(EMPTY);

const EMPTY: Settings = Settings {
    capture_bytes: 0,
    max_targets: 0,
    skc_family: 0,
    skc_cookie: 0,
    skc_daddr: 0,
    skc_rcv_saddr: 0,
    skc_dport: 0,
    skc_num: 0,
    skc_v6_daddr: 0,
    skc_v6_rcv_saddr: 0,
    skc_net: 0,
    net_ns_inum: 0,
    sk_type: 0,
    sk_socket: 0,
    msghdr_iter: 0,
    iter_kind: 0,
    iter_kind_mask: 0,
    iter_kind_iovec: 0,
    iter_kind_ubuf: 0,
    iter_iovec: 0,
    iter_ubuf: 0,
    iter_offset: 0,
    iter_count: 0,
    skc_prot: 0,
    skc_state: 0,
    proto_sendpage: 0,
    socket_ino: 0,
    unix_peer: 0,
    unix_addr: 0,
    unix_address_len: 0,
    unix_address_name: 0,
    task_tgid: 0,
    task_signal: 0,
    signal_live: 0,
    sk_shutdown: 0,
    sk_receive_queue_qlen: 0,
    task_io_uring: 0,
    task_files: 0,
    files_fdt: 0,
    fdtable_fd: 0,
    file_private_data: 0,
    socket_sk: 0,
    fdtable_max_fds: 0,
    file_inode: 0,
    inode_mode: 0,
    task_status: 0,
};

/// A member of the settings. A macro, so that only this member is read and the verifier knows its value.
macro_rules! setting {
    ($member:ident) => {
        $crate::kernel::maps::setting_at(
            core::mem::offset_of!(tracer_ebpf::Settings, $member),
            |settings: &tracer_ebpf::Settings| &settings.$member,
        )
    };
}
pub(crate) use setting;

/// `_member` only tells the type.
#[inline(always)]
pub fn setting_at<T: Copy>(offset: usize, _member: fn(&Settings) -> &T) -> T {
    // SAFETY: the offset of a member of this type in a live static; volatile because user space sets it before loading.
    unsafe { core::ptr::read_volatile((&raw const SETTINGS).cast::<u8>().add(offset).cast()) }
}

#[inline(always)]
pub fn count(index: u32, add: u64) {
    if let Some(value) = COUNTERS.get_ptr_mut(index) {
        // SAFETY: the slot belongs to this CPU and programs of one CPU do not overlap in it, but for a probe in an
        // interrupt, which can at worst miss one count; a lost record is known from stream positions besides.
        unsafe { *value += add }
    }
}

/// [`tracer_ebpf::target`] bits of a process; 0 for a process that is none.
#[inline(always)]
pub fn target_bits(tgid: u32) -> u8 {
    match TARGETS.get_ptr(tgid / 8) {
        // SAFETY: inside the entry by the remainder.
        Some(entry) => unsafe { *entry.cast::<u8>().add((tgid % 8) as usize) },
        None => 0,
    }
}

/// Puts a process into the table or, with no bits, takes it out. False when the table is full.
#[inline(always)]
pub fn set_target(tgid: u32, bits: u8) -> bool {
    let (Some(entry), Some(total)) = (TARGETS.get_ptr_mut(tgid / 8), TARGET_COUNT.get_ptr_mut(0)) else {
        return false;
    };
    // SAFETY: a map value lives as long as the program. The addition is atomic, as programs of all CPUs make it; signed,
    // because two last threads of a process may both find themselves the last, which must not close the table for ever.
    unsafe {
        let add: i64 = if bits == 0 { -1 } else { 1 };
        if bits != 0 && *total >= i64::from(setting!(max_targets)) {
            return false;
        }
        core::arch::asm!("lock *(u64 *)({0} + 0) += {1}", in(reg) total, in(reg) add);
        *entry.cast::<u8>().add((tgid % 8) as usize) = bits;
    }
    true
}
