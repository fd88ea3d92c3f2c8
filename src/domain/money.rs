//! Exact money in units of 10⁻⁸ yuan (or whatever the order's currency is).
//!
//! A fact of one order is an [`Amount`]: at most 20 digits before the point and 8 after it, the
//! `DECIMAL(28,8)` of reports. Whatever is computed from facts is a [`Sum`] (`DECIMAL(38,8)`), with checked
//! arithmetic. Only [`Sum::rounded`] rounds, and nothing ever passes through a binary float.

use std::fmt;
use std::iter;
use std::ops::Neg;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// How many decimals amounts and sums have.
pub const SCALE: u32 = 8;
/// The most digits of an amount: 20 before the point and [`SCALE`] after it.
const AMOUNT_DIGITS: u32 = 28;
/// The most digits of a sum: 30 before the point and [`SCALE`] after it.
const SUM_DIGITS: u32 = 38;
/// How many characters of an offending text an error shows.
const SHOWN: usize = 64;

/// One exact amount of an order, with 8 decimals: a fact, never the result of a calculation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(Decimal);

/// Why a text is not an [`Amount`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// The text is not a decimal number. It is not shown: it could be anything.
    #[error("not a decimal number")]
    NotANumber,
    /// The number needs more than 8 decimals, trailing zeros aside.
    #[error("{0} needs more than 8 decimals")]
    TooManyDecimals(String),
    /// The number needs more than 20 digits before the point.
    #[error("{0} needs more than 20 digits before the point")]
    TooManyDigits(String),
}

impl Amount {
    /// Zero.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Reads a decimal number digit for digit, in plain or exponent notation (`0.1`, `-3`, `1e-8`).
    ///
    /// # Errors
    /// [`AmountError`] if the text is not a number that can be held exactly. It is never approximated.
    pub fn parse(text: &str) -> Result<Self, AmountError> {
        match plain_units(text).and_then(|units| Self::from_units(units.into())) {
            Some(amount) => Ok(amount),
            None => Self::parse_any(text),
        }
    }

    fn parse_any(text: &str) -> Result<Self, AmountError> {
        let number = Number::split(text).ok_or(AmountError::NotANumber)?;
        let shown = || text.chars().take(SHOWN).collect::<String>();
        let digits = number.significant_digits();
        if digits.is_empty() {
            return Ok(Self::ZERO);
        }
        let trailing = number.exponent_of_last(digits.len());
        let Some(shift) = trailing.checked_add(i64::from(SCALE)).filter(|shift| *shift >= 0) else {
            return Err(AmountError::TooManyDecimals(shown()));
        };
        if shift > i64::from(AMOUNT_DIGITS) || digits.len() > AMOUNT_DIGITS as usize {
            return Err(AmountError::TooManyDigits(shown()));
        }
        let zeros = iter::repeat_n(b'0', usize::try_from(shift).unwrap_or(usize::MAX));
        let units = digits
            .into_iter()
            .chain(zeros)
            .try_fold(0_i128, |units, digit| units.checked_mul(10)?.checked_add(i128::from(digit - b'0')))
            .map(|units| if number.negative { -units } else { units });
        units.and_then(Self::from_units).ok_or_else(|| AmountError::TooManyDigits(shown()))
    }

    /// The amount of that many units of 10⁻⁸; `None` beyond 28 digits.
    #[must_use]
    pub fn from_units(units: i128) -> Option<Self> {
        if units.unsigned_abs() >= 10_u128.pow(AMOUNT_DIGITS) {
            return None;
        }
        Decimal::try_from_i128_with_scale(units, SCALE).ok().map(Self)
    }

    /// The amount as a whole number of units of 10⁻⁸.
    #[must_use]
    pub fn units(self) -> i128 {
        let missing = SCALE.saturating_sub(self.0.scale());
        self.0.mantissa() * 10_i128.pow(missing)
    }

    /// Whether the amount is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Whether the amount is below zero.
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.units() < 0
    }
}

impl Neg for Amount {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Sum::from(*self).fmt(f)
    }
}

/// The units of a number in plain notation whose digits fit 64 bits, as nearly all amounts are; `None` for any other text.
fn plain_units(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if !(1..=10).contains(&whole.len()) || !(1..=SCALE as usize).contains(&fraction.len()) {
        return None;
    }
    let missing = iter::repeat_n(b'0', SCALE as usize - fraction.len());
    let size = whole
        .bytes()
        .chain(fraction.bytes())
        .chain(missing)
        .try_fold(0_i64, |units, digit| digit.is_ascii_digit().then(|| units * 10 + i64::from(digit - b'0')))?;
    Some(if digits.len() < text.len() { -size } else { size })
}

/// The parts of a decimal number's text.
struct Number<'t> {
    negative: bool,
    whole: &'t str,
    fraction: &'t str,
    exponent: i64,
}

