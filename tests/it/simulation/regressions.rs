//! Regression tests: nights on which a clean report was once wrong.

mod dataset;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tieout::report::folder::ReportFolder;
use tieout::store::{NewRun, Store};

use super::server::Provider;
use super::truth::{Failure, Order, RELEASED, Reply};
use crate::support::{Place, ReportFiles, code, stderr, stdout, tieout};

/// A state and a reports folder, and a provider with orders that tie out.
struct Scene {
    place: Place,
    provider: Provider,
}

impl Scene {
    fn new(orders: usize) -> Self {
        // Quote 0.50000000, charge 0.20000000, of which 0.05000000 for an external model.
        let figures = [50_000_000, 20_000_000, 30_000_000, 15_000_000, 5_000_000, 20_000_000];
        let orders = (0..orders).map(|number| Order::settled(format!("wfrun_{number:020x}"), figures));
        Self { place: Place::new(), provider: Provider::start(orders.collect()) }
    }

    fn ids(&self) -> Vec<String> {
        self.provider.desk().orders.iter().map(|order| order.id.clone()).collect()
    }

    /// Writes an input of that name with these rows below the heading.
    fn input(&self, name: &str, heading: &str, rows: &[String]) {
        let path = self.place.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs::write(path, format!("{heading}\n{}\n", rows.join("\n"))).expect("writable");
    }

    /// An input of all orders.
    fn all(&self) {
        self.input("ids.csv", "run_order_id", &self.ids());
    }

    fn change(&self, order: usize, change: impl FnOnce(&mut Order)) {
        change(&mut self.provider.desk().orders[order]);
    }

    /// Sets an order's charge, in cents, and all amounts that follow from it.
    fn charge(&self, order: usize, cents: i128) {
        let charge = cents * 1_000_000;
        self.change(order, |order| {
            order.figures = [50_000_000, charge, 50_000_000 - charge, charge - 5_000_000, 5_000_000, charge];
        });
    }

    fn command(&self, night: usize, input: &str, arguments: &[&str]) -> Command {
        let url = format!("http://127.0.0.1:{}/api/open/v2", self.provider.port);
        let as_of = format!("2026-06-{night:02}T00:00:00Z");
        let mut command = tieout();
        command.current_dir(self.place.path("")).env("CHENYU_API_KEY", "cy_nights");
        command.args(["reconcile", input, "--rate", "0", "--format", "csv", "-q", "--as-of", &as_of]);
        command.args(["--api-url", &url]).args(arguments);
        command
    }

    fn run(&self, night: usize, input: &str, arguments: &[&str]) -> Output {
        self.command(night, input, arguments).output().expect("starts")
    }

    /// Runs one night; returns its exit code.
    fn night(&self, night: usize, input: &str, arguments: &[&str]) -> i32 {
        self.provider.begin_start();
        let ended = self.run(night, input, arguments);
        let verify = tieout().current_dir(self.place.path("")).args(["verify", "reports/latest"]).output();
        let verify = verify.expect("starts");
        assert_eq!(code(&verify), 0, "night {night}: {}{}", stderr(&ended), stdout(&verify));
        code(&ended)
    }

    fn report(&self) -> ReportFiles {
        ReportFiles(self.place.path("reports/latest"))
    }

    /// Check, field and lifecycle of every discrepancy.
    fn found(&self) -> Vec<[String; 3]> {
        let rows = self.report().rows("discrepancies.csv");
        rows.into_iter().map(|row| ["check", "field", "lifecycle"].map(|name| row[name].clone())).collect()
    }

    fn resolved(&self) -> Vec<String> {
        self.report().rows("resolved.csv").into_iter().map(|row| row["check"].clone()).collect()
    }

    fn not_assessed(&self) -> u64 {
        self.report().json("summary.json")["lifecycle"]["not_assessed"].as_u64().expect("a count")
    }

    /// The orders with spend; each has its own workflow.
    fn spent(&self) -> BTreeSet<String> {
        let rows = self.report().rows("spend_by_workflow.csv");
        rows.into_iter().map(|row| row["workflow_id"].clone()).collect()
    }

    fn waive(&self, entries: &str) {
        let entries = entries.replace("[[waiver]]", "[[waiver]]\nowner = 'a'\nreason = 'b'\nexpires = '2099-12-31'");
        self.place.file("w.toml", entries);
    }
}

fn found(check: &str, field: &str, lifecycle: &str) -> [String; 3] {
    [check, field, lifecycle].map(str::to_owned)
}

