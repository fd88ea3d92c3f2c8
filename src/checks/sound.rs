//! Which orders can't fail any check, told from their columns alone: only the others are judged.
//!
//! An order that meets every condition of [`CONDITIONS`], and of which nothing else is known, fails no check under any
//! settings. One that does not is a candidate: it may still pass. So that a proof can find the candidates wherever the
//! facts are kept, the conditions are data.

use std::fmt;

use super::Rules;
use crate::domain::facts::AmountColumn::{Compute, External, Final, Quote, Released, Total};
use crate::domain::facts::TextColumn::{FreezeStatus, QuoteCurrency, RunStatus, SettlementStatus, SubmissionStatus};
use crate::domain::facts::{AmountColumn, OrderFacts, TextColumn};
use crate::domain::money::Amount;
use crate::domain::order::TimeField;
use crate::domain::sql;
use crate::domain::status::{FAILED, RELEASED, SETTLED, SUBMITTED, SUCCEEDED};
use crate::domain::time::{Period, from_microsecond};

/// One condition on the columns of an order.
#[derive(Clone, Copy, Debug)]
pub enum Condition {
    /// There is a text.
    HasText(TextColumn),
    /// The text is one of these words.
    IsOneOf(TextColumn, &'static [&'static str]),
    /// There is an amount, and it is not below zero.
    IsNotNegative(AmountColumn),
    /// The first amount is the sum of the two others.
    IsSum(AmountColumn, [AmountColumn; 2]),
    /// Both amounts are equal, unless the text is that word: then the first amount is zero.
    IsEqualOrZeroIf([AmountColumn; 2], TextColumn, &'static str),
    /// Both times are there, and the second is not before the first.
    IsInOrder([TimeField; 2]),
}

/// What every sound order meets.
pub const CONDITIONS: [Condition; 15] = [
    Condition::IsOneOf(SettlementStatus, &[SETTLED]),
    Condition::IsOneOf(RunStatus, &[SUCCEEDED, FAILED]),
    Condition::IsOneOf(FreezeStatus, &[RELEASED]),
    Condition::IsOneOf(SubmissionStatus, &[SUBMITTED]),
    Condition::HasText(QuoteCurrency),
    Condition::IsNotNegative(Quote),
    Condition::IsNotNegative(Final),
    Condition::IsNotNegative(Released),
    Condition::IsNotNegative(Compute),
    Condition::IsNotNegative(External),
    Condition::IsNotNegative(Total),
    Condition::IsSum(Quote, [Final, Released]),
    Condition::IsSum(Total, [Compute, External]),
    Condition::IsEqualOrZeroIf([Final, Total], RunStatus, FAILED),
    Condition::IsInOrder([TimeField::CreatedAt, TimeField::UpdatedAt]),
];

impl Condition {
    /// Whether an order with these facts meets the condition.
    #[must_use]
    pub fn is_met(&self, facts: &OrderFacts<'_>) -> bool {
        match *self {
            Self::HasText(column) => facts.text(column).is_some(),
            Self::IsOneOf(column, words) => facts.text(column).is_some_and(|text| words.contains(&text)),
            Self::IsNotNegative(column) => facts.units(column).is_some_and(|units| units >= 0),
            Self::IsSum(whole, [one, other]) => match [whole, one, other].map(|column| facts.units(column)) {
                // Two amounts have at most 28 digits each, so their sum fits 128 bits.
                [Some(whole), Some(one), Some(other)] => whole == one + other,
                _ => false,
            },
            Self::IsEqualOrZeroIf([one, other], column, word) if facts.text(column) != Some(word) => {
                facts.units(one) == facts.units(other)
            }
            Self::IsEqualOrZeroIf([one, _], ..) => facts.units(one) == Some(0),
            Self::IsInOrder(times) => match times.map(|field| facts.microseconds(field)) {
                [Some(first), Some(second)] => first <= second,
                _ => false,
            },
        }
    }
}

impl fmt::Display for Condition {
    /// The condition as SQL over the columns. Where a value is missing it may be NULL, which is as good as false.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zero = sql::amount(Amount::ZERO);
        match *self {
            Self::HasText(column) => write!(f, "{} IS NOT NULL", column.name()),
            Self::IsOneOf(column, words) => {
                let words: Vec<String> = words.iter().map(|word| sql::literal(word)).collect();
                write!(f, "{} IN ({})", column.name(), words.join(", "))
            }
            Self::IsNotNegative(column) => write!(f, "{} >= {zero}", column.name()),
            Self::IsSum(whole, [one, other]) => {
                write!(f, "{} = {} + {}", whole.name(), one.name(), other.name())
            }
            Self::IsEqualOrZeroIf([one, other], column, word) => {
                let (one, other, word) = (one.name(), other.name(), sql::literal(word));
                write!(f, "CASE WHEN {} = {word} THEN {one} = {zero} ELSE {one} = {other} END", column.name())
            }
            Self::IsInOrder([first, second]) => write!(f, "{} <= {}", first.name(), second.name()),
        }
    }
}

/// The conditions of a report: [`CONDITIONS`], and what its settings add.
#[derive(Clone, Debug)]
pub struct Soundness {
    currency: Option<String>,
    period: Option<Period>,
}

impl Soundness {
    /// The conditions under these settings.
    #[must_use]
    pub fn of(rules: &Rules) -> Self {
        Self { currency: rules.currency.clone(), period: rules.complete.filter(Period::is_bounded) }
    }

