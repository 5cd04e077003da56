//! Durations as people read them: three significant digits, at most 7 columns.

/// `0 ns`, `812 us`, `2.10 ms`, `30.0 s`, `1m 30s`, `2h 05m`, `12d 04h`.
pub fn text(ns: u64) -> String {
    const UNITS: [(u64, &str, u64); 3] =
        [(1_000, "us", 1_000), (1_000_000, "ms", 1_000), (1_000_000_000, "s", 60)];
    if ns < 1_000 {
        return format!("{ns} ns");
    }
    for (unit_ns, name, end) in UNITS {
        if let Some(number) = three_digits(ns, unit_ns, end) {
            return format!("{number} {name}");
        }
    }
    let seconds = ns.saturating_add(500_000_000) / 1_000_000_000;
    if seconds < 3_600 {
        return format!("{}m {:02}s", seconds / 60, seconds % 60);
    }
    let minutes = seconds / 60;
    if minutes < 24 * 60 {
        return format!("{}h {:02}m", minutes / 60, minutes % 60);
    }
    let hours = minutes / 60;
    if hours < 100 * 24 { format!("{}d {:02}h", hours / 24, hours % 24) } else { format!("{}d", hours / 24) }
}

/// `value / unit`, rounded to three digits; `None` when that is `end` or more.
pub(super) fn three_digits(value: u64, unit: u64, end: u64) -> Option<String> {
    let rounded =
        |scale: u64| (u128::from(value) * u128::from(scale) + u128::from(unit) / 2) / u128::from(unit.max(1));
    let (hundredths, tenths, whole) = (rounded(100), rounded(10), rounded(1));
    let end = u128::from(end);
    if hundredths < 1_000.min(end * 100) {
        Some(format!("{}.{:02}", hundredths / 100, hundredths % 100))
    } else if tenths < 1_000.min(end * 10) {
        Some(format!("{}.{}", tenths / 10, tenths % 10))
    } else if whole < end && tenths >= 1_000 {
        Some(whole.to_string())
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_and_a_unit() {
        for (ns, expected) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.00 us"),
            (12_345, "12.3 us"),
            (812_000, "812 us"),
            (999_499, "999 us"),
            (999_500, "1.00 ms"),
            (2_100_000, "2.10 ms"),
            (9_994_999, "9.99 ms"),
            (9_995_000, "10.0 ms"),
            (99_950_000, "100 ms"),
            (1_500_000_000, "1.50 s"),
            (30_000_000_000, "30.0 s"),
            (59_949_999_999, "59.9 s"),
            (59_950_000_000, "1m 00s"),
            (90_000_000_000, "1m 30s"),
            (3_599_500_000_000, "1h 00m"),
            (7_500_000_000_000, "2h 05m"),
            (86_400_000_000_000, "1d 00h"),
            (u64::MAX, "213503d"),
        ] {
            assert_eq!(text(ns), expected, "{ns} ns");
            assert!(text(ns).len() <= 7, "{ns} ns");
        }
    }
}
