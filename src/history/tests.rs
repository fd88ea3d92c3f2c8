//! Datasets that are written and looked at. What is in their files is read by tests/it with other programs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use proptest::sample::Index;
use tempfile::TempDir;

use super::*;
use crate::checks::{Rules, Soundness};
use crate::domain::days::Zone;
use crate::domain::facts::OrderFacts;
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::CreatedBefore;

fn identity(zone: &str) -> Identity {
    Identity::new(Zone::named(zone).expect("a zone"), "https://api.example/v2".to_owned(), None)
}

fn empty() -> (TempDir, Dataset) {
    let place = tempfile::tempdir().expect("a folder");
    let dataset = Dataset::open_or_create(place.path(), &identity("Asia/Shanghai")).expect("a dataset");
    (place, dataset)
}

fn night(number: u32) -> NewRun {
    let started_at: Timestamp = format!("2026-10-{number:02}T02:00:00Z").parse().expect("a time");
    let manifest_sha256 = format!("{number:064}");
    NewRun { started_at, as_of: started_at, manifest_sha256, list_incomplete: false, replaces: Vec::new() }
}

/// A settled order with that final amount, in units of 10⁻⁸.
fn order(created_at: &str, units: i128) -> RunOrder {
    let amount = |units| Amount::from_units(units);
    RunOrder {
        quote_currency: Some("CNY".to_owned()),
        amounts: Amounts::from_order([amount(9), amount(units), None, None, None, amount(1)]),
        settlement_status: Some("settled".to_owned()),
        created_at: created_at.parse().ok(),
        ..RunOrder::default()
    }
}

fn append(dataset: &Dataset, run: &NewRun, orders: &[(&str, RunOrder)]) -> RunRecord {
    let mut append = dataset.append(run).expect("writable");
    for (id, order) in orders {
        append.order(id, &OrderFacts::of(order), Known { settled: true, ..Known::default() }).expect("writable");
    }
    append.commit().expect("writable")
}

/// The IDs in the files of a run, by the paths' days.
fn ids(dataset: &Dataset, run: &RunRecord) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in run.files.iter().filter(|file| file.path.starts_with(ORDERS)) {
        let day = file.path.split('/').nth(1).expect("a day").to_owned();
        orders::for_each_row(&dataset.path(file), dataset.prove(file).expect("as written"), |row| {
            found.push((day.clone(), row.run_order_id.to_owned()));
            Ok::<_, DatasetError>(())
        })
        .expect("readable");
    }
    found
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(day, id)| (format!("day={day}"), (*id).to_owned())).collect()
}

#[test]
fn orders_lie_in_the_day_on_which_they_were_created() {
    let (_place, dataset) = empty();
    let orders = [
        ("a", order("2026-10-01T15:59:59.999999Z", 1)),
        ("b", order("2026-10-01T16:00:00Z", 2)),
        ("undated", order("never", 3)),
        ("before-1970", order("1969-01-01T00:00:00Z", 4)),
        ("after-9999", order("-009999-06-01T00:00:00Z", 5)),
    ];
    let run = append(&dataset, &night(3), &orders);
    let expected = [
        ("1970-01-01", "undated"),
        ("1970-01-01", "before-1970"),
        ("1970-01-01", "after-9999"),
        ("2026-10-01", "a"),
        ("2026-10-02", "b"),
    ];
    assert_eq!(ids(&dataset, &run), pairs(&expected), "Shanghai is eight hours ahead");
    let [totals] = run.control_totals.as_slice() else { panic!("one currency") };
    assert_eq!((totals.currency.as_str(), totals.orders, totals.settled), ("CNY", 5, 5));
    let units: Vec<i128> = totals.amounts.iter().map(|sum| sum.units()).collect();
    assert_eq!(units, [45, 15, 0, 0, 0, 5]);
    assert_eq!(dataset.runs().expect("readable"), [run]);
}

#[test]
fn a_moved_order_leaves_a_note_in_its_earlier_day() {
    let (_place, dataset) = empty();
    let mut append = dataset.append(&night(3)).expect("writable");
    let later = order("2026-10-02T00:00:00Z", 1);
    append
        .order(
            "a",
            &OrderFacts::of(&later),
            Known { settled: true, before: Some(CreatedBefore(None)), ..Known::default() },
        )
        .expect("writable");
    // Another time of the same day is not a move.
    let same_day = CreatedBefore("2026-10-02T01:00:00Z".parse().ok());
    append
        .order("b", &OrderFacts::of(&later), Known { settled: true, before: Some(same_day), ..Known::default() })
        .expect("writable");
    let run = append.commit().expect("writable");
    assert_eq!((run.orders, run.moved), (2, 1));
    assert_eq!(ids(&dataset, &run), pairs(&[("1970-01-01", "a"), ("2026-10-02", "a"), ("2026-10-02", "b")]));
}

