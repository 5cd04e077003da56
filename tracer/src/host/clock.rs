//! tmp
use crate::time::Nanos;
pub struct Clock { mono: Nanos, wall: std::time::SystemTime }
impl Clock {
    pub fn now() -> std::io::Result<Self> {
        let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        Ok(Self { mono: Nanos(t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64), wall: std::time::SystemTime::now() })
    }
    pub fn monotonic(&self) -> Nanos { self.mono }
    pub fn rfc3339(&self, at: Nanos) -> String {
        let t = self.wall - std::time::Duration::from_nanos(self.mono.0) + std::time::Duration::from_nanos(at.0);
        humantime::format_rfc3339_millis(t).to_string()
    }
    pub fn rfc3339_of_ticks(&self, _t: u64) -> String { String::new() }
}
