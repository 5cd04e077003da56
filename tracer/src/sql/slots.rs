//! Which parameters and literals stand behind each `$n` and `?` of the text under construction.
//!
//! Follows what the normaliser writes and takes back. Knows where a literal stands in the statement, never what it is.

use std::ops::Range;

/// So many positions of a statement are known; values behind them are left out.
pub(super) const MAX_POSITIONS: usize = 256;
/// What a long text needed beyond so many entries is given back.
const MAX_SPARE: usize = 16_384;

/// What stands at a position of a normalised text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The number that a report shows behind `$`: of a parameter as in the text; literals count on behind the highest
    /// parameter.
    pub number: u16,
    /// Shown as `?` in the text: a literal, or a parameter of MySQL, which writes them so.
    pub literal: bool,
}

/// A parameter or a literal as the statement wrote it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Written {
    /// Its number.
    Parameter(u64),
    /// Its first byte, the byte behind it, and whether the sign that vanished with it was a minus.
    Literal(usize, usize, bool),
}

/// A `$n` or `?` of the text.
#[derive(Clone, Copy, Debug)]
struct Mark {
    /// Where it stands in the text.
    at: usize,
    /// The number shown; `None` is a literal.
    parameter: Option<u16>,
    /// Nothing can be said of its value.
    unseen: bool,
    slot: Option<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Member {
    /// Index of its mark; once [`Slots::finish`] was called, of its slot.
    of: usize,
    written: Written,
}

/// The slots of one text: its marks, every parameter once.
#[derive(Debug, Default)]
pub(super) struct Slots {
    marks: Vec<Mark>,
    /// In the order of the statement.
    members: Vec<Member>,
    slots: Vec<Slot>,
    by_number: Vec<Option<u8>>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    position: Position,
    unseen: bool,
}

impl Slots {
    pub(super) fn clear(&mut self) {
        self.marks.clear();
        self.marks.shrink_to(MAX_SPARE);
        self.members.clear();
        self.members.shrink_to(MAX_SPARE);
        self.slots.clear();
    }

    /// A `$n` is written at `at`; the statement wrote it as `number`. `unseen`: its value is not to be known.
    pub(super) fn parameter(&mut self, at: usize, shown: u64, number: u64, unseen: bool) {
        let shown = u16::try_from(shown).unwrap_or(u16::MAX);
        self.push(at, Some(shown), Written::Parameter(number), unseen);
    }

    /// A `?` is written at `at` for a literal.
    pub(super) fn literal(&mut self, at: usize, place: Range<usize>, negative: bool, unseen: bool) {
        self.push(at, None, Written::Literal(place.start, place.end, negative), unseen);
    }

    /// A `?` is written at `at` for parameter `number`, which the statement wrote so, too.
    pub(super) fn marker(&mut self, at: usize, number: u64, unseen: bool) {
        self.push(at, None, Written::Parameter(number), unseen);
    }

    fn push(&mut self, at: usize, parameter: Option<u16>, written: Written, unseen: bool) {
        self.members.push(Member { of: self.marks.len(), written });
        self.marks.push(Mark { at, parameter, unseen, slot: None });
    }

    /// Index of the first mark at or behind this place of the text.
    fn index(&self, at: usize) -> usize {
        self.marks.partition_point(|mark| mark.at < at)
    }

    /// The text from `dropped` on is taken back, because `kept` stands for it: what stood there joins, in turn.
    pub(super) fn join(&mut self, kept: Range<usize>, dropped: usize) {
        let (first, end, dropped) = (self.index(kept.start), self.index(kept.end), self.index(dropped));
        let from = self.members.iter().rposition(|member| member.of < dropped).map_or(0, |at| at + 1);
        if end - first == self.marks.len() - dropped {
            for member in self.members.iter_mut().skip(from) {
                member.of = member.of - dropped + first;
            }
            let (marks, dropped) = self.marks.split_at_mut(dropped);
            for (mark, dropped) in marks.iter_mut().skip(first).zip(dropped) {
                mark.unseen |= dropped.unseen;
            }
        } else {
            // Text that is no SQL: a `?` can be an operator here and a constant there.
            self.members.truncate(from);
            self.hide(kept.start);
        }
        self.marks.truncate(dropped);
    }

    /// The text from `at` on is taken back.
    pub(super) fn truncate(&mut self, at: usize) {
        let len = self.index(at);
        self.marks.truncate(len);
        self.members.retain(|member| member.of < len);
    }

    /// Nothing can be said of the values from `at` on: the list that they are in was cut.
    pub(super) fn hide(&mut self, at: usize) {
        let from = self.index(at);
        self.marks.iter_mut().skip(from).for_each(|mark| mark.unseen = true);
    }

    /// The text is complete: makes slots of its marks.
    pub(super) fn finish(&mut self) {
        let highest = self.marks.iter().filter_map(|mark| mark.parameter).max().unwrap_or(0);
        self.by_number.clear();
        self.by_number.resize(usize::from(highest) + 1, None);
        let mut last_literal = highest;
        for mark in &mut self.marks {
            let known = mark.parameter.and_then(|n| self.by_number.get_mut(usize::from(n)));
            mark.slot = known.as_ref().and_then(|slot| **slot);
            if mark.slot.is_none() && self.slots.len() < MAX_POSITIONS {
                mark.slot = u8::try_from(self.slots.len()).ok();
                if let Some(known) = known {
                    *known = mark.slot;
                }
                last_literal = last_literal.saturating_add(u16::from(mark.parameter.is_none()));
                let number = mark.parameter.unwrap_or(last_literal);
                let position = Position { number, literal: mark.parameter.is_none() };
                self.slots.push(Slot { position, unseen: false });
            }
            if let Some(slot) = mark.slot.and_then(|slot| self.slots.get_mut(usize::from(slot))) {
                slot.unseen |= mark.unseen;
            }
        }
        let (marks, slots) = (&self.marks, &self.slots);
        self.members.retain_mut(|member| {
            let slot = marks.get(member.of).and_then(|mark| mark.slot).map(usize::from);
            member.of = slot.unwrap_or(MAX_POSITIONS);
            slots.get(member.of).is_some_and(|slot| !slot.unseen)
        });
        // Stable, so that the members of a slot stay in the order of the statement.
        self.members.sort_by_key(|member| member.of);
    }

    /// One position for each slot.
    pub(super) fn positions(&self) -> Box<[Position]> {
        self.slots.iter().map(|slot| slot.position).collect()
    }

    /// What stands at each slot, in the order of the statement. Nothing: its value is not to be known.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Position, impl Iterator<Item = Written> + Clone)> {
        let mut rest = self.members.as_slice();
        self.slots.iter().enumerate().map(move |(index, slot)| {
            let count = rest.iter().take_while(|member| member.of == index).count();
            let (members, others) = rest.split_at(count);
            rest = others;
            (slot.position, members.iter().map(|member| member.written))
        })
    }
}

#[cfg(test)]
mod tests;
