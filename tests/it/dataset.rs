//! Datasets: what `reconcile --dataset` and `dataset import` append, and what DuckDB reads in it.

mod audit;
mod buckets;
pub mod close;
pub mod engines;
mod hostile;
mod months;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tieout::domain::days::{DayBy, Days, Zone};
use tieout::domain::facts::OrderFacts;
use tieout::domain::money::Sum;
use tieout::domain::order::RunOrder;
use tieout::domain::outcome::CreatedBefore;
use tieout::history::{Dataset, Identity, Known, NewRun, RunRecord};
use tieout::sandbox::{KEY, Options};

use self::hostile::hostile_nights;
use crate::readers::{printed, reader};
use crate::support::{Place, Server, code, files_below, repository, stdout, tieout};

const NIGHT: [&str; 3] = ["--sandbox", "--as-of", "2026-06-01T00:00:00Z"];

fn night(place: &Place, arguments: &[&str]) -> Output {
    let mut run = place.reconcile(repository("sample_data/ids.csv"));
    run.args(NIGHT).args(["--format", "csv", "--fresh"]).args(arguments);
    run.output().expect("starts")
}

fn show(dataset: &Path) -> (i32, Value) {
    let shown = tieout().arg("dataset").arg(dataset).args(["--output", "json"]).output().expect("starts");
    (code(&shown), serde_json::from_str(&stdout(&shown)).unwrap_or(Value::Null))
}

fn import(reports: &Path, dataset: &Path) -> Output {
    let mut import = tieout();
    import.args(["dataset", "import"]).arg(reports).arg("--dataset").arg(dataset);
    import.output().expect("starts")
}

/// What DuckDB reads: by order, the cells that `tests/readers/dataset.py` prints.
fn read(dataset: &Path) -> BTreeMap<String, Vec<Value>> {
    let reading = reader("dataset.py", &[dataset]);
    assert!(reading.status.success(), "{}", printed(&reading));
    let rows =
        stdout(&reading).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect::<Vec<Vec<Value>>>();
    let count = rows.len();
    let by_order: BTreeMap<String, Vec<Value>> =
        rows.into_iter().map(|row| (row[0].as_str().expect("an ID").to_owned(), row)).collect();
    assert_eq!(by_order.len(), count, "no order is in two days");
    by_order
}

#[test]
fn a_night_is_appended_and_told() {
    let place = Place::new();
    let dataset = place.path("history");
    let ended = night(&place, &["--dataset", dataset.to_str().expect("a path")]);
    assert_eq!(code(&ended), 1, "{}", printed(&ended));
    let fetched = place.report().json("summary.json");
    let population = &fetched["population"];
    let count = |bucket: &str| population[bucket].as_u64().expect("a count");
    let orders = count("reconciled") + count("discrepant") + count("pending");
    let (exit, contents) = show(&dataset);
    let exceptions = count("not_found") + count("refused") + count("malformed") + count("unfetched");
    // An order whose reply is about another one is discrepant, but nothing of it is known.
    let foreign = fetched["checks"]["identity-mismatch"]["orders"].as_u64().expect("a count");
    assert!(foreign > 0);
    assert_eq!(exit, 0);
    assert_eq!(contents["runs"], 1);
    assert_eq!(contents["observations"], orders - foreign, "{fetched}");
    assert_eq!(contents["exceptions"], exceptions + foreign);
    assert!(stdout(&ended).contains(&format!("history ({} orders appended)", orders - foreign)), "{}", stdout(&ended));
    // The control totals are those of all orders, the report's those of the settled ones.
    assert_eq!(read(&dataset).len() as u64, orders - foreign);
}