#[test]
fn a_run_that_is_not_committed_was_never_there() {
    let (place, dataset) = empty();
    append(&dataset, &night(3), &[("a", order("2026-10-02T00:00:00Z", 1))]);
    let before = paths(place.path());
    let mut dropped = dataset.append(&night(4)).expect("writable");
    dropped
        .order("b", &OrderFacts::of(&order("2026-10-02T00:00:00Z", 1)), Known { settled: true, ..Known::default() })
        .expect("writable");
    drop(dropped);
    assert_eq!(paths(place.path()), before);
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

#[test]
fn a_continued_report_brings_only_what_is_new() {
    let (_place, dataset) = empty();
    let known = [("a", order("2026-10-02T00:00:00Z", 1)), ("b", order("2026-10-02T00:00:00Z", 2))];
    append(&dataset, &night(3), &known);
    let [a, _] = known;
    let changed = ("b", order("2026-10-02T00:00:00Z", 20));
    let continued = NewRun { replaces: vec![night(3).manifest_sha256], ..night(4) };
    let run = append(&dataset, &continued, &[a, changed, ("c", order("2026-10-02T00:00:00Z", 3))]);
    assert_eq!(ids(&dataset, &run), pairs(&[("2026-10-02", "b"), ("2026-10-02", "c")]));
    assert_eq!((run.orders, run.control_totals[0].amounts[1].units()), (2, 23), "the totals of what it brought");
}

#[test]
fn rows_of_an_earlier_job_count_as_seen_by_that_job() {
    let (_place, dataset) = empty();
    let run = append(&dataset, &night(4), &[("a", order("2026-10-02T00:00:00Z", 4)), ("b", order("never", 4))]);
    let mut continued = dataset.append(&night(5)).expect("writable");
    // Both were seen before the other run, and one again after it.
    continued.set_job(Some(night(3).started_at));
    let older = order("2026-10-02T00:00:00Z", 3);
    continued.order("a", &OrderFacts::of(&older), Known { settled: true, ..Known::default() }).expect("writable");
    continued.exception(ExceptionRow { run_order_id: "b", bucket: "not_found", reason: "http-404", detail: "" });
    continued.set_job(None);
    continued.order("c", &OrderFacts::of(&older), Known { settled: true, ..Known::default() }).expect("writable");
    let continued = continued.commit().expect("writable");
    assert_eq!(dataset.runs().expect("readable"), [run.clone(), continued.clone()]);
    for _ in 0..2 {
        let newest = newest(&dataset);
        let runs: Vec<&str> = newest.values().map(|(_, _, run)| run.as_str()).collect();
        assert_eq!(runs, [&run.run, &run.run, &continued.run], "{newest:?}");
        dataset.compact().expect("writable");
    }
}

#[test]
fn an_order_that_moved_back_is_not_left_out_of_a_continued_report() {
    let (_place, dataset) = empty();
    let (first, second) = (order("2026-10-02T00:00:00Z", 1), order("2026-10-06T00:00:00Z", 2));
    append(&dataset, &night(3), &[("a", first.clone())]);
    let see = |run: &NewRun, order: &RunOrder, before: &RunOrder| {
        let mut append = dataset.append(run).expect("writable");
        let before = Some(CreatedBefore(before.created_at));
        append
            .order("a", &OrderFacts::of(order), Known { settled: true, before, ..Known::default() })
            .expect("writable");
        append.commit().expect("writable")
    };
    see(&night(4), &second, &first);
    // The run of the first night goes on, and sees the order as it was.
    let continued = see(&NewRun { replaces: vec![night(3).manifest_sha256], ..night(5) }, &first, &second);
    let day = Date::constant(2026, 10, 2);
    assert_eq!(newest(&dataset), BTreeMap::from([("a".to_owned(), (day, 1, continued.run))]));
}

#[test]
fn another_zone_provider_or_account_is_refused() {
    let (place, dataset) = empty();
    let ours = identity("Asia/Shanghai");
    let zone = ours.timezone.clone();
    let others = [
        (identity("UTC"), "time zone"),
        (Identity::new(zone.clone(), "sandbox".to_owned(), None), "provider"),
        (Identity::new(zone, ours.base_url.clone(), Some("Finance".to_owned())), "account"),
    ];
    for (other, what) in others {
        let said = Dataset::open_or_create(place.path(), &other).expect_err("other orders").to_string();
        assert!(said.contains(&format!("has the {what}")), "{said}");
    }
    assert_eq!(Dataset::open_or_create(place.path(), &ours).expect("the same").identity(), dataset.identity());
}

#[test]
fn a_folder_with_other_things_does_not_become_a_dataset() {
    let place = tempfile::tempdir().expect("a folder");
    fs::write(place.path().join("thesis.txt"), "years of work").expect("writable");
    let said = Dataset::open_or_create(place.path(), &identity("UTC")).expect_err("no dataset").to_string();
    assert!(said.contains("it holds thesis.txt"), "{said}");
    assert_eq!(paths(place.path()).len(), 1, "nothing was written");
    let said = Dataset::open(&place.path().join("nowhere")).expect_err("no dataset").to_string();
    assert!(said.contains("there is no such folder"), "{said}");
}

#[test]
fn a_run_of_the_future_is_an_error() {
    let (_place, dataset) = empty();
    let soon = Timestamp::now() + SignedDuration::from_mins(1);
    append(&dataset, &NewRun { started_at: soon, ..night(3) }, &[]);
    append(&dataset, &night(4), &[]);
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    append(&dataset, &NewRun { started_at: tomorrow, ..night(5) }, &[]);
    let said = dataset.append(&night(6)).err().expect("the clock went back").to_string();
    assert!(said.contains("in the future by this clock") && said.contains("set this clock"), "{said}");
}

/// What `contents` says about a dataset after `damage` was done to the file of its only run.
fn damaged(damage: impl Fn(&Path), proof: Proof) -> Vec<String> {
    let (_place, dataset) = empty();
    let run = append(&dataset, &night(3), &[("a", order("2026-10-02T00:00:00Z", 1))]);
    let [file] = run.files.as_slice() else { panic!("one file") };
    damage(&dataset.path(file));
    dataset.contents(proof).expect("readable").damage
}

#[test]
fn damage_is_found() {
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).expect("readable");
        bytes[100] ^= 1;
        fs::write(path, bytes).expect("writable");
    };
    let cut = |path: &Path| fs::write(path, &fs::read(path).expect("readable")[..100]).expect("writable");
    let remove = |path: &Path| fs::remove_file(path).expect("removable");
    let pipe = |path: &Path| {
        remove(path);
        assert!(Command::new("mkfifo").arg(path).status().expect("starts").success());
    };
    for proof in [Proof::Sizes, Proof::Hashes] {
        assert_eq!(damaged(|_| (), proof), Vec::<String>::new());
        assert!(damaged(cut, proof)[0].starts_with("orders/day=2026-10-02/"));
        assert!(damaged(remove, proof)[0].ends_with("it is missing"));
        assert!(damaged(pipe, proof)[0].ends_with("it is not a regular file"), "it is not waited for");
    }
    assert_eq!(damaged(flip, Proof::Sizes).len(), 0, "the size is the same");
    assert!(damaged(flip, Proof::Hashes)[0].ends_with("it is not as it was written"));
}

