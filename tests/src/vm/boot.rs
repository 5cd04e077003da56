//! From a bare kernel to a system that programs can run in, and its end. Only for the first process of a machine.

use std::ffi::CString;
use std::fs;
use std::io;

use anyhow::{Context, Result, ensure};
use rustix::mount::MountFlags;
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::system::{RebootCommand, reboot};

/// File systems of the kernel, and where they belong.
const MOUNTS: [(&str, &str); 9] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("devtmpfs", "/dev"),
    ("tmpfs", "/tmp"),
    ("debugfs", "/sys/kernel/debug"),
    ("tracefs", "/sys/kernel/tracing"),
    ("securityfs", "/sys/kernel/security"),
    ("bpf", "/sys/fs/bpf"),
    ("cgroup2", "/sys/fs/cgroup"),
];

/// Open files of one process: a test holds the pipes of a thousand children.
const OPEN_FILES: u64 = 65_536;

/// Mounts, brings the loopback device up, raises limits. Returns what the kernel did not allow, one sentence each: a
/// locked-down kernel has no tracefs, and that is for the checks to judge.
///
/// # Errors
/// When there is no loopback device.
pub fn boot() -> Result<Vec<String>> {
    let mut refused = Vec::new();
    for (kind, path) in MOUNTS {
        // In sysfs the kernel has made the folder, where it knows the file system at all.
        let _ = fs::create_dir_all(path);
        if let Err(error) = rustix::mount::mount(kind, path, kind, MountFlags::empty(), None) {
            refused.push(format!("{kind} cannot be mounted: {error}"));
        }
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(OPEN_FILES), maximum: Some(OPEN_FILES) })
        .context("cannot raise the limit of open files")?;
    loopback_up().context("the loopback device does not come up")?;
    Ok(refused)
}

fn loopback_up() -> Result<()> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    // SAFETY: a C structure of integers and pointers, for which all bits zero is a valid value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(CString::new("lo")?.as_bytes_with_nul()) {
        *to = libc::c_char::try_from(*from)?;
    }
    request.ifr_ifru.ifru_flags = libc::c_short::try_from(libc::IFF_UP | libc::IFF_RUNNING)?;
    let fd = std::os::fd::AsRawFd::as_raw_fd(&socket);
    // SAFETY: an open socket, and a request that outlives the call.
    let status = unsafe { libc::ioctl(fd, libc::SIOCSIFFLAGS, &raw const request) };
    ensure!(status == 0, "{}", io::Error::last_os_error());
    Ok(())
}

/// Switches the machine off, after all that was printed has left it.
///
/// # Errors
/// When the kernel refuses, for instance because this is not its first process.
pub fn power_off() -> Result<()> {
    // SAFETY: takes no memory; waits until the console has sent what was written.
    unsafe { libc::tcdrain(1) };
    reboot(RebootCommand::PowerOff).context("cannot switch off")
}
