//! Numbers as text, and what is equal among them.

use std::io::Write;

use super::words::digits;

/// A number, reduced so that equal ones are equal whatever form they came in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Every whole number of 64 bits, also one written with a fraction of zeros or an exponent.
    Whole(i64),
    /// Everything else, as the nearest double.
    Fraction(f64),
}

/// 2^53: from here on a double has neighbours that are whole numbers too.
const EXACT_LIMIT: f64 = 9_007_199_254_740_992.0;
/// 2^63: the first double past [`i64::MAX`].
const WHOLE_LIMIT: f64 = 9_223_372_036_854_775_808.0;
/// 2^24: as [`EXACT_LIMIT`], for single precision.
const EXACT_LIMIT_SINGLE: f32 = 16_777_216.0;

/// Powers of ten that a double holds exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

impl Number {
    /// Of a double. Minus zero is zero. A large whole one is what its shortest decimal form says, since that is how it
    /// is written as text.
    #[inline]
    pub(super) fn of_f64(number: f64) -> Self {
        if number.trunc() == number && number.abs() < EXACT_LIMIT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within the limits")]
            return Self::Whole(number as i64);
        }
        if number.abs() >= EXACT_LIMIT && number.abs() < WHOLE_LIMIT {
            return shortest(number).unwrap_or(Self::Fraction(number));
        }
        Self::Fraction(number)
    }

    /// Of a number in single precision: what its shortest decimal form says.
    pub(super) fn of_f32(number: f32) -> Self {
        if !number.is_finite() || number.trunc() == number && number.abs() < EXACT_LIMIT_SINGLE {
            return Self::of_f64(f64::from(number));
        }
        shortest(number).unwrap_or(Self::Fraction(f64::from(number)))
    }

    /// `mantissa` times ten to the `exponent`, rounded once.
    pub(super) fn of_parts(negative: bool, mantissa: u64, exponent: i32) -> Self {
        let power = exponent.unsigned_abs();
        let tens = 10_u64.checked_pow(power);
        let whole = match tens {
            _ if mantissa == 0 => Some(0),
            Some(tens) if exponent >= 0 => mantissa.checked_mul(tens),
            Some(tens) if mantissa.is_multiple_of(tens) => Some(mantissa / tens),
            _ => None,
        };
        if let Some(number) = whole.and_then(|whole| signed(negative, whole)) {
            return Self::Whole(number);
        }
        let magnitude = match usize::try_from(power).ok().and_then(|power| TENS.get(power)) {
            // Both are exact, so that the one operation rounds correctly (Clinger, 1990).
            Some(tens) if mantissa <= 1 << 53 => {
                #[expect(clippy::cast_precision_loss, reason = "at most 53 bits")]
                let mantissa = mantissa as f64;
                if exponent < 0 { mantissa / tens } else { mantissa * tens }
            }
            _ => nearest(mantissa, exponent),
        };
        Self::of_f64(if negative { -magnitude } else { magnitude })
    }
}

/// The nearest double, by the standard library.
#[cold]
fn nearest(mantissa: u64, exponent: i32) -> f64 {
    // 20 digits, a letter, 11 characters of an exponent.
    let mut buffer = [0; 40];
    let text = print(&mut buffer, format_args!("{mantissa}e{exponent}"));
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN)
}

/// By way of the shortest decimal form, at most 17 digits and an exponent.
#[cold]
fn shortest(number: impl std::fmt::LowerExp) -> Option<Number> {
    let mut buffer = [0; 40];
    typed(print(&mut buffer, format_args!("{number:e}")))
}

/// Prints without an allocation. What does not fit is left out.
fn print<'a>(buffer: &'a mut [u8], text: std::fmt::Arguments<'_>) -> &'a [u8] {
    let size = buffer.len();
    let mut rest = &mut *buffer;
    let _ = rest.write_fmt(text);
    let unused = rest.len();
    &buffer[..size - unused]
}

