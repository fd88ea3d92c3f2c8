//! Percentages of exact sums, to two decimals: integer division, rounded half to even.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::domain::money::Sum;

/// Hundredths of a percent in a whole.
const HUNDREDTHS: u128 = 10_000;

/// One sum as a percentage of another, to two decimals. In JSON it is a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent {
    negative: bool,
    /// How many times the whole goes into the part. Kept apart from the rest: a quotient of up to 38 digits
    /// leaves no room in a `u128` for two decimals of a percent.
    wholes: u128,
    /// The rest, in hundredths of a percent.
    hundredths: u128,
}

impl Percent {
    /// `part` as a percentage of `whole`; `None` if `whole` is zero.
    #[must_use]
    pub fn of(part: Sum, whole: Sum) -> Option<Self> {
        let (size, divisor) = (part.units().unsigned_abs(), whole.units().unsigned_abs());
        let mut wholes = size.checked_div(divisor)?;
        let (mut hundredths, rest) = scaled(size % divisor, divisor);
        // A sum has at most 38 digits, so twice the rest fits into 128 bits.
        if rest * 2 > divisor || (rest * 2 == divisor && hundredths % 2 == 1) {
            hundredths += 1;
        }
        if hundredths == HUNDREDTHS {
            (wholes, hundredths) = (wholes + 1, 0);
        }
        let negative = (part.units() < 0) != (whole.units() < 0) && (wholes, hundredths) != (0, 0);
        Some(Self { negative, wholes, hundredths })
    }
}

/// The quotient and the rest of `HUNDREDTHS` × `part` / `divisor`, where `part` is below `divisor`, which has
/// at most 38 digits. The product may have 42 digits, so this works bit by bit: no intermediate value reaches
/// three divisors, which fits into 128 bits.
fn scaled(part: u128, divisor: u128) -> (u128, u128) {
    let (mut quotient, mut rest) = (0, 0);
    for bit in (0..=HUNDREDTHS.ilog2()).rev() {
        rest = rest * 2 + if HUNDREDTHS >> bit & 1 == 1 { part } else { 0 };
        quotient = quotient * 2 + rest / divisor;
        rest %= divisor;
    }
    (quotient, rest)
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let (percents, decimals) = (self.hundredths / 100, self.hundredths % 100);
        match self.wholes {
            0 => write!(f, "{sign}{percents}.{decimals:02}"),
            wholes => write!(f, "{sign}{wholes}{percents:02}.{decimals:02}"),
        }
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn percent(part: i128, whole: i128) -> Option<String> {
        let sum = |units| Sum::from_units(units).expect("38 digits");
        Percent::of(sum(part), sum(whole)).map(|percent| percent.to_string())
    }

    #[test]
    fn two_decimals_rounded_half_to_even() {
        let cases = [
            (1, 3, "33.33"),
            (2, 3, "66.67"),
            (-1, 3, "-33.33"),
            (1, -3, "-33.33"),
            (-1, -3, "33.33"),
            // Halves of the second decimal go to the even neighbour: 0.125 and 0.375, 0.005 and 0.015.
            (1, 800, "0.12"),
            (3, 800, "0.38"),
            (1, 20_000, "0.00"),
            (3, 20_000, "0.02"),
            (-3, 20_000, "-0.02"),
            // Just beside the half.
            (10_001, 200_000_000, "0.01"),
            (29_999, 200_000_000, "0.01"),
            // Zero has no sign, even if rounded from below.
            (-1, 20_000, "0.00"),
            (0, 7, "0.00"),
            (7, 7, "100.00"),
            (14, 7, "200.00"),
            // 99.995 and 99.985 percent.
            (19_999, 20_000, "100.00"),
            (19_997, 20_000, "99.98"),
            (1_005, 100, "1005.00"),
        ];
        for (part, whole, expected) in cases {
            assert_eq!(percent(part, whole).as_deref(), Some(expected), "{part} of {whole}");
        }
        assert_eq!((percent(1, 0), percent(0, 0)), (None, None));
    }

    #[test]
    fn the_largest_sums_fit() {
        let largest = 10_i128.pow(38) - 1;
        assert_eq!(percent(largest, 1), Some(format!("{largest}00.00")));
        assert_eq!(percent(largest - 1, largest).as_deref(), Some("100.00"));
        assert_eq!(percent(-largest, largest).as_deref(), Some("-100.00"));
        assert_eq!(percent(largest / 3, largest).as_deref(), Some("33.33"));
    }

    proptest! {
        /// By definition: the error is at most half a hundredth, and a tie goes to the even neighbour.
        #[test]
        fn the_nearest_hundredth(part in -10_i128.pow(30)..10_i128.pow(30), whole in 1..10_i128.pow(30)) {
            let text = percent(part, whole).expect("not zero");
            let hundredths: i128 = text.replace('.', "").parse().expect("a number");
            let twice_the_error = (2 * (part * 10_000 - hundredths * whole)).abs();
            prop_assert!(twice_the_error <= whole, "{}", text);
            prop_assert!(twice_the_error < whole || hundredths % 2 == 0, "{}", text);
        }
    }
}