#[test]
fn a_restatement_shows_every_night_whether_fetched_or_reused() {
    let scene = Scene::new(2);
    scene.all();
    assert_eq!(scene.night(1, "ids.csv", &[]), 0);
    scene.charge(0, 40);
    assert_eq!(scene.night(2, "ids.csv", &[]), 1);
    for night in 3..5 {
        assert_eq!(scene.night(night, "ids.csv", &["--reuse-settled", "30d"]), 1);
        assert_eq!(scene.found(), [found("restated", "final_amount", "persisting")]);
        assert!(scene.resolved().is_empty());
    }
}

#[test]
fn a_run_is_not_continued_under_another_column() {
    let scene = Scene::new(40);
    let (parents, own) = (scene.ids()[..20].to_vec(), scene.ids()[20..].to_vec());
    let rows: Vec<String> = parents.iter().zip(&own).map(|(parent, id)| format!("{parent},{id}")).collect();
    scene.input("ids.csv", "parent_id,run_order_id", &rows);
    scene.change(10, |order| order.fault = Some(Reply::Failed(Failure::Internal)));
    assert_eq!(scene.night(1, "ids.csv", &["--column", "parent_id", "--retries", "0"]), 3);
    assert_eq!(scene.night(1, "ids.csv", &[]), 0);
    assert_eq!(scene.spent(), own.iter().map(|id| Order::workflow(id)).collect());
}

#[test]
fn rows_read_from_a_changed_file_are_not_kept_for_the_original() {
    let scene = Scene::new(100);
    // Long rows, so that the file is read in several pieces.
    let rows: Vec<String> = scene.ids().iter().map(|id| format!("{id},{}", "x".repeat(2_000))).collect();
    scene.input("ids.csv", "run_order_id,note", &rows);
    let path = scene.place.path("ids.csv");
    let original = fs::read_to_string(&path).expect("readable");
    // Overwritten in place, as by rsync: the last row takes the place of the one before it.
    let (last, second_last) = (&scene.ids()[99], &scene.ids()[98]);
    let changed = original.replace(last.as_str(), "*").replace(second_last.as_str(), last).replace('*', second_last);
    scene.provider.begin_start();
    let swap = |text: &str| overwrite(&path, text);
    let first = std::thread::scope(|threads| {
        scene.provider.lay_trap(5, true);
        let job = threads.spawn(|| scene.run(1, "ids.csv", &["--concurrency", "1"]));
        assert!(scene.provider.wait_for_trap(std::time::Duration::from_secs(60)), "it asks");
        swap(&changed);
        scene.provider.release(super::server::Release::Serve);
        job.join().expect("no panic")
    });
    assert_eq!(code(&first), 4, "{}", stderr(&first));
    swap(&original);
    assert_eq!(scene.night(1, "ids.csv", &[]), 0);
    assert_eq!(scene.report().population("reconciled"), 100);
    assert_eq!(scene.spent().len(), 100);
}

fn overwrite(path: &Path, text: &str) {
    let mut file = fs::OpenOptions::new().write(true).open(path).expect("writable");
    std::io::Write::write_all(&mut file, text.as_bytes()).expect("writable");
    file.set_len(text.len() as u64).expect("writable");
}

#[test]
fn a_waiver_does_not_cover_later_changes() {
    let scene = Scene::new(1);
    let id = scene.ids()[0].clone();
    let books = |rows: &[&str]| {
        let rows: Vec<String> = rows.iter().map(|row| format!("{id},{row}")).collect();
        scene.input("ids.csv", "run_order_id,ours,quote", &rows);
    };
    let expect = ["--expect", "final=ours", "--expect", "quote=quote", "--waivers", "w.toml"];
    scene.waive(&format!(
        "[[waiver]]\norder = '{id}'\ncheck = 'expected-mismatch'\nfield = 'final_amount'\ndifference = '0.05'\n"
    ));
    books(&["0.15,0.50"]);
    assert_eq!(scene.night(1, "ids.csv", &expect), 0);
    books(&["0.15,0.51"]);
    assert_eq!(scene.night(2, "ids.csv", &expect), 1, "another field");
    books(&["0.15,0.50", "77.00,0.50"]);
    assert_eq!(scene.night(3, "ids.csv", &expect), 1, "another row");
    let waived: Vec<bool> =
        scene.report().rows("discrepancies.csv").iter().map(|row| row["waived"] == "true").collect();
    assert_eq!(waived, [false, true, false], "booked twice, the waived figure, the second row");
}

