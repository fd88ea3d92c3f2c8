//! Readings of datasets of random nights, compared with what those nights saw.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert_eq, proptest};

use super::*;
use crate::checks::Rules;
use crate::domain::days::Zone;
use crate::domain::facts::OrderFacts;
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::CreatedBefore;
use crate::history::{Append, ExceptionRow, Identity, Known, NewRun};

/// What a night saw of an order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Seen {
    /// A settled order, created on a day of May, with that charge.
    Settled { day: i8, charge: i64 },
    /// One that is not settled yet.
    Pending { day: i8 },
    /// No order.
    Exception,
}

impl Seen {
    const fn day(self) -> Option<i8> {
        match self {
            Self::Settled { day, .. } | Self::Pending { day } => Some(day),
            Self::Exception => None,
        }
    }
}

fn seen() -> impl Strategy<Value = Seen> {
    (0_u8..10, 1_i8..4, 1_i64..3).prop_map(|(kind, day, charge)| match kind {
        0..5 => Seen::Settled { day, charge },
        5..7 => Seen::Pending { day },
        _ => Seen::Exception,
    })
}

fn created(day: i8) -> Timestamp {
    format!("2026-05-{day:02}T12:00:00Z").parse().expect("a time")
}

fn order(id: &str, seen: Seen) -> RunOrder {
    let word = |word: &str| Some(word.to_owned());
    let (day, charge) = match seen {
        Seen::Settled { day, charge } => (day, Some(charge)),
        Seen::Pending { day } => (day, None),
        Seen::Exception => unreachable!("no order"),
    };
    let units = charge.map(i128::from);
    let amounts = [units.map(|units| 2 * units), units, units, units, Some(0), units];
    let status = |settled: &str, pending: &str| word(if charge.is_some() { settled } else { pending });
    RunOrder {
        run_order_id: word(id),
        workflow_id: word(if id < "5" { "few" } else { "many" }),
        quote_currency: word("CNY"),
        amounts: Amounts::from_order(amounts.map(|units| units.and_then(Amount::from_units))),
        settlement_status: status("settled", "pending"),
        freeze_status: status("released", "frozen"),
        run_status: status("succeeded", "running"),
        submission_status: word("submitted"),
        created_at: Some(created(day)),
        updated_at: Some(created(day)),
        ..RunOrder::default()
    }
}

/// What a reading says of one order.
#[derive(Clone, Debug, Default, PartialEq)]
struct Said {
    day: Option<i8>,
    /// The charge of the newest observation; `None` if it is pending or an exception.
    charge: Option<i64>,
    /// The charge that it was first settled for, if that is another.
    baseline: Option<i64>,
    is_exception: bool,
    is_last_seen: bool,
}

fn charge_of(amounts: &Amounts) -> Option<i64> {
    amounts.final_amount.and_then(|amount| i64::try_from(amount.units()).ok())
}

fn read(dataset: &Dataset, selection: &Selection, runs: Option<&BTreeSet<String>>) -> BTreeMap<String, Said> {
    let reading = dataset.read(selection.clone(), runs).expect("readable");
    let mut said = BTreeMap::<String, Said>::new();
    let mut baselines = BTreeMap::<String, BTreeMap<u32, Charge>>::new();
    let mut sound = 0;
    let counts = reading
        .each(&Soundness::of(&Rules::default()), |sighting| {
            let day = |day: Date| Some(day.day());
            match sighting {
                Sighting::Sound(orders) => {
                    let frame = orders.select(&["run_order_id", "final_amount", "created_at"]).expect("columns");
                    let ids = crate::parquet::columns::texts(&frame, "run_order_id").expect("texts");
                    let charges = frame.column("final_amount").expect("amounts").decimal().expect("decimals");
                    let times = frame.column("created_at").expect("times").datetime().expect("times");
                    for row in 0..frame.height() {
                        let at = times.physical().get(row).and_then(|at| Timestamp::from_microsecond(at).ok());
                        let day = at.map(|at| Zone::default().time_zone().to_datetime(at).day());
                        let charge = charges.physical().get(row).and_then(|units| i64::try_from(units).ok());
                        let id = ids.get(row).expect("an ID").to_owned();
                        let known = said.insert(id, Said { day, charge, ..Said::default() });
                        assert_eq!(known, None, "an order is sound and something else");
                    }
                    sound += orders.len();
                }
                Sighting::Observed(order) => {
                    let said = said.entry(order.run_order_id).or_default();
                    said.day = day(order.day);
                    said.charge = charge_of(&order.order.amounts);
                }
                Sighting::Baseline { run_order_id, rank, charge, .. } => {
                    baselines.entry(run_order_id).or_default().insert(rank, charge);
                }
                Sighting::Exception { day: known, run_order_id, .. } => {
                    let said = said.entry(run_order_id).or_default();
                    (said.day, said.is_exception) = (known.and_then(day), true);
                }
                Sighting::LastSeen(order) => {
                    said.entry(order.run_order_id).or_default().is_last_seen = true;
                }
            }
            Ok::<_, DatasetError>(())
        })
        .expect("readable");
    for (id, baselines) in baselines {
        let (_, first) = baselines.first_key_value().expect("there is one");
        let said = said.get_mut(&id).filter(|said| !said.is_exception);
        // What an order was settled for can come without the order, if that is not selected.
        let Some(said) = said else { continue };
        said.baseline = charge_of(&first.amounts).filter(|charge| Some(*charge) != said.charge);
    }
    assert_eq!(counts.orders, said.len() as u64);
    assert!(sound <= counts.orders);
    said
}

