//! `tieout close`: what it says of a month, when it may be done, and that it stays.

mod disturbed;
mod earlier;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tieout::domain::days::Zone;
use tieout::domain::facts::OrderFacts;
use tieout::domain::money::{Amount, Sum};
use tieout::domain::month::Month;
use tieout::domain::order::{Amounts, RunOrder};
use tieout::history::{Dataset, ExceptionRow, Known, NewRun};

use super::audit::{audit, verify};
use super::months::{Figures, History, Pending, UNDATED, ZONE};
use super::{identity, run_at, show};
use crate::readers::printed;
use crate::support::{Place, ReportFiles, code, files_below, repository, stderr, stdout, tieout};

/// The settings of a company that reconciles every night.
const NIGHTLY: &str = "[schedule]\nevery = '24h'\n";

fn month(text: &str) -> Month {
    text.parse().expect("a month")
}

fn close_command(dataset: &Path, month: &str, arguments: &[&str]) -> Command {
    let mut close = tieout();
    close.args(["close", month, "--format", "csv", "--dataset"]).arg(dataset).args(arguments);
    close
}

fn close(dataset: &Path, month: &str, arguments: &[&str]) -> Output {
    close_command(dataset, month, arguments).output().expect("starts")
}

fn units(text: &str) -> i128 {
    Sum::parse_exact(text).unwrap_or_else(|| panic!("{text:?} is no sum")).units()
}

/// The lines of `roll_forward.csv`, by currency and line.
fn lines(report: &ReportFiles) -> BTreeMap<String, BTreeMap<String, Pending>> {
    let mut lines = BTreeMap::<String, BTreeMap<String, Pending>>::new();
    for row in report.rows("roll_forward.csv") {
        let figures = (row["orders"].parse().unwrap_or_default(), units(&row["quote_amount"]));
        lines.entry(row["currency"].clone()).or_default().insert(row["line"].clone(), figures);
    }
    lines
}

/// What a table of adjustments adds up to, by month (empty without a date) and currency.
fn adjusted(report: &ReportFiles, table: &str) -> BTreeMap<(String, String), Figures> {
    let names =
        ["quote_amount", "final_amount", "released_amount", "compute_cost", "external_model_cost", "total_cost"];
    let mut sums = BTreeMap::<(String, String), Figures>::new();
    for row in report.rows(table) {
        let sums = sums.entry((row["month"].clone(), row["currency"].clone())).or_default();
        sums.amounts.iter_mut().zip(names).for_each(|(sum, name)| *sum += units(&row[name]));
        sums.pending_quote += units(&row["pending_quote"]);
    }
    sums.retain(|_, sums| *sums != Figures::default());
    sums
}

/// By how much the figures of some days differ between two numbers of nights.
fn differences(
    history: &History,
    nights: [usize; 2],
    name: &str,
    is_wanted: impl Fn(Date) -> bool,
) -> BTreeMap<(String, String), Figures> {
    let [was, is] = nights.map(|nights| history.figures(nights, &is_wanted));
    let currencies: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let of = |figures: &BTreeMap<String, Figures>, currency| figures.get(currency).copied().unwrap_or_default();
    let differ = currencies.into_iter().map(|currency| {
        let (was, is) = (of(&was, currency), of(&is, currency));
        let mut amounts = is.amounts;
        amounts.iter_mut().zip(was.amounts).for_each(|(amount, was)| *amount -= was);
        let figures = Figures { amounts, pending_quote: is.pending_quote - was.pending_quote };
        ((name.to_owned(), currency.clone()), figures)
    });
    differ.filter(|(_, figures)| *figures != Figures::default()).collect()
}

/// Fails unless the roll-forward of a close is what the sights say.
fn assert_rolled_forward(report: &ReportFiles, history: &History, of: Month, then: usize, now: usize) {
    let is_earlier = |day: Date| day < of.first();
    let opened = history.pending(then, is_earlier);
    let closed = history.pending(now, |day| day < of.end());
    let new: BTreeMap<String, u64> = history.known(now).into_values().filter(|(day, _)| of.has(*day)).fold(
        BTreeMap::new(),
        |mut new, (_, order)| {
            *new.entry(order.quote_currency.clone().unwrap_or_default()).or_default() += 1;
            new
        },
    );
    let lines = lines(report);
    for (currency, lines) in &lines {
        assert_eq!(lines["pending_at_open"], opened.get(currency).copied().unwrap_or_default(), "{of} {currency}");
        assert_eq!(lines["pending_at_close"], closed.get(currency).copied().unwrap_or_default(), "{of} {currency}");
        assert_eq!(lines["new"].0, new.get(currency).copied().unwrap_or_default(), "{of} {currency}");
        let sum = |names: [&str; 4]| {
            names
                .map(|name| lines[name])
                .into_iter()
                .fold((0, 0), |(orders, quotes), line| (orders + line.0, quotes + line.1))
        };
        let more = sum(["pending_at_open", "new", "late", "reopened"]);
        let (settled, gone) = (lines["settled"], lines["gone"]);
        let left = (more.0 - settled.0 - gone.0, more.1 + lines["requoted"].1 - settled.1 - gone.1);
        assert_eq!(left, lines["pending_at_close"], "{of} {currency}");
    }
    assert!(opened.keys().chain(closed.keys()).all(|currency| lines.contains_key(currency)), "{of}");
}

