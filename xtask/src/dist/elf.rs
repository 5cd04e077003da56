//! Whether a program needs anything of the host that it runs on, by its headers (elf(5), 64-bit, little-endian).

use anyhow::{Context as _, ensure};

/// `PT_INTERP`: the program is started by a dynamic linker.
const PT_INTERP: u32 = 3;

/// Errors unless it is a program for the machine `number` that needs no dynamic linker.
pub fn check(program: &[u8], number: u16) -> anyhow::Result<()> {
    ensure!(program.starts_with(b"\x7fELF\x02\x01"), "no 64-bit little-endian ELF file");
    let machine = read(program, 18).map(u16::from_le_bytes)?;
    ensure!(machine == number, "built for machine {machine}, not {number}");
    let start = usize::try_from(read(program, 32).map(u64::from_le_bytes)?)?;
    let bytes = usize::from(read(program, 54).map(u16::from_le_bytes)?);
    let count = usize::from(read(program, 56).map(u16::from_le_bytes)?);
    ensure!(count > 0, "it has no program headers");
    for index in 0..count {
        let kind = read(program, start + index * bytes).map(u32::from_le_bytes)?;
        ensure!(kind != PT_INTERP, "it needs a dynamic linker");
    }
    Ok(())
}

fn read<const N: usize>(program: &[u8], at: usize) -> anyhow::Result<[u8; N]> {
    let bytes = at.checked_add(N).and_then(|end| program.get(at..end)).context("it is cut short")?;
    Ok(bytes.try_into()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two program headers of these kinds.
    fn program(machine: u16, kinds: [u32; 2]) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 2 * 56];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[18..20].copy_from_slice(&machine.to_le_bytes());
        bytes[32] = 64;
        bytes[54] = 56;
        bytes[56] = 2;
        for (index, kind) in kinds.iter().enumerate() {
            bytes[64 + index * 56..][..4].copy_from_slice(&kind.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn what_a_program_needs() {
        let check = |bytes: &[u8], expected: Option<&str>| {
            let found = check(bytes, 62).err().map(|error| error.to_string());
            assert_eq!(found.as_deref(), expected);
        };
        check(&program(62, [1, 2]), None);
        check(&program(62, [1, 3]), Some("it needs a dynamic linker"));
        check(&program(183, [1, 2]), Some("built for machine 183, not 62"));
        check(&program(62, [1, 2])[..100], Some("it is cut short"));
        check(b"#!/bin/sh\n", Some("no 64-bit little-endian ELF file"));
    }

    #[test]
    fn a_test_is_a_dynamic_program() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let number = if cfg!(target_arch = "x86_64") { 62 } else { 183 };
        assert_eq!(check(&own, number).unwrap_err().to_string(), "it needs a dynamic linker");
    }
}
