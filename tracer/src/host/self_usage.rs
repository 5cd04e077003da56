//! tmp
#[derive(Default)]
pub struct Usage { pub cpu_ns: u64, pub rss_bytes: u64 }
pub fn read() -> Option<Usage> { None }
