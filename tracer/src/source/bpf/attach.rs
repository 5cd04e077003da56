//! Loads a backend's programs and attaches them.

use aya::{
    Ebpf, EbpfLoader, VerifierLogLevel,
    programs::{BtfTracePoint, FEntry, FExit, Program, ProgramFd},
};
use tracer_ebpf::Settings;

use super::{
    LoadError,
    hooks::{At, Parts},
    targets,
};
use crate::host::btf::Btf;

/// Size of the ring buffer. About 25,000 small records: half a second of a busy process without a reader.
const RING_BYTES: u32 = 8 << 20;

/// [`Settings`] as the loader wants it.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct SettingsBytes(Settings);

// SAFETY: `Settings` is repr(C) without padding (asserted beside it) and holds integers only.
unsafe impl aya::Pod for SettingsBytes {}

/// What a backend attaches to is there at all. Asked first, because the loader's own words for it are no use to anybody.
pub(super) fn check(parts: Parts, btf: &Btf) -> Result<(), LoadError> {
    for hook in parts.hooks() {
        match hook.at {
            At::Tracepoint(name) if !btf.has_typedef(&format!("btf_trace_{name}")) => {
                return Err(LoadError::NoTracepoint(name));
            }
            At::Tracepoint(_) => {}
            At::Entry(name, expected) | At::Exit(name, expected) => match btf.arguments(name) {
                None if hook.needed => return Err(LoadError::NoFunction(name)),
                // The result lies behind the arguments, so their number must be right.
                Some(found) if found != expected => {
                    return Err(LoadError::OtherFunction { name, found, expected });
                }
                _ if !btf.has_aggregate(TRAMPOLINE_IMAGE) => return Err(LoadError::UnsafeFunctions),
                _ => {}
            },
        }
    }
    Ok(())
}

/// A kernel without this structure frees the code around a function while a thread still waits in the function, and crashes
/// when the thread comes back ("bpf: Fix fexit trampoline.", Linux 5.12, also in later 5.10.y).
const TRAMPOLINE_IMAGE: &str = "bpf_tramp_image";

pub(super) fn load(parts: Parts, settings: Settings, btf: &aya::Btf) -> Result<Ebpf, LoadError> {
    EbpfLoader::new()
        .btf(Some(btf))
        .verifier_log_level(VerifierLogLevel::STATS)
        .map_max_entries("RECORDS", RING_BYTES)
        .map_max_entries("TARGETS", targets::entries()?)
        .override_global("SETTINGS", &SettingsBytes(settings), true)
        .load(parts.object)
        .map_err(LoadError::kernel)
}

pub(super) fn attach(parts: Parts, ebpf: &mut Ebpf, btf: &aya::Btf, own_btf: &Btf) -> Result<(), LoadError> {
    for hook in parts.hooks() {
        if hook.at.function().is_some_and(|(name, _)| own_btf.arguments(name).is_none()) {
            // Not needed, or `check` would have said so.
            continue;
        }
        let program = ebpf.program_mut(hook.program).ok_or_else(|| {
            LoadError::Kernel(format!("the kernel object lacks the program {}", hook.program))
        })?;
        match hook.at {
            At::Tracepoint(name) => {
                let program: &mut BtfTracePoint = program.try_into().map_err(LoadError::kernel)?;
                program.load(name, btf).map_err(LoadError::kernel)?;
                program.attach().map_err(LoadError::kernel)?;
            }
            At::Entry(function, _) => {
                let program: &mut FEntry = program.try_into().map_err(LoadError::kernel)?;
                program.load(function, btf).map_err(|error| LoadError::kernel(error).on_function())?;
                program.attach().map_err(|error| LoadError::kernel(error).on_function())?;
            }
            At::Exit(function, _) => {
                let program: &mut FExit = program.try_into().map_err(LoadError::kernel)?;
                program.load(function, btf).map_err(|error| LoadError::kernel(error).on_function())?;
                program.attach().map_err(|error| LoadError::kernel(error).on_function())?;
            }
        }
    }
    Ok(())
}

/// Descriptor of a loaded program of any kind that a backend uses.
pub(super) fn descriptor(program: &Program) -> Option<&ProgramFd> {
    match program {
        Program::BtfTracePoint(program) => program.fd().ok(),
        Program::FEntry(program) => program.fd().ok(),
        Program::FExit(program) => program.fd().ok(),
        _ => None,
    }
}
