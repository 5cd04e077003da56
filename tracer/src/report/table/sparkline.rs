//! A latency distribution in one line of text: a logarithmic axis, the same for all, so that rows compare and a
//! second hump stands apart from the first.

use crate::report::duration;

/// The left end of the axis. Faster requests count in the first column.
const FROM_NS: u64 = 100_000;
/// The right end. Slower requests count in the last column.
const TO_NS: u64 = 30_000_000_000;
/// Each column must be wider than a bucket, or a smooth hump would show holes.
pub(super) const MAX_COLUMNS: usize = 48;

const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_BARS: [char; 8] = ['.', ':', '-', '=', '+', '*', '%', '#'];

/// The column of a time span.
fn column(ns: u64, columns: usize) -> usize {
    let log = |ns: u64| f64::from(u32::try_from(ns / 1_000).unwrap_or(u32::MAX).max(1)).log2();
    let position = (log(ns) - log(FROM_NS)) / (log(TO_NS) - log(FROM_NS));
    let edges = u32::try_from(columns).unwrap_or(u32::MAX);
    (1..edges).filter(|edge| position >= f64::from(*edge) / f64::from(edges)).count()
}

/// The bars: linear in the count, the highest column full, and none empty that has a single request.
/// `buckets`: (highest value in ns, count) by quarter octave.
pub(super) fn bars(buckets: &[(u64, u64)], columns: usize, ascii: bool) -> String {
    let mut counts = vec![0_u64; columns];
    for (upper_ns, count) in buckets {
        // The middle of a quarter octave lies an eighth of its power of two below its end.
        let middle_ns = upper_ns - (1_u64 << upper_ns.max(&1).ilog2()) / 8;
        if let Some(slot) = counts.get_mut(column(middle_ns, columns)) {
            *slot = slot.saturating_add(*count);
        }
    }
    let bars = if ascii { ASCII_BARS } else { BARS };
    let highest = u128::from(counts.iter().copied().max().unwrap_or(0).max(1));
    let bar = |count: u64| {
        let level = (u128::from(count) * 8).div_ceil(highest);
        level.checked_sub(1).and_then(|l| bars.get(usize::try_from(l).ok()?)).copied().unwrap_or(' ')
    };
    counts.into_iter().map(bar).collect()
}

/// The labels of the axis: both ends, and the powers of ten that find room between them.
pub(super) fn axis(columns: usize) -> String {
    let (start, end) = (label(FROM_NS), label(TO_NS));
    if columns <= start.len() + end.len() {
        return " ".repeat(columns);
    }
    let mut axis = vec![b' '; columns];
    let mut place = |label: &str, start: usize| {
        let around = start.saturating_sub(1)..(start + label.len() + 1).min(columns);
        let fits = start + label.len() <= columns;
        if let Some(slot) = axis.get_mut(around).filter(|slot| fits && slot.iter().all(|b| *b == b' ')) {
            let offset = usize::from(start > 0);
            slot[offset..offset + label.len()].copy_from_slice(label.as_bytes());
        }
    };
    place(&start, 0);
    place(&end, columns.saturating_sub(end.len()));
    let mut ns = FROM_NS * 10;
    while ns < TO_NS {
        place(&label(ns), column(ns, columns));
        ns *= 10;
    }
    axis.into_iter().map(char::from).collect()
}

/// `100us`, `30s`: the ends of the axis are round.
fn label(ns: u64) -> String {
    let text = duration::text(ns);
    match text.split_once(' ') {
        Some((number, unit)) if number.contains('.') => {
            format!("{}{unit}", number.trim_end_matches('0').trim_end_matches('.'))
        }
        Some((number, unit)) => format!("{number}{unit}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_humps_stand_apart() {
        let payments = [(2_097_151, 770), (32_212_254_719, 230)];
        assert_eq!(bars(&payments, 24, false), "     █                 ▃");
        assert_eq!(bars(&payments, 24, true), "     #                 -");
        assert_eq!(bars(&[(2_097_151, 1_000_000), (1 << 30, 1)], 12, false), "  █     ▁   ");
    }

    #[test]
    fn what_is_off_the_axis_is_in_its_last_column() {
        assert_eq!(bars(&[(255, 1), (u64::MAX, 1)], 8, false), "█      █");
        assert_eq!(bars(&[(0, 1)], 8, false), "█       ");
        assert_eq!(bars(&[], 4, false), "    ");
        assert_eq!(bars(&[(1, 1)], 0, false), "");
    }

    #[test]
    fn the_axis_says_its_ends() {
        assert_eq!(axis(24), "100us   10ms 100ms   30s");
        assert_eq!(axis(12), "100us    30s");
        assert_eq!(axis(48), "100us   1ms      10ms     100ms    1s        30s");
        assert_eq!(axis(8), "        ", "one end alone would mislead");
    }
}
