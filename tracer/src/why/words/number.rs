//! Numbers in sentences: as rough as they are known, or as they may be shown.

use crate::value::Size;

/// A number as a person and as a program read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown {
    /// `900 thousand`.
    pub words: String,
    /// `900000`.
    pub digits: String,
}

/// A number with so many significant digits, not above it, or not below it where it is an upper limit: what lies within
/// the limit also lies within the one that is shown.
pub(super) fn rounded(number: f64, digits: usize, upper: bool) -> Shown {
    let places = digits.saturating_sub(1);
    let read = |number: f64| -> f64 { format!("{number:.places$e}").parse().unwrap_or(number) };
    let nearest = read(number);
    // Half a step of the last digit further, where the nearest lies on the wrong side.
    let exponent = number.abs().log10().floor();
    let half = 10f64.powf(exponent - f64::from(u32::try_from(places).unwrap_or(0))) / 2.0;
    let number = match upper {
        _ if !half.is_finite() => number,
        false if nearest > number => read(number - half),
        true if nearest < number => read(number + half),
        _ => nearest,
    };
    let magnitude = number.abs();
    let digits = if magnitude != 0.0 && !(1e-4..1e15).contains(&magnitude) {
        format!("{number:e}")
    } else {
        format!("{number}")
    };
    const NAMES: [(f64, &str); 4] =
        [(1e12, "trillion"), (1e9, "billion"), (1e6, "million"), (1e4, "thousand")];
    let named = NAMES.iter().find(|(from, _)| (*from..1e15).contains(&magnitude));
    let words = match named {
        Some((1e4, name)) => format!("{} {name}", number / 1e3),
        Some((unit, name)) => format!("{} {name}", number / unit),
        None => digits.clone(),
    };
    Shown { words, digits }
}

/// The size of a code.
pub(super) fn size(code: i64) -> Size {
    let limit = if code < 0 { i16::MIN } else { i16::MAX };
    Size::from_code(i16::try_from(code).unwrap_or(limit))
}

/// The lowest and the highest whole number with a code of a [`Size`] that is not negative. Sizes round towards zero.
pub(super) fn whole_range(code: i64) -> (u64, u64) {
    let lowest = whole(size(code).number().ceil());
    let next = whole(size(code.saturating_add(1)).number().ceil());
    (lowest, next.saturating_sub(1).max(lowest))
}

/// A number that is not negative as a whole number; saturates.
pub(super) fn whole(number: f64) -> u64 {
    // Every double below 2^64 is read back exactly from its decimal form.
    format!("{:.0}", number.max(0.0)).parse().unwrap_or(if number > 1.0 { u64::MAX } else { 0 })
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn alternatives(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// `1st`, `2nd`, `3rd`, `4th`, `11th`.
pub(super) fn ordinal(n: u16) -> String {
    let ending = match (n % 10, n % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_rough_as_asked() {
        for (number, digits, words, plain) in [
            (901_120.0, 1, "900 thousand", "900000"),
            (901_120.0, 3, "901 thousand", "901000"),
            (7.0, 1, "7", "7"),
            (1_234.0, 1, "1000", "1000"),
            (14_900.0, 1, "10 thousand", "10000"),
            (960_000.0, 1, "900 thousand", "900000"),
            (0.0, 1, "0", "0"),
            (-3_400_000_000.0, 1, "-4 billion", "-4000000000"),
            (0.034, 1, "0.03", "0.03"),
            (1e18, 1, "1e18", "1e18"),
            (f64::INFINITY, 1, "inf", "inf"),
        ] {
            let shown = rounded(number, digits, false);
            assert_eq!((shown.words.as_str(), shown.digits.as_str()), (words, plain), "{number}");
        }
    }

    #[test]
    fn limits_take_in_what_lies_within_them() {
        for (number, lower, upper) in
            [(15.0, "10", "20"), (960_000.0, "900000", "1000000"), (-15.0, "-20", "-10"), (7.0, "7", "7")]
        {
            let shown = [false, true].map(|is_upper| rounded(number, 1, is_upper).digits);
            assert_eq!(shown, [lower, upper], "{number}");
        }
    }

    #[test]
    fn whole_numbers_come_back_from_their_sizes() {
        for number in [0, 1, 2, 100, 256, 1_000, 65_537, 1_000_000_007] {
            let code = i64::from(Size::of_u64(number).code());
            let (from, to) = whole_range(code);
            assert!(from <= number && number <= to && to - from <= number / 100, "{number}: {from} to {to}");
        }
        assert_eq!(whole_range(i64::MAX).0, u64::MAX);
        assert_eq!((whole(-1.0), whole(f64::NAN), whole(1e30), whole(2.6)), (0, 0, u64::MAX, 3));
    }

    #[test]
    fn ordinals() {
        let all: Vec<String> = [1, 2, 3, 4, 11, 12, 13, 21, 112].into_iter().map(ordinal).collect();
        assert_eq!(all, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "112th"]);
    }
}
