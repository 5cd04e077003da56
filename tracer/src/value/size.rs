//! Numbers on a coarse scale that keeps their order.

/// A number within 1 %: its sign, its power of two and the seven bits behind it. Whole numbers up to 256 are exact.
///
/// The upper half of an IEEE 754 single, rounded towards zero (known as bfloat16), with the bits of a negative number
/// turned so that the order of the codes is the order of the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(i16);

impl Size {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// The code of a number. Not-a-number becomes the largest.
    pub fn of_f64(number: f64) -> Self {
        let magnitude = number.abs();
        // Single precision would round; cutting the bits of the double does not.
        let bits = magnitude.to_bits();
        let exponent = i64::try_from(bits >> 52).unwrap_or(0) - 1023 + 127;
        let mantissa = i64::try_from((bits >> 45) & 0x7f).unwrap_or(0);
        let code = match exponent {
            _ if magnitude == 0.0 => 0,
            ..=0 => 1,
            255.. => 0x7f80,
            _ => exponent << 7 | mantissa,
        };
        let code = i16::try_from(code).unwrap_or(i16::MAX);
        Self(if number < 0.0 { -code } else { code })
    }

    /// The code of a whole number.
    #[inline]
    pub fn of_u64(number: u64) -> Self {
        // As a double of this number, without making one: that would round up from 2^53 on.
        let zeros = number.leading_zeros();
        let Some(power) = 63_u32.checked_sub(zeros) else { return Self::ZERO };
        let mantissa = number << zeros >> 56 & 0x7f;
        let code = u64::from(power + 127) << 7 | mantissa;
        Self(i16::try_from(code).unwrap_or(i16::MAX))
    }

    /// The code of a whole number.
    #[inline]
    pub fn of_i64(number: i64) -> Self {
        let size = Self::of_u64(number.unsigned_abs());
        if number < 0 { size.negated() } else { size }
    }

    /// With the other sign.
    #[inline]
    pub fn negated(self) -> Self {
        Self(self.0.saturating_neg())
    }

    /// The number nearest to zero that has this code.
    pub fn number(self) -> f64 {
        let magnitude = u64::from(self.0.unsigned_abs());
        if magnitude == 0 {
            return 0.0;
        }
        let bits = ((magnitude >> 7) + 1023 - 127) << 52 | (magnitude & 0x7f) << 45;
        let number = f64::from_bits(bits);
        if self.0 < 0 { -number } else { number }
    }

    /// The code as a number that orders as the sizes do.
    pub const fn code(self) -> i16 {
        self.0
    }

    /// The size of a code.
    pub const fn from_code(code: i16) -> Self {
        Self(code)
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn small_whole_numbers_are_exact_and_all_keep_their_order() {
        for number in -256_i32..=256 {
            assert_eq!(Size::of_f64(f64::from(number)).number(), f64::from(number));
            assert_eq!(Size::of_i64(i64::from(number)), Size::of_f64(f64::from(number)));
        }
        let rising =
            [f64::NEG_INFINITY, -1e300, -5e9, -257.0, -1.5, 0.0, 1e-300, 0.3, 1.0, 1.01, 900_000.0, 1e19];
        assert!(rising.map(Size::of_f64).is_sorted());
    }

    #[test]
    fn it_is_within_one_percent() {
        for number in [3.7, 901_234.0, 1e12, 7.77e-5] {
            let back = Size::of_f64(number).number();
            assert!(back <= number && number - back < number / 100.0, "{number} became {back}");
        }
    }
}
