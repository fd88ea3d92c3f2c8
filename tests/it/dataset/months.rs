//! Orders of several months as nights saw them, and what is true of each month: worked out from the list of sights alone.

use std::collections::BTreeMap;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tieout::domain::days::Zone;
use tieout::domain::facts::OrderFacts;
use tieout::domain::money::Amount;
use tieout::domain::order::{Amounts, RunOrder};
use tieout::domain::outcome::CreatedBefore;
use tieout::history::{Dataset, ExceptionRow, Known};

use super::run_at;

/// Days are those of this zone.
pub(super) const ZONE: &str = "Asia/Shanghai";
/// The day of orders without a creation time.
pub(super) const UNDATED: Date = date(1970, 1, 1);

/// What a night saw of an order; nothing if it got no order.
type Sight = Option<RunOrder>;

/// Every night's sights, by order.
pub(super) struct History {
    pub(super) nights: Vec<(Timestamp, BTreeMap<String, Sight>)>,
}

/// Sums of one currency: orders, settled amounts (quote to total), and quotes of pending orders, all in units of 10⁻⁸.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) amounts: [i128; 6],
    pub(super) pending_quote: i128,
}

/// How many orders, and the sum of their quotes.
pub(super) type Pending = (u64, i128);

impl History {
    /// A night at two in the morning of each day from July to November 2026, with orders of every kind.
    pub(super) fn of_random_orders(seed: u64) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let zone = TimeZone::get(ZONE).expect("a zone");
        let mut orders = BTreeMap::<String, Sight>::new();
        let mut nights = Vec::new();
        let mut day = date(2026, 7, 20);
        while day < date(2026, 11, 12) {
            let begins =
                day.to_zoned_datetime(zone.clone()).expect("a time").timestamp() + SignedDuration::from_hours(2);
            let mut seen = BTreeMap::new();
            for number in 0..random.random_range(0..4) {
                let id = format!("wfrun_{day}_{number}'\"\\");
                let created_at = begins - SignedDuration::from_secs(random.random_range(7_200..180_000));
                let created_at = Some(created_at).filter(|_| random.random_range(0..20) > 0);
                let order = Self::order(&mut random, created_at);
                orders.insert(id, Some(order));
            }
            for (id, known) in &mut orders {
                // Most orders are seen on the nights after they were created, and some much later.
                let is_young =
                    id.as_str() > format!("wfrun_{}", day.saturating_sub(jiff::Span::new().days(4))).as_str();
                if !(is_young || random.random_range(0..25) == 0) {
                    continue;
                }
                let order = known.get_or_insert_with(|| Self::order(&mut random, Some(begins)));
                change(&mut random, order);
                let is_missing = random.random_range(0..15) == 0;
                seen.insert(id.clone(), Some(order.clone()).filter(|_| !is_missing));
            }
            nights.push((begins, seen));
            day = day.tomorrow().expect("a day");
        }
        Self { nights }
    }

    fn order(random: &mut SmallRng, created_at: Option<Timestamp>) -> RunOrder {
        RunOrder {
            workflow_id: Some(format!("wf_{}", random.random_range(0..2))),
            quote_currency: [Some("CNY"), Some("USD"), None][random.random_range(0..3)].map(str::to_owned),
            run_status: Some("succeeded".to_owned()),
            created_at,
            amounts: amounts(random),
            ..RunOrder::default()
        }
    }

    /// Appends some nights to a dataset.
    pub(super) fn append(&self, dataset: &Dataset, nights: std::ops::Range<usize>) {
        for number in nights {
            let (started_at, seen) = &self.nights[number];
            let mut append = dataset.append(&run_at(*started_at)).expect("writable");
            for (id, sight) in seen {
                let Some(order) = sight else {
                    let row = ExceptionRow { run_order_id: id, bucket: "not_found", reason: "code-404", detail: "" };
                    append.exception(row);
                    continue;
                };
                let earlier = self.nights[..number].iter().rev().find_map(|(_, seen)| seen.get(id)?.as_ref());
                let before = earlier.map(|earlier| CreatedBefore(earlier.created_at));
                append
                    .order(
                        id,
                        &OrderFacts::of(order),
                        Known { settled: order.is_settled(), before, ..Known::default() },
                    )
                    .expect("writable");
            }
            append.commit().expect("writable");
        }
    }

    /// How many nights began before a moment.
    pub(super) fn nights_before(&self, moment: Timestamp) -> usize {
        self.nights.iter().take_while(|(began, _)| *began < moment).count()
    }

    /// The orders as so many nights know them, by ID: each with its day. Those that could not be fetched since are left out.
    pub(super) fn known(&self, nights: usize) -> BTreeMap<&str, (Date, &RunOrder)> {
        let mut known = BTreeMap::new();
        for (_, seen) in &self.nights[..nights] {
            for (id, sight) in seen {
                match sight {
                    Some(order) => _ = known.insert(id.as_str(), (day_of(order), order)),
                    None => _ = known.remove(id.as_str()),
                }
            }
        }
        known
    }

    /// The figures of the days for which `is_wanted` is true, as so many nights know them, by currency.
    pub(super) fn figures(&self, nights: usize, is_wanted: impl Fn(Date) -> bool) -> BTreeMap<String, Figures> {
        let mut figures = BTreeMap::<String, Figures>::new();
        for (day, order) in self.known(nights).into_values() {
            if !is_wanted(day) {
                continue;
            }
            let sums = figures.entry(order.quote_currency.clone().unwrap_or_default()).or_default();
            let amounts = order.amounts.in_order().map(|amount| amount.map_or(0, Amount::units));
            if order.is_settled() {
                sums.amounts.iter_mut().zip(amounts).for_each(|(sum, amount)| *sum += amount);
            } else {
                sums.pending_quote += amounts[0];
            }
        }
        figures
    }

    /// What is pending of the days for which `is_wanted` is true, as so many nights know it, by currency.
    pub(super) fn pending(&self, nights: usize, is_wanted: impl Fn(Date) -> bool) -> BTreeMap<String, Pending> {
        let mut pending = BTreeMap::<String, Pending>::new();
        for (day, order) in self.known(nights).into_values().filter(|(_, order)| !order.is_settled()) {
            if is_wanted(day) {
                let (orders, quotes) = pending.entry(order.quote_currency.clone().unwrap_or_default()).or_default();
                *orders += 1;
                *quotes += order.amounts.quote_amount.map_or(0, Amount::units);
            }
        }
        pending
    }
}

