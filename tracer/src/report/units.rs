//! Counts, sizes and shares as people read them, at most 8 columns.

use super::duration::three_digits;

/// `0`, `12,345`, `999,999`, `1.23 M`, `45.6 G`.
pub fn count(n: u64) -> String {
    if n < 1_000 {
        return n.to_string();
    }
    if n < 1_000_000 {
        return format!("{},{:03}", n / 1_000, n % 1_000);
    }
    const UNITS: [(u64, &str); 4] =
        [(1_000_000, "M"), (1_000_000_000, "G"), (1_000_000_000_000, "T"), (1_000_000_000_000_000, "P")];
    for (unit, name) in UNITS {
        if let Some(number) = three_digits(n, unit, 1_000) {
            return format!("{number} {name}");
        }
    }
    format!("{} E", n / 1_000_000_000_000_000_000)
}

/// `812 B`, `3.40 KiB`, `1.21 MiB`, `97.0 GiB`.
pub fn bytes(n: u64) -> String {
    if n < 1_024 {
        return format!("{n} B");
    }
    for (shift, name) in [(10, "KiB"), (20, "MiB"), (30, "GiB"), (40, "TiB"), (50, "PiB")] {
        if let Some(number) = three_digits(n, 1 << shift, 1_024).filter(|_| n >> shift < 1_024) {
            return format!("{number} {name}");
        }
    }
    format!("{} EiB", n >> 60)
}

/// `part` of `whole` in percent: `0.0%`, `<0.1%`, `23.4%`, `100.0%`. Never says 100.0% of less than all.
pub fn share(part: u64, whole: u64) -> String {
    if part == 0 || whole == 0 {
        return "0.0%".to_owned();
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    let tenths = (part * 1_000 + whole / 2) / whole;
    match tenths {
        0 => "<0.1%".to_owned(),
        1_000.. if part < whole => "99.9%".to_owned(),
        _ => format!("{}.{}%", tenths / 10, tenths % 10),
    }
}

/// `n name` with an `s` unless it is one.
pub fn plural(n: u64, name: &str) -> String {
    format!("{} {name}{}", count(n), if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_keep_all_digits_up_to_a_million() {
        for (n, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (999_999, "999,999"),
            (1_234_567, "1.23 M"),
            (999_600_000, "1.00 G"),
            (u64::MAX, "18 E"),
        ] {
            assert_eq!(count(n), expected);
        }
    }

    #[test]
    fn bytes_are_binary() {
        for (n, expected) in [
            (0, "0 B"),
            (1_023, "1023 B"),
            (1_024, "1.00 KiB"),
            (1_040_000, "1016 KiB"),
            (3_565_158, "3.40 MiB"),
            ((1 << 30) - 1, "1.00 GiB"),
            (u64::MAX, "15 EiB"),
        ] {
            assert_eq!(bytes(n), expected);
        }
    }

    #[test]
    fn a_share_is_all_or_nothing_only_when_it_is() {
        for (part, whole, expected) in [
            (0, 0, "0.0%"),
            (0, 5, "0.0%"),
            (1, 100_000, "<0.1%"),
            (234, 1_000, "23.4%"),
            (99_999, 100_000, "99.9%"),
            (5, 5, "100.0%"),
            (u64::MAX, u64::MAX, "100.0%"),
        ] {
            assert_eq!(share(part, whole), expected);
        }
    }
}