#[test]
fn a_finding_that_was_not_judged_is_not_resolved_and_persists_later() {
    let scene = Scene::new(1);
    let id = scene.ids()[0].clone();
    scene.input("ids.csv", "run_order_id,ours", &[format!("{id},0.15")]);
    assert_eq!(scene.night(1, "ids.csv", &["--expect", "final=ours"]), 1);
    assert_eq!(scene.night(2, "ids.csv", &[]), 0);
    assert_eq!((scene.resolved(), scene.not_assessed()), (vec![], 1));
    assert_eq!(scene.night(3, "ids.csv", &["--expect", "final=ours"]), 1);
    assert_eq!(scene.found(), [found("expected-mismatch", "final_amount", "persisting")]);
    scene.input("ids.csv", "run_order_id,ours", &[format!("{id},0.2")]);
    assert_eq!(scene.night(4, "ids.csv", &["--expect", "final=ours"]), 0);
    assert_eq!((scene.resolved(), scene.not_assessed()), (vec!["expected-mismatch".to_owned()], 0));
}

#[test]
fn an_order_that_leaves_for_a_night_keeps_its_lifecycle() {
    let scene = Scene::new(2);
    scene.change(0, |order| order.figures[2] += 1);
    scene.all();
    assert_eq!(scene.night(1, "ids.csv", &[]), 1);
    scene.input("ids.csv", "run_order_id", &scene.ids()[1..]);
    assert_eq!(scene.night(2, "ids.csv", &[]), 0);
    assert_eq!((scene.resolved(), scene.not_assessed()), (vec![], 1));
    scene.all();
    assert_eq!(scene.night(3, "ids.csv", &[]), 1);
    assert_eq!(scene.found(), [found("quote-split", "", "persisting")]);
}

#[test]
fn inputs_in_different_folders_are_apart_and_dated_names_are_one_series() {
    let scene = Scene::new(3);
    let ids = scene.ids();
    let row = |at: usize| vec![format!("{},0.15", ids[at])];
    let expect = ["--expect", "final=ours"];
    for (name, at) in [("a/ids.csv", 0), ("b/ids.csv", 1), ("a/ids-20260601.csv", 2)] {
        scene.input(name, "run_order_id,ours", &row(at));
        assert_eq!(scene.night(1 + at, name, &expect), 1);
    }
    for (name, at) in [("a/ids.csv", 0), ("b/ids.csv", 1), ("a/ids-20260602.csv", 2)] {
        scene.input(name, "run_order_id,ours", &row(at));
        assert_eq!(scene.night(4 + at, name, &expect), 1);
        assert_eq!(scene.found(), [found("expected-mismatch", "final_amount", "persisting")], "{name}");
    }
    // The same order in a different input has different books.
    scene.input("c/ids.csv", "run_order_id,ours", &row(0));
    assert_eq!(scene.night(9, "c/ids.csv", &expect), 1);
    assert_eq!(scene.found(), [found("expected-mismatch", "final_amount", "new")]);
}

#[test]
fn a_malformed_order_does_not_keep_the_as_of_of_the_first_start() {
    let scene = Scene::new(2);
    scene.all();
    scene.change(0, |order| order.fault = Some(Reply::Malformed));
    assert_eq!(scene.night(1, "ids.csv", &[]), 3);
    assert_eq!(scene.night(2, "ids.csv", &[]), 3);
    assert_eq!(scene.report().json("summary.json")["as_of"], "2026-06-02T00:00:00Z");
}

#[test]
fn a_vanished_order_is_a_finding_with_its_last_figures() {
    let scene = Scene::new(2);
    scene.all();
    assert_eq!(scene.night(1, "ids.csv", &[]), 0);
    scene.change(0, |order| order.is_gone = true);
    for (night, lifecycle) in [(2, "new"), (3, "persisting")] {
        assert_eq!(scene.night(night, "ids.csv", &["--reuse-settled", "30d"][..if night == 2 { 0 } else { 2 }]), 1);
        assert_eq!(scene.found(), [found("vanished", "", lifecycle)]);
        let row = scene.report().rows("discrepancies.csv").remove(0);
        let shown = ["expected", "actual", "settlement_status"].map(|name| row[name].as_str());
        assert_eq!(shown, ["0.20000000", "", "settled"]);
        assert_eq!(scene.report().population("not_found"), 1);
    }
    let id = &scene.ids()[0];
    scene.waive(&format!("[[waiver]]\norder = '{id}'\ncheck = 'not-found'\n"));
    assert_eq!(scene.night(4, "ids.csv", &["--waivers", "w.toml"]), 1);
    scene.waive(&format!("[[waiver]]\norder = '{id}'\ncheck = 'vanished'\nexpected = '0.20'\nactual = ''\n"));
    assert_eq!(scene.night(5, "ids.csv", &["--waivers", "w.toml"]), 0);
    assert_eq!(scene.report().population("waived"), 1);
    scene.change(0, |order| order.is_gone = false);
    assert_eq!(scene.night(6, "ids.csv", &[]), 0);
    assert_eq!(scene.resolved(), ["vanished"]);
}