/// What a reading of these nights must say.
fn expected(nights: &[Vec<(u8, Seen)>], selection: &Selection) -> BTreeMap<String, Said> {
    let mut seen = BTreeMap::<u8, Vec<Seen>>::new();
    for (id, what) in nights.iter().flat_map(|night| night.iter().copied().collect::<BTreeMap<_, _>>()) {
        seen.entry(id).or_default().push(what);
    }
    let mut expected = BTreeMap::new();
    for (id, seen) in seen {
        let newest = *seen.last().expect("it was seen");
        let last_day = seen.iter().rev().find_map(|seen| seen.day());
        let is_selected = last_day.is_none_or(|day| selection.has_day(date(2026, 5, day)));
        let workflow = if id < 5 { "few" } else { "many" };
        let is_of_workflow = last_day.is_none() || selection.has_workflow(Some(workflow));
        if !is_selected || !is_of_workflow {
            continue;
        }
        // Of an order that moved, each day has its own observations.
        let baseline = seen.iter().find_map(|seen| match seen {
            Seen::Settled { day, charge } if Some(*day) == last_day => Some(*charge),
            _ => None,
        });
        let charge = match newest {
            Seen::Settled { charge, .. } => Some(charge),
            _ => None,
        };
        let is_exception = newest == Seen::Exception;
        let baseline = baseline.filter(|baseline| !is_exception && Some(*baseline) != charge);
        let was_settled = seen.iter().any(|seen| matches!(seen, Seen::Settled { day, .. } if Some(*day) == last_day));
        let is_last_seen = is_exception && was_settled;
        expected.insert(id.to_string(), Said { day: last_day, charge, baseline, is_exception, is_last_seen });
    }
    expected
}

/// Begins to append what a night saw. `days_then` has the day on which each order was seen before.
fn see_night<'d>(
    dataset: &'d Dataset,
    number: i64,
    night: &[(u8, Seen)],
    days_then: &mut BTreeMap<u8, i8>,
) -> Append<'d> {
    let start: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a time");
    let started_at = start + SignedDuration::from_hours(24 * number);
    let manifest_sha256 = format!("{number:064}");
    let run = NewRun { started_at, as_of: started_at, manifest_sha256, list_incomplete: false, replaces: Vec::new() };
    let mut append = dataset.append(&run).expect("writable");
    for (id, seen) in night.iter().copied().collect::<BTreeMap<_, _>>() {
        let name = id.to_string();
        let Some(day) = seen.day() else {
            let row = ExceptionRow { run_order_id: &name, bucket: "not_found", reason: "http-404", detail: "" };
            append.exception(row);
            continue;
        };
        let before = days_then.insert(id, day).filter(|before| *before != day);
        let before = before.map(|before| CreatedBefore(Some(created(before))));
        let order = order(&name, seen);
        let known = Known { settled: order.is_settled(), before, ..Known::default() };
        append.order(&name, &OrderFacts::of(&order), known).expect("writable");
    }
    append
}

/// What some nights know of each order: its day and its charge, if it is settled. Orders that could not be fetched since are
/// left out.
fn known(nights: &[Vec<(u8, Seen)>]) -> BTreeMap<String, (i8, Option<i64>)> {
    let mut known = BTreeMap::new();
    for (id, seen) in nights.iter().flat_map(|night| night.iter().copied().collect::<BTreeMap<_, _>>()) {
        match seen {
            Seen::Settled { day, charge } => known.insert(id.to_string(), (day, Some(charge))),
            Seen::Pending { day } => known.insert(id.to_string(), (day, None)),
            Seen::Exception => known.remove(&id.to_string()),
        };
    }
    known
}

/// What was known of an order then, and what is known now: its charge, if it is settled.
type Pair = [Option<Option<i64>>; 2];
/// By day and order.
type Pairs = BTreeMap<(i8, String), Pair>;

