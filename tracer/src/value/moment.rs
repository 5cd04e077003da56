//! Dates and points in time: as text, in steps from now, and as text again.

use super::Size;
use super::words::{first_word, packed_digits, short_digits};

const MICROS_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// `infinity` as PostgreSQL has it, later than everything.
pub const INFINITY: i64 = i64::MAX;
/// `-infinity`, earlier than everything.
pub const NEGATIVE_INFINITY: i64 = i64::MIN;

/// How far a point in time lies from now is kept as one of these numbers of seconds, the next towards zero: 1 s, 10 s,
/// 1 min, 10 min, 1 h, 6 h, 1, 2, 3, 7, 14, 30, 60, 90, 180 days, 1, 2, 3, 5, 10, 20, 50, 100 years of 365 days.
pub const STEPS_SECONDS: [u32; 23] = [
    1,
    10,
    60,
    600,
    3_600,
    6 * 3_600,
    86_400,
    2 * 86_400,
    3 * 86_400,
    7 * 86_400,
    14 * 86_400,
    30 * 86_400,
    60 * 86_400,
    90 * 86_400,
    180 * 86_400,
    365 * 86_400,
    2 * 365 * 86_400,
    3 * 365 * 86_400,
    5 * 365 * 86_400,
    10 * 365 * 86_400,
    20 * 365 * 86_400,
    50 * 365 * 86_400,
    100 * 365 * 86_400,
];

/// How many steps are less than two to this power.
const STEPS_BELOW: [u8; 33] = {
    let (mut table, mut power, mut below) = ([0; 33], 0, 0);
    while power < 33 {
        while below < STEPS_SECONDS.len() && (STEPS_SECONDS[below] as u64) < 1 << power {
            below += 1;
            table[power] += 1;
        }
        if power < 32 {
            table[power + 1] = table[power];
        }
        power += 1;
    }
    table
};

/// Seconds of the largest step that is not over this span, 0 below a second.
#[inline]
pub(super) fn step(micros: u64) -> u32 {
    let seconds = u32::try_from(micros / 1_000_000).unwrap_or(u32::MAX);
    // Between a power of two and the next are two steps at most. A search would have to guess its branches.
    let Some(power) = seconds.checked_ilog2() else { return 0 };
    let below = usize::from(STEPS_BELOW[power as usize]);
    let reached = |at: usize| usize::from(STEPS_SECONDS.get(at).is_some_and(|step| *step <= seconds));
    let reached = below + reached(below) + reached(below + 1);
    reached.checked_sub(1).and_then(|at| STEPS_SECONDS.get(at)).copied().unwrap_or(0)
}

/// The exact seconds of a size that was made of a step.
pub(super) fn seconds(size: Size) -> i64 {
    let same = |step: &&u32| Size::of_u64(u64::from(**step)).code().abs() == size.code().abs();
    let step = STEPS_SECONDS.iter().find(same).map_or(0, |step| i64::from(*step));
    if size < Size::ZERO { -step } else { step }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
#[inline]
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March have the odd day at their end.
    let year = if month <= 2 { year - 1 } else { year };
    let month = if month <= 2 { month + 9 } else { month - 3 };
    let leap = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap + (month * 153 + 2) / 5 + day - 1 - 719_468
}

/// Year, month and day of the days since 1970-01-01.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let mut year = days.div_euclid(146_097) * 400;
    let mut rest = days.rem_euclid(146_097);
    let centuries = (rest / 36_524).min(3);
    rest -= centuries * 36_524;
    let fours = rest / 1_461;
    rest -= fours * 1_461;
    let years = (rest / 365).min(3);
    rest -= years * 365;
    year += centuries * 100 + fours * 4 + years;
    let month = (rest * 5 + 2) / 153;
    let day = rest - (month * 153 + 2) / 5 + 1;
    if month < 10 { (year, month + 3, day) } else { (year + 1, month - 9, day) }
}

