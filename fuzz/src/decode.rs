//! One record of the ring buffer, of any bytes.

use super::records;
use tracer::event::{Event, decode};

pub(super) fn run(data: &[u8]) {
    let Some(event) = decode(data) else { return };
    if let Event::Transfer(piece) = &event {
        assert!(piece.bytes.len() <= data.len(), "more bytes than there were");
        assert!(piece.len() <= u64::from(u32::MAX), "longer than the record can say");
    }
    // What was understood can be written down and understood again.
    assert_eq!(decode(&records::encode(&event)).as_ref(), Some(&event));
}
