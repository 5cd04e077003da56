//! The target table: one byte per process id, shared with the kernel programs through mapped memory.
//!
//! Mapped, because a map update from user space writes eight ids at once and could undo what a fork on another CPU has
//! just written beside it.

use std::{
    ffi::c_void,
    ptr::NonNull,
    sync::atomic::{AtomicU8, Ordering},
};

use aya::maps::{Array, Map, MapData};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use tracer_ebpf::target;

use super::LoadError;

const PID_MAX: &str = "/proc/sys/kernel/pid_max";

/// How many entries of 8 ids this host's process ids need.
pub(super) fn entries() -> Result<u32, LoadError> {
    let text = std::fs::read_to_string(PID_MAX)
        .map_err(|error| LoadError::System { what: "reading kernel.pid_max", error })?;
    // PID_MAX_LIMIT of a 64-bit kernel (include/linux/threads.h).
    let pid_max = text.trim().parse::<u32>().unwrap_or(4 << 20).clamp(1 << 15, 4 << 20);
    Ok(pid_max.div_ceil(8))
}

/// Which processes are traced.
pub struct TargetTable {
    memory: NonNull<c_void>,
    bytes: usize,
    count: Array<MapData, i64>,
    limit: u32,
    _table: MapData,
}

impl std::fmt::Debug for TargetTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TargetTable").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

// SAFETY: the memory is shared with the kernel anyway and touched through atomics only.
unsafe impl Send for TargetTable {}

impl TargetTable {
    pub(super) fn map(table: Map, count: Array<MapData, i64>, limit: u32) -> Result<Self, LoadError> {
        let page = rustix::param::page_size();
        let bytes = usize::try_from(entries()?).unwrap_or(0).saturating_mul(8).next_multiple_of(page);
        let Map::Array(table) = table else {
            return Err(LoadError::Kernel("the target table is no array".into()));
        };
        // SAFETY: a fresh shared mapping of the map's own file; nothing else in this process knows its address.
        let memory = unsafe {
            mmap(
                std::ptr::null_mut(),
                bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                table.fd(),
                0,
            )
        }
        .map_err(|error| LoadError::System { what: "mapping the target table", error: error.into() })?;
        let memory = NonNull::new(memory)
            .ok_or_else(|| LoadError::Kernel("the target table was mapped nowhere".into()))?;
        Ok(Self { memory, bytes, count, limit, _table: table })
    }

    fn slot(&self, pid: u32) -> Option<&AtomicU8> {
        let index = usize::try_from(pid).ok().filter(|index| *index < self.bytes)?;
        // SAFETY: inside the mapping, which lives as long as self; the kernel writes single bytes too.
        Some(unsafe { AtomicU8::from_ptr(self.memory.as_ptr().cast::<u8>().add(index)) })
    }

    /// Is the process traced now? The kernel side takes out those that end and adds children.
    pub fn contains(&self, pid: u32) -> bool {
        self.slot(pid).is_some_and(|slot| slot.load(Ordering::Relaxed) & target::TRACED != 0)
    }

    /// Traces a process. False: the table is full, or there can be no such process id.
    pub fn insert(&mut self, pid: u32, follow_children: bool) -> bool {
        if self.contains(pid) {
            return true;
        }
        let total = self.count.get(&0, 0).unwrap_or(0);
        if total >= i64::from(self.limit) {
            return false;
        }
        let bits = if follow_children { target::TRACED | target::FOLLOW_CHILDREN } else { target::TRACED };
        let Some(slot) = self.slot(pid) else { return false };
        slot.store(bits, Ordering::Relaxed);
        self.count.set(0, total + 1, 0).is_ok()
    }

    /// Stops tracing a process.
    pub fn remove(&mut self, pid: u32) {
        if !self.contains(pid) {
            return;
        }
        if let Some(slot) = self.slot(pid) {
            slot.store(0, Ordering::Relaxed);
        }
        let total = self.count.get(&0, 0).unwrap_or(0);
        let _ = self.count.set(0, total.saturating_sub(1), 0);
    }
}

impl Drop for TargetTable {
    fn drop(&mut self) {
        // SAFETY: our own mapping; no slot outlives self. A failure leaves it to the end of the process.
        let _ = unsafe { munmap(self.memory.as_ptr(), self.bytes) };
    }
}