/// Microseconds from 1970-01-01 UTC of `2026-11-23`, `2026-11-23 02:00`, `2026-11-23T02:00:01.5+01:00` and the like
/// (ISO 8601 as PostgreSQL prints it). Without a zone, UTC is taken.
#[inline]
pub(super) fn parse(text: &[u8]) -> Option<i64> {
    let (date, rest) = text.split_first_chunk::<10>()?;
    if date[4] != b'-' || date[7] != b'-' {
        return None;
    }
    let word = first_word(date);
    let (year, month) = (word & 0xffff_ffff, word >> 40 & 0xffff);
    let day = u64::from(u16::from_le_bytes([date[8], date[9]]));
    let packed = packed_digits(year | month << 32 | day << 48, 8)?;
    let (year, month, day) =
        (i64::from(packed / 10_000), i64::from(packed / 100 % 100), i64::from(packed % 100));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let midnight = days(year, month, day) * SECONDS_PER_DAY * MICROS_PER_SECOND;
    if rest.is_empty() { Some(midnight) } else { Some(midnight + time_of_day(rest)?) }
}

/// Microseconds from midnight UTC, of what stands behind a date.
#[inline]
fn time_of_day(text: &[u8]) -> Option<i64> {
    let (&[separator, h0, h1, colon, m0, m1], mut rest) = text.split_first_chunk::<6>()?;
    if !matches!(separator, b'T' | b't' | b' ') || colon != b':' {
        return None;
    }
    let (mut seconds, mut micros) = (0, 0);
    if let Some((&[b':', s0, s1], behind)) = rest.split_first_chunk::<3>() {
        seconds = two(s0, s1)?;
        (micros, rest) = fraction(behind)?;
    }
    let (hours, minutes) = (two(h0, h1)?, two(m0, m1)?);
    if hours > 24 || minutes > 59 || seconds > 60 {
        return None;
    }
    let local = (hours * 60 + minutes) * 60 + seconds;
    Some((local - zone(rest)?) * MICROS_PER_SECOND + micros)
}

/// The number of two digits.
#[inline]
fn two(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// Microseconds of `.5`, rounded, and what follows.
#[inline]
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    const SCALE: [i64; 8] = [0, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let [b'.', rest @ ..] = text else { return Some((0, text)) };
    let len = rest.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, rest) = rest.split_at(len);
    let shown = &digits[..len.min(7)];
    let value = i64::from(short_digits(shown)?);
    Some(((value * SCALE[shown.len()] + 5) / 10, rest))
}

/// Seconds east of UTC: `Z`, `+01`, `+0130`, `+01:30`, `+01:30:20`, ` UTC`; nothing is UTC.
#[inline]
fn zone(text: &[u8]) -> Option<i64> {
    let text = text.strip_prefix(b" ").unwrap_or(text);
    let (east, text) = match text {
        [] | [b'Z' | b'z'] | b"UTC" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes, seconds) = match *text {
        [h0, h1] => (two(h0, h1)?, 0, 0),
        [h0, h1, m0, m1] | [h0, h1, b':', m0, m1] => (two(h0, h1)?, two(m0, m1)?, 0),
        [h0, h1, b':', m0, m1, b':', s0, s1] => (two(h0, h1)?, two(m0, m1)?, two(s0, s1)?),
        _ => return None,
    };
    (hours < 24 && minutes < 60 && seconds < 60).then_some(east * ((hours * 60 + minutes) * 60 + seconds))
}

