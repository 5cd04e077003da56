//! tp_btf `sched_process_fork`, `sched_process_exec`, `sched_process_exit` (include/trace/events/sched.h): keeps the
//! target table true, before a child runs its first instruction and before a process id can be used again.

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, generated::bpf_ktime_get_ns},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use tracer_ebpf::{ProcessEvent, counter, kind, process, target};

use super::{
    maps::{NO_WAKEUP, RECORDS, count, set_target, setting, target_bits},
    memory::{follow, read},
};

#[inline(always)]
fn current_tgid() -> u32 {
    (bpf_get_current_pid_tgid() >> 32) as u32
}

#[btf_tracepoint(function = "sched_process_fork")]
pub fn fork(context: BtfTracePointContext) -> i32 {
    let parent = current_tgid();
    let bits = target_bits(parent);
    if bits & target::TRACED == 0 || bits & target::FOLLOW_CHILDREN == 0 {
        return 0;
    }
    let child = read::<u32>(context.arg(1), setting!(task_tgid));
    if child == parent {
        return 0; // A thread.
    }
    if set_target(child, bits) {
        tell(process::FORK, child, parent);
    } else {
        count(counter::TARGETS_REFUSED, 1);
    }
    0
}

#[btf_tracepoint(function = "sched_process_exec")]
pub fn exec(_context: BtfTracePointContext) -> i32 {
    let tgid = current_tgid();
    if target_bits(tgid) & target::TRACED != 0 {
        tell(process::EXEC, tgid, 0);
    }
    0
}

#[btf_tracepoint(function = "sched_process_exit")]
pub fn exit(context: BtfTracePointContext) -> i32 {
    let tgid = current_tgid();
    if target_bits(tgid) & target::TRACED == 0 {
        return 0;
    }
    // `live` counts the threads that have not begun to exit (do_exit, kernel/exit.c, lowers it before this tracepoint).
    let signal = follow(context.arg(0), setting!(task_signal));
    let live: i32 = read(signal, setting!(signal_live));
    if live == 0 {
        set_target(tgid, 0);
        tell(process::EXIT, tgid, 0);
    }
    0
}

#[inline(always)]
fn tell(what: u32, tgid: u32, parent: u32) {
    let Some(mut entry) = RECORDS.reserve::<ProcessEvent>(0) else {
        return count(counter::LOST_RECORDS, 1);
    };
    entry.write(ProcessEvent {
        kind: kind::PROCESS,
        reserved: [0; 3],
        what,
        // SAFETY: a helper without arguments.
        at_ns: unsafe { bpf_ktime_get_ns() },
        tgid,
        parent,
    });
    entry.submit(NO_WAKEUP);
}
