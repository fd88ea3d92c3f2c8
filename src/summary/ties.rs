//! Control totals from outside, such as an invoice's: does the sum tie out to them?

use std::collections::BTreeMap;

use serde::Serialize;

use crate::checks::ControlTotal;
use crate::domain::money::{Overflow, Sum};
use crate::domain::order::Amounts;

/// One control total, and what the sum over settled orders comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tie {
    /// The amount's name.
    pub field: &'static str,
    /// The currency that was summed; `None` where none is named and there are several: that ties out to nothing.
    pub currency: Option<String>,
    /// What it has to come to.
    pub expected: Sum,
    /// What it comes to.
    pub actual: Option<Sum>,
    /// Actual less expected.
    pub difference: Option<Sum>,
}

impl Tie {
    /// Whether it ties out.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.difference.is_some_and(Sum::is_zero)
    }

    /// Holds each control total against the sums by currency, in the order of [`Amounts::NAMES`]. `usual` is the currency of
    /// those that name none; without one it is the only currency there is.
    ///
    /// # Errors
    /// [`Overflow`] past 38 digits.
    pub fn out(
        totals: &[ControlTotal],
        usual: Option<&str>,
        sums: &BTreeMap<&str, [Sum; 6]>,
    ) -> Result<Vec<Self>, Overflow> {
        let only = match sums.len() {
            0 => Some(""),
            1 => sums.keys().next().copied(),
            _ => None,
        };
        let tie = |total: &ControlTotal| {
            let currency = total.currency.as_deref().or(usual).or(only);
            let at = Amounts::NAMES.iter().position(|name| *name == total.field.name());
            let actual = currency.zip(at).map(|(currency, at)| sums.get(currency).map_or(Sum::ZERO, |sums| sums[at]));
            Ok(Self {
                field: total.field.name(),
                currency: currency.map(str::to_owned),
                expected: total.expected,
                actual,
                difference: actual.map(|actual| actual.minus(total.expected)).transpose()?,
            })
        };
        totals.iter().map(tie).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::books::Field;

    fn sum(units: i128) -> Sum {
        Sum::from_units(units).expect("38 digits")
    }

    fn ties(currency: Option<&str>, usual: Option<&str>, sums: &[(&'static str, i128)]) -> Vec<Tie> {
        let total = ControlTotal { field: Field::Final, currency: currency.map(str::to_owned), expected: sum(100) };
        // Only the place of final_amount holds what is summed.
        let sums = sums.iter().map(|(currency, units)| (*currency, [7, *units, 7, 7, 7, 7].map(sum))).collect();
        Tie::out(&[total], usual, &sums).expect("small figures")
    }

    #[test]
    fn a_sum_ties_out_to_the_last_unit() {
        for (units, holds) in [(99, false), (100, true), (101, false)] {
            let tie = &ties(None, None, &[("CNY", units)])[0];
            assert_eq!((tie.holds(), tie.difference), (holds, Some(sum(units - 100))));
            assert_eq!((tie.field, tie.currency.as_deref()), ("final_amount", Some("CNY")));
        }
    }

    #[test]
    fn the_currency_is_named_or_usual_or_the_only_one() {
        let sums = [("CNY", 100), ("USD", 3)];
        assert!(ties(Some("CNY"), None, &sums)[0].holds());
        assert!(ties(None, Some("CNY"), &sums)[0].holds());
        assert!(!ties(Some("USD"), Some("CNY"), &sums)[0].holds());
        assert_eq!(ties(None, None, &sums)[0].actual, None, "of which one?");
        assert_eq!(ties(Some("EUR"), None, &sums)[0].actual, Some(sum(0)));
        assert_eq!(ties(None, None, &[])[0].actual, Some(sum(0)));
    }
}