/// What time does to an order.
fn change(random: &mut SmallRng, order: &mut RunOrder) {
    match random.random_range(0..12) {
        0..4 => order.settlement_status = Some("settled".to_owned()),
        4 => order.settlement_status = None,
        5 => order.amounts = amounts(random),
        6 => order.workflow_id = Some(format!("wf_{}", random.random_range(0..2))),
        7 if random.random_range(0..4) == 0 => order.quote_currency = Some("USD".to_owned()),
        8 if random.random_range(0..4) == 0 => {
            let later = |time: Timestamp| time + SignedDuration::from_hours(random.random_range(-700..700));
            order.created_at = order.created_at.map(later);
        }
        _ => {}
    }
}

fn amounts(random: &mut SmallRng) -> Amounts {
    let amount = |random: &mut SmallRng| {
        let units = random.random_range(-10_000_000_000_000_000_i128..100_000_000_000_000_000);
        Amount::from_units(units).filter(|_| random.random_range(0..10) > 0)
    };
    Amounts::from_order([(); 6].map(|()| amount(random)))
}

/// The day on which an order was created.
fn day_of(order: &RunOrder) -> Date {
    let zone = Zone::named(ZONE).expect("a zone");
    order.created_at.map_or(UNDATED, |time| zone.time_zone().to_datetime(time).date())
}