/// A point in time as `2026-11-23 02:00:01.5`, in UTC.
pub(super) fn shown(micros: i64) -> String {
    match micros {
        INFINITY => return "infinity".to_owned(),
        NEGATIVE_INFINITY => return "-infinity".to_owned(),
        _ => {}
    }
    let seconds = micros.div_euclid(MICROS_PER_SECOND);
    let (year, month, day) = date(seconds.div_euclid(SECONDS_PER_DAY));
    let mut text = format!("{year:04}-{month:02}-{day:02}");
    let of_day = seconds.rem_euclid(SECONDS_PER_DAY);
    let fraction = micros.rem_euclid(MICROS_PER_SECOND);
    if of_day != 0 || fraction != 0 {
        let (hours, minutes, seconds) = (of_day / 3_600, of_day / 60 % 60, of_day % 60);
        text.push_str(&format!(" {hours:02}:{minutes:02}:{seconds:02}"));
    }
    if fraction != 0 {
        let digits = format!("{fraction:06}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{STEPS_SECONDS, date, days, parse, shown, step};

    #[test]
    fn days_and_dates_are_each_other_s_reverse() {
        let mut expected = days(1, 1, 1);
        for year in 1..=2500 {
            for month in 1..=12 {
                let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
                let len = match month {
                    2 if leap => 29,
                    2 => 28,
                    4 | 6 | 9 | 11 => 30,
                    _ => 31,
                };
                for day in 1..=len {
                    assert_eq!(days(year, month, day), expected, "{year}-{month}-{day}");
                    assert_eq!(date(expected), (year, month, day));
                    expected += 1;
                }
            }
        }
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(days(2000, 1, 1), 10_957);
    }

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let parsed = parse(text.as_bytes());
        assert_eq!(parsed.map_or_else(|| "-".to_owned(), shown), expected, "{text}");
    }

    #[test]
    fn iso_forms() {
        check("2026-11-23", "2026-11-23");
        check("2026-11-23 00:00:00", "2026-11-23");
        check("2026-11-23 02:00", "2026-11-23 02:00:00");
        check("2026-11-23T02:00:01Z", "2026-11-23 02:00:01");
        check("2026-11-23 02:00:01.5+01", "2026-11-23 01:00:01.5");
        check("2026-11-23T00:30:00.123456-05:30", "2026-11-23 06:00:00.123456");
        check("2026-11-23T00:30:00.1234567+0100", "2026-11-22 23:30:00.123457");
        check("2026-11-23T00:30:00.999999999999Z", "2026-11-23 00:30:01");
        check("2026-11-23 00:30:00 UTC", "2026-11-23 00:30:00");
        check("2026-11-23 00:30:00 +00:00:10", "2026-11-23 00:29:50");
        check("1969-12-31 23:59:59.25", "1969-12-31 23:59:59.25");
        check("0001-01-01", "0001-01-01");
    }

    #[test]
    fn what_only_looks_like_a_date() {
        for text in [
            "2026-13-23",
            "2026-00-23",
            "2026-11-32",
            "2026-11-2",
            "2026-11-23 ",
            "2026-11-23 02",
            "2026-11-23x",
            "2026-11-23 25:00",
            "2026-11-23 02:60",
            "2026-11-23 02:00:01.",
            "2026-11-23 02:00 CET",
            "2026-11-23 02:00+1",
            "2026-11-23 02:00+24:00",
            "20261123",
            "2026/11/23",
            "2026-11-23 BC",
        ] {
            check(text, "-");
        }
    }

    #[test]
    fn steps_go_towards_zero() {
        assert_eq!(step(999_999), 0);
        assert_eq!(step(1_000_000), 1);
        assert_eq!(step(30 * 86_400_000_000 - 1), 14 * 86_400);
        assert_eq!(step(30 * 86_400_000_000), 30 * 86_400);
        assert_eq!(step(u64::MAX), 100 * 365 * 86_400);
        assert!(STEPS_SECONDS.is_sorted());
        for (n, at) in STEPS_SECONDS.iter().enumerate() {
            let before = n.checked_sub(1).map_or(0, |n| STEPS_SECONDS[n]);
            for (seconds, expected) in [(at - 1, before), (*at, *at), (at + 1, *at)] {
                assert_eq!(step(u64::from(seconds) * 1_000_000), expected, "{seconds}");
            }
        }
    }
}
