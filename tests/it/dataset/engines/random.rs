//! Random datasets with everything that engines stumble over: most orders are sound, and some are off by the last decimal,
//! lack amounts, have amounts of 20 digits, are charged anew, move to another day, or can't be fetched.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, date};
use jiff::{SignedDuration, Timestamp};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tieout::domain::days::Zone;
use tieout::domain::facts::OrderFacts;
use tieout::domain::money::Amount;
use tieout::domain::order::{Amounts, RunOrder};
use tieout::domain::outcome::CreatedBefore;
use tieout::history::{Dataset, ExceptionRow, Known};

use super::super::{identity, run_at};
use crate::readers::printed;
use crate::support::{Place, code, tieout};

/// A workflow that is hard to quote.
pub const ODD_WORKFLOW: &str = "wf'\\\"${x}; -- 订单";
/// Its clocks go back across midnight, and its days have seconds of their own.
const ZONE: &str = "America/St_Johns";
const FIRST: Date = date(2026, 8, 20);
const NIGHTS: i64 = 24;

/// Makes a dataset of some months. Months may be closed, and files merged.
pub fn dataset(place: &Place, seed: u64) -> PathBuf {
    let folder = place.path(&format!("history {seed}"));
    let zone = Zone::named(ZONE).expect("a zone");
    let dataset = Dataset::open_or_create(&folder, &identity(&zone)).expect("a dataset");
    let mut random = SmallRng::seed_from_u64(seed);
    let begins = FIRST.to_zoned_datetime(zone.time_zone().clone()).expect("a time").timestamp();
    let mut orders = BTreeMap::<String, RunOrder>::new();
    for night in 0..NIGHTS {
        let began = begins + SignedDuration::from_hours(84 * night + 2);
        append(&dataset, &mut random, &mut orders, night, began);
        if seed.is_multiple_of(2) {
            match night {
                8 => close(&folder, "2026-08"),
                16 => close(&folder, "2026-09"),
                _ => {}
            }
        }
        if seed.is_multiple_of(3) && night % 9 == 8 {
            dataset.compact().expect("writable");
        }
    }
    folder
}

fn close(dataset: &Path, month: &str) {
    let mut close = tieout();
    close.args(["close", month, "--force", "-q", "--format", "csv", "--dataset"]).arg(dataset);
    let close = close.output().expect("starts");
    assert!([1, 3].contains(&code(&close)), "{}", printed(&close));
}

/// Appends what a night saw: new orders, and earlier ones that may have changed.
fn append(
    dataset: &Dataset,
    random: &mut SmallRng,
    orders: &mut BTreeMap<String, RunOrder>,
    night: i64,
    began: Timestamp,
) {
    let mut append = dataset.append(&run_at(began)).expect("writable");
    for number in 0..random.random_range(4..9) {
        let created = began - SignedDuration::from_micros(random.random_range(0..200_000_000_000));
        let id = format!("wfrun_{night}_{number}'\\\"");
        orders.entry(id).or_insert_with(|| order(random, created));
    }
    let ids: Vec<String> = orders.keys().cloned().collect();
    for id in ids {
        let is_young = id.starts_with(&format!("wfrun_{night}_")) || id.starts_with(&format!("wfrun_{}_", night - 1));
        if !is_young && random.random_range(0..12) > 0 {
            continue;
        }
        if random.random_range(0..14) == 0 {
            append.exception(exception(random, &id));
            continue;
        }
        let known = orders.get_mut(&id).expect("an order");
        let before = known.clone();
        if random.random_range(0..4) == 0 {
            change(random, known);
        }
        let moved = (before.created_at != known.created_at).then_some(CreatedBefore(before.created_at));
        let seen = Known { settled: known.is_settled(), before: moved, ..Known::default() };
        append.order(&id, &OrderFacts::of(known), seen).expect("writable");
    }
    if random.random_range(0..5) == 0 {
        append.exception(exception(random, &format!("unseen_{night}")));
    }
    append.commit().expect("writable");
}

fn exception<'e>(random: &mut SmallRng, run_order_id: &'e str) -> ExceptionRow<'e> {
    match random.random_range(0..9) {
        0 => ExceptionRow { run_order_id, bucket: "malformed", reason: "not-json", detail: "{'\\\"" },
        1 => ExceptionRow { run_order_id, bucket: "refused", reason: "code-403", detail: "" },
        2 => ExceptionRow { run_order_id, bucket: "discrepant", reason: "identity-mismatch", detail: "wfrun_other" },
        _ => ExceptionRow { run_order_id, bucket: "not_found", reason: "code-404", detail: "not $found;" },
    }
}