impl<'t> Number<'t> {
    fn split(text: &'t str) -> Option<Self> {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Self::exponent(exponent)?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        (digits(whole) && digits(fraction)).then_some(Self { negative, whole, fraction, exponent })
    }

    /// Reads an exponent. One too large for 64 bits is clamped, since it is out of range anyway.
    fn exponent(text: &str) -> Option<i64> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(i64::MAX / 4);
        Some(if text.starts_with('-') { -size } else { size })
    }

    /// The digits from the first to the last that is not zero.
    fn significant_digits(&self) -> Vec<u8> {
        let mut digits: Vec<u8> =
            self.whole.bytes().chain(self.fraction.bytes()).skip_while(|digit| *digit == b'0').collect();
        while digits.last() == Some(&b'0') {
            digits.pop();
        }
        digits
    }

    /// The power of ten of the last of `count` significant digits.
    fn exponent_of_last(&self, count: usize) -> i64 {
        let zeros_before = self.whole.bytes().chain(self.fraction.bytes()).take_while(|digit| *digit == b'0').count();
        let places = |len: usize| i64::try_from(len).unwrap_or(i64::MAX / 4);
        self.exponent + places(self.whole.len()) - places(zeros_before + count)
    }
}

/// A total or a difference, computed from amounts. Arithmetic is checked and never wraps. A string in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sum(i128);

/// A total exceeds the 38 digits that a report can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a total needs more than 30 digits before the point")]
pub struct Overflow;

impl Sum {
    /// Zero.
    pub const ZERO: Self = Self(0);

    /// The sum of a few amounts.
    #[must_use]
    pub fn of<const COUNT: usize>(amounts: [Amount; COUNT]) -> Self {
        // Can't overflow: an amount has at most 28 digits, so a billion of them stay within 38.
        Self(amounts.into_iter().map(Amount::units).sum())
    }

    /// The sum of that many units of 10⁻⁸.
    ///
    /// # Errors
    /// [`Overflow`] beyond 38 digits.
    pub fn from_units(units: i128) -> Result<Self, Overflow> {
        if units.unsigned_abs() < 10_u128.pow(SUM_DIGITS) { Ok(Self(units)) } else { Err(Overflow) }
    }

    /// Reads a sum exactly as reports write it; `None` for any other text.
    #[must_use]
    pub fn parse_exact(text: &str) -> Option<Self> {
        let units = text.replacen('.', "", 1).parse().ok()?;
        Self::from_units(units).ok().filter(|sum| sum.to_string() == text)
    }

    /// The sum as a whole number of units of 10⁻⁸.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.0
    }

    /// This sum plus another sum or amount.
    ///
    /// # Errors
    /// [`Overflow`] beyond 38 digits.
    pub fn plus(self, other: impl Into<Self>) -> Result<Self, Overflow> {
        self.0.checked_add(other.into().0).ok_or(Overflow).and_then(Self::from_units)
    }

    /// This sum minus another sum or amount.
    ///
    /// # Errors
    /// [`Overflow`] beyond 38 digits.
    pub fn minus(self, other: impl Into<Self>) -> Result<Self, Overflow> {
        self.0.checked_sub(other.into().0).ok_or(Overflow).and_then(Self::from_units)
    }

    /// The absolute value.
    #[must_use]
    pub const fn abs(self) -> Self {
        // Can't overflow: a sum has at most 38 digits, far from the one number without an absolute value.
        Self(self.0.abs())
    }

    /// The sum rounded to so many decimals, a half away from zero.
    ///
    /// # Errors
    /// [`Overflow`] beyond 38 digits.
    pub fn rounded(self, decimals: u32) -> Result<Self, Overflow> {
        let unit = 10_i128.pow(SCALE.saturating_sub(decimals));
        // Can't overflow: a sum has at most 38 digits, well within 128 bits.
        let size = (self.0.abs() + unit / 2) / unit * unit;
        Self::from_units(if self.0 < 0 { -size } else { size })
    }

    /// Whether the sum is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl From<Amount> for Sum {
    fn from(amount: Amount) -> Self {
        Self(amount.units())
    }
}

impl fmt::Display for Sum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let size = self.0.unsigned_abs();
        // Nearly every amount fits 64 bits, where division is many times faster.
        if let Ok(size) = u64::try_from(size) {
            let one = 10_u64.pow(SCALE);
            return write!(f, "{sign}{}.{:08}", size / one, size % one);
        }
        let one = 10_u128.pow(SCALE);
        write!(f, "{sign}{}.{:08}", size / one, size % one)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    /// Accepts only a string: a JSON number may have passed through a binary float.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(|error| de::Error::custom(format!("{text:?}: {error}")))
    }
}