/// The state is edited by hand to look like that of a job killed between publishing its report and recording that.
#[test]
fn a_report_counts_although_its_job_was_killed_before_it_could_note_it() {
    let scene = Scene::new(2);
    scene.all();
    scene.change(0, |order| order.figures[RELEASED] += 1);
    assert_eq!(scene.night(1, "ids.csv", &[]), 1);
    let report = ReportFolder::open(&scene.place.path("reports/latest")).expect("a report");
    let stamp = report.manifest().expect("its manifest").stamp;
    let begun = NewRun {
        base_url: stamp.base_url,
        input_place: scene.place.path("ids.csv").display().to_string(),
        input_name: stamp.input.name,
        input_sha256: stamp.input.sha256,
        rows: stamp.input.rows,
        reading: "another".into(),
        settings: "{}".into(),
        as_of: stamp.as_of,
        started_at: stamp.started_at,
    };
    let state = scene.place.path("killed.sqlite");
    let mut store = Store::open(&state).expect("a state");
    let run = store.begin(&begun).expect("a run");
    store.announce(run, report.manifest_sha256(), &scene.place.path("reports"), None).expect("announced");
    drop(store);

    let run = scene.run(2, "ids.csv", &["--state", "killed.sqlite", "-v"]);
    assert_eq!(code(&run), 1, "{}", stderr(&run));
    assert_eq!(scene.found(), [found("quote-split", "", "persisting")]);
    let runs = Store::open(&state).expect("a state").runs().expect("its runs");
    assert!(runs.iter().all(|run| run.ended.is_some() && run.unrecorded().is_none()), "{runs:?}");
    // A report that was never published does not count.
    let mut store = Store::open(&state).expect("a state");
    let run = store.begin(&begun).expect("a run");
    store.announce(run, "00ff", &scene.place.path("reports"), None).expect("announced");
    drop(store);
    assert_eq!(code(&scene.run(3, "ids.csv", &["--state", "killed.sqlite"])), 1);
    assert_eq!(Store::open(&state).expect("a state").run(run).expect("the run").ended, None);
}

/// A slow provider clock may be a stale reply, a gateway's time or a wrong year, so ours counts.
#[test]
fn a_slow_provider_clock_excuses_no_order() {
    for seconds in [-400 * 86_400, -3 * 3_600, 3 * 3_600] {
        let scene = Scene::new(3);
        scene.input("ids.csv", "run_order_id", &scene.ids()[..2]);
        scene.provider.desk().clock_ahead = seconds;
        let mut command = tieout();
        command.current_dir(scene.place.path("")).env("CHENYU_API_KEY", "cy_nights");
        command.args(["reconcile", "ids.csv", "--rate", "0", "--format", "csv", "--complete", "--api-url"]);
        command.arg(format!("http://127.0.0.1:{}/api/open/v2", scene.provider.port));
        let ended = command.output().expect("starts");
        assert_eq!(code(&ended), 1, "{seconds}: {}", stderr(&ended));
        assert_eq!(scene.found(), [found("unlisted-in-input", "", "new")]);
        assert!(stderr(&ended).contains("the clock of this machine is"), "{}", stderr(&ended));
    }
}

/// A reused order can't disprove a list, so orders that the list lacks are fetched.
#[test]
fn a_list_that_lacks_reused_orders_is_not_believed() {
    let reused = ["--complete", "--reuse-settled", "30d"];
    let scene = Scene::new(3);
    scene.all();
    assert_eq!(scene.night(1, "ids.csv", &["--complete"]), 0);
    scene.provider.desk().list_cap = Some(1);
    assert_eq!(scene.night(2, "ids.csv", &reused), 3);
    assert_eq!(scene.night(3, "ids.csv", &[&reused[..], &["--confirm=false", "--fresh"]].concat()), 3);
    // If those orders are gone, the list is right.
    scene.provider.desk().list_cap = None;
    (1..3).for_each(|order| scene.change(order, |order| order.is_gone = true));
    assert_eq!(scene.night(4, "ids.csv", &[&reused[..], &["--fresh"]].concat()), 1);
    assert_eq!(scene.found(), [found("vanished", "", "new"), found("vanished", "", "new")]);
}

/// One page from a gateway must not hide the orders that are reused.
#[test]
fn reused_orders_are_reported_although_no_request_succeeds() {
    let scene = Scene::new(3);
    scene.all();
    scene.change(2, |order| order.is_settled = false);
    assert_eq!(scene.night(1, "ids.csv", &[]), 0);
    scene.change(2, |order| order.fault = Some(Reply::Failed(Failure::Gateway(404))));
    assert_eq!(scene.night(2, "ids.csv", &["--reuse-settled", "30d", "--retries", "0"]), 3);
    let population = &scene.report().json("summary.json")["population"];
    assert_eq!((&population["reconciled"], &population["unfetched"]), (&2.into(), &1.into()));
}
