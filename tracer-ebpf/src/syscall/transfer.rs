//! tp_btf `sys_enter` and `sys_exit` (include/trace/events/syscalls.h): the system calls that send and receive.
//!
//! Every call of every process on the host comes here, so the call's number is tested before anything else, and the target
//! table next.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, bpf_probe_read_user},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use tracer_ebpf::{counter, direction, target};

use crate::{
    abi,
    arch::{self, Registers, number},
    calls::{self, Arguments, Shape},
    descriptor, in_progress,
    kernel::{
        maps::{count, target_bits},
        pieces::Buffers,
        socket_state::{self, SocketState},
        transfer::{self, Call},
    },
    sharing,
};

/// Most messages of one call that are followed. The kernel sends no more than UIO_MAXIOV at once.
const MOST_MESSAGES: u64 = 1024;

/// `struct user_msghdr` (include/linux/socket.h) on a 64-bit machine, as far as needed.
#[repr(C)]
#[derive(Clone, Copy)]
struct MessageHeader {
    name: u64,
    name_bytes: u64,
    iovec: u64,
    iovec_count: u64,
}

/// `struct mmsghdr`, of which the kernel writes `length`.
#[repr(C)]
#[derive(Clone, Copy)]
struct OneOfMessages {
    header: MessageHeader,
    control: [u64; 3],
    length: u32,
    padding: u32,
}

#[btf_tracepoint(function = "sys_enter")]
pub fn sys_enter(context: BtfTracePointContext) -> i32 {
    let number: u64 = context.arg(1);
    let forks = abi::forks(number);
    if !forks && !calls::moves_bytes(number) {
        return 0;
    }
    let thread = bpf_get_current_pid_tgid();
    let bits = target_bits((thread >> 32) as u32);
    let traced = bits & target::TRACED != 0;
    if !traced && !sharing::is_possible() {
        return 0;
    }
    if forks {
        // The child has the sockets too, and no place in the target table.
        if traced && bits & target::FOLLOW_CHILDREN == 0 {
            sharing::begins();
        }
        return 0;
    }
    // SAFETY: the tracepoint's own argument.
    let arguments = unsafe { Arguments::of(context.arg(0)) };
    let sends_messages = number == number::SENDMSG || number == number::SENDMMSG;
    if traced && sends_messages && sharing::passes_descriptors(arguments.second) {
        sharing::begins();
    }
    let call = descriptor::of_call(number, &arguments);
    if traced || socket_state::find(call.0).is_some() {
        in_progress::begin(thread, number, call);
    }
    0
}

#[btf_tracepoint(function = "sys_exit")]
pub fn sys_exit(context: BtfTracePointContext) -> i32 {
    let registers: *const Registers = context.arg(0);
    // SAFETY: the tracepoint's own argument, which the verifier knows.
    let number = unsafe { arch::syscall(registers) };
    let moves_bytes = calls::moves_bytes(number);
    let unseen = abi::moves_bytes_32_bit(number);
    let is_io_uring = calls::is_io_uring(number);
    if !moves_bytes && !unseen && !is_io_uring {
        return 0;
    }
    let thread = bpf_get_current_pid_tgid();
    let traced = target_bits((thread >> 32) as u32) & target::TRACED != 0;
    if !traced && !sharing::is_possible() {
        return 0;
    }
    let result: i64 = context.arg(1);
    // SAFETY: as above.
    let is_32_bit = !unsafe { arch::is_of_64_bit_program(registers) } || abi::came_by_32_bit_gate();
    if is_32_bit || !moves_bytes {
        if traced && (is_io_uring || is_32_bit && unseen) && result > 0 {
            count(counter::CALLS_UNSEEN, 1);
        }
        return 0;
    }
    // SAFETY: as above.
    let arguments = unsafe { Arguments::of(registers) };
    // A call that was in progress when the programs came has no beginning.
    let begun = in_progress::end(thread, number);
    let (sk, direction) = begun.unwrap_or_else(|| descriptor::of_call(number, &arguments));
    if !sk.is_null() {
        ended(sk, number, direction, result, &arguments);
    }
    0
}

#[inline(always)]
fn ended(sk: *mut c_void, number: u64, direction: u8, result: i64, arguments: &Arguments) {
    let sk = sk as u64;
    let how = u64::from(direction) | u64::from(arguments.flags(number)) << 32;
    let (_, shape) = calls::shape(number);
    if shape == Shape::Messages && result > 0 {
        return messages(sk, how, result as u64, arguments.second);
    }
    let (at, iovecs) = match shape {
        Shape::Buffer => (arguments.second, BUFFER),
        Shape::Vector => (arguments.second, arguments.third),
        Shape::Message if result > 0 => {
            // SAFETY: the helper checks the address and fails softly.
            match unsafe { bpf_probe_read_user(arguments.second as *const MessageHeader) } {
                Ok(header) => (header.iovec, header.iovec_count),
                Err(_) => (0, NOWHERE),
            }
        }
        _ => (0, NOWHERE),
    };
    one_transfer(sk, how, result, at, iovecs);
}

/// Each message is a transfer of its own.
#[inline(always)]
fn messages(sk: u64, how: u64, moved: u64, vector: u64) {
    let mut index = 0;
    while index < MOST_MESSAGES {
        if index >= moved {
            return;
        }
        let at = vector + index * size_of::<OneOfMessages>() as u64;
        // SAFETY: the helper checks the address and fails softly.
        let Ok(message) = (unsafe { bpf_probe_read_user(at as *const OneOfMessages) }) else {
            break;
        };
        one_transfer(sk, how, i64::from(message.length), message.header.iovec, message.header.iovec_count);
        index += 1;
    }
    if index < moved {
        count(counter::CALLS_UNSEEN, 1);
    }
}

/// In the place of a number of iovecs: it is one buffer.
const BUFFER: u64 = u64::MAX;
/// In the place of a number of iovecs: no memory of the process.
const NOWHERE: u64 = u64::MAX - 1;

/// One transfer of a call. `how`: direction, and in the upper half the flags; `at`: address of a buffer or of iovecs.
///
/// A function of its own for the verifier (`BTF_FUNC_GLOBAL`), which so looks at it once and not again for each message.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn one_transfer(sk: u64, how: u64, result: i64, at: u64, iovecs: u64) -> u32 {
    let direction =
        if how & 1 == u64::from(direction::RECEIVE) { direction::RECEIVE } else { direction::SEND };
    let flags = (how >> 32) as u32;
    let thread = bpf_get_current_pid_tgid();
    transfer::completed(sk as *mut c_void, direction, result as i32, flags, thread, &Place { at, iovecs });
    0
}

/// Where the bytes of a transfer lie.
struct Place {
    at: u64,
    iovecs: u64,
}

impl Call for Place {
    #[inline(always)]
    fn buffers(&self, _state: &mut SocketState, _direction: u8) -> Buffers {
        match self.iovecs {
            BUFFER => Buffers::One(self.at),
            NOWHERE => Buffers::Unreadable,
            iovecs => Buffers::Vector(self.at, iovecs, 0),
        }
    }
}