#[test]
fn an_import_brings_each_report_once() {
    let place = Place::new();
    let reports = place.path("reports");
    for number in 1..=3 {
        let as_of = format!("2026-06-0{number}T00:00:00Z");
        let mut run = place.reconcile(repository("sample_data/ids.csv"));
        run.args(["--sandbox", "--as-of", &as_of, "--format", "csv", "--fresh"]);
        // `Place::reconcile` names a folder for one report: the last option wins.
        let run = run.arg("--out").arg(reports.join(number.to_string())).output().expect("starts");
        assert_eq!(code(&run), 1, "{}", printed(&run));
    }
    let audit = tieout().arg("audit").arg(reports.join("1")).arg("--out").arg(reports.join("audit")).output();
    assert_eq!(code(&audit.expect("starts")), 1);
    let dataset = place.path("history");
    let said = import(&reports, &dataset);
    assert_eq!((code(&said), stdout(&said).contains("history: 3 (orders: 588)")), (0, true), "{}", printed(&said));
    let before = files_below(&dataset);
    let again = import(&reports, &dataset);
    assert!(
        stdout(&again).contains("history: 0 (orders: 0); there already: 3; audits, which observe nothing: 1"),
        "{}",
        printed(&again)
    );
    assert_eq!(files_below(&dataset), before);
    assert_eq!(show(&dataset).1["runs"], 3);
}

#[test]
fn a_damaged_report_is_not_imported() {
    let place = Place::new();
    assert_eq!(code(&night(&place, &[])), 1);
    let facts = place.path("report").join("run_orders.parquet");
    let mut bytes = fs::read(&facts).expect("readable");
    bytes[50] ^= 1;
    fs::write(&facts, bytes).expect("writable");
    let said = import(&place.path("report"), &place.path("history"));
    assert_eq!(code(&said), 4, "{}", printed(&said));
    assert!(printed(&said).contains("run_orders.parquet"), "{}", printed(&said));
    assert!(!place.path("history").exists(), "nothing was begun");
}

#[test]
fn a_dataset_of_other_orders_is_refused_before_anything_is_fetched() {
    let place = Place::new();
    let dataset = place.path("history");
    let path = dataset.to_str().expect("a path");
    assert_eq!(code(&night(&place, &["--dataset", path])), 1);
    for (arguments, what) in [(["--timezone", "UTC"], "time zone"), (["--account", "Other"], "account")] {
        let refused = night(&place, &[&["--dataset", path][..], &arguments].concat());
        assert_eq!(code(&refused), 2, "{}", printed(&refused));
        assert!(printed(&refused).contains(&format!("has the {what}")), "{}", printed(&refused));
    }
    let other = place.path("other");
    fs::create_dir(&other).expect("writable");
    fs::write(other.join("thesis.txt"), "x").expect("writable");
    let refused = night(&place, &["--dataset", other.to_str().expect("a path")]);
    assert_eq!(code(&refused), 2, "{}", printed(&refused));
    assert_eq!(files_below(&other).len(), 1);
}

#[test]
fn a_night_that_could_not_be_appended_is_made_up_for() {
    let place = Place::new();
    let dataset = place.path("history");
    let path = dataset.to_str().expect("a path");
    let night = |number: u32, arguments: &[&str]| {
        let mut run = place.reconcile(repository("sample_data/ids.csv"));
        run.args(["--sandbox", "--format", "csv", "--fresh", "--dataset", path]).args(arguments);
        run.arg("--as-of").arg(format!("2026-06-0{number}T00:00:00Z"));
        let run = run.arg("--out").arg(place.path(&number.to_string())).output().expect("starts");
        assert_eq!(code(&run), 1, "{}", printed(&run));
        printed(&run)
    };
    night(1, &[]);
    // Nothing can be written into a file.
    let runs = dataset.join("runs");
    let aside = dataset.join("aside");
    fs::rename(&runs, &aside).expect("writable");
    fs::write(&runs, "").expect("writable");
    let said = night(2, &[]);
    assert!(said.contains("warning: nothing was appended to the dataset"), "{said}");
    fs::remove_file(&runs).expect("removable");
    fs::rename(&aside, &runs).expect("writable");
    assert_eq!(show(&dataset).1["runs"], 1);
    night(3, &[]);
    let (exit, contents) = show(&dataset);
    assert_eq!((exit, &contents["runs"]), (0, &Value::from(3)), "{contents}");
}

