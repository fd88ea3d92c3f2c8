//! What orders were first settled for, until their newest rows come.

use jiff::civil::Date;

use super::Sighting;
use crate::domain::facts::{OrderFacts, TextColumn};
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, Charge};

/// A settled charge with all six amounts.
#[derive(Clone, Copy, Debug)]
pub(in crate::history) struct Baseline<'b> {
    /// The run that saw it.
    pub(in crate::history) rank: u32,
    pub(in crate::history) currency: Option<&'b str>,
    /// The amounts in units of 10⁻⁸, in the order of [`Amounts::NAMES`].
    pub(in crate::history) units: [i128; Amounts::NAMES.len()],
}

/// The charges of the orders of a day.
#[derive(Default)]
pub(super) struct Baselines {
    kept: Vec<(u32, Option<u32>, [i128; Amounts::NAMES.len()])>,
    /// There are few.
    currencies: Vec<String>,
}

impl Baselines {
    /// Notes a charge of an order, unless the one that is noted was seen before it; returns the place of the first.
    pub(super) fn note(&mut self, noted: Option<u32>, charge: &Baseline<'_>) -> u32 {
        let currency = charge.currency.map(|currency| self.currency(currency));
        let new = (charge.rank, currency, charge.units);
        let kept = noted.and_then(|noted| Some((noted, self.kept.get_mut(noted as usize)?)));
        match kept {
            Some((noted, kept)) => {
                if charge.rank < kept.0 {
                    *kept = new;
                }
                noted
            }
            None => {
                self.kept.push(new);
                u32::try_from(self.kept.len() - 1).unwrap_or(u32::MAX)
            }
        }
    }

    fn currency(&mut self, currency: &str) -> u32 {
        let known = self.currencies.iter().position(|known| known == currency);
        let place = known.unwrap_or_else(|| {
            self.currencies.push(currency.to_owned());
            self.currencies.len() - 1
        });
        u32::try_from(place).unwrap_or(u32::MAX)
    }

    /// The charge at a place.
    pub(super) fn get(&self, place: u32) -> Option<Baseline<'_>> {
        let (rank, currency, units) = *self.kept.get(place as usize)?;
        let currency = currency.and_then(|currency| self.currencies.get(currency as usize)).map(String::as_str);
        Some(Baseline { rank, currency, units })
    }
}

impl<'b> Baseline<'b> {
    /// The charge of an order; `None` if an amount is missing.
    pub(super) fn of(rank: u32, facts: &OrderFacts<'b>) -> Option<Self> {
        let mut units = [0; Amounts::NAMES.len()];
        for (units, found) in units.iter_mut().zip(facts.units) {
            *units = found?;
        }
        Some(Self { rank, currency: facts.text(TextColumn::QuoteCurrency), units })
    }

    /// What it says of an order.
    pub(in crate::history) fn sighting(&self, day: Date, run_order_id: &str) -> Sighting {
        let amounts = Amounts::from_order(self.units.map(Amount::from_units));
        let charge = Charge { currency: self.currency.map(str::to_owned), amounts };
        Sighting::Baseline { day, run_order_id: run_order_id.to_owned(), rank: self.rank, charge }
    }

    /// Whether an order has this charge.
    pub(super) fn is_of(&self, facts: &OrderFacts<'_>) -> bool {
        facts.text(TextColumn::QuoteCurrency) == self.currency && facts.units == self.units.map(Some)
    }
}