#[test]
fn a_file_that_no_run_names_does_not_count() {
    let (place, dataset) = empty();
    let run = append(&dataset, &night(3), &[("a", order("2026-10-02T00:00:00Z", 1))]);
    let record = place.path().join(format!("{RUNS}/{}.json", run.run));
    let text = fs::read_to_string(&record).expect("readable");
    fs::remove_file(&record).expect("removable");
    let contents = dataset.contents(Proof::Hashes).expect("readable");
    assert_eq!((contents.runs.len(), contents.uncounted.len()), (0, 1));
    fs::write(&record, text).expect("writable");
    assert_eq!(dataset.contents(Proof::Hashes).expect("readable").uncounted.len(), 0);
}

#[test]
fn records_that_are_not_ours_are_errors() {
    let (place, dataset) = empty();
    let run = append(&dataset, &night(3), &[("a", order("2026-10-02T00:00:00Z", 1))]);
    let record = place.path().join(format!("{RUNS}/{}.json", run.run));
    let honest = fs::read_to_string(&record).expect("readable");
    let path = &run.files[0].path;
    let lies = [
        (honest[..honest.len() / 2].to_owned(), "it is not valid"),
        (honest.replace(r#""format":1"#, r#""format":2"#), "is of another version of tieout"),
        (honest.replace(&format!(r#""run":"{}""#, run.run), r#""run":"x""#), r#"it is the record of "x""#),
        (honest.replace(path, "orders/../../etc/shadow.parquet"), "is not where a file of a dataset lies"),
        (honest.replace(path, "/etc/shadow.parquet"), "is not where a file of a dataset lies"),
        (honest.replace(path, "closes/2026-10/a.parquet"), "is not where a file of a dataset lies"),
        (honest.replace(r#""orders":1"#, r#""orders":-1"#), "it is not valid"),
    ];
    for (lie, problem) in lies {
        assert_ne!(lie, honest, "{problem}");
        fs::write(&record, &lie).expect("writable");
        let said = dataset.runs().expect_err("a lie").to_string();
        assert!(said.contains(problem), "{said}");
    }
}

#[test]
fn a_run_with_more_rows_than_are_held_has_more_files_of_a_day() {
    let (_place, dataset) = empty();
    let mut append = dataset.append(&night(3)).expect("writable");
    let (many, few) = (order("2026-10-02T00:00:00Z", 1), order("2026-10-04T00:00:00Z", 1));
    append.order("few", &OrderFacts::of(&few), Known { settled: true, ..Known::default() }).expect("writable");
    let rows = (1 << 18) + 7;
    for number in 0..rows {
        append
            .order(&number.to_string(), &OrderFacts::of(&many), Known { settled: true, ..Known::default() })
            .expect("writable");
    }
    let run = append.commit().expect("writable");
    let rows_of: Vec<u64> = run.files.iter().map(|file| file.rows).collect();
    assert_eq!(rows_of, [(1 << 18) - 1, 8, 1]);
    let ids = ids(&dataset, &run);
    assert_eq!(ids.len(), rows + 1);
    assert_eq!(run.control_totals[0].amounts[1].units(), rows as i128 + 1);
}

#[test]
fn compaction_keeps_every_row_and_can_be_repeated() {
    let (place, dataset) = empty();
    let runs: Vec<RunRecord> = (1..=5)
        .map(|number| {
            let orders = [("a", order("2026-10-02T00:00:00Z", i128::from(number))), ("b", order("never", 1))];
            append(&dataset, &night(number), &orders)
        })
        .collect();
    assert_eq!(dataset.compact().expect("writable"), Compacted { merged: 10, into: 2, days: 2 });
    assert_eq!(dataset.compact().expect("writable"), Compacted::default(), "there is nothing left to merge");
    let contents = dataset.contents(Proof::Hashes).expect("readable");
    assert_eq!((contents.files, contents.observations, contents.uncounted.len()), (2, 10, 0));
    assert_eq!((contents.runs, contents.damage), (runs, Vec::new()));
    // A later run is merged with what was merged before.
    append(&dataset, &night(6), &[("c", order("2026-10-02T00:00:00Z", 1))]);
    assert_eq!(dataset.compact().expect("writable"), Compacted { merged: 2, into: 1, days: 1 });
    let mut orders = paths(&place.path().join(ORDERS));
    orders.retain(|path| !path.ends_with("empty.parquet"));
    assert_eq!(orders.len(), 2, "{orders:?}");
    assert_eq!(newest(&dataset).len(), 3);
    let mut groups = 0;
    for path in orders {
        orders::for_each_group(&path, File::open(&path).expect("readable"), orders::shape(), None, None, |_| {
            groups += 1;
            Ok::<_, DatasetError>(())
        })
        .expect("readable");
    }
    assert_eq!(groups, 2, "small row groups are put together");
}

#[test]
fn a_continued_report_knows_what_a_merged_file_brought() {
    let (_place, dataset) = empty();
    let known = || ("a", order("2026-10-02T00:00:00Z", 1));
    append(&dataset, &night(3), &[known()]);
    append(&dataset, &night(2), &[("a", order("2026-10-02T00:00:00Z", 9))]);
    dataset.compact().expect("writable");
    let continued = NewRun { replaces: vec![night(3).manifest_sha256], ..night(4) };
    // The order as the other run saw it is news to this one.
    let run = append(&dataset, &continued, &[known(), ("b", order("2026-10-02T00:00:00Z", 3))]);
    assert_eq!(run.orders, 1);
}

#[test]
fn a_file_that_changed_is_not_merged_away() {
    let (place, dataset) = empty();
    let runs = [1, 2].map(|number| append(&dataset, &night(number), &[("a", order("2026-10-02T00:00:00Z", 1))]));
    let path = dataset.path(&runs[0].files[0]);
    let mut bytes = fs::read(&path).expect("readable");
    bytes[100] ^= 1;
    fs::write(&path, &bytes).expect("writable");
    let before = paths(place.path());
    let said = dataset.compact().expect_err("damage").to_string();
    assert!(said.contains("it is not as it was written"), "{said}");
    assert_eq!(paths(place.path()), before);
}

#[test]
fn what_was_merged_is_not_removed_while_its_merged_file_is_damaged() {
    let (_place, dataset) = empty();
    let runs = [1, 2].map(|number| append(&dataset, &night(number), &[("a", order("2026-10-02T00:00:00Z", 1))]));
    let originals = runs.map(|run| dataset.path(&run.files[0]));
    let texts = originals.each_ref().map(|path| fs::read(path).expect("readable"));
    dataset.compact().expect("writable");
    // As if the removal had been killed, and the merged file was damaged later.
    for (path, bytes) in originals.iter().zip(texts) {
        fs::write(path, bytes).expect("writable");
    }
    let [compaction] = dataset.compactions().expect("readable").try_into().expect("one");
    let merged = dataset.path(&compaction.files[0]);
    let honest = fs::read(&merged).expect("readable");
    fs::write(&merged, &honest[1..]).expect("writable");
    assert!(dataset.compact().is_err());
    assert!(originals.iter().all(|path| path.exists()), "the only good copies");
    fs::write(&merged, honest).expect("writable");
    assert_eq!(dataset.compact().expect("writable"), Compacted::default());
    assert!(!originals.iter().any(|path| path.exists()));
}

/// The newest observation of each order: its day, its final amount in units, and its run.
fn newest(dataset: &Dataset) -> BTreeMap<String, (Date, i128, String)> {
    let mut found = BTreeMap::new();
    let reading = dataset.read(Selection::default(), None).expect("readable");
    // No order is sound, since each lacks amounts.
    let visit = |sighting: Sighting| {
        if let Sighting::Observed(Observed { day, run_order_id, rank, order }) = sighting {
            let units = order.amounts.final_amount.expect("an amount").units();
            let run = reading.names()[rank as usize].to_owned();
            let known = found.insert(run_order_id.clone(), (day, units, run));
            assert_eq!(known, None, "{run_order_id} is visited twice");
        }
        Ok::<_, DatasetError>(())
    };
    let counts = reading.each(&Soundness::of(&Rules::default()), visit).expect("readable");
    assert_eq!(counts.orders, found.len() as u64);
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_newest_observation_depends_on_no_order_duplication_or_compaction(
        // By run, which orders it saw, and the days to which it says that they belong.
        nights in vec((vec((0_u8..6, 1_u32..4), 0..8), any::<bool>()), 1..6),
        places in vec(any::<Index>(), 6),
    ) {
        let (_place, dataset) = empty();
        let mut newest_of = BTreeMap::new();
        let mut days = BTreeMap::<u8, u32>::new();
        let mut appends = Vec::new();
        for (number, (seen, is_twice)) in (1..).zip(&nights) {
            let mut rows = Vec::new();
            let seen: BTreeMap<u8, u32> = seen.iter().copied().collect();
            for (id, day) in seen {
                rows.push((id, day, days.insert(id, day)));
                newest_of.insert(id.to_string(), (day, i128::from(number)));
            }
            appends.extend(vec![(number, rows); if *is_twice { 2 } else { 1 }]);
        }
        // Appended in any order, with compactions in between.
        for place in places {
            if appends.is_empty() {
                break;
            }
            let (number, rows) = appends.remove(place.index(appends.len()));
            append_moves(&dataset, number, &rows);
            if place.index(2) == 0 {
                dataset.compact().expect("writable");
            }
        }
        appends.iter().for_each(|(number, rows)| append_moves(&dataset, *number, rows));
        let found = newest(&dataset);
        let found: BTreeMap<_, _> =
            found.into_iter().map(|(id, (day, units, _))| (id, (u32::from(day.day().unsigned_abs()), units))).collect();
        prop_assert_eq!(found, newest_of);
    }
}

/// Appends a night that saw orders on a day of October, each with the day on which it was seen before.
fn append_moves(dataset: &Dataset, number: u32, rows: &[(u8, u32, Option<u32>)]) {
    let mut append = dataset.append(&night(number)).expect("writable");
    let at = |day: u32| format!("2026-10-{day:02}T08:00:00Z");
    for (id, day, before) in rows {
        let order = order(&at(*day), i128::from(number));
        let before = before.map(|before| CreatedBefore(at(before).parse().ok()));
        append
            .order(&id.to_string(), &OrderFacts::of(&order), Known { settled: true, before, ..Known::default() })
            .expect("writable");
    }
    append.commit().expect("writable");
}
