//! The prepared statements of a session, by the id that the server gave them.
//!
//! Never keeps a text, only what it was interned as.

use std::collections::HashMap;

use super::cursor::Cursor;
use super::parameters::{LongData, MAX_PARAMETERS, ParameterType};
use crate::random::SplitMix64;
use crate::sql::{LayoutId, TextId, Texts};
use crate::time::Nanos;
use crate::value::Value;

/// Statements of one session that are remembered: the servers' own limit for all sessions together
/// (`max_prepared_stmt_count`).
pub(super) const MOST_STATEMENTS: usize = 16_382;

/// Of a statement that was executed more often than this on one connection, only one in four executions has its values
/// read: at such a rate these are more than enough.
const EXECUTIONS_READ: u32 = 8192;
/// Chance decides for so many at a time.
const EXECUTIONS_TOSSED: u32 = 16;

/// MariaDB: the statement that was prepared last.
pub(super) const LAST_PREPARED: u32 = u32::MAX;

/// What was sent to be prepared.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub text: TextId,
    /// The text was seen.
    pub known: bool,
    pub layout: LayoutId,
    /// The literals of the text.
    pub literals: Box<[Value]>,
    /// How many parameters it has, once the server said so.
    pub parameters: Option<u16>,
    /// Types of its last execution.
    pub types: Vec<ParameterType>,
    /// Parameters that were sent ahead of the next execution.
    pub long_data: Option<Box<LongData>>,
    /// Size of these on the wire.
    pub long_data_bytes: u64,
    /// Its open cursor.
    pub cursor: Option<Box<Cursor>>,
    executions: u32,
    passes_over: bool,
}

impl Prepared {
    pub(super) fn new(text: TextId, known: bool, layout: LayoutId, literals: &[Value]) -> Self {
        Self {
            text,
            known,
            layout,
            literals: literals.into(),
            parameters: None,
            types: Vec::new(),
            long_data: None,
            long_data_bytes: 0,
            cursor: None,
            executions: 0,
            passes_over: false,
        }
    }

    /// COM_STMT_SEND_LONG_DATA.
    pub(super) fn send_long_data(&mut self, parameter: u16, wire_bytes: u64) {
        self.long_data_bytes = self.long_data_bytes.saturating_add(wire_bytes);
        let n = usize::from(parameter);
        if n < MAX_PARAMETERS {
            let bits = self.long_data.get_or_insert_default();
            bits[n / 64] |= 1 << (n % 64);
        }
    }

    /// An execution used the data, or COM_STMT_RESET dropped it.
    pub(super) fn forget_long_data(&mut self) {
        self.long_data = None;
        self.long_data_bytes = 0;
    }

    /// True: this execution's values are not to be read.
    pub(super) fn passes_over_next(&mut self, chance: &mut SplitMix64, at: Nanos) -> bool {
        self.executions = self.executions.saturating_add(1);
        if self.executions > EXECUTIONS_READ && self.executions.is_multiple_of(EXECUTIONS_TOSSED) {
            chance.stir(at.0);
            self.passes_over = chance.next_bits() & 3 != 0;
        }
        self.passes_over
    }
}

/// All of a session.
#[derive(Debug, Default)]
pub(super) struct Statements {
    by_id: HashMap<u32, Prepared, foldhash::quality::RandomState>,
    /// The server's id of the one that was prepared last.
    pub last: Option<u32>,
}

impl Statements {
    pub(super) fn insert(&mut self, id: u32, prepared: Prepared) -> Option<Prepared> {
        if self.by_id.len() >= MOST_STATEMENTS {
            self.forget_older_half();
        }
        self.by_id.insert(id, prepared)
    }

    /// Servers count ids upward.
    fn forget_older_half(&mut self) {
        let mut ids: Vec<u32> = self.by_id.keys().copied().collect();
        let half = ids.len() / 2;
        let (_, middle, _) = ids.select_nth_unstable(half);
        let middle = *middle;
        self.by_id.retain(|id, prepared| *id >= middle || prepared.cursor.is_some());
        // A client that opens nothing but cursors.
        if self.by_id.len() >= MOST_STATEMENTS {
            self.by_id.clear();
        }
    }

    /// The id that is meant.
    fn resolved(&self, id: u32) -> u32 {
        if id == LAST_PREPARED { self.last.unwrap_or(id) } else { id }
    }

    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Prepared> {
        self.by_id.get_mut(&self.resolved(id))
    }

    /// The statement of an id; one that was never seen was prepared before the capture.
    pub(super) fn get_or_before(&mut self, id: u32, texts: &mut Texts) -> &mut Prepared {
        let id = self.resolved(id);
        if !self.by_id.contains_key(&id) {
            let text = texts.intern_prepared_before(id.to_string().as_bytes());
            self.insert(id, Prepared::new(text, false, LayoutId::PARAMETERS, &[]));
        }
        self.by_id.entry(id).or_insert_with(|| Prepared::new(Texts::OTHER, false, LayoutId::NOTHING, &[]))
    }

    pub(super) fn remove(&mut self, id: u32) -> Option<Prepared> {
        self.by_id.remove(&self.resolved(id))
    }

    /// All open cursors, oldest first.
    pub(super) fn cursors(&self) -> Vec<&Cursor> {
        let mut open: Vec<&Cursor> = self.by_id.values().filter_map(|own| own.cursor.as_deref()).collect();
        open.sort_by_key(|cursor| cursor.request.started_at);
        open
    }

    /// Takes all open cursors, in the order in which they were read last.
    pub(super) fn take_cursors(&mut self) -> Vec<Cursor> {
        let mut open: Vec<Cursor> =
            self.by_id.values_mut().filter_map(|own| own.cursor.take()).map(|cursor| *cursor).collect();
        open.sort_by_key(|cursor| cursor.request.ended_at);
        open
    }

    /// The session was reset: no id is valid any more.
    pub(super) fn clear(&mut self) {
        self.by_id = HashMap::default();
        self.last = None;
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }
}