/// Two months that are closed by force: the second looks back at orders that the first did not know.
pub fn two_closes(place: &Place, arguments: &[&str]) -> [PathBuf; 2] {
    let dataset = place.path("history");
    let all = fs::read_to_string(repository("sample_data/ids.csv")).expect("the sample");
    let some: String = all.lines().take(120).map(|line| format!("{line}\n")).collect();
    let closes = [(some, "2026-06-01T00:00:00Z", "2026-05"), (all, "2026-06-02T00:00:00Z", "2026-06")];
    closes.map(|(ids, as_of, month)| {
        let mut run = place.reconcile(place.file("ids.csv", ids));
        run.args(["--sandbox", "--format", "csv", "--fresh", "--as-of", as_of]).arg("--dataset").arg(&dataset);
        let run = run.arg("--out").arg(place.path("night")).output().expect("starts");
        assert_eq!(code(&run), 1, "{}", printed(&run));
        let mut close = tieout();
        close.args(["close", month, "--force", "--dataset"]).arg(&dataset).args(arguments);
        let close = close.output().expect("starts");
        assert_eq!(code(&close), 3, "nights are missing: {}", printed(&close));
        dataset.join("closes").join(month)
    })
}

#[test]
fn closed_months_stay_and_what_changes_since_is_listed_once() {
    for seed in 1..=2 {
        let place = Place::new();
        let folder = place.path("history");
        let zone = Zone::named(ZONE).expect("a zone");
        let dataset = Dataset::open_or_create(&folder, &identity(&zone)).expect("a dataset");
        let settings = place.file("tieout.toml", NIGHTLY);
        let config = ["--config", settings.to_str().expect("a path")];
        let history = History::of_random_orders(seed);
        let begins = |day: Date| day.to_zoned_datetime(zone.time_zone().clone()).expect("a time").timestamp();
        let (mut appended, mut closes) = (0, Vec::<(Month, usize, BTreeMap<_, _>)>::new());
        for of in ["2026-08", "2026-09", "2026-10"].map(month) {
            let then = closes.last().map_or_else(|| history.nights_before(begins(of.first())), |close| close.1);
            // The first night that begins a day after the month.
            let now =
                history.nights_before(begins(of.end()) + SignedDuration::from_hours(26) + SignedDuration::from_secs(1));
            history.append(&dataset, appended..now);
            appended = now;
            let report = ReportFiles(folder.join(format!("closes/{of}")));
            let ended = close(&folder, &of.to_string(), &config);
            assert_eq!(code(&ended), 1, "seed {seed}, {of}: {}", printed(&ended));
            assert_rolled_forward(&report, &history, of, then, now);
            let proven = verify(&report.0, &[]);
            assert_eq!(code(&proven), 0, "seed {seed}, {of}: {}", printed(&proven));
            // Each close lists what has changed since the one before it, of every month that is closed.
            let mut expected = BTreeMap::new();
            for (closed, ..) in &closes {
                expected.extend(differences(&history, [then, now], &closed.to_string(), |day| closed.has(day)));
            }
            if !closes.is_empty() {
                expected.extend(differences(&history, [then, now], "", |day| day == UNDATED));
                assert!(!expected.is_empty());
                assert_eq!(adjusted(&report, "adjustments.csv"), expected, "seed {seed}, {of}");
                assert_eq!(adjusted(&report, "adjustments_by_month.csv"), expected, "seed {seed}, {of}");
            }
            assert_eq!(report.0.join("adjustments.csv").exists(), !closes.is_empty());
            closes.push((of, now, report.files()));
        }
        history.append(&dataset, appended..history.nights.len());
        let orders = || files_below(&folder.join("orders"));
        let of_closed = |files: Vec<PathBuf>| -> BTreeSet<PathBuf> {
            let is_closed = |path: &PathBuf| {
                ["2026-08", "2026-09", "2026-10"]
                    .iter()
                    .any(|month| path.to_string_lossy().contains(&format!("day={month}")))
            };
            files.into_iter().filter(is_closed).collect()
        };
        let (before, count) = (of_closed(orders()), orders().len());
        assert_eq!(code(&tieout().arg("compact").arg(&folder).output().expect("starts")), 0);
        assert!(orders().len() < count, "days of other months are merged");
        assert_eq!(of_closed(orders()), before, "those of closed months are not");
        let all = history.nights.len();
        let mut expected_of_all = BTreeMap::new();
        for (of, now, files) in &closes {
            let report = ReportFiles(folder.join(format!("closes/{of}")));
            assert_eq!(report.files(), *files, "{of} is as it was");
            assert_eq!(
                code(&verify(&report.0, &[])),
                0,
                "{of} is proven by a dataset that has grown and was compacted"
            );
            // An audit of a closed month says what has changed since it was closed.
            let out = place.path(&format!("audit-{of}"));
            assert_eq!(code(&audit(&folder, &out, &["--month", &of.to_string()])), 1);
            let mut expected = differences(&history, [*now, all], &of.to_string(), |day| of.has(day));
            expected_of_all.extend(expected.clone());
            expected.extend(differences(&history, [*now, all], "", |day| day == UNDATED));
            assert_eq!(adjusted(&ReportFiles(out.clone()), "adjustments.csv"), expected, "seed {seed}, {of}");
            assert_eq!(code(&verify(&out, &[])), 0);
        }
        let out = place.path("audit");
        assert_eq!(code(&audit(&folder, &out, &[])), 1);
        let last = closes.last().expect("a close").1;
        expected_of_all.extend(differences(&history, [last, all], "", |day| day == UNDATED));
        assert_eq!(adjusted(&ReportFiles(out), "adjustments_by_month.csv"), expected_of_all, "seed {seed}");
    }
}

