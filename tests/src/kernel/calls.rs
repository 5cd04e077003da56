//! The system calls that move bytes over a socket, each made exactly as named: the standard library and glibc choose
//! calls of their own, and which one was made is what the tests are about.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

use std::{io, os::fd::RawFd};

use libc::{c_int, c_long, c_void, iovec};

/// A result of a system call: a length or an errno.
fn length(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Iovecs over buffers that are only read.
pub fn iovecs(parts: &[&[u8]]) -> Vec<iovec> {
    parts
        .iter()
        .map(|part| iovec { iov_base: part.as_ptr().cast_mut().cast(), iov_len: part.len() })
        .collect()
}

/// Buffers of these lengths and the iovecs over them.
pub fn room(lengths: &[usize]) -> (Vec<Vec<u8>>, Vec<iovec>) {
    let mut buffers: Vec<Vec<u8>> = lengths.iter().map(|length| vec![0; *length]).collect();
    let vector = buffers
        .iter_mut()
        .map(|buffer| iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() })
        .collect();
    (buffers, vector)
}

/// A message header over iovecs.
pub fn header(vector: &mut [iovec]) -> libc::msghdr {
    // SAFETY: a C structure of integers and pointers, for which all bits zero is a valid value.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_iov = vector.as_mut_ptr();
    header.msg_iovlen = vector.len();
    header
}

/// write(2).
pub fn write(fd: RawFd, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the buffer outlives the call.
    length(unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) })
}

/// read(2).
pub fn read(fd: RawFd, most: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; most];
    // SAFETY: the buffer outlives the call.
    let length = length(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), most) })?;
    buffer.truncate(length);
    Ok(buffer)
}

/// writev(2).
pub fn writev(fd: RawFd, parts: &[&[u8]]) -> io::Result<usize> {
    let vector = iovecs(parts);
    // SAFETY: the iovecs and their buffers outlive the call.
    length(unsafe { libc::writev(fd, vector.as_ptr(), c_int::try_from(vector.len()).unwrap()) })
}

/// readv(2) into buffers of these lengths.
pub fn readv(fd: RawFd, lengths: &[usize]) -> io::Result<usize> {
    let (_buffers, vector) = room(lengths);
    // SAFETY: the iovecs and their buffers outlive the call.
    length(unsafe { libc::readv(fd, vector.as_ptr(), c_int::try_from(vector.len()).unwrap()) })
}

/// pwritev2(2) at the current position, which is what a socket has.
pub fn pwritev2(fd: RawFd, parts: &[&[u8]]) -> io::Result<usize> {
    let vector = iovecs(parts);
    // SAFETY: the iovecs and their buffers outlive the call.
    length(unsafe { libc::pwritev2(fd, vector.as_ptr(), c_int::try_from(vector.len()).unwrap(), -1, 0) })
}

/// preadv2(2) at the current position.
pub fn preadv2(fd: RawFd, lengths: &[usize]) -> io::Result<usize> {
    let (_buffers, vector) = room(lengths);
    // SAFETY: the iovecs and their buffers outlive the call.
    length(unsafe { libc::preadv2(fd, vector.as_ptr(), c_int::try_from(vector.len()).unwrap(), -1, 0) })
}

/// send(2), which is sendto(2) without an address.
pub fn send(fd: RawFd, bytes: &[u8], flags: c_int) -> io::Result<usize> {
    // SAFETY: the buffer outlives the call.
    length(unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), flags) })
}

/// recv(2), which is recvfrom(2) without an address.
pub fn recv(fd: RawFd, most: usize, flags: c_int) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; most];
    // SAFETY: the buffer outlives the call.
    let length = length(unsafe { libc::recv(fd, buffer.as_mut_ptr().cast(), most, flags) })?;
    // With MSG_TRUNC more may have been dropped than there is room for.
    buffer.truncate(length);
    Ok(buffer)
}

/// recvfrom(2) with an address.
pub fn recvfrom(fd: RawFd, most: usize) -> io::Result<Vec<u8>> {
    let mut buffer = vec![0; most];
    // SAFETY: an address of zeros is a valid value.
    let mut address: libc::sockaddr_storage = unsafe { std::mem::zeroed() };
    let mut bytes = libc::socklen_t::try_from(size_of_val(&address)).unwrap();
    // SAFETY: the buffer and the room for the address outlive the call.
    let length = length(unsafe {
        libc::recvfrom(fd, buffer.as_mut_ptr().cast(), most, 0, (&raw mut address).cast(), &raw mut bytes)
    })?;
    buffer.truncate(length);
    Ok(buffer)
}

/// sendmsg(2).
pub fn sendmsg(fd: RawFd, parts: &[&[u8]], flags: c_int) -> io::Result<usize> {
    let mut vector = iovecs(parts);
    let header = header(&mut vector);
    // SAFETY: the header, its iovecs and their buffers outlive the call.
    length(unsafe { libc::sendmsg(fd, &raw const header, flags) })
}