/// A sound order, most of the time.
fn order(random: &mut SmallRng, created_at: Timestamp) -> RunOrder {
    let text = |text: &str| Some(text.to_owned());
    let largest = 9_999_999_999_999_999_999_999_999_999_i128;
    let most = if random.random_range(0..6) == 0 { largest / 2 } else { 10_000_000_000 };
    let charged = random.random_range(0..most);
    let external = random.random_range(0..=charged);
    let released = random.random_range(0..1_000_000_000);
    let has_failed = random.random_range(0..8) == 0;
    let [charged, external] = if has_failed { [0, 0] } else { [charged, external] };
    let units = [charged + released, charged, released, charged - external, external, charged];
    let mut order = RunOrder {
        run_order_id: None,
        workflow_id: [text("wf_1"), text("wf_2"), text(ODD_WORKFLOW), None][random.random_range(0..4)].clone(),
        revision_id: [text("r1"), text(""), None][random.random_range(0..3)].clone(),
        quote_currency: text(if random.random_range(0..7) == 0 { "USD" } else { "CNY" }),
        freeze_status: text("released"),
        submission_status: text("submitted"),
        run_status: text(if has_failed { "failed" } else { "succeeded" }),
        settlement_status: text("settled"),
        error_code: has_failed.then(|| "E\\1'".to_owned()),
        created_at: Some(created_at),
        updated_at: Some(created_at + SignedDuration::from_micros(random.random_range(0..300_000_000_000))),
        amounts: Amounts::from_order(units.map(Amount::from_units)),
        ..RunOrder::default()
    };
    if random.random_range(0..4) == 0 {
        change(random, &mut order);
    }
    order
}

/// What can be wrong with an order, or change.
fn change(random: &mut SmallRng, order: &mut RunOrder) {
    let mut amounts = order.amounts.in_order();
    let one = &mut amounts[random.random_range(0..6)];
    match random.random_range(0..12) {
        0..3 => {
            let off = if random.random_bool(0.5) { 1 } else { -1 };
            *one = one.and_then(|amount| Amount::from_units(amount.units() + off));
        }
        3 => *one = None,
        4 => *one = one.and_then(|amount| Amount::from_units(-amount.units())),
        5 => (order.settlement_status, order.run_status) = (None, Some("running".to_owned())),
        6 => order.settlement_status = Some("settled".to_owned()),
        7 => order.updated_at = order.created_at.map(|time| time - SignedDuration::from_secs(1)),
        8 => {
            order.created_at =
                order.created_at.map(|time| time + SignedDuration::from_hours(random.random_range(-900..900)))
        }
        9 => order.created_at = None,
        10 => order.quote_currency = None,
        _ => order.run_status = Some("Succeeded".to_owned()),
    }
    order.amounts = Amounts::from_order(amounts);
}

/// An order as it should be, but for up to two values of small ranges.
pub fn nearly_sound(random: &mut SmallRng) -> RunOrder {
    let created: Timestamp = "2026-10-01T08:00:00Z".parse().expect("a time");
    let text = |text: &str| Some(text.to_owned());
    let [charged, released] = [random.random_range(0..3_i128), random.random_range(0..3)];
    let external = random.random_range(0..=charged);
    let mut units = [charged + released, charged, released, charged - external, external, charged].map(Some);
    let mut times = [0_i64, 1].map(Some);
    let mut texts = [text("CNY"), text("released"), text("submitted"), text("succeeded"), text("settled")];
    let words =
        ["CNY", "USD", "released", "frozen", "submitted", "succeeded", "failed", "running", "settled", "Settled", ""];
    for _ in 0..random.random_range(0..3) {
        match random.random_range(0..3) {
            0 => {
                units[random.random_range(0..6)] =
                    Some(random.random_range(-1..4)).filter(|_| random.random_range(0..4) > 0)
            }
            1 => {
                times[random.random_range(0..2)] =
                    Some(random.random_range(-1..3)).filter(|_| random.random_range(0..4) > 0)
            }
            _ => {
                let word = words[random.random_range(0..words.len())];
                texts[random.random_range(0..5)] = text(word).filter(|_| random.random_range(0..4) > 0);
            }
        }
    }
    let [quote_currency, freeze_status, submission_status, run_status, settlement_status] = texts;
    let [created_at, updated_at] = times.map(|time| time.map(|time| created + SignedDuration::from_micros(time)));
    RunOrder {
        quote_currency,
        freeze_status,
        submission_status,
        run_status,
        settlement_status,
        amounts: Amounts::from_order(units.map(|units| units.and_then(Amount::from_units))),
        created_at,
        updated_at,
        ..RunOrder::default()
    }
}
