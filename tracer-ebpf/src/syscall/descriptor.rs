//! The socket that a descriptor of the current process stands for.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_get_current_task;
use tracer_ebpf::direction;

use crate::{
    abi,
    calls::{Arguments, shape},
    kernel::{
        maps::setting,
        memory::{follow, read},
    },
};

/// Bits of `i_mode` that tell the kind of file, and the kind (include/uapi/linux/stat.h).
const S_IFMT: u16 = 0xf000;
const S_IFSOCK: u16 = 0xc000;

/// Null where it is no socket.
#[inline(always)]
pub fn socket(descriptor: u64) -> *mut c_void {
    let none = core::ptr::null_mut();
    let descriptor = descriptor as u32;
    // SAFETY: a helper without arguments.
    let task = unsafe { bpf_get_current_task() } as *const c_void;
    let table = follow(follow(task, setting!(task_files)), setting!(files_fdt));
    if descriptor >= read::<u32>(table, setting!(fdtable_max_fds)) {
        return none;
    }
    let slots = follow(table, setting!(fdtable_fd)).cast::<u64>();
    let file = follow(slots.wrapping_add(descriptor as usize).cast(), 0);
    let inode = follow(file, setting!(file_inode));
    if read::<u16>(inode, setting!(inode_mode)) & S_IFMT != S_IFSOCK {
        return none;
    }
    follow(follow(file, setting!(file_private_data)), setting!(socket_sk)).cast_mut()
}

/// The socket of a call that moves bytes, and in which direction they go.
#[inline(always)]
pub fn of_call(number: u64, arguments: &Arguments) -> (*mut c_void, u8) {
    let (direction, _) = shape(number);
    let sk = socket(arguments.first);
    if number != abi::SPLICE {
        return (sk, direction);
    }
    // Splice has a pipe at one side: what comes out of a socket is received.
    if sk.is_null() { (socket(arguments.third), direction::SEND) } else { (sk, direction::RECEIVE) }
}
