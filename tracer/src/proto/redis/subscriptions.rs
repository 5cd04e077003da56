//! How many channels a connection is subscribed to, as the server's confirmations tell.
//!
//! Source: Redis documentation, "Redis Pub/Sub": a confirmation has the subscription's kind, the channel, and how many
//! channels and patterns are subscribed then; shard channels are counted apart.

/// Channels, patterns and shard channels.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Subscriptions {
    channels: u64,
    patterns: u64,
    shard_channels: u64,
}

impl Subscriptions {
    /// Any at all.
    pub(super) fn any(&self) -> bool {
        self.channels + self.patterns + self.shard_channels > 0
    }

    /// A published message came without a subscription that was seen.
    pub(super) fn seen(&mut self) {
        if !self.any() {
            self.channels = 1;
        }
    }

    /// Takes a confirmation: its kind, and the number in it. Gives how many of that kind are left; None: it is none.
    pub(super) fn confirm(&mut self, kind: &[u8], number: Option<i64>) -> Option<u64> {
        let total = u64::try_from(number.unwrap_or(0)).unwrap_or(0);
        let (count, other) = match kind {
            b"subscribe" | b"unsubscribe" => (&mut self.channels, self.patterns),
            b"psubscribe" | b"punsubscribe" => (&mut self.patterns, self.channels),
            b"ssubscribe" | b"sunsubscribe" => (&mut self.shard_channels, 0),
            _ => return None,
        };
        *count = total.saturating_sub(other);
        Some(*count)
    }
}
