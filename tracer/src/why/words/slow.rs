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
    let at = duration::text(case.split.at.0);
    let mut text =
        format!("{} of {} executions ({}) took {at} or more", count(slow), count(all), share(slow, all));
    let half = duration::text(sides.slow_p50.0);
    if slow > 1 && half != at {
        text += &format!(", half of them {half} or more");
    }
    if sides.in_flight > 0 {
        text += &format!(" ({} still in flight)", count(sides.in_flight));
    }
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
