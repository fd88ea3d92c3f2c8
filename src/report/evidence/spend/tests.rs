//! Writes and aggregates facts, and compares the result with plain integer arithmetic.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use proptest::prelude::*;

use super::super::facts::FactsWriter;
use super::*;
use crate::domain::days::Zone;
use crate::domain::facts::OrderFacts;
use crate::domain::money::Amount;
use crate::domain::order::RunOrder;
use crate::domain::outcome::Bucket;

#[derive(Clone, Debug)]
struct Fact {
    workflow: Option<String>,
    revision: Option<String>,
    currency: Option<String>,
    units: [Option<i128>; 6],
    failed: bool,
    settled: bool,
    discrepant: bool,
}

impl Fact {
    fn order(&self) -> RunOrder {
        RunOrder {
            workflow_id: self.workflow.clone(),
            revision_id: self.revision.clone(),
            quote_currency: self.currency.clone(),
            amounts: Amounts::from_order(
                self.units.map(|units| units.map(|units| Amount::from_units(units).expect("28 digits"))),
            ),
            run_status: self.failed.then(|| "failed".to_owned()),
            ..RunOrder::default()
        }
    }
}

fn write(facts: &[Fact]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = FactsWriter::create(&folder.path().join("facts.parquet")).expect("writable");
    for (line, fact) in (2..).zip(facts) {
        let bucket = if fact.discrepant { Bucket::Discrepant } else { Bucket::Reconciled };
        let order = fact.order();
        writer.push(line, "wfrun_1", &OrderFacts::of(&order), fact.settled, bucket, false).expect("writable");
    }
    assert_eq!(writer.finish().expect("writable"), facts.len() as u64);
    folder
}

/// Counts and sums in plain integers: orders, settled, failed, discrepant, six amounts, four differences.
type Plain = (u64, u64, u64, u64, [i128; 6], [i128; 4]);

fn plainly(facts: &[Fact], by_revision: bool) -> BTreeMap<(Vec<String>, String), Plain> {
    let mut groups: BTreeMap<(Vec<String>, String), Plain> = BTreeMap::new();
    for fact in facts {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut keys = vec![text(&fact.workflow)];
        if by_revision {
            keys.push(text(&fact.revision));
        }
        let group = groups.entry((keys, text(&fact.currency))).or_default();
        group.0 += 1;
        group.2 += u64::from(fact.failed);
        group.3 += u64::from(fact.discrepant);
        if !fact.settled {
            continue;
        }
        group.1 += 1;
        for (sum, units) in group.4.iter_mut().zip(fact.units) {
            *sum += units.unwrap_or(0);
        }
        let [quote, charged, released, compute, external, total] = fact.units;
        if let (Some(quote), Some(charged), Some(released)) = (quote, charged, released) {
            group.5[0] += (charged + released - quote).abs();
            group.5[1] += charged + released - quote;
        }
        if let (Some(compute), Some(external), Some(total)) = (compute, external, total) {
            group.5[2] += (total - compute - external).abs();
            group.5[3] += total - compute - external;
        }
    }
    groups
}

fn as_plain(rows: Vec<SpendRow>) -> Vec<((Vec<String>, String), Plain)> {
    rows.into_iter()
        .map(|row| {
            assert_eq!(row.orders, row.settled + row.pending);
            let differences = [
                row.quote_gross_difference,
                row.quote_net_difference,
                row.cost_gross_difference,
                row.cost_net_difference,
            ];
            let counts = (row.orders, row.settled, row.failed_runs, row.discrepant);
            let plain =
                (counts.0, counts.1, counts.2, counts.3, row.amounts.map(Sum::units), differences.map(Sum::units));
            ((row.keys, row.currency), plain)
        })
        .collect()
}

const LARGEST: i128 = 10_i128.pow(28) - 1;

fn fact() -> impl Strategy<Value = Fact> {
    let name = |names: &'static [&'static str]| {
        prop::option::weighted(0.9, prop::sample::select(names).prop_map(str::to_owned))
    };
    let units = prop::option::weighted(
        0.85,
        prop_oneof![Just(LARGEST), Just(-LARGEST), Just(0), -1_000_000_000_i128..1_000_000_000],
    );
    let flags = (any::<bool>(), prop::bool::weighted(0.8), any::<bool>());
    (name(&["wf_a", "wf_b"]), name(&["wfr_1", "wfr_2"]), name(&["CNY", "USD"]), prop::array::uniform6(units), flags)
        .prop_map(|(workflow, revision, currency, units, (failed, settled, discrepant))| Fact {
            workflow,
            revision,
            currency,
            units,
            failed,
            settled,
            discrepant,
        })
}

