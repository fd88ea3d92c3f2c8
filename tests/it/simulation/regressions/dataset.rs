//! What once went wrong between a run that is stopped, another run, and its continuation, all with one dataset.

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::super::calendar::IN_MAY;
use super::super::server::Release;
use super::Scene;
use crate::support::{ReportFiles, code, stderr, tieout};

const DATASET: [&str; 4] = ["--dataset", "history", "--concurrency", "1"];
const DAY: i64 = 24 * 3_600 * 1_000_000;

impl Scene {
    /// Begins a night and stops it at its n-th request, whose reply then comes or not.
    fn stopped(&self, night: usize, input: &str, at: usize, last: Release) {
        self.provider.begin_start();
        self.provider.lay_trap(at, true);
        let mut command = self.command(night, input, &DATASET);
        let mut run = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts");
        assert!(self.provider.wait_for_trap(Duration::from_secs(60)), "it asks for {at} orders");
        kill(Pid::from_raw(run.id().cast_signed()), Signal::SIGINT).expect("it can be stopped");
        std::thread::sleep(Duration::from_secs(1));
        self.provider.release(last);
        assert_eq!(run.wait().expect("ends").code(), Some(130));
    }

    /// An audit of the whole dataset.
    fn audit(&self) -> ReportFiles {
        let audit = self.place.path("audit");
        let mut command = tieout();
        command.arg("audit").arg(self.place.path("history")).arg("--out").arg(&audit).args(["--format", "csv", "-q"]);
        let ended = command.output().expect("starts");
        assert!([0, 1].contains(&code(&ended)), "{}", stderr(&ended));
        ReportFiles(audit)
    }

    /// How many orders the dataset has on each day.
    fn days(&self) -> Vec<(String, String)> {
        let rows = self.audit().rows("spend_by_day.csv");
        rows.into_iter().map(|row| (row["day"].clone(), row["orders"].clone())).collect()
    }
}

/// A run that is continued by a job which fetches nothing: its rows are as old as they were.
#[test]
fn a_job_that_reads_nothing_does_not_make_older_rows_newer() {
    let scene = Scene::new(3);
    scene.all();
    scene.input("some.csv", "run_order_id", &scene.ids()[..1]);
    // It is stopped at the last of its requests, of which it still takes the reply.
    scene.stopped(1, "ids.csv", 3, Release::Serve);
    scene.charge(0, 30);
    scene.night(1, "some.csv", &DATASET);
    scene.night(1, "ids.csv", &DATASET);
    let found = scene.audit().rows("discrepancies.csv");
    let restated: Vec<_> = found.iter().filter(|row| row["check"] == "restated").collect();
    assert_eq!(restated.len(), 1, "{found:?}");
    assert_eq!((&*restated[0]["expected"], &*restated[0]["actual"]), ("0.20000000", "0.30000000"));
}

/// A stopped run saw an order on one day, and another run saw it on a later one before the first was continued.
#[test]
fn an_order_that_moves_while_its_run_is_stopped_counts_on_one_day() {
    for was_known in [false, true] {
        let scene = Scene::new(4);
        scene.all();
        scene.input("some.csv", "run_order_id", &scene.ids()[..1]);
        if was_known {
            scene.night(1, "ids.csv", &DATASET);
            scene.change(0, |order| order.created = Some(IN_MAY + DAY));
        }
        scene.stopped(2, "ids.csv", 3, Release::Cut);
        scene.change(0, |order| order.created = Some(IN_MAY + 4 * DAY));
        scene.night(2, "some.csv", &DATASET);
        scene.night(2, "ids.csv", &DATASET);
        let expected =
            [("2026-05-02", "3"), ("2026-05-06", "1")].map(|(day, orders)| (day.to_owned(), orders.to_owned()));
        assert_eq!(scene.days(), expected, "known before: {was_known}");
    }
}