/// The newest observation of an order is that of the run which saw it, though the run was continued and so ended later.
#[test]
fn what_another_run_saw_between_the_jobs_of_a_continued_one_counts() {
    let place = Place::new();
    let server = Server::start(Options { journal: true, ..Options::default() });
    let (dataset, url) = (place.path("history"), server.url.clone());
    let job = |rate: &str| {
        let mut job = place.reconcile(repository("sample_data/ids.csv"));
        job.args([
            "--api-url",
            &url,
            "--rate",
            rate,
            "--format",
            "csv",
            "--as-of",
            "2026-06-01T00:00:00Z",
            "--dataset",
        ]);
        job.arg(&dataset).env("CHENYU_API_KEY", KEY);
        job
    };
    let mut first = job("50").stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
    while server.journal.arrivals().len() < 90 {
        thread::sleep(Duration::from_millis(20));
    }
    first.kill().expect("SIGKILL");
    first.wait().expect("it ends");
    let mut between = job("0");
    between.arg("--state").arg(place.path("other.sqlite")).arg("--out").arg(place.path("other"));
    assert_eq!(code(&between.output().expect("starts")), 1);
    let continued = job("0").output().expect("starts");
    assert_eq!(code(&continued), 1, "{}", printed(&continued));
    let records: Vec<Vec<Value>> = files_below(&dataset.join("runs"))
        .into_iter()
        .map(|record| {
            let text = fs::read_to_string(record).expect("readable");
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
        })
        .collect();
    assert_eq!(records.len(), 2);
    let (one_job, two_jobs) = records.iter().partition::<Vec<_>, _>(|lines| lines.len() == 1);
    let (between, continued) = (&one_job[0][0]["run"], &two_jobs[0][0]["run"]);
    let mut counts = BTreeMap::<String, i32>::new();
    for row in read(&dataset).into_values() {
        *counts.entry(row.last().and_then(Value::as_str).expect("a run").to_owned()).or_default() += 1;
    }
    // What the first job saw is older than what was seen in between.
    let seen = |run: &Value| run.as_str().and_then(|run| counts.get(run)).copied().unwrap_or_default();
    assert!(seen(between) > 20 && seen(continued) > 20, "{counts:?}");
    assert_eq!(seen(between) + seen(continued), counts.values().sum::<i32>());
    assert_eq!(show(&dataset).0, 0);
}

#[test]
fn damage_is_exit_4_and_named() {
    let place = Place::new();
    let dataset = place.path("history");
    assert_eq!(code(&night(&place, &["--dataset", dataset.to_str().expect("a path")])), 1);
    let file = files_below(&dataset.join("orders")).pop().expect("a file");
    let honest = fs::read(&file).expect("readable");
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    fs::write(&file, &honest[1..]).expect("writable");
    let shown = tieout().arg("dataset").arg(&dataset).output().expect("starts");
    assert_eq!(code(&shown), 4, "{}", printed(&shown));
    assert!(printed(&shown).contains(&name) && printed(&shown).contains("is damaged: 1 file"), "{}", printed(&shown));
    fs::write(&file, &honest).expect("writable");
    assert_eq!(show(&dataset).0, 0);
    fs::copy(&file, dataset.join("orders/stray.parquet")).expect("writable");
    let (exit, contents) = show(&dataset);
    assert_eq!((exit, &contents["uncounted"][0]), (0, &Value::from("orders/stray.parquet")));
    for (wrong, problem) in
        [("nowhere", "there is no such folder"), (env!("CARGO_MANIFEST_DIR"), "it has no dataset.json")]
    {
        let shown = tieout().args(["dataset", wrong]).output().expect("starts");
        assert_eq!(code(&shown), 2, "{}", printed(&shown));
        assert!(printed(&shown).contains(problem), "{}", printed(&shown));
    }
    let shown = tieout().arg("dataset").arg(&file).output().expect("starts");
    assert_eq!(code(&shown), 2, "{}", printed(&shown));
    let other = place.file("other", "x");
    let refused = night(&place, &["--dataset", other.to_str().expect("a path")]);
    assert_eq!(code(&refused), 2, "{}", printed(&refused));
    assert!(printed(&refused).contains("it is not a folder"), "{}", printed(&refused));
}