/// Appends a night that saw one sound order, created an hour before.
fn night(dataset: &Dataset, started_at: &str, list_incomplete: bool) {
    let started_at: Timestamp = started_at.parse().expect("a time");
    let run = NewRun { list_incomplete, ..run_at(started_at) };
    let mut append = dataset.append(&run).expect("writable");
    let text = |text: &str| Some(text.to_owned());
    let time = Some(started_at - SignedDuration::from_hours(1));
    let order = RunOrder {
        quote_currency: text("CNY"),
        freeze_status: text("released"),
        submission_status: text("submitted"),
        run_status: text("succeeded"),
        settlement_status: text("settled"),
        amounts: Amounts::from_order([Some(Amount::default()); 6]),
        created_at: time,
        updated_at: time,
        ..RunOrder::default()
    };
    append
        .order(
            &format!("wfrun_{}", started_at.as_second()),
            &OrderFacts::of(&order),
            Known { settled: true, ..Known::default() },
        )
        .expect("writable");
    append.commit().expect("writable");
}

/// A dataset with a night on every day of these days of October 2026, at two in the morning.
fn october(place: &Place, days: impl IntoIterator<Item = u8>) -> Dataset {
    let dataset = Dataset::open_or_create(&place.path("history"), &identity(&Zone::named("UTC").expect("a zone")));
    let dataset = dataset.expect("a dataset");
    days.into_iter().for_each(|day| night(&dataset, &format!("2026-10-{day:02}T02:00:00Z"), false));
    dataset
}

