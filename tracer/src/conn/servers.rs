//! The servers of a capture by number, and how many requests each has in flight.

use std::collections::HashMap;

use crate::event::Address;

/// Most servers told apart; the rest share the last number.
const MOST_SERVERS: usize = 10_000;

/// Servers in the order in which they were first seen.
#[derive(Debug, Default)]
pub struct Servers {
    numbers: HashMap<Address, u32>,
    addresses: Vec<Address>,
    in_flight: Vec<u32>,
}

impl Servers {
    /// The number of an address.
    pub fn number(&mut self, address: &Address) -> u32 {
        if let Some(number) = self.numbers.get(address) {
            return *number;
        }
        let last = u32::try_from(self.addresses.len()).unwrap_or(u32::MAX);
        if self.addresses.len() >= MOST_SERVERS {
            return last.saturating_sub(1);
        }
        self.numbers.insert(address.clone(), last);
        self.addresses.push(address.clone());
        self.in_flight.push(0);
        last
    }

    /// The address with a number.
    pub fn address(&self, number: u32) -> Option<&Address> {
        self.addresses.get(usize::try_from(number).ok()?)
    }

    /// Requests in flight to a server, over all connections.
    pub fn in_flight(&self, number: u32) -> u32 {
        usize::try_from(number).ok().and_then(|index| self.in_flight.get(index)).copied().unwrap_or(0)
    }

    /// One connection had `before` requests in flight to a server, and has `now`.
    pub(super) fn change(&mut self, number: u32, before: u32, now: u32) {
        if let Some(count) = usize::try_from(number).ok().and_then(|index| self.in_flight.get_mut(index)) {
            *count = count.saturating_sub(before).saturating_add(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_counts_its_own() {
        let mut servers = Servers::default();
        let (a, b) = (Address::Unix(b"/a".to_vec()), Address::Unix(b"/b".to_vec()));
        assert_eq!([servers.number(&a), servers.number(&b), servers.number(&a)], [0, 1, 0]);
        servers.change(0, 0, 3);
        servers.change(1, 0, 1);
        servers.change(0, 3, 2);
        assert_eq!([servers.in_flight(0), servers.in_flight(1), servers.in_flight(2)], [2, 1, 0]);
        assert_eq!(servers.address(1), Some(&b));
    }
}
