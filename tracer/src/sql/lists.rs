//! Lists whose length is no part of a statement: of equal neighbours in IN (...), ARRAY[...] and VALUES (...), (...)
//! only the first stays. Parameters behind a shortened list are renumbered, as if the list had been written short.

use super::output::Output;
use super::slots::Slots;

/// Lists nested deeper than this keep their length.
const MAX_OPEN: usize = 32;
/// So many shortened lists renumber parameters exactly.
const MAX_SHIFTS: usize = 64;

/// Which list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ListKind {
    /// The values of IN (...).
    In,
    /// The elements of ARRAY[...].
    Array,
    /// The rows of VALUES.
    Rows,
}

#[derive(Clone, Copy, Debug)]
struct List {
    kind: ListKind,
    /// Depth of parentheses at which its items are separated.
    depth: u32,
    /// Where the item before this one stands in the output.
    kept: Option<(usize, usize)>,
    /// Where this item begins.
    start: usize,
    /// What number the next new parameter would get, when this item began.
    next_param: u64,
    /// Highest parameter when the list began.
    first_max: u64,
}

/// Open lists and the numbering of parameters.
#[derive(Debug, Default)]
pub(super) struct Lists {
    open: Vec<List>,
    /// Parameters above the first number are shown lowered by the second; the last fitting entry counts.
    shifts: Vec<(u64, u64)>,
    max_param: u64,
}

impl Lists {
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.shifts.clear();
        self.max_param = 0;
    }

    /// The number under which parameter `n` is shown.
    pub(super) fn param(&mut self, n: u64) -> u64 {
        self.max_param = self.max_param.max(n);
        self.shifted(n)
    }

    fn shifted(&self, n: u64) -> u64 {
        n.saturating_sub(self.shifts.iter().rev().find(|(above, _)| n > *above).map_or(0, |(_, by)| *by))
    }

    fn next_param(&self) -> u64 {
        self.shifted(self.max_param.saturating_add(1))
    }

    /// A list begins; its first item starts at `start`.
    pub(super) fn open(&mut self, kind: ListKind, depth: u32, start: usize) {
        if self.open.len() < MAX_OPEN {
            let (next_param, first_max) = (self.next_param(), self.max_param);
            self.open.push(List { kind, depth, kept: None, start, next_param, first_max });
        }
    }

    /// The innermost list, if its items are separated at this depth.
    pub(super) fn at(&self, depth: u32) -> Option<ListKind> {
        self.open.last().filter(|l| l.depth == depth).map(|l| l.kind)
    }

    /// Nothing of the innermost list's first item was written yet.
    pub(super) fn is_fresh(&self, len: usize) -> bool {
        self.open.last().is_some_and(|l| l.kept.is_none() && l.start == len)
    }

    /// The innermost list is over.
    pub(super) fn close(&mut self) {
        self.open.pop();
    }

    /// An item of the innermost list is complete: dropped when it has the shape of the one before.
    pub(super) fn end_item(&mut self, output: &mut Output, slots: &mut Slots) {
        let max = self.max_param;
        let Some(list) = self.open.last_mut() else { return };
        let end = output.len();
        match list.kept {
            Some((kept_start, kept_end))
                if same_shape(output.key(), kept_start..kept_end, list.start..end) =>
            {
                output.truncate(kept_end);
                slots.join(kept_start..kept_end, list.start);
                let by = max.saturating_add(1).saturating_sub(list.next_param);
                if max > list.first_max {
                    let (full, first_max) = (self.shifts.len() >= MAX_SHIFTS, list.first_max);
                    if self.shifts.last().is_some_and(|(above, _)| full || *above > first_max) {
                        self.shifts.pop();
                    }
                    self.shifts.push((max, by));
                }
            }
            _ => list.kept = Some((list.start, end)),
        }
    }

    /// The separator was written: the next item of the innermost list begins.
    pub(super) fn start_item(&mut self, start: usize) {
        let next_param = self.next_param();
        if let Some(list) = self.open.last_mut() {
            list.start = start;
            list.next_param = next_param;
        }
    }

    /// The text was cut: the unfinished item of an open list goes, where it began like the one before it. Of what stands
    /// there, nobody knows how many values it would have had.
    pub(super) fn cut(&mut self, output: &mut Output, slots: &mut Slots) {
        // Inner lists first: shortening them may make the outer item alike.
        for list in self.open.iter().rev() {
            let mut open = list.start;
            if let Some((start, end)) = list.kept
                && (output.len() <= end || starts_alike(output.key(), start..end, list.start..output.len()))
            {
                output.truncate(end);
                slots.truncate(end);
                open = start;
            }
            slots.hide(open);
        }
        self.open.clear();
    }
}

/// The bytes of an item with each parameter as `?` and without the space before it.
fn shape(key: &[u8], range: std::ops::Range<usize>) -> impl Iterator<Item = u8> {
    let item = key.get(range).unwrap_or_default();
    let item = item.strip_prefix(b" ").unwrap_or(item);
    let mut at = 0;
    std::iter::from_fn(move || {
        let b = *item.get(at)?;
        let digits = |at: usize| item.get(at).is_some_and(u8::is_ascii_digit);
        let before = at.checked_sub(1).and_then(|n| item.get(n));
        let in_word = before.is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80 || b"_$\"".contains(b));
        at += 1;
        if b != b'$' || !digits(at) || in_word {
            return Some(b);
        }
        while digits(at) {
            at += 1;
        }
        Some(b'?')
    })
}

fn same_shape(key: &[u8], a: std::ops::Range<usize>, b: std::ops::Range<usize>) -> bool {
    shape(key, a).eq(shape(key, b))
}

/// Does `whole` begin with `part`?
fn starts_alike(key: &[u8], whole: std::ops::Range<usize>, part: std::ops::Range<usize>) -> bool {
    let mut whole = shape(key, whole);
    shape(key, part).all(|b| whole.next() == Some(b))
}
