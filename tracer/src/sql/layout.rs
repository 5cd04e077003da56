//! Where the values of a statement's positions come from: its parameters, its literals, or a list of them.

use std::collections::HashMap;
use std::sync::Arc;

use super::slots::MAX_POSITIONS;
use crate::value::{Extractor, Value};

/// So many different layouts are known.
const MAX_LAYOUTS: usize = 16_384;
/// So many parts they have together.
const MAX_PARTS: usize = 512 * 1024;
/// A list has no more values than [`Value::elements`] can count; those behind are left out.
pub(super) const MAX_LIST: usize = u16::MAX as usize;

/// Which parameter or literal of a statement stands at which of its positions. Equal for statements that write the same
/// parameters and literals in the same lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LayoutId(u32);

impl LayoutId {
    /// Position n is parameter n + 1: of a statement without literals and lists, and of one whose text is not known.
    pub const PARAMETERS: Self = Self(0);
    /// Nothing is known of any position: of `(other)`, of a text that was cut before its first value, and past the
    /// limit of layouts.
    pub const NOTHING: Self = Self(1);
}

/// What a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// It cannot be known.
    Unseen,
    /// The next one of the literals.
    Literal,
    /// `count` parameters: number `first`, and every `step`-th behind it.
    Parameters { first: u16, step: u16, count: u16 },
}

/// One value or several that stand at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Part {
    pub(super) origin: Origin,
    /// It stands at the position of the part before it.
    pub(super) joined: bool,
}

/// All distinct layouts of a capture, bounded.
#[derive(Debug, Default)]
pub(super) struct Layouts {
    known: HashMap<Arc<[Part]>, LayoutId>,
    /// By id, behind the reserved ones.
    layouts: Vec<Arc<[Part]>>,
    parts: usize,
    overflowed: u64,
    list: Vec<Value>,
}

impl Layouts {
    /// The id of a layout. `whole`: the statement has no further positions.
    pub(super) fn intern(&mut self, parts: &[Part], whole: bool) -> LayoutId {
        if whole && is_parameters(parts) {
            return LayoutId::PARAMETERS;
        }
        if parts.is_empty() {
            return LayoutId::NOTHING;
        }
        if let Some(id) = self.known.get(parts) {
            return *id;
        }
        let total = self.parts.saturating_add(parts.len());
        let next = u32::try_from(self.layouts.len() + 2).ok();
        let Some(id) = next.filter(|_| self.layouts.len() < MAX_LAYOUTS && total <= MAX_PARTS) else {
            self.overflowed = self.overflowed.saturating_add(1);
            return LayoutId::NOTHING;
        };
        let parts: Arc<[Part]> = parts.into();
        self.parts = total;
        self.layouts.push(Arc::clone(&parts));
        self.known.insert(parts, LayoutId(id));
        LayoutId(id)
    }

    /// How often a new layout found the table full.
    pub(super) fn overflowed(&self) -> u64 {
        self.overflowed
    }

    /// Appends one value for each position. At most [`MAX_POSITIONS`].
    pub(super) fn assemble(
        &mut self,
        layout: LayoutId,
        parameters: &[Value],
        literals: &[Value],
        extractor: &mut Extractor,
        out: &mut Vec<Value>,
    ) {
        if layout == LayoutId::PARAMETERS {
            out.extend_from_slice(parameters.get(..MAX_POSITIONS).unwrap_or(parameters));
            return;
        }
        let index = usize::try_from(layout.0).ok().and_then(|id| id.checked_sub(2));
        let parts = index.and_then(|index| self.layouts.get(index));
        if extractor.shows_values() {
            forget_others(parts.map_or(&[], |parts| parts), parameters, extractor);
        }
        let Some(parts) = parts else { return };
        let parameter = |number: usize| {
            number.checked_sub(1).and_then(|index| parameters.get(index)).copied().unwrap_or(Value::UNSEEN)
        };
        let mut literals = literals.iter().copied();
        for parts in parts.chunk_by(|_, next| next.joined) {
            self.list.clear();
            for part in parts {
                match part.origin {
                    Origin::Unseen => self.list.push(Value::UNSEEN),
                    Origin::Literal => self.list.push(literals.next().unwrap_or(Value::UNSEEN)),
                    Origin::Parameters { first, step, count } => {
                        let steps = (usize::from(first)..).step_by(usize::from(step.max(1)));
                        self.list.extend(steps.take(usize::from(count)).map(parameter));
                    }
                }
            }
            self.list.truncate(MAX_LIST);
            out.push(extractor.list(&self.list));
        }
    }
}

/// Parameters that stand at no position may be passwords: they were read before that was known, and must not stay among
/// the values that `--show-values` keeps.
fn forget_others(parts: &[Part], parameters: &[Value], extractor: &mut Extractor) {
    for (number, value) in (1u16..).zip(parameters) {
        let stands = parts.iter().any(|part| part.origin.has(number));
        if !stands && let Some(hash) = value.hash() {
            extractor.forget(hash);
        }
    }
}

/// Parameters from the first on, one at each position, and nothing else.
fn is_parameters(parts: &[Part]) -> bool {
    let mut parts = (1u16..).zip(parts);
    parts.all(|(n, part)| {
        let alone = matches!(part.origin, Origin::Parameters { first, count: 1, .. } if first == n);
        alone && !part.joined
    })
}

#[cfg(test)]
mod tests {
    use super::{LayoutId, Layouts, MAX_LAYOUTS, MAX_PARTS, Origin, Part};
    use crate::value::{Extractor, Value};

    fn part(first: u16, step: u16, joined: bool) -> Part {
        Part { origin: Origin::Parameters { first, step, count: 1 }, joined }
    }

    /// Past the limit nothing is known, and what was known before stays.
    #[test]
    fn they_are_bounded() {
        let mut layouts = Layouts::default();
        let ids: Vec<LayoutId> = (2..20_002).map(|n| layouts.intern(&[part(n, 1, false)], true)).collect();
        assert_eq!(ids.iter().filter(|id| **id == LayoutId::NOTHING).count(), 20_000 - MAX_LAYOUTS);
        assert_eq!(layouts.overflowed(), 20_000 - MAX_LAYOUTS as u64);
        assert_eq!(layouts.intern(&[part(2, 1, false)], true), ids[0]);
        assert_eq!(layouts.intern(&[part(1, 1, false)], true), LayoutId::PARAMETERS);
        let mut out = Vec::new();
        let mut assemble = |id| {
            out.clear();
            layouts.assemble(id, &[Value::NULL; 2], &[], &mut Extractor::default(), &mut out);
            out.clone()
        };
        assert_eq!(assemble(ids[0]), [Value::NULL]);
        assert_eq!(assemble(ids[1]), [Value::UNSEEN]);
        assert_eq!(assemble(LayoutId::NOTHING), []);
        assert_eq!(assemble(LayoutId(u32::MAX)), []);

        let mut layouts = Layouts::default();
        let long: Vec<Part> = (0..30_000).map(|_| part(1, 1, true)).collect();
        for n in 2..102 {
            let mut parts = long.clone();
            parts[0] = part(n, 1, false);
            layouts.intern(&parts, true);
        }
        assert_eq!(layouts.overflowed(), 100 - (MAX_PARTS / long.len()) as u64);
    }
}
