//! One group: what makes it one, and what is counted in it.

use super::GroupId;
use super::histogram::Histogram;
use crate::event::Address;
use crate::request::{ErrorCode, Request};
use crate::sql::{TextId, Texts};
use crate::time::Nanos;

/// Longer than any server allows (PostgreSQL 63 bytes, MySQL 64 characters): only a hostile name is cut.
const DATABASE_MAX_BYTES: usize = 256;
/// Distinct error codes kept for a group; the rest is counted as [`OTHER_CODES`].
const CODES_MAX: usize = 64;
/// Stands for all codes past [`CODES_MAX`].
const OTHER_CODES: &[u8] = b"(other)";

/// What makes a group.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub text: TextId,
    pub protocol: &'static str,
    pub database: Option<Box<str>>,
    /// `None`: several servers.
    pub peer: Option<Address>,
}

impl Key {
    pub fn new(text: TextId, protocol: &'static str, database: Option<&str>, peer: &Address) -> Self {
        let database = database.map(|name| {
            let end = name.floor_char_boundary(DATABASE_MAX_BYTES);
            Box::from(&name[..end])
        });
        Self { text, protocol, database, peer: Some(peer.clone()) }
    }

    /// The key of what does not fit: of any text, database and server.
    pub fn other(protocol: &'static str) -> Self {
        Self { text: Texts::OTHER, protocol, database: None, peer: None }
    }

    pub fn is_other(&self) -> bool {
        self.peer.is_none()
    }

    pub fn heap_bytes(&self) -> usize {
        let peer = if let Some(Address::Unix(path)) = &self.peer { path.capacity() } else { 0 };
        self.database.as_ref().map_or(0, |name| name.len()) + peer
    }
}

/// What is counted of one group.
#[derive(Debug)]
pub(super) struct Group {
    pub key: Key,
    /// Its requests are counted there now.
    pub folded_into: Option<GroupId>,
    pub errors: Vec<(ErrorCode, u64)>,
    pub rows: u64,
    pub request_bytes: u64,
    pub answer_bytes: u64,
    pub slow_count: u64,
    pub cancelled: u64,
    pub latency: Histogram,
    pub first_byte: Histogram,
}

impl Group {
    pub fn new(key: Key) -> Self {
        Self {
            key,
            folded_into: None,
            errors: Vec::new(),
            rows: 0,
            request_bytes: 0,
            answer_bytes: 0,
            slow_count: 0,
            cancelled: 0,
            latency: Histogram::default(),
            first_byte: Histogram::default(),
        }
    }

    /// Counts one request.
    pub fn record(&mut self, request: &Request, slow: Option<Nanos>) {
        let latency = request.latency();
        if let Some(code) = request.error {
            self.count_error(code, 1);
        }
        self.rows = self.rows.saturating_add(request.rows);
        self.request_bytes = self.request_bytes.saturating_add(request.request_bytes);
        self.answer_bytes = self.answer_bytes.saturating_add(request.answer_bytes);
        self.slow_count += u64::from(slow.is_some_and(|slow| latency >= slow));
        self.cancelled += u64::from(request.cancelled);
        self.latency.record(latency);
        self.first_byte.record(request.first_byte());
    }

    /// Takes the content out and leaves a group that only says where it went.
    pub fn take(&mut self, into: GroupId) -> Self {
        let mut empty = Self::new(self.key.clone());
        empty.folded_into = Some(into);
        std::mem::replace(self, empty)
    }

    /// Adds the content of another group.
    pub fn merge(&mut self, other: &Self) {
        for (code, count) in &other.errors {
            self.count_error(*code, *count);
        }
        self.rows = self.rows.saturating_add(other.rows);
        self.request_bytes = self.request_bytes.saturating_add(other.request_bytes);
        self.answer_bytes = self.answer_bytes.saturating_add(other.answer_bytes);
        self.slow_count = self.slow_count.saturating_add(other.slow_count);
        self.cancelled = self.cancelled.saturating_add(other.cancelled);
        self.latency.merge(&other.latency);
        self.first_byte.merge(&other.first_byte);
    }

    pub fn histogram_bytes(&self) -> usize {
        self.latency.bytes() + self.first_byte.bytes()
    }

    pub fn heap_bytes(&self) -> usize {
        self.key.heap_bytes()
            + self.errors.capacity() * size_of::<(ErrorCode, u64)>()
            + self.histogram_bytes()
    }

    fn count_error(&mut self, code: ErrorCode, n: u64) {
        let known = self.errors.iter().position(|(c, _)| *c == code);
        let code = match known {
            None if self.errors.len() >= CODES_MAX => ErrorCode::new(OTHER_CODES),
            _ => code,
        };
        match self.errors.iter_mut().find(|(c, _)| *c == code) {
            Some((_, count)) => *count = count.saturating_add(n),
            None => self.errors.push((code, n)),
        }
    }
}
