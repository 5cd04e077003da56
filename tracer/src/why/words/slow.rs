//! The sentences on how many requests of a statement are slow.

use super::Case;
use crate::report::duration;
use crate::report::model;
use crate::report::units::{count, share};
use crate::why::split::SplitBy;

impl From<SplitBy> for model::SplitBy {
    fn from(by: SplitBy) -> Self {
        match by {
            SplitBy::Given => Self::Given,
            SplitBy::TwoHumps => Self::TwoHumps,
            SplitBy::Tail => Self::Tail,
        }
    }
}

/// How many were slow, against what, and how that was decided.
pub(super) fn summary(case: &Case<'_>) -> String {
    let sides = &case.sides;
    let (slow, all) = (sides.slow, sides.slow.saturating_add(sides.fast));
    let finished = slow.saturating_sub(sides.in_flight);
    // Inside a valley the limit itself says little: the shortest of the slow ones does.
    let from = match case.split.by {
        SplitBy::Given => case.split.at,
        SplitBy::TwoHumps | SplitBy::Tail => sides.slow_min,
    };
    let from = duration::text(from.0);
    let mut text = format!("{} of {} executions ({}) ", count(slow), count(all), share(slow, all));
    let half = duration::text(sides.slow_p50.0);
    let half =
        if finished > 1 && half != from { format!(", half of them {half} or more") } else { String::new() };
    let waiting = || format!("{} or more and are still in flight", duration::text(case.split.at.0));
    text += &match (finished, sides.in_flight) {
        (_, 0) => format!("took {from} or more{half}"),
        (0, _) => format!("have waited {}", waiting()),
        _ => {
            let (finished, in_flight) = (count(finished), count(sides.in_flight));
            format!("are slow{half}: {finished} took {from} or more, {in_flight} have waited {}", waiting())
        }
    };
    text += &match sides.fast {
        0 => ". There was no faster one to compare with.".to_owned(),
        _ => format!("; the others {} at p99.", duration::text(sides.fast_p99.0)),
    };
    text += match case.split.by {
        SplitBy::Given => " The limit is that of --slow.",
        SplitBy::TwoHumps => " They are a hump of their own.",
        SplitBy::Tail => " They are a tail beyond what the others let expect.",
    };
    let (slow_sampled, fast_sampled) = case.sampled;
    if slow_sampled < slow || fast_sampled < sides.fast {
        text +=
            &format!(" Compared was a sample: {} slow, {} fast.", count(slow_sampled), count(fast_sampled));
    }
    text
}