    /// The conditions as SQL over the columns of an order that was asked for: true only where [`Self::holds`] is.
    #[must_use]
    pub fn sql(&self) -> String {
        let currency = self.currency.as_deref();
        let currency = currency.map(|code| format!("{} = {}", QuoteCurrency.name(), sql::literal(code)));
        // The input of a dataset is not known, so no period is asked of it: whatever has one must be judged.
        let period = self.period.map(|_| "FALSE".to_owned());
        CONDITIONS.iter().map(Condition::to_string).chain(currency).chain(period).collect::<Vec<_>>().join("\n  AND ")
    }

    /// Whether the order `asked` with these facts can't fail any check, if nothing else is known about it.
    #[must_use]
    pub fn holds(&self, asked: &str, facts: &OrderFacts<'_>) -> bool {
        let created = || facts.microseconds(TimeField::CreatedAt).and_then(from_microsecond);
        facts.text(TextColumn::RunOrderId) == Some(asked)
            && CONDITIONS.iter().all(|condition| condition.is_met(facts))
            && self.currency.as_deref().is_none_or(|currency| facts.text(QuoteCurrency) == Some(currency))
            && self.period.is_none_or(|period| created().is_some_and(|created| period.holds(created)))
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::checks::{Judgement, judge};
    use crate::domain::facts::TIMES;
    use crate::domain::money::Amount;
    use crate::domain::order::RunOrder;
    use crate::domain::outcome::{Background, Outcome};

    const ASKED: &str = "wfrun_1";

    fn sound(charged: i128, released: i128, external: i128) -> RunOrder {
        let word = |word: &str| Some(word.to_owned());
        let units = [charged + released, charged, released, charged - external, external, charged];
        let facts =
            OrderFacts { units: units.map(Some), microseconds: [Some(1_000), Some(2_000)], ..Default::default() };
        RunOrder {
            run_order_id: word(ASKED),
            quote_currency: word("CNY"),
            settlement_status: word("settled"),
            run_status: word("succeeded"),
            freeze_status: word("released"),
            submission_status: word("submitted"),
            ..facts.order(None).expect("small")
        }
    }

    /// One change to an order: of a text, an amount or a time.
    #[derive(Clone, Debug)]
    enum Change {
        Text(usize, Option<&'static str>),
        Units(usize, Option<i128>),
        Time(usize, Option<i64>),
    }

    fn change() -> impl Strategy<Value = Change> {
        let words = prop::sample::select(vec![
            "settled",
            "pending",
            "succeeded",
            "failed",
            "running",
            "queued",
            "released",
            "frozen",
            "submitted",
            "CNY",
            "USD",
            "wfrun_1",
            "wfrun_2",
            "other",
        ]);
        prop_oneof![
            (0..TextColumn::COUNT, prop::option::of(words)).prop_map(|(column, text)| Change::Text(column, text)),
            (0..6_usize, prop::option::of(-3..8_i128)).prop_map(|(column, units)| Change::Units(column, units)),
            (0..TIMES, prop::option::of(0..4_000_i64)).prop_map(|(column, time)| Change::Time(column, time)),
        ]
    }

    fn rules() -> impl Strategy<Value = Rules> {
        let currency = prop::option::of(prop::sample::select(vec!["CNY".to_owned(), "USD".to_owned()]));
        let time =
            || prop::option::of((0..4_000_i64).prop_map(|time| Timestamp::from_microsecond(time).expect("small")));
        let period = prop::option::of((time(), time()).prop_map(|(since, until)| Period { since, until }));
        (currency, 0..3_i128, prop::option::of(0..3_i128), period).prop_map(
            |(currency, tolerance, material, complete)| {
                let amount = |units| Amount::from_units(units).expect("small");
                Rules {
                    currency,
                    tolerance: amount(tolerance),
                    material: material.map(amount),
                    complete,
                    ..Rules::default()
                }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// Judged by every check, a sound order passes all of them. So an order that fails one is a candidate.
        #[test]
        fn a_sound_order_passes_every_check(
            amounts in (0..5_i128, 0..5_i128, 0..5_i128),
            changes in prop::collection::vec(change(), 0..3),
            rules in rules(),
            as_of in 0..5_000_i64,
        ) {
            let order = sound(amounts.0 + amounts.2, amounts.1, amounts.2);
            let mut facts = OrderFacts::of(&order);
            for change in changes {
                match change {
                    Change::Text(column, text) => facts.texts[column] = text,
                    Change::Units(column, units) => facts.units[column] = units,
                    Change::Time(column, time) => facts.microseconds[column] = time,
                }
            }
            let order = facts.order(None).expect("small");
            let as_of = Timestamp::from_microsecond(as_of).expect("small");
            let outcome = Outcome { line: 2, run_order_id: ASKED.to_owned(), evidence: order.into() };
            let judgement = judge(&outcome, &Background::default(), &rules, as_of);
            if Soundness::of(&rules).holds(ASKED, &facts) {
                prop_assert_eq!(judgement, Judgement::sound());
            }
        }
    }

    #[test]
    fn orders_as_they_should_be_are_sound() {
        let rules = Rules::default();
        let failed = RunOrder { run_status: Some("failed".to_owned()), ..sound(0, 7, 0) };
        for order in [sound(5, 2, 1), sound(0, 0, 0), failed] {
            assert!(Soundness::of(&rules).holds(ASKED, &OrderFacts::of(&order)), "{order:?}");
        }
    }

    #[test]
    fn facts_and_orders_are_the_same() {
        let order = RunOrder { error_code: Some("E1".to_owned()), ..sound(5, 2, 1) };
        assert_eq!(OrderFacts::of(&order).order(None), Some(order));
        let too_long = OrderFacts { units: [Some(10_i128.pow(28)); 6], ..OrderFacts::default() };
        assert_eq!(too_long.order(None), None);
    }
}