fn identity(zone: &Zone) -> Identity {
    Identity::new(zone.clone(), "https://api.example/v2".to_owned(), None)
}

fn started(number: i64) -> NewRun {
    let first = "2026-10-01T00:00:00Z".parse::<Timestamp>().expect("a time");
    NewRun { manifest_sha256: format!("{number:064}"), ..run_at(first + SignedDuration::from_hours(number)) }
}

/// A run that started at a time.
fn run_at(started_at: Timestamp) -> NewRun {
    NewRun {
        started_at,
        as_of: started_at,
        manifest_sha256: format!("{:064}", started_at.as_second()),
        list_incomplete: false,
        replaces: Vec::new(),
    }
}

#[test]
fn duckdb_reads_the_newest_observation_of_hostile_orders_to_the_last_digit() {
    const ORDERS: usize = 1000;
    let zone = Zone::named("America/St_Johns").expect("a zone");
    let days = Days { zone: zone.clone(), by: DayBy::Created };
    let place = Place::new();
    let dataset = Dataset::open_or_create(&place.path("history"), &identity(&zone)).expect("a dataset");
    let nights = hostile_nights(ORDERS);
    let mut newest: BTreeMap<&str, (usize, &RunOrder)> = BTreeMap::new();
    for (night, seen) in nights.iter().enumerate() {
        newest.extend(seen.iter().map(|(id, order, _)| (id.as_str(), (night, order))));
    }
    // Appended in a different order than the nights', with a compaction in between and one at the end.
    let mut runs = BTreeMap::new();
    for night in [2, 0, 3, 1] {
        let mut append = dataset.append(&started(i64::try_from(night).expect("small"))).expect("writable");
        for (id, order, moved) in &nights[night] {
            let before = moved.as_ref().map(|before| CreatedBefore(before.created_at));
            append
                .order(id, &OrderFacts::of(order), Known { settled: order.is_settled(), before, ..Known::default() })
                .expect("writable");
        }
        runs.insert(night, append.commit().expect("writable"));
        if night == 3 {
            dataset.compact().expect("writable");
        }
    }
    assert!(runs.values().map(|run| run.moved).sum::<u64>() > 100, "days do move");
    for is_compacted in [false, true] {
        if is_compacted {
            dataset.compact().expect("writable");
        }
        let read = read(dataset.folder());
        assert_eq!(read.len(), ORDERS);
        for (id, (night, order)) in &newest {
            let text = |text: Option<String>| text.map_or(Value::Null, Value::String);
            let day =
                order.created_at.map_or_else(|| "1970-01-01".to_owned(), |time| days.day_of(time).date.to_string());
            let amounts =
                order.amounts.in_order().map(|amount| text(amount.map(|amount| Sum::from(amount).to_string())));
            let mut expected = vec![Value::from(*id), day.into(), text(order.workflow_id.clone())];
            expected.extend(amounts);
            expected.push(text(order.created_at.map(|time| time.as_microsecond().to_string())));
            expected.extend([Value::from(order.is_settled()), Value::from(runs[night].run.clone())]);
            assert_eq!(read[*id], expected, "{id}");
        }
    }
}

#[test]
fn duckdb_leaves_out_where_an_order_no_longer_belongs() {
    let place = Place::new();
    let zone = Zone::named("UTC").expect("a zone");
    let dataset = Dataset::open_or_create(&place.path("history"), &identity(&zone)).expect("a dataset");
    let at = |text: &str| RunOrder { created_at: text.parse().ok(), ..RunOrder::default() };
    let (first, second) = (at("2026-10-01T00:00:00Z"), at("2026-10-05T00:00:00Z"));
    for (number, order, earlier) in [(1, &first, None), (2, &second, Some(&first)), (3, &first, Some(&second))] {
        let mut append = dataset.append(&started(number)).expect("writable");
        let before = earlier.map(|earlier: &RunOrder| CreatedBefore(earlier.created_at));
        append
            .order("a", &OrderFacts::of(order), Known { settled: false, before, ..Known::default() })
            .expect("writable");
        append.commit().expect("writable");
        let day = order.created_at.expect("a time").to_string()[..10].to_owned();
        assert_eq!(read(dataset.folder())["a"][1], Value::from(day), "after run {number}");
    }
}

