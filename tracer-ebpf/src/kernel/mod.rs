//! The programs, one probe a file, and what they share.

mod buffers;
mod emit;
mod maps;
mod memory;
mod process;
mod socket_end;
mod socket_facts;
mod socket_state;
mod syscall;
mod transfer;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // The verifier refuses programs that can reach this.
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