#[test]
fn a_month_that_lacks_something_is_closed_only_by_force() {
    let whole = ["2026-11-01T02:00:00Z", "2026-11-02T02:00:00Z"];
    type Lack<'l> = &'l dyn Fn(&Dataset);
    let cases: [(&str, Lack<'_>, &str); 4] = [
        ("not over", &|dataset| night(dataset, whole[0], false), "have until 2026-11-02T00:00:00Z to settle"),
        (
            "a hole",
            &|dataset| {
                fs::remove_file(run_of(dataset, "20261009T")).expect("there");
                whole.iter().for_each(|at| night(dataset, at, false));
            },
            "nights without a run: 1, the first from 2026-10-09T00:00:00Z",
        ),
        (
            "a short list",
            &|dataset| {
                fs::remove_file(run_of(dataset, "20261009T")).expect("there");
                night(dataset, "2026-10-09T02:00:00Z", true);
                whole.iter().for_each(|at| night(dataset, at, false));
            },
            "nights with only incomplete lists of orders: 1, the first from 2026-10-09T00:00:00Z",
        ),
        (
            "no answer",
            &|dataset| {
                let started_at: Timestamp = "2026-11-01T03:00:00Z".parse().expect("a time");
                let mut append = dataset.append(&run_at(started_at)).expect("writable");
                append.exception(ExceptionRow {
                    run_order_id: "wfrun_1",
                    bucket: "unfetched",
                    reason: "timeout",
                    detail: "",
                });
                append.commit().expect("writable");
                whole.iter().for_each(|at| night(dataset, at, false));
            },
            "one row has no readable answer",
        ),
    ];
    for (name, lack, problem) in cases {
        let place = Place::new();
        let settings = place.file("tieout.toml", NIGHTLY);
        let config = ["--config", settings.to_str().expect("a path")];
        let dataset = october(&place, 1..=31);
        lack(&dataset);
        let before = files_below(dataset.folder());
        let refused = close(dataset.folder(), "2026-10", &config);
        assert_eq!(code(&refused), 3, "{name}: {}", printed(&refused));
        assert!(
            stderr(&refused).contains(problem) && stderr(&refused).contains("--force"),
            "{name}: {}",
            printed(&refused)
        );
        assert_eq!(files_below(dataset.folder()), before, "{name}: nothing is left");
        let forced = close(dataset.folder(), "2026-10", &[&config[..], &["--force"]].concat());
        let report = ReportFiles(dataset.folder().join("closes/2026-10"));
        assert_eq!((code(&forced), report.verdict().as_str()), (3, "incomplete"), "{name}: {}", printed(&forced));
        let gaps = report.json("summary.json")["dataset"]["close"]["gaps"].as_array().map(Vec::len);
        assert_eq!(gaps, Some(usize::from(name != "no answer")), "{name}");
        assert_eq!(stdout(&forced).contains("Closed nonetheless (--force): "), name != "no answer", "{name}");
        assert_eq!(code(&verify(&report.0, &[])), 0, "{name}");
    }
}

/// The record of the run that started at a time.
fn run_of(dataset: &Dataset, start: &str) -> PathBuf {
    let records = files_below(&dataset.folder().join("runs"));
    let is_it = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start));
    records.into_iter().find(is_it).expect("a run")
}

#[test]
fn without_a_schedule_every_day_with_an_order_needs_a_night() {
    let place = Place::new();
    let dataset = october(&place, [1, 2, 15]);
    night(&dataset, "2026-11-02T02:00:00Z", false);
    assert_eq!(code(&close(dataset.folder(), "2026-10", &[])), 0);
    let (place, settings) = (Place::new(), "[schedule]\nevery = '7d'\n");
    let dataset = october(&place, [2, 9, 16, 23, 30]);
    night(&dataset, "2026-11-06T02:00:00Z", false);
    let settings = place.file("tieout.toml", settings);
    let weekly = close(dataset.folder(), "2026-10", &["--config", settings.to_str().expect("a path")]);
    assert_eq!(code(&weekly), 0, "{}", printed(&weekly));
    let report = ReportFiles(dataset.folder().join("closes/2026-10"));
    assert_eq!(report.json("manifest.json")["dataset"]["close"]["every"], 7 * 24 * 3600);
    // The night that saw the orders of a day was long after it.
    let place = Place::new();
    let dataset = october(&place, [1, 2]);
    let late: Timestamp = "2026-10-20T02:00:00Z".parse().expect("a time");
    let mut append = dataset.append(&run_at(late)).expect("writable");
    let order = RunOrder { created_at: "2026-10-11T05:00:00Z".parse().ok(), ..RunOrder::default() };
    append
        .order("wfrun_late", &OrderFacts::of(&order), Known { settled: false, ..Known::default() })
        .expect("writable");
    append.commit().expect("writable");
    night(&dataset, "2026-11-02T02:00:00Z", false);
    let refused = close(dataset.folder(), "2026-10", &[]);
    assert_eq!(code(&refused), 3, "{}", printed(&refused));
    assert!(
        stderr(&refused).contains("nights without a run: 1, the first from 2026-10-11T00:00:00Z"),
        "{}",
        printed(&refused)
    );
}

