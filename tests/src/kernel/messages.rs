//! Vectors of messages for sendmmsg(2) and recvmmsg(2), at one place in memory from call to call.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the failure report")]

use std::{io, os::fd::RawFd};

use libc::{c_int, iovec, mmsghdr};

use super::calls;

/// Messages with the memory that they point to.
#[derive(Debug)]
pub struct Messages {
    _buffers: Vec<Vec<Vec<u8>>>,
    _vectors: Vec<Vec<iovec>>,
    headers: Vec<mmsghdr>,
}

impl Messages {
    /// Messages that are to be sent, each of several parts.
    pub fn of(messages: &[&[&[u8]]]) -> Self {
        let owned = |message: &&[&[u8]]| message.iter().map(|part| part.to_vec()).collect();
        Self::over(messages.iter().map(owned).collect())
    }

    /// Room for messages, each of several buffers of these lengths.
    pub fn room(messages: &[&[usize]]) -> Self {
        let zeros = |message: &&[usize]| message.iter().map(|length| vec![0; *length]).collect();
        Self::over(messages.iter().map(zeros).collect())
    }

    fn over(mut buffers: Vec<Vec<Vec<u8>>>) -> Self {
        let vector = |message: &mut Vec<Vec<u8>>| -> Vec<iovec> {
            let parts = message.iter_mut();
            parts.map(|part| iovec { iov_base: part.as_mut_ptr().cast(), iov_len: part.len() }).collect()
        };
        let mut vectors: Vec<Vec<iovec>> = buffers.iter_mut().map(vector).collect();
        let headers =
            vectors.iter_mut().map(|vector| mmsghdr { msg_hdr: calls::header(vector), msg_len: 0 }).collect();
        Self { _buffers: buffers, _vectors: vectors, headers }
    }

    /// sendmmsg(2) of the first `count` messages; how many were sent.
    pub fn send(&mut self, fd: RawFd, count: usize, flags: c_int) -> io::Result<usize> {
        self.raw(libc::SYS_sendmmsg, fd, count, flags, None)
    }

    /// recvmmsg(2) into the first `count` messages; how many were received.
    pub fn receive(&mut self, fd: RawFd, count: usize, flags: c_int) -> io::Result<usize> {
        self.raw(libc::SYS_recvmmsg, fd, count, flags, None)
    }

    /// recvmmsg(2) with a time limit, which the kernel looks at after each message only.
    pub fn receive_within(&mut self, fd: RawFd, count: usize, limit: libc::timespec) -> io::Result<usize> {
        self.raw(libc::SYS_recvmmsg, fd, count, 0, Some(limit))
    }

    /// Lengths of the messages as the kernel wrote them.
    pub fn lengths(&self) -> Vec<u32> {
        self.headers.iter().map(|header| header.msg_len).collect()
    }

    /// The header of one message, to change it.
    pub fn header(&mut self, index: usize) -> &mut libc::msghdr {
        &mut self.headers.get_mut(index).unwrap().msg_hdr
    }

    /// `count` goes to the kernel as it is, also beyond the end of the vector: a count that the kernel cuts is a case.
    fn raw(
        &mut self,
        number: libc::c_long,
        fd: RawFd,
        count: usize,
        flags: c_int,
        limit: Option<libc::timespec>,
    ) -> io::Result<usize> {
        let mut limit = limit;
        let time = limit.as_mut().map_or(std::ptr::null_mut(), std::ptr::from_mut);
        // SAFETY: the headers and what they point to live in self, the time limit until the end of this call; the kernel
        // checks every other address.
        let result = unsafe { libc::syscall(number, fd, self.headers.as_mut_ptr(), count, flags, time) };
        usize::try_from(result).map_err(|_| io::Error::last_os_error())
    }
}
