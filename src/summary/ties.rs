//! Ties: control totals from outside, such as an invoice's, against our own sums and counts.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::Population;
use crate::checks::{ControlTotal, CountField, Rules};
use crate::domain::books::Field;
use crate::domain::money::{Overflow, Sum};
use crate::domain::order::Amounts;

/// One control total against our own sum over settled orders, or our own count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tie {
    /// The amount's name, `rows`, or `orders`.
    pub field: &'static str,
    /// The currency of the sum. `None` for a count, and if no currency is named and there are several: such a
    /// sum does not tie out.
    pub currency: Option<String>,
    /// The control total.
    pub expected: TieFigure,
    /// Our own sum or count; `None` if the currency is unknown.
    pub actual: Option<TieFigure>,
    /// Actual minus expected.
    pub difference: Option<TieFigure>,
    /// Whether it ties out only after rounding to the decimals that control totals are kept to.
    #[serde(skip_serializing_if = "is_exact")]
    pub passed_by_rounding: bool,
}

/// A figure of a control total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TieFigure {
    /// A sum of money, or the difference of two.
    Sum(Sum),
    /// A count, or the difference of two.
    Count(i64),
}

impl fmt::Display for TieFigure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sum(sum) => sum.fmt(f),
            Self::Count(count) => count.fmt(f),
        }
    }
}

const fn is_exact(passed_by_rounding: &bool) -> bool {
    !*passed_by_rounding
}