impl Serialize for Sum {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sum {
    /// Accepts only the exact text that reports write.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse_exact(&text).ok_or_else(|| de::Error::custom(format!("{text:?} is not a sum with 8 decimals")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn units(text: &str) -> Result<i128, AmountError> {
        Amount::parse(text).map(Amount::units)
    }

    #[test]
    fn reads_digit_for_digit() {
        let cases: &[(&str, i128)] = &[
            ("0.1", 10_000_000),
            ("0.03000000", 3_000_000),
            ("1e-8", 1),
            ("1E+2", 10_000_000_000),
            ("0.00000000", 0),
            ("-0", 0),
            ("0e999999999999999999999", 0),
            ("-0.00000001", -1),
            ("007", 700_000_000),
            ("0.1000000000000000000000000000000000000000", 10_000_000),
            ("100000000000000000000e-10", 1_000_000_000_000_000_000),
            ("12345678901234567890.12345678", 1_234_567_890_123_456_789_012_345_678),
            ("99999999999999999999.99999999", 9_999_999_999_999_999_999_999_999_999),
        ];
        for (text, expected) in cases {
            assert_eq!(units(text), Ok(*expected), "{text}");
        }
    }

    #[test]
    fn refuses_what_it_cannot_hold_exactly() {
        for text in ["", "-", ".", "1.", ".5", "1e", "0x1", "1,5", " 1", "NaN", "Infinity", "1_0", "١"] {
            assert_eq!(units(text), Err(AmountError::NotANumber), "{text:?}");
        }
        for text in ["0.000000001", "1e-9", "1.123456789", "1e-9223372036854775808"] {
            assert_eq!(units(text), Err(AmountError::TooManyDecimals(text.into())));
        }
        for text in ["100000000000000000000", "1e20", "1e999999999999999999999"] {
            assert_eq!(units(text), Err(AmountError::TooManyDigits(text.into())));
        }
    }

    #[test]
    fn a_sum_is_checked_at_38_digits() {
        let largest = Sum::from_units(10_i128.pow(38) - 1).expect("38 digits");
        let unit = Sum::from_units(1).expect("one unit");
        assert_eq!(largest.plus(unit), Err(Overflow));
        assert_eq!(largest.to_string(), "999999999999999999999999999999.99999999");
        assert_eq!(Sum::ZERO.minus(unit).expect("small").to_string(), "-0.00000001");
    }

    #[test]
    fn a_half_is_rounded_away_from_zero() {
        let rounded = |units, decimals| Sum::from_units(units).expect("38 digits").rounded(decimals).map(Sum::units);
        for (units, decimals, expected) in [
            (20_400_000, 2, 20_000_000),
            (20_500_000, 2, 21_000_000),
            (-20_500_000, 2, -21_000_000),
            (-20_499_999, 2, -20_000_000),
            (28_780, 2, 0),
            (50_000_000, 0, 100_000_000),
            (49_999_999, 0, 0),
            (20_499_999, 8, 20_499_999),
            (20_499_999, 9, 20_499_999),
        ] {
            assert_eq!(rounded(units, decimals), Ok(expected), "{units} at {decimals}");
        }
        assert_eq!(rounded(10_i128.pow(38) - 1, 0), Err(Overflow));
    }

    proptest! {
        /// A rounded sum is a multiple of the last place, at most half of it off; a half goes away from zero.
        #[test]
        fn rounding_is_to_the_nearest(units in -10_i128.pow(36)..10_i128.pow(36), decimals in 0..=8_u32) {
            let place = 10_i128.pow(SCALE - decimals);
            let sum = Sum::from_units(units).expect("38 digits");
            let rounded = sum.rounded(decimals).expect("38 digits");
            let off = rounded.units() - units;
            prop_assert_eq!(rounded.units() % place, 0);
            prop_assert!(off.abs() * 2 <= place);
            prop_assert!(off.abs() * 2 < place || rounded.units().abs() > units.abs() || off == 0);
            prop_assert_eq!(rounded.rounded(decimals), Ok(rounded));
            prop_assert_eq!(Sum(-units).rounded(decimals).map(Sum::units), Ok(-rounded.units()));
        }

        #[test]
        fn display_and_parse_agree(units in -(10_i128.pow(28) - 1)..10_i128.pow(28)) {
            let amount = Amount::from_units(units).expect("28 digits");
            prop_assert_eq!(amount.units(), units);
            prop_assert_eq!(Amount::parse(&amount.to_string()), Ok(amount));
        }

        #[test]
        fn agrees_with_rust_decimal(text in r"-?[0-9]{1,20}(\.[0-9]{1,8})?") {
            let expected = Decimal::from_str_exact(&text).expect("28 digits");
            prop_assert_eq!(Amount::parse(&text).map(|amount| amount.0), Ok(expected));
        }

        #[test]
        fn never_panics(text in r"[-+0-9.eE]{0,60}") {
            let _ = Amount::parse(&text);
        }
    }
}