/// recvmsg(2) into buffers of these lengths.
pub fn recvmsg(fd: RawFd, lengths: &[usize], flags: c_int) -> io::Result<usize> {
    let (_buffers, mut vector) = room(lengths);
    let mut header = header(&mut vector);
    // SAFETY: the header, its iovecs and their buffers outlive the call.
    length(unsafe { libc::recvmsg(fd, &raw mut header, flags) })
}

/// Receives exactly so many bytes, with recv(2).
pub fn recv_all(fd: RawFd, mut left: usize) {
    while left > 0 {
        let got = recv(fd, left.min(1 << 20), 0).unwrap().len();
        assert!(got > 0, "the peer closed, {left} bytes too early");
        left -= got;
    }
}

/// Waits until there is something to receive, an end or an error included.
pub fn wait_readable(fd: RawFd) {
    let mut waits = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one structure, which outlives the call.
    assert_eq!(unsafe { libc::poll(&raw mut waits, 1, -1) }, 1);
}

/// sendfile(2) from the start of a file.
pub fn sendfile(socket: RawFd, file: RawFd, bytes: usize) -> io::Result<usize> {
    let mut offset = 0;
    // SAFETY: the offset outlives the call.
    length(unsafe { libc::sendfile(socket, file, &raw mut offset, bytes) })
}

/// splice(2) without offsets.
pub fn splice(from: RawFd, to: RawFd, bytes: usize) -> io::Result<usize> {
    // SAFETY: null offsets are allowed and mean the current position.
    length(unsafe { libc::splice(from, std::ptr::null_mut(), to, std::ptr::null_mut(), bytes, 0) })
}

/// fcntl(2): the calls on this open file no longer wait.
pub fn set_nonblocking(fd: RawFd) {
    // SAFETY: changes a flag of an open file of ours.
    assert_eq!(unsafe { libc::fcntl(fd, libc::F_SETFL, libc::O_NONBLOCK) }, 0);
}

/// setsockopt(2) of an integer.
pub fn set_option(fd: RawFd, level: c_int, name: c_int, value: c_int) {
    let bytes = libc::socklen_t::try_from(size_of::<c_int>()).unwrap();
    // SAFETY: the value outlives the call.
    let status = unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast::<c_void>(), bytes) };
    assert_eq!(status, 0, "setsockopt: {}", io::Error::last_os_error());
}

/// shutdown(2).
pub fn shutdown(fd: RawFd, how: c_int) {
    // SAFETY: takes no memory.
    assert_eq!(unsafe { libc::shutdown(fd, how) }, 0, "shutdown: {}", io::Error::last_os_error());
}

/// close(2) of a number whose owner is forgotten, as in a forked child.
pub fn close(fd: RawFd) {
    // SAFETY: takes no memory; the caller knows that nothing uses the number any more.
    assert_eq!(unsafe { libc::close(fd) }, 0, "close: {}", io::Error::last_os_error());
}

/// close(2) such that a TCP peer gets a reset: `SO_LINGER` of zero.
pub fn reset(fd: RawFd) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let bytes = libc::socklen_t::try_from(size_of_val(&linger)).unwrap();
    // SAFETY: the value outlives the call.
    let status = unsafe {
        libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_LINGER, (&raw const linger).cast::<c_void>(), bytes)
    };
    assert_eq!(status, 0, "SO_LINGER: {}", io::Error::last_os_error());
    close(fd);
}

/// Thread id of the caller.
pub fn gettid() -> u32 {
    // SAFETY: takes no memory.
    let tid: c_long = unsafe { libc::syscall(libc::SYS_gettid) };
    u32::try_from(tid).unwrap()
}

/// Ancillary data for one descriptor, aligned as `struct cmsghdr` must be.
#[repr(C, align(8))]
struct Control([u8; 24]);

/// sendmsg(2) of one byte and a descriptor.
pub fn send_descriptor(way: RawFd, fd: RawFd) {
    let byte = [b"!".as_slice()];
    let mut vector = iovecs(&byte);
    let mut header = header(&mut vector);
    let mut control = Control([0; 24]);
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = control.0.len();
    // SAFETY: the control buffer has room for a header and one descriptor (CMSG_SPACE(4) is 24); all outlives the call.
    unsafe {
        let first = libc::CMSG_FIRSTHDR(&raw const header);
        (*first).cmsg_level = libc::SOL_SOCKET;
        (*first).cmsg_type = libc::SCM_RIGHTS;
        (*first).cmsg_len = usize::try_from(libc::CMSG_LEN(4)).unwrap();
        libc::CMSG_DATA(first).cast::<RawFd>().write_unaligned(fd);
        assert_eq!(libc::sendmsg(way, &raw const header, 0), 1);
    }
}

/// recvmsg(2) of one byte and a descriptor.
pub fn receive_descriptor(way: RawFd) -> RawFd {
    let (_buffers, mut vector) = room(&[1]);
    let mut header = header(&mut vector);
    let mut control = Control([0; 24]);
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = control.0.len();
    // SAFETY: as in `send_descriptor`; the kernel fills the control buffer.
    unsafe {
        assert_eq!(libc::recvmsg(way, &raw mut header, 0), 1);
        libc::CMSG_DATA(libc::CMSG_FIRSTHDR(&raw const header)).cast::<RawFd>().read_unaligned()
    }
}
