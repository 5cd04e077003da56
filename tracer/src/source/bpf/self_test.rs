//! A message that dbtap sends to itself: a probe that loads, attaches and never fires must not pass for silence.

use std::{
    io::{Read, Write},
    os::unix::net::UnixStream,
};

use tracer_ebpf::{direction, kind};

use super::{Kernel, LoadError, Source};
use crate::event::{Event, decode};

const MESSAGE: &[u8] = b"dbtap tests its own probes";

pub(super) fn run(kernel: &mut Kernel) -> Result<(), LoadError> {
    let own = std::process::id();
    if !kernel.targets.insert(own, false) {
        return Err(LoadError::SelfTest("its process could not be put into the target table".into()));
    }
    let talked = talk();
    kernel.targets.remove(own);
    talked.map_err(|error| LoadError::System { what: "sending a test message over a socket pair", error })?;

    let mut seen = [false; 2];
    let mut records = 0;
    kernel
        .drain(1024, &mut |record| {
            records += 1;
            if let Some(Event::Transfer(transfer)) = decode(record) {
                let direction = if transfer.sent { direction::SEND } else { direction::RECEIVE };
                seen[usize::from(direction)] |= transfer.bytes == MESSAGE && transfer.task.pid == own;
            }
        })
        .map_err(|error| LoadError::SelfTest(error.to_string()))?;
    match seen {
        [true, true] => Ok(()),
        _ => Err(LoadError::SelfTest(format!(
            "sent: {}, received: {}, records of kind {} and others: {records}; is dbtap in a container's pid namespace?",
            seen[0],
            seen[1],
            kind::TRANSFER
        ))),
    }
}

fn talk() -> std::io::Result<()> {
    let (mut here, mut there) = UnixStream::pair()?;
    here.write_all(MESSAGE)?;
    let mut answer = [0; MESSAGE.len()];
    there.read_exact(&mut answer)
}
