//! From the slots of a statement to its layout and the features of its literals.

use super::dialect::Dialect;
use super::layout::{MAX_LIST, Origin, Part};
use super::slots::{Slots, Written};
use crate::time::Nanos;
use crate::value::{Extractor, Value};

/// A position whose values come from more places than this has no value: it bounds the effort for a list of parameters
/// in wild order.
const MAX_PARTS: usize = 128;

/// A statement, and when it was sent.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) dialect: Dialect,
    pub(super) sql: &'a [u8],
    pub(super) at: Nanos,
}

/// Buffers for the layout and the literals of one statement.
#[derive(Debug, Default)]
pub(super) struct Reader {
    parts: Vec<Part>,
    literals: Vec<Value>,
    list: Vec<Value>,
}

impl Reader {
    /// Reads what stands at the slots of a statement.
    pub(super) fn read(&mut self, slots: &Slots, sent: Sent<'_>, extractor: &mut Extractor) {
        self.parts.clear();
        self.literals.clear();
        for (position, members) in slots.iter() {
            if members.clone().any(|written| matches!(written, Written::Parameter(_))) {
                self.parameters(members, sent, extractor);
                continue;
            }
            let origin = if position.literal { Origin::Literal } else { Origin::Unseen };
            self.parts.push(Part { origin, joined: false });
            if position.literal {
                self.list.clear();
                self.list
                    .extend(members.take(MAX_LIST).map(|written| literal(written, sent, &mut *extractor)));
                let nothing = self.list.is_empty();
                self.literals.push(if nothing { Value::UNSEEN } else { extractor.list(&self.list) });
            }
        }
    }

    /// One part for each position or more: see [`super::layout`].
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What the layout takes from literals, in its order.
    pub(super) fn literals(&self) -> &[Value] {
        &self.literals
    }

    /// A slot of parameters, maybe with literals among them.
    fn parameters(
        &mut self,
        members: impl Iterator<Item = Written>,
        sent: Sent<'_>,
        extractor: &mut Extractor,
    ) {
        let (first, literals) = (self.parts.len(), self.literals.len());
        for written in members {
            match written {
                Written::Parameter(number) => self.parameter(first, number),
                Written::Literal(..) => {
                    self.literals.push(literal(written, sent, extractor));
                    self.part(first, Origin::Literal);
                }
            }
            if self.parts.len() - first > MAX_PARTS {
                self.parts.truncate(first);
                self.literals.truncate(literals);
                self.part(first, Origin::Unseen);
                return;
            }
        }
    }

    /// A parameter of the slot whose parts begin at `slot`. Each counts once, however often the statement names it.
    fn parameter(&mut self, slot: usize, number: u64) {
        let Some(number) = u16::try_from(number).ok().filter(|number| *number > 0) else {
            return self.part(slot, Origin::Unseen);
        };
        let parts = self.parts.get_mut(slot..).unwrap_or_default();
        if parts.iter().any(|part| part.origin.has(number)) {
            return;
        }
        if !parts.last_mut().is_some_and(|part| part.origin.goes_on(number)) {
            self.part(slot, Origin::Parameters { first: number, step: 1, count: 1 });
        }
    }

    fn part(&mut self, slot: usize, origin: Origin) {
        self.parts.push(Part { origin, joined: self.parts.len() > slot });
    }
}

impl Origin {
    /// This parameter is among those.
    pub(super) fn has(self, number: u16) -> bool {
        match self {
            Self::Parameters { first, step, count } if number >= first && step > 0 => {
                (number - first).is_multiple_of(step) && (number - first) / step < count
            }
            _ => false,
        }
    }

    /// Takes the number in, if it is the next of an even row.
    fn goes_on(&mut self, number: u16) -> bool {
        let Self::Parameters { first, step, count } = self else { return false };
        if *count == 1 && number > *first {
            *step = number - *first;
        }
        let next = step.checked_mul(*count).and_then(|distance| distance.checked_add(*first));
        if next != Some(number) {
            return false;
        }
        *count += 1;
        true
    }
}

fn literal(written: Written, sent: Sent<'_>, extractor: &mut Extractor) -> Value {
    match written {
        Written::Literal(start, end, negative) => {
            let Some(literal) = sent.sql.get(start..end) else { return Value::UNSEEN };
            match sent.dialect {
                Dialect::Postgresql => extractor.literal(literal, negative, sent.at),
                Dialect::Mysql => extractor.mysql_literal(literal, true, negative, sent.at),
                Dialect::MysqlNoBackslashEscapes => {
                    extractor.mysql_literal(literal, false, negative, sent.at)
                }
            }
        }
        Written::Parameter(_) => Value::UNSEEN,
    }
}