/// Spend over a file of facts, aggregated in parts of this size.
fn spend(path: &Path, days: &Days, part: usize) -> Spend {
    let proven = ProvenFile::new(path.to_owned(), File::open(path).expect("readable"));
    let facts = facts::open(&proven).expect("facts");
    let mut parts = SpendParts::new(days.clone());
    for group in 0..facts.groups() {
        let add = |orders: &DataFrame| {
            let firsts = (0..orders.height()).step_by(part);
            firsts.map(|first| orders.slice(first as i64, part)).try_for_each(|orders| parts.add(&orders))
        };
        facts.group(group, None, add).expect("readable");
    }
    parts.finish().expect("small sums")
}

#[test]
fn no_orders_make_no_rows() {
    let folder = write(&[]);
    let Spend { by_workflow, by_revision, by_day } = spend(&folder.path().join("facts.parquet"), &Days::default(), 1);
    assert_eq!([by_workflow, by_revision, by_day], [const { Vec::new() }; 3]);
}

/// The sum of quotes per day. The orders are quoted at 1, 2, 4, … units, so each sum shows which orders are
/// in it.
fn quotes_by_day(created: &[Option<&str>], days: &Days, part: usize) -> Vec<(String, i128)> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("facts.parquet");
    let mut writer = FactsWriter::create(&path).expect("writable");
    for (line, created) in (0..).zip(created) {
        let mut units = [None; 6];
        units[0] = Amount::from_units(1 << line);
        let order = RunOrder {
            quote_currency: Some("CNY".to_owned()),
            amounts: Amounts::from_order(units),
            created_at: created.map(|time| time.parse().expect("a time")),
            updated_at: Some("2026-01-01T00:00:00Z".parse().expect("a time")),
            ..RunOrder::default()
        };
        writer.push(line, "wfrun_1", &OrderFacts::of(&order), true, Bucket::Reconciled, false).expect("writable");
    }
    writer.finish().expect("writable");
    let rows = spend(&path, days, part).by_day;
    rows.into_iter().map(|row| (row.keys.concat(), row.amounts[0].units())).collect()
}

#[test]
fn days_follow_the_time_zone() {
    // New York puts its clocks forward at 7:00 UTC on 8 March 2026: that day has 23 hours.
    let created = [
        Some("2026-05-08T15:59:59.999999Z"),
        Some("2026-05-08T16:00:00Z"),
        None,
        Some("2026-03-08T04:59:59.999999Z"),
        Some("2026-03-08T05:00:00Z"),
        Some("2026-03-08T07:00:00Z"),
        Some("2026-03-09T03:59:59.999999Z"),
        Some("2026-03-09T04:00:00Z"),
    ];
    let shanghai: &[_] =
        &[("", 4), ("2026-03-08", 8 + 16 + 32), ("2026-03-09", 64 + 128), ("2026-05-08", 1), ("2026-05-09", 2)];
    let new_york: &[_] =
        &[("", 4), ("2026-03-07", 8), ("2026-03-08", 16 + 32 + 64), ("2026-03-09", 128), ("2026-05-08", 1 + 2)];
    for (zone, by, expected) in [
        ("Asia/Shanghai", DayBy::Created, shanghai),
        ("America/New_York", DayBy::Created, new_york),
        ("UTC", DayBy::Updated, &[("2026-01-01", 255)]),
    ] {
        let days = Days { zone: Zone::named(zone).expect("a zone"), by };
        for part in [1, 3, 100] {
            let found = quotes_by_day(&created, &days, part);
            let found: Vec<_> = found.iter().map(|(day, units)| (day.as_str(), *units)).collect();
            assert_eq!(found, expected, "{zone}, {part} at once");
        }
    }
    assert_eq!(quotes_by_day(&[], &Days::default(), 2), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn aggregates_agree_with_plain_integers(facts in prop::collection::vec(fact(), 1..120), part in 1_usize..150) {
        let folder = write(&facts);
        let path = folder.path().join("facts.parquet");
        let expected = |by_revision| plainly(&facts, by_revision).into_iter().collect::<Vec<_>>();
        let spend = spend(&path, &Days::default(), part);
        prop_assert_eq!(as_plain(spend.by_workflow), expected(false));
        prop_assert_eq!(as_plain(spend.by_revision), expected(true));
    }

    #[test]
    fn the_same_facts_give_the_same_bytes(facts in prop::collection::vec(fact(), 0..50)) {
        let bytes = || std::fs::read(write(&facts).path().join("facts.parquet")).expect("readable");
        prop_assert!(bytes() == bytes());
    }
}
