//! Why an identity or a comparison with our own books fails, if exact arithmetic proves a cause. The first
//! match wins; an identity without a proven cause is `unexplained`.

use crate::domain::money::{Amount, Sum};

/// A cause of a failed check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The charge is above the quote, and nothing was released.
    Overage,
    /// The rest of the quote was not released.
    NotReleased,
    /// The whole quote was released although something was charged.
    ReleasedInFull,
    /// The rest of the quote was released twice.
    ReleasedTwice,
    /// The total leaves out the external cost.
    ExternalLeftOut,
    /// The total leaves out the compute cost.
    ComputeLeftOut,
    /// The total counts the external cost twice.
    ExternalCountedTwice,
    /// The total counts the compute cost twice.
    ComputeCountedTwice,
    /// An amount has the wrong sign.
    SignFlipped,
    /// An amount is in a different unit: it is off by a power of ten.
    Scale,
    /// The sides differ by one unit of the 8th decimal, or one side is rounded.
    Rounding,
    /// No arithmetic proves a cause.
    Unexplained,
}

/// The largest power of ten that is tried.
const POWERS: u32 = 8;
/// The last place of an amount rounded to 2, 4 or 6 places, in units of the 8th decimal.
const PLACES: [i128; 3] = [1_000_000, 10_000, 100];

impl Cause {
    const OF_QUOTE_SPLIT: [Self; 8] = [
        Self::Overage,
        Self::NotReleased,
        Self::ReleasedInFull,
        Self::ReleasedTwice,
        Self::SignFlipped,
        Self::Scale,
        Self::Rounding,
        Self::Unexplained,
    ];
    const OF_COST_SUM: [Self; 8] = [
        Self::ExternalLeftOut,
        Self::ComputeLeftOut,
        Self::ExternalCountedTwice,
        Self::ComputeCountedTwice,
        Self::SignFlipped,
        Self::Scale,
        Self::Rounding,
        Self::Unexplained,
    ];

    const OF_EXPECTED_MISMATCH: [Self; 3] = [Self::SignFlipped, Self::Scale, Self::Rounding];

    /// The causes that a failure of a check can have, in the order in which they are tried.
    #[must_use]
    pub fn of_check(code: &str) -> &'static [Self] {
        match code {
            "quote-split" => &Self::OF_QUOTE_SPLIT,
            "cost-sum" => &Self::OF_COST_SUM,
            "expected-mismatch" => &Self::OF_EXPECTED_MISMATCH,
            _ => &[],
        }
    }

    /// The word that reports use.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Overage => "overage",
            Self::NotReleased => "not-released",
            Self::ReleasedInFull => "released-in-full",
            Self::ReleasedTwice => "released-twice",
            Self::ExternalLeftOut => "external-left-out",
            Self::ComputeLeftOut => "compute-left-out",
            Self::ExternalCountedTwice => "external-counted-twice",
            Self::ComputeCountedTwice => "compute-counted-twice",
            Self::SignFlipped => "sign-flipped",
            Self::Scale => "scale",
            Self::Rounding => "rounding",
            Self::Unexplained => "unexplained",
        }
    }

    /// Why `quote = final + released` fails. The three amounts must not satisfy it.
    #[must_use]
    pub fn of_quote_split(quote: Amount, charged: Amount, released: Amount) -> Self {
        // Facts have at most 28 digits, so that their multiples by up to 10⁸ fit 128 bits.
        let (q, f, r) = (quote.units(), charged.units(), released.units());
        let tests = [
            (Self::Overage, f > q && r == 0),
            (Self::NotReleased, f < q && r == 0),
            (Self::ReleasedInFull, r == q && f > 0),
            (Self::ReleasedTwice, 2 * f + r == 2 * q && r > 0),
            (Self::SignFlipped, (f - r == q && r < 0) || (r - f == q && f < 0)),
            (Self::Scale, is_scaled(f, r, q) || is_scaled(r, f, q)),
            (Self::Rounding, is_rounded(q, f + r)),
        ];
        first(&tests)
    }

    /// Why `total = compute + external` fails. The three amounts must not satisfy it.
    #[must_use]
    pub fn of_cost_sum(compute: Amount, external: Amount, total: Amount) -> Self {
        let (c, e, t) = (compute.units(), external.units(), total.units());
        let tests = [
            (Self::ExternalLeftOut, t == c && e != 0),
            (Self::ComputeLeftOut, t == e && c != 0),
            (Self::ExternalCountedTwice, t == c + 2 * e),
            (Self::ComputeCountedTwice, t == 2 * c + e),
            (Self::SignFlipped, t == c - e || t == e - c),
            (Self::Scale, is_scaled(t, 0, c + e)),
            (Self::Rounding, is_rounded(t, c + e)),
        ];
        first(&tests)
    }

    /// Why our books differ from the provider, if exact arithmetic proves a cause. `decimals` is how many
    /// decimals our figure is written with. The two figures must differ.
    #[must_use]
    pub fn of_expected_mismatch(ours: Sum, provider: Amount, decimals: Option<u32>) -> Option<Self> {
        let provider = Sum::from(provider);
        let is_rounded = |decimals| provider.rounded(decimals).is_ok_and(|rounded| rounded == ours);
        if ours.units() == -provider.units() {
            Some(Self::SignFlipped)
        } else if power_of_ten(ours, provider).is_some() {
            Some(Self::Scale)
        } else {
            // A bare 0 means that the charge was not booked; 0.00 may be a charge of less than a cent.
            let is_written = |decimals: &u32| !ours.is_zero() || *decimals >= 2;
            decimals.filter(is_written).is_some_and(is_rounded).then_some(Self::Rounding)
        }
    }
}

/// The k, from 1 to 8 or from −8 to −1, for which our figure is the provider's times 10^k.
#[must_use]
pub fn power_of_ten(ours: Sum, provider: Sum) -> Option<i8> {
    let (ours, provider) = (ours.units(), provider.units());
    let is = |small: i128, large: i128, power: i8| {
        small != 0 && small.checked_mul(10_i128.pow(power.unsigned_abs().into())) == Some(large)
    };
    (1..=8).find_map(|power| match (is(provider, ours, power), is(ours, provider, power)) {
        (true, _) => Some(power),
        (_, true) => Some(-power),
        _ => None,
    })
}

fn first(tests: &[(Cause, bool)]) -> Cause {
    tests.iter().find(|(_, proved)| *proved).map_or(Cause::Unexplained, |(cause, _)| *cause)
}

/// Whether `part · 10^k + other = whole` for some k from 1 to 8 or from −8 to −1.
fn is_scaled(part: i128, other: i128, whole: i128) -> bool {
    let rest = whole - other;
    part != 0 && (1..=POWERS).map(|power| 10_i128.pow(power)).any(|ten| part * ten == rest || part == rest * ten)
}

/// Whether the whole is one unit off the sum, or is the sum rounded to 2, 4 or 6 places; a half may go either
/// way.
fn is_rounded(whole: i128, sum: i128) -> bool {
    let off = (whole - sum).abs();
    off == 1 || PLACES.iter().any(|place| whole % place == 0 && off * 2 <= *place)
}

#[cfg(test)]
mod tests;