#[test]
fn an_order_whose_creation_time_changes_counts_on_its_new_day_alone() {
    let place = Place::new();
    let dataset = place.path("history");
    let night = |server: &Server, as_of: &str| {
        let mut run = place.reconcile(repository("sample_data/ids.csv"));
        run.env("CHENYU_API_KEY", KEY).args(["--api-url", &server.url, "--as-of", as_of, "--format", "csv"]);
        let run = run.arg("--dataset").arg(&dataset).output().expect("starts");
        // One of the other orders is malformed.
        assert!([1, 3].contains(&code(&run)), "{}", printed(&run));
    };
    let first = Server::start(Options::default());
    night(&first, "2026-06-01T00:00:00Z");
    let (port, before) = (first.port(), read(&dataset));
    drop(first);
    // With another seed, the same IDs are other orders.
    let second = Server::start_at(port, Options { seed: 7, ..Options::default() });
    night(&second, "2026-06-02T00:00:00Z");
    let after = read(&dataset);
    let moved = before.iter().filter(|(id, row)| after.get(*id).is_some_and(|now| now[1] != row[1])).count();
    assert!(moved > 20, "{moved} orders moved");
    let mut verified = tieout();
    verified.arg("verify").arg(place.path("report")).arg("--state").arg(place.path("state.sqlite"));
    let verified = verified.output().expect("starts");
    assert!(stdout(&verified).contains("reperformance  holds"), "{}", printed(&verified));
    // Rebuilt from reports alone, the same.
    let from_reports = place.path("from-reports");
    assert_eq!(code(&import(&place.path("report"), &from_reports)), 0);
    let rebuilt = read(&from_reports);
    assert!(rebuilt.iter().all(|(id, row)| row[..11] == after[id][..11]), "the newest night says the same");
}

#[test]
fn four_writers_at_once_lose_nothing() {
    const RUNS: i64 = 6;
    let place = Place::new();
    let (folder, zone) = (place.path("history"), Zone::named("UTC").expect("a zone"));
    let write = |writer: i64| -> Vec<RunRecord> {
        let append = |number| {
            let dataset = Dataset::open_or_create(&folder, &identity(&zone)).expect("a dataset");
            let mut append = dataset.append(&started(number)).expect("writable");
            let order = RunOrder { created_at: "2026-10-01T00:00:00Z".parse().ok(), ..RunOrder::default() };
            append
                .order(
                    &format!("wfrun_{number}"),
                    &OrderFacts::of(&order),
                    Known { settled: false, ..Known::default() },
                )
                .expect("writable");
            append.commit().expect("writable")
        };
        (0..RUNS).map(|number| append(writer * RUNS + number)).collect()
    };
    let mut written: Vec<RunRecord> = thread::scope(|scope| {
        let writers: Vec<_> = (0..4).map(|writer| scope.spawn(move || write(writer))).collect();
        writers.into_iter().flat_map(|writer| writer.join().expect("no panic")).collect()
    });
    written.sort_by_key(|run| run.started_at);
    assert_eq!(Dataset::open(&folder).expect("a dataset").runs().expect("readable"), written);
    assert_eq!(read(&folder).len(), 24);
    assert_eq!(files_below(&folder.join("incoming")).len(), 0);
}

