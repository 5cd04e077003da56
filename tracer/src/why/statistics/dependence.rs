//! Requests that are near in time are not independent: how many of them count as one.
//!
//! Fisher's test asks: if the slow marks were dealt to the rows at random, how often would so many fall on the rows
//! that meet the condition? Dealing one by one is wrong when marks come in heaps (one stall of the host marks
//! everything that is in flight) *and* the rows that meet the condition come in heaps too (growing ids, one connection
//! in use for a second). One heap on another by chance then looks like many agreeing rows. Where either of both is
//! spread at random over time there is no such danger, because then it is the other one that was dealt at random.
//!
//! M. S. Bartlett (Some aspects of the time-correlation problem, Journal of the Royal Statistical Society 98, 1935)
//! gives the variance of the correlation of two independent series that are each correlated in time: that of series
//! without such correlation, times 1 + 2 * the sum over all lags of the product of both autocorrelations. So many rows
//! count as one. ln of a tail probability grows with the number of independent rows, so it is divided by that number.

/// How a series of yes and no, in the order of time, goes with itself at a later time. Long lags are taken together,
/// in groups twice as long each time: the autocorrelation of a group is averaged, so its noise does not add up.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlation {
    /// For each group of lags: how many, and the sum of their autocorrelations.
    groups: Vec<(f64, f64)>,
}

impl Correlation {
    /// Of a series. Constant series have none.
    pub fn of(series: &[bool]) -> Self {
        let ones = series.iter().filter(|yes| **yes).count();
        let (ones, length) = (as_f64(ones), as_f64(series.len()));
        let mean = if length > 0.0 { ones / length } else { 0.0 };
        Self::of_residuals(&series.iter().map(|yes| f64::from(u8::from(*yes)) - mean).collect::<Vec<_>>())
    }

    /// Of numbers around zero.
    pub fn of_residuals(series: &[f64]) -> Self {
        let square: f64 = series.iter().map(|y| y * y).sum();
        let mut groups = Vec::new();
        if square <= 1e-9 {
            return Self { groups };
        }
        let mut sums = Vec::with_capacity(series.len() + 1);
        let mut sum = 0.0;
        sums.push(sum);
        for y in series {
            sum += y;
            sums.push(sum);
        }
        let at = |i: usize| sums.get(i).copied().unwrap_or(sum);
        let (mut from, mut width) = (1, 1);
        while from < series.len() / 2 {
            // All lags from `from` to `from + width - 1` at once, by sums over stretches.
            let products: f64 =
                series.iter().enumerate().map(|(i, y)| y * (at(i + from + width) - at(i + from))).sum();
            groups.push((as_f64(width), products / square));
            from += width;
            if groups.len() > 1 {
                width *= 2;
            }
        }
        Self { groups }
    }
}

/// How many rows count as one when the two series are compared; at least 1.
pub fn inflation(one: &Correlation, other: &Correlation) -> f64 {
    let products = one.groups.iter().zip(&other.groups).map(|((width, a), (_, b))| a * b / width);
    (1.0 + 2.0 * products.sum::<f64>()).max(1.0)
}

fn as_f64(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::from(u32::MAX), f64::from)
}
