//! How sure it is, after a join or a loss, that answers go to the commands that they answer.
//!
//! Answers come in order, so a wrong pairing is wrong by a fixed number of places: so many commands were in flight when
//! pairing began. Two things exclude that. The types of the answers: each number of places is excluded once an answer came
//! that the command so many places before cannot have. And a long pause: with everything answered that was seen, a command
//! that was not seen would have waited through it. Everything else (a short pause, a client that never sends ahead) is a
//! presumption: requests paired by it are counted as presumed.
//!
//! Source: the server answers the commands of one connection in order ("Redis pipelining" on redis.io).

use super::shapes::{KINDS, Shape};

/// So many times the client spoke when nothing was in flight.
const TURNS: u32 = 8;
/// The same for a client that also spoke before everything was answered.
const TURNS_AHEAD: u32 = 64;

/// The evidence since pairing began. The most places that it can exclude is 64.
#[derive(Debug, Default)]
pub(super) struct Proof {
    /// For each type of answer: bit n is clear if the command n + 1 places before cannot have it.
    impossible: [u64; KINDS.len()],
    /// Bit n is set: answers do not belong to the commands n + 1 places before those that they were paired with.
    excluded: u64,
    quiet_turns: u32,
    turns_ahead: u32,
}

impl Proof {
    /// An answer of this type was paired with a command that may have such ones. None: a type that tells nothing.
    #[inline]
    pub(super) fn paired(&mut self, answers: Shape, kind: Option<u8>) {
        if let Some(at) = kind.and_then(|kind| KINDS.iter().position(|known| *known == kind)) {
            self.excluded |= self.impossible.get(at).copied().unwrap_or(0);
        }
        for (impossible, kind) in self.impossible.iter_mut().zip(KINDS) {
            *impossible = *impossible << 1 | u64::from(!answers.has(*kind));
        }
    }

    /// A command had several answers: places cannot be counted over it.
    pub(super) fn interrupted(&mut self) {
        self.impossible = Default::default();
        self.excluded = 0;
    }

    /// No other pairing is possible.
    #[inline]
    pub(super) fn complete(&self) -> bool {
        self.excluded == u64::MAX
    }

    /// The client speaks, with everything answered that was seen.
    pub(super) fn quiet_turn(&mut self) {
        self.quiet_turns = self.quiet_turns.saturating_add(1);
    }

    /// The client speaks while an answer is to come.
    pub(super) fn turn_ahead(&mut self) {
        self.turns_ahead = self.turns_ahead.saturating_add(1);
    }

    /// The client sends ahead: that it was quiet when pairing began says little.
    pub(super) fn sends_ahead(&self) -> bool {
        self.turns_ahead > 0
    }

    /// It was quiet so often that the pairing may be presumed.
    pub(super) fn was_quiet(&self) -> bool {
        self.quiet_turns >= if self.sends_ahead() { TURNS_AHEAD } else { TURNS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commands with an answer each, over and over; after how many the pairing is proven.
    #[track_caller]
    fn check(exchanges: &[(&str, u8)], expected: Option<usize>) {
        let mut proof = Proof::default();
        let proven = exchanges.iter().cycle().take(1000).position(|(name, kind)| {
            proof.paired(Shape::of(name), Some(*kind));
            proof.complete()
        });
        assert_eq!(proven.map(|at| at + 1), expected);
    }

    #[test]
    fn one_type_of_answers_proves_nothing() {
        check(&[("GET", b'$')], None);
        check(&[("GET", b'$'), ("GET", b'_')], None);
        // Whoever alternates may be off by two.
        check(&[("GET", b'$'), ("INCR", b':')], None);
        check(&[("EVAL", b'$'), ("EVAL", b':')], None);
    }

    #[test]
    fn a_mixture_without_a_period_proves_it() {
        let mut mixture = vec![("GET", b'$'); 70];
        mixture[0] = ("INCR", b':');
        check(&mixture, Some(65));
        let mut state = 1u32;
        let mixture: Vec<(&str, u8)> = (0..500)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                [("GET", b'$'), ("INCR", b':'), ("SETEX", b'+'), ("MGET", b'*')][(state >> 30) as usize]
            })
            .collect();
        check(&mixture, Some(65));
    }
}
