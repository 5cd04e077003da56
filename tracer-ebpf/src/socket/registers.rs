//! The system call that the current thread is in: its number and arguments from the saved registers.
//!
//! `bpf_task_pt_regs` needs Linux 5.15. A completion that io_uring runs as task work happens inside whatever call the
//! thread is in, so for a thread that uses io_uring the call must be one on this very socket.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::{bpf_get_current_task_btf, bpf_task_pt_regs};

use crate::{
    arch::{self, Registers},
    kernel::{maps::setting, memory::follow},
};

pub struct Syscall {
    pub number: u64,
    /// Second, third and fifth argument.
    pub arg1: u64,
    pub arg2: u64,
    pub arg4: u64,
}

/// None in a 32-bit program, in a worker thread of io_uring, and where the call may be about something else than `sk`.
#[inline(always)]
pub fn current(sk: *const c_void) -> Option<Syscall> {
    // SAFETY: a helper without arguments.
    let task = unsafe { bpf_get_current_task_btf() };
    // SAFETY: the helper returns the registers of the current task, which stay while the program runs.
    let registers = unsafe { bpf_task_pt_regs(task) } as *const Registers;
    // SAFETY: as above; a BTF pointer that the verifier checks.
    unsafe {
        if !arch::is_of_64_bit_program(registers) {
            return None;
        }
        if uses_io_uring(task.cast()) && !is_on(task.cast(), arch::argument::<0>(registers) as u32, sk) {
            return None;
        }
        Some(Syscall {
            number: arch::syscall(registers),
            arg1: arch::argument::<1>(registers),
            arg2: arch::argument::<2>(registers),
            arg4: arch::argument::<4>(registers),
        })
    }
}

/// # Safety
/// `task` is the current task, as `bpf_get_current_task_btf` gave it.
#[inline(always)]
unsafe fn uses_io_uring(task: *const u8) -> bool {
    let offset = setting!(task_io_uring) as usize;
    // SAFETY: the verifier checks that a pointer member is at the offset. Volatile, or the read would be merged with others.
    offset != 0 && unsafe { task.add(offset).cast::<u64>().read_volatile() } != 0
}

/// Does the descriptor stand for the socket?
#[inline(always)]
fn is_on(task: *const c_void, fd: u32, sk: *const c_void) -> bool {
    let table = follow(follow(task, setting!(task_files)), setting!(files_fdt));
    let files = follow(table, setting!(fdtable_fd)).cast::<u64>().wrapping_add(fd as usize);
    let socket = follow(follow(files.cast(), 0), setting!(file_private_data));
    !socket.is_null() && socket == follow(sk, setting!(sk_socket))
}