impl Tie {
    /// Whether our figure ties out to the control total, exactly or by rounding.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.passed_by_rounding || matches!(self.difference, Some(TieFigure::Sum(Sum::ZERO) | TieFigure::Count(0)))
    }

    /// Compares each control total with the population or with `sums`, which has the six sums of each
    /// currency in the order of [`Amounts::NAMES`]. A control total that names no currency is in the expected
    /// one or, without that, in the only one there is.
    ///
    /// # Errors
    /// [`Overflow`] if a figure exceeds what a report can hold.
    pub fn compare_all(
        rules: &Rules,
        sums: &BTreeMap<&str, [Sum; 6]>,
        population: &Population,
    ) -> Result<Vec<Self>, Overflow> {
        let tie = |total: &ControlTotal| match total {
            ControlTotal::Amount { field, currency, expected } => {
                Self::of_sum(rules, sums, *field, currency.as_deref(), *expected)
            }
            ControlTotal::Count { field, expected } => Self::of_count(population, *field, *expected),
        };
        rules.control_totals.iter().map(tie).collect()
    }

    fn of_sum(
        rules: &Rules,
        sums: &BTreeMap<&str, [Sum; 6]>,
        field: Field,
        currency: Option<&str>,
        expected: Sum,
    ) -> Result<Self, Overflow> {
        let only = match sums.len() {
            0 => Some(""),
            1 => sums.keys().next().copied(),
            _ => None,
        };
        let currency = currency.or(rules.currency.as_deref()).or(only);
        let at = Amounts::NAMES.iter().position(|name| *name == field.name());
        let actual = currency.zip(at).map(|(currency, at)| sums.get(currency).map_or(Sum::ZERO, |sums| sums[at]));
        let difference = actual.map(|actual| actual.minus(expected)).transpose()?;
        let is_off = difference.is_some_and(|difference| !difference.is_zero());
        Ok(Self {
            field: field.name(),
            currency: currency.map(str::to_owned),
            expected: TieFigure::Sum(expected),
            actual: actual.map(TieFigure::Sum),
            difference: difference.map(TieFigure::Sum),
            passed_by_rounding: is_off && actual.is_some_and(|actual| rules.is_rounded(expected, actual)),
        })
    }

    fn of_count(population: &Population, field: CountField, expected: u64) -> Result<Self, Overflow> {
        let actual = match field {
            CountField::Rows => population.rows(),
            CountField::Orders => population.orders(),
        };
        let [expected, actual] = [expected, actual].map(|count| i64::try_from(count).map_err(|_| Overflow));
        let (expected, actual) = (expected?, actual?);
        Ok(Self {
            field: field.name(),
            currency: None,
            expected: TieFigure::Count(expected),
            actual: Some(TieFigure::Count(actual)),
            // Can't overflow: neither is below zero.
            difference: Some(TieFigure::Count(actual - expected)),
            passed_by_rounding: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::outcome::Bucket;

    fn sum(units: i128) -> Sum {
        Sum::from_units(units).expect("38 digits")
    }

    fn ties(currency: Option<&str>, usual: Option<&str>, sums: &[(&'static str, i128)]) -> Vec<Tie> {
        let total =
            ControlTotal::Amount { field: Field::Final, currency: currency.map(str::to_owned), expected: sum(100) };
        let rules = Rules { control_totals: vec![total], currency: usual.map(str::to_owned), ..Rules::default() };
        tied(&rules, sums)
    }

    fn tied(rules: &Rules, sums: &[(&'static str, i128)]) -> Vec<Tie> {
        // Only final_amount has the given figure.
        let sums = sums.iter().map(|(currency, units)| (*currency, [7, *units, 7, 7, 7, 7].map(sum))).collect();
        Tie::compare_all(rules, &sums, &Population::default()).expect("small figures")
    }

    #[test]
    fn a_sum_ties_out_to_the_last_unit() {
        for (units, holds) in [(99, false), (100, true), (101, false)] {
            let tie = &ties(None, None, &[("CNY", units)])[0];
            assert_eq!((tie.holds(), tie.difference), (holds, Some(TieFigure::Sum(sum(units - 100)))));
            assert_eq!((tie.field, tie.currency.as_deref()), ("final_amount", Some("CNY")));
        }
    }

    #[test]
    fn a_sum_ties_out_rounded_where_totals_have_fewer_decimals() {
        let expected = 3_373_000_000;
        let total = ControlTotal::Amount { field: Field::Final, currency: None, expected: sum(expected) };
        for (units, decimals, (holds, passed_by_rounding)) in [
            (expected + 335_605, Some(2), (true, true)),
            (expected + 500_000, Some(2), (false, false)),
            (expected - 500_000, Some(2), (true, true)),
            (expected - 500_001, Some(2), (false, false)),
            (expected, Some(2), (true, false)),
            (expected + 1, None, (false, false)),
        ] {
            let rules = Rules { control_totals: vec![total.clone()], books_decimals: decimals, ..Rules::default() };
            let tie = &tied(&rules, &[("CNY", units)])[0];
            assert_eq!((tie.holds(), tie.passed_by_rounding), (holds, passed_by_rounding), "{units}");
            assert_eq!(tie.difference, Some(TieFigure::Sum(sum(units - expected))));
        }
    }

    #[test]
    fn rows_and_orders_are_counted() {
        let buckets = [Bucket::Reconciled, Bucket::Reconciled, Bucket::NotFound, Bucket::Duplicate, Bucket::Rejected];
        let mut population = Population::default();
        buckets.into_iter().for_each(|bucket| population.count(bucket));
        for (field, expected, difference) in [
            (CountField::Rows, 5, 0),
            (CountField::Rows, 6, -1),
            (CountField::Orders, 3, 0),
            (CountField::Orders, 0, 3),
        ] {
            let rules = Rules { control_totals: vec![ControlTotal::Count { field, expected }], ..Rules::default() };
            let tie = &Tie::compare_all(&rules, &BTreeMap::new(), &population).expect("small counts")[0];
            assert_eq!((tie.holds(), tie.difference), (difference == 0, Some(TieFigure::Count(difference))));
        }
        let total = ControlTotal::Count { field: CountField::Rows, expected: u64::MAX };
        let rules = Rules { control_totals: vec![total], ..Rules::default() };
        assert_eq!(Tie::compare_all(&rules, &BTreeMap::new(), &population), Err(Overflow));
    }

    #[test]
    fn the_currency_is_the_named_the_expected_or_the_only_one() {
        let sums = [("CNY", 100), ("USD", 3)];
        assert!(ties(Some("CNY"), None, &sums)[0].holds());
        assert!(ties(None, Some("CNY"), &sums)[0].holds());
        assert!(!ties(Some("USD"), Some("CNY"), &sums)[0].holds());
        assert_eq!(ties(None, None, &sums)[0].actual, None, "there are two currencies");
        assert_eq!(ties(Some("EUR"), None, &sums)[0].actual, Some(TieFigure::Sum(sum(0))));
        assert_eq!(ties(None, None, &[])[0].actual, Some(TieFigure::Sum(sum(0))));
    }
}