#[test]
fn a_writer_that_is_killed_at_any_moment_leaves_the_dataset_as_it_was_or_complete() {
    let place = Place::new();
    let (reports, dataset) = (place.path("report"), place.path("history"));
    let ids = place.file("ids.csv", "run_order_id\nwfrun_314ff7d8b7a5beff1388\nwfrun_d88de39449148030b6f2\nwfrun_1\n");
    let ended = place.reconcile(&ids).args(NIGHT).args(["--format", "csv"]).output().expect("starts");
    assert_eq!(code(&ended), 1, "{}", printed(&ended));
    let whole = place.path("whole");
    assert_eq!(code(&import(&reports, &whole)), 0);
    let observations = show(&whole).1["observations"].clone();
    let arguments = [Path::new("dataset"), Path::new("import"), &reports, Path::new("--dataset"), &dataset];
    let begin = || _ = fs::remove_dir_all(&dataset);
    kill_at_every_write(&arguments, begin, |nth| {
        if dataset.join("dataset.json").exists() {
            let (exit, contents) = show(&dataset);
            assert_eq!(exit, 0, "kill {nth}");
            assert!(
                [Value::from(0), observations.clone()].contains(&contents["observations"]),
                "kill {nth}: {contents}"
            );
        }
        assert_eq!(code(&import(&reports, &dataset)), 0, "kill {nth}");
        let (exit, contents) = show(&dataset);
        assert_eq!(
            (exit, &contents["observations"], &contents["runs"]),
            (0, &observations, &Value::from(1)),
            "kill {nth}"
        );
        assert_eq!(files_below(&dataset.join("incoming")).len(), 0, "kill {nth}: what the killed one left is removed");
    });
}

#[test]
fn a_compaction_that_is_killed_at_any_moment_loses_no_row() {
    let place = Place::new();
    let (zone, original) = (Zone::named("UTC").expect("a zone"), place.path("original"));
    let dataset = Dataset::open_or_create(&original, &identity(&zone)).expect("a dataset");
    for number in 1..=3 {
        let mut append = dataset.append(&started(number)).expect("writable");
        for (id, day) in [("a", 1), ("b", 2)] {
            let created_at = format!("2026-10-0{day}T00:00:00Z").parse().ok();
            let order = RunOrder { created_at, ..RunOrder::default() };
            append.order(id, &OrderFacts::of(&order), Known { settled: false, ..Known::default() }).expect("writable");
        }
        append.commit().expect("writable");
    }
    let (before, folder) = (read(&original), place.path("history"));
    let begin = || {
        let _ = fs::remove_dir_all(&folder);
        let copied = Command::new("cp").arg("-r").args([&original, &folder]).status().expect("starts");
        assert!(copied.success());
    };
    kill_at_every_write(&[Path::new("compact"), &folder], begin, |nth| {
        let (exit, contents) = show(&folder);
        assert_eq!((exit, &contents["observations"]), (0, &Value::from(6)), "kill {nth}: {contents}");
        assert_eq!(read(&folder), before, "kill {nth}");
        let again = tieout().arg("compact").arg(&folder).output().expect("starts");
        assert_eq!(code(&again), 0, "kill {nth}: {}", printed(&again));
        let (exit, contents) = show(&folder);
        assert_eq!((exit, &contents["files"], &contents["uncounted"]), (0, &Value::from(2), &serde_json::json!([])));
        assert_eq!(read(&folder), before, "kill {nth}");
    });
}

/// Runs the program with these arguments again and again, after `begin`, and kills it at its first write, its second, and
/// so on until it ends by itself. `check` sees what each kill left.
fn kill_at_every_write(arguments: &[&Path], begin: impl Fn(), check: impl Fn(usize)) {
    let version = Command::new("strace").arg("-V").output();
    assert!(version.is_ok_and(|version| version.status.success()), "strace is missing: run `make test`");
    for nth in 1..500 {
        begin();
        let mut run = Command::new("strace");
        run.args(["-f", "-qq", "-o", "/dev/null", "-e"]);
        run.arg(format!("inject=fsync,rename,renameat2,mkdir,unlink:signal=SIGKILL:when={nth}"));
        let ended = run.arg(tieout().get_program()).args(arguments).output().expect("starts");
        if ended.status.success() {
            assert!(nth > 10, "{nth} kills");
            return;
        }
        check(nth);
    }
    panic!("it never ends");
}
