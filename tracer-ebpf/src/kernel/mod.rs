//! What the programs of all backends share. Each backend brings `store` (where socket states are kept), `iovec` (whose memory
//! iovecs lie in) and `repeat` (how often a step can be repeated).

mod emit;
pub mod maps;
pub mod memory;
pub mod pieces;
mod process;
mod socket_end;
mod socket_facts;
pub mod socket_state;
pub mod transfer;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // The verifier refuses programs that can reach this.
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