#[test]
fn what_can_not_be_closed_is_refused() {
    let place = Place::new();
    let dataset = october(&place, 1..=31);
    ["2026-11-01T02:00:00Z", "2026-11-02T02:00:00Z"].iter().for_each(|at| night(&dataset, at, false));
    let folder = dataset.folder();
    for (month, arguments, exit, problem) in [
        ("2026-13", &[][..], 2, "give a month such as 2026-10"),
        ("2026-10", &["--tolerance", "x"], 2, "tolerance"),
        ("2026-10", &["--timezone", "Asia/Tokyo"], 2, "the dataset has the days of UTC"),
        ("2026-10", &["--format", "focus"], 2, "a dataset is a table already"),
        ("2026-12", &[], 3, "2026-12 can't be closed yet"),
    ] {
        let refused = close(folder, month, arguments);
        assert_eq!(code(&refused), exit, "{month} {arguments:?}: {}", printed(&refused));
        assert!(stderr(&refused).contains(problem), "{month} {arguments:?}: {}", printed(&refused));
    }
    let nowhere = close(&place.path("nowhere"), "2026-10", &[]);
    assert_eq!(code(&nowhere), 2, "{}", printed(&nowhere));
    let unnamed = tieout().args(["close", "2026-10"]).output().expect("starts");
    assert_eq!(code(&unnamed), 2, "{}", printed(&unnamed));
    assert!(stderr(&unnamed).contains("name it with --dataset"), "{}", printed(&unnamed));
    for every in ["soon", "0s", "30s", "1500ms"] {
        let settings = place.file("wrong.toml", format!("[schedule]\nevery = '{every}'\n"));
        let refused = close(folder, "2026-10", &["--config", settings.to_str().expect("a path")]);
        assert_eq!(code(&refused), 2, "{every}: {}", printed(&refused));
        assert!(stderr(&refused).contains("[schedule]: every = "), "{every}: {}", printed(&refused));
    }
    assert!(!folder.join("closes").exists(), "nothing was begun");
    assert_eq!(code(&close(folder, "2026-10", &[])), 0);
    assert_eq!(show(folder).1["closes"], serde_json::json!(["2026-10"]));
    for (month, problem) in [
        ("2026-10", "2026-10 is closed already"),
        ("2026-09", "the next one is 2026-11"),
        ("2026-12", "the next one is 2026-11"),
    ] {
        let refused = close(folder, month, &["--force"]);
        assert_eq!(code(&refused), 2, "{month}: {}", printed(&refused));
        assert!(stderr(&refused).contains(problem), "{month}: {}", printed(&refused));
    }
    // A close that was changed is damage to what is built on it, and `verify` says so of itself.
    let summary = folder.join("closes/2026-10/summary.json");
    let text = fs::read_to_string(&summary).expect("readable");
    fs::write(&summary, text.replace("\"orders\": 31", "\"orders\": 30")).expect("writable");
    assert_eq!(code(&verify(&folder.join("closes/2026-10"), &[])), 1);
    let refused = close(folder, "2026-11", &["--force"]);
    assert_eq!(code(&refused), 4, "{}", printed(&refused));
    assert!(stderr(&refused).contains("the close of 2026-10 is not proven"), "{}", printed(&refused));
    assert_eq!(show(folder).0, 4);
}

#[test]
fn closes_are_a_chain_and_a_moved_dataset_proves_its_own() {
    let place = Place::new();
    let dataset = october(&place, 1..=31);
    (1..=30).for_each(|day| night(&dataset, &format!("2026-11-{day:02}T02:00:00Z").replace("11-30", "11-29"), false));
    let folder = dataset.folder();
    assert_eq!(code(&close(folder, "2026-10", &[])), 0);
    assert_eq!(code(&close(folder, "2026-11", &["--force"])), 3, "it is not over");
    let moved = place.path("moved");
    fs::rename(folder, &moved).expect("movable");
    let (first, second) = (moved.join("closes/2026-10"), moved.join("closes/2026-11"));
    let link = ReportFiles(second.clone()).json("manifest.json")["previous"].clone();
    assert_eq!(link["report"], "2026-10");
    let proven = verify(&second, &[]);
    assert_eq!(code(&proven), 0, "{}", printed(&proven));
    // Without the first, the second is no longer proven, and nothing is built on it or said of its months.
    fs::remove_dir_all(&first).expect("removable");
    let broken = verify(&second, &[]);
    assert_eq!(code(&broken), 1, "{}", printed(&broken));
    let audited = audit(&moved, &place.path("audit"), &[]);
    let shown = tieout().arg("dataset").arg(&moved).output().expect("starts");
    let next = close(&moved, "2026-12", &["--force"]);
    for ended in [&broken, &audited, &shown, &next] {
        assert!(printed(ended).contains("when 2026-10 was closed in another way, or not at all"), "{}", printed(ended));
    }
    assert_eq!([code(&shown), code(&next)], [4, 4]);
}