fn changes(dataset: &Dataset, then: &BTreeSet<String>, extent: Extent) -> Pairs {
    let mut pairs = Pairs::new();
    let reading = dataset.read(Selection::default(), None).expect("readable");
    let told = reading.changes(
        |_| true,
        Then::Runs(then),
        extent,
        |side| {
            let charge = charge_of(&side.order.amounts);
            let known = pairs.entry((side.day.day(), side.run_order_id)).or_default();
            assert_eq!(known[usize::from(side.is_now)].replace(charge), None, "each side is told once");
            Ok::<_, DatasetError>(())
        },
    );
    assert_eq!(told.expect("readable"), 0, "every answer can be read");
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_reading_says_what_the_nights_saw(
        nights in vec((vec((0_u8..10, seen()), 0..12), any::<bool>()), 1..7),
        days in (1_i8..4, 1_i8..5),
        workflow in proptest::option::of("few|many"),
    ) {
        let place = tempfile::tempdir().expect("a folder");
        let identity = Identity::new(Zone::default(), "https://api.example".to_owned(), None);
        let dataset = Dataset::open_or_create(place.path(), &identity).expect("a dataset");
        let mut days_then = BTreeMap::<u8, i8>::new();
        let mut names = BTreeSet::new();
        let mut said_then = BTreeMap::new();
        let selection = Selection {
            since: Some(date(2026, 5, days.0)),
            until: Some(date(2026, 5, days.1)),
            workflow,
        };
        for (number, (night, is_compacted)) in (0_i64..).zip(&nights) {
            let append = see_night(&dataset, number, night, &mut days_then);
            names.insert(append.commit().expect("writable").run);
            if *is_compacted {
                dataset.compact().expect("it can be compacted");
            }
            said_then.insert(number, (names.clone(), read(&dataset, &selection, None)));
        }
        let nights: Vec<Vec<(u8, Seen)>> = nights.into_iter().map(|(night, _)| night).collect();
        for selection in [&selection, &Selection::default()] {
            prop_assert_eq!(read(&dataset, selection, None), expected(&nights, selection));
        }
        // What came since, and compactions, do not change what the runs of then say.
        for (runs, said) in said_then.into_values() {
            prop_assert_eq!(read(&dataset, &selection, Some(&runs)), said);
        }
    }

    #[test]
    fn changes_are_told_from_what_was_known_then(
        nights in vec((vec((0_u8..10, seen()), 0..12), any::<bool>()), 1..7),
        then in 0_usize..7,
    ) {
        let place = tempfile::tempdir().expect("a folder");
        let identity = Identity::new(Zone::default(), "https://api.example".to_owned(), None);
        let dataset = Dataset::open_or_create(place.path(), &identity).expect("a dataset");
        let (mut days_then, mut names) = (BTreeMap::new(), BTreeSet::new());
        for (number, (night, is_compacted)) in (0_i64..).zip(&nights) {
            let run = see_night(&dataset, number, night, &mut days_then).commit().expect("writable").run;
            if number < i64::try_from(then).expect("small") {
                names.insert(run);
            }
            if *is_compacted {
                dataset.compact().expect("it can be compacted");
            }
        }
        let nights: Vec<Vec<(u8, Seen)>> = nights.into_iter().map(|(night, _)| night).collect();
        let mut all = Pairs::new();
        for (side, known) in [known(&nights[..then.min(nights.len())]), known(&nights)].into_iter().enumerate() {
            for (id, (day, charge)) in known {
                all.entry((day, id)).or_default()[side] = Some(charge);
            }
        }
        let of = |is_told: fn(&Pair) -> bool| -> Pairs {
            all.iter().filter(|(_, pair)| is_told(pair)).map(|(key, pair)| (key.clone(), *pair)).collect()
        };
        prop_assert_eq!(changes(&dataset, &names, Extent::All), all.clone());
        prop_assert_eq!(changes(&dataset, &names, Extent::Changed), of(|[was, is]| was != is));
        let is_unsettled = |pair: &Pair| pair.contains(&Some(None)) || pair[0] != pair[1];
        prop_assert_eq!(changes(&dataset, &names, Extent::Unsettled), of(is_unsettled));
    }
}

/// A night that is appended late lies in a file that is read after the one with the first and the newest charge.
#[test]
fn the_first_charge_stays_the_first_where_it_is_the_newest_as_well() {
    let place = tempfile::tempdir().expect("a folder");
    let identity = Identity::new(Zone::default(), "https://api.example".to_owned(), None);
    let dataset = Dataset::open_or_create(place.path(), &identity).expect("a dataset");
    let see = |night: i64, charge: i64| {
        let seen = Seen::Settled { day: 1, charge };
        see_night(&dataset, night, &[(1, seen)], &mut BTreeMap::new()).commit().expect("writable");
    };
    see(0, 1);
    see(2, 1);
    dataset.compact().expect("it can be compacted");
    see(1, 2);
    let said = &read(&dataset, &Selection::default(), None)["1"];
    assert_eq!((said.charge, said.baseline), (Some(1), None));
    see(3, 2);
    let said = &read(&dataset, &Selection::default(), None)["1"];
    assert_eq!((said.charge, said.baseline), (Some(2), Some(1)));
}