/// A magnitude with its sign, if 64 bits hold it.
#[inline]
pub(super) fn signed(negative: bool, magnitude: u64) -> Option<i64> {
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

/// `-` and digits, as programs print a whole number: no plus sign, no leading zeros.
#[inline(always)]
pub(super) fn whole(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    if text.first() == Some(&b'0') && text.len() > 1 {
        return None;
    }
    signed(negative, digits(text)?)
}

/// Digits with a point, an exponent, or neither; leading zeros and a point at either end are welcome. `None`: it is no
/// number. Digits past the nineteenth significant one count as zeros.
pub(super) fn magnitude(text: &[u8]) -> Option<(u64, i32)> {
    let (mut mantissa, mut taken, mut exponent) = (0_u64, 0, 0_i32);
    let (mut any, mut point) = (false, false);
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        match byte {
            b'0'..=b'9' => {
                any = true;
                if taken < 19 {
                    mantissa = mantissa * 10 + u64::from(byte - b'0');
                    taken += u8::from(mantissa != 0);
                    exponent -= i32::from(point);
                } else {
                    exponent = exponent.saturating_add(i32::from(!point));
                }
            }
            b'.' if !point => point = true,
            b'e' | b'E' if any => return Some((mantissa, exponent.saturating_add(exponent_of(behind)?))),
            _ => return None,
        }
        rest = behind;
    }
    any.then_some((mantissa, exponent))
}

fn exponent_of(text: &[u8]) -> Option<i32> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    // No number of any use has an exponent of nine digits.
    let exponent = i32::try_from(digits(text)?.min(1_000_000)).ok()?;
    Some(if negative { -exponent } else { exponent })
}

/// A number of a type that is known to be one: any sign, any form, `NaN`, `Infinity`.
#[inline(never)]
pub(super) fn typed(text: &[u8]) -> Option<Number> {
    if let Some(number) = whole(text) {
        return Some(Number::Whole(number));
    }
    let text = text.trim_ascii();
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if let Some((mantissa, exponent)) = magnitude(text) {
        return Some(Number::of_parts(negative, mantissa, exponent));
    }
    let is = |word: &[u8]| text.eq_ignore_ascii_case(word);
    if is(b"nan") {
        return Some(Number::Fraction(f64::NAN));
    }
    (is(b"infinity") || is(b"inf")).then_some(Number::Fraction(if negative {
        f64::NEG_INFINITY
    } else {
        f64::INFINITY
    }))
}

/// A number in a text of unknown type that is no whole number: one without leading zeros, with digits on both sides of
/// its point. With an exponent only where a point or a sign shows that it is one: `12e5` may well be part of a name.
#[inline(never)]
pub(super) fn fraction(text: &[u8]) -> Option<Number> {
    let (negative, unsigned) = match text {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, text),
    };
    match unsigned {
        [b'0', b'.', b'0'..=b'9', ..] => {}
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    let (mut point, mut sign) = (false, false);
    for pair in unsigned.windows(2) {
        point |= pair[0] == b'.' && pair[1].is_ascii_digit();
        sign |= matches!(pair, [b'e' | b'E', b'+' | b'-']);
    }
    if !(point || sign) || unsigned.len() > 40 || unsigned.ends_with(b".") {
        return None;
    }
    let (mantissa, exponent) = magnitude(unsigned)?;
    Some(Number::of_parts(negative, mantissa, exponent))
}

/// A numeric constant of SQL (PostgreSQL's manual, section 4.1.2.6, version 18): underscores between digits, `0x`, `0o`,
/// `0b`.
pub(super) fn constant(text: &[u8], negative: bool) -> Option<Number> {
    // Longer ones than any number of use are not worth the exact rules.
    let (mut plain, mut len) = ([0; 128], 0);
    let text = if text.contains(&b'_') {
        for (place, byte) in plain.iter_mut().zip(text.iter().filter(|byte| **byte != b'_')) {
            *place = *byte;
            len += 1;
        }
        &plain[..len]
    } else {
        text
    };
    let radix = match text {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => {
            let (mantissa, exponent) = magnitude(text)?;
            return Some(Number::of_parts(negative, mantissa, exponent));
        }
    };
    // Twenty digits of any of these fit 128 bits; more are rounded as they come.
    let mut exact = Some(0_u64);
    let mut rounded = 0.0;
    for byte in &text[2..] {
        let digit = char::from(*byte).to_digit(radix)?;
        exact = exact.and_then(|n| n.checked_mul(u64::from(radix))?.checked_add(u64::from(digit)));
        rounded = rounded * f64::from(radix) + f64::from(digit);
    }
    if text.len() == 2 {
        return None;
    }
    match exact.and_then(|exact| signed(negative, exact)) {
        Some(number) => Some(Number::Whole(number)),
        None => Some(Number::Fraction(if negative { -rounded } else { rounded })),
    }
}
