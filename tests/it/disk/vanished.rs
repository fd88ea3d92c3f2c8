//! A disk that vanishes and comes back.

use std::collections::BTreeSet;
use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::small::VanishingFolder;
use super::{DISCREPANT, Job, JobResult, assert_no_report, sandbox, undisturbed};
use crate::support::{Place, assert_same_files};

/// The longest that a test waits for anything, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the job and waits until it has sent some requests.
fn under_way(job: &Job<'_>) -> Child {
    let before = job.server.journal.arrivals().len();
    let child = job.command(0).spawn().expect("starts");
    let start = Instant::now();
    while job.server.journal.arrivals().len() < before + 20 {
        assert!(start.elapsed() < PATIENCE, "the job sends no requests");
        sleep(Duration::from_millis(5));
    }
    child
}

fn end(job: &Job<'_>, child: Child) -> JobResult {
    job.end(&child.wait_with_output().expect("it ends"))
}

#[test]
fn a_state_that_vanishes_under_a_job_is_said_and_goes_on_when_it_is_back() {
    let (slow, [reference, _]) = (sandbox("slow,delay=20ms"), undisturbed());
    let (vanishing, place) = (VanishingFolder::open(), Place::new());
    let job = Job::new(&slow, vanishing.folder().join("state.sqlite"), place.path("report"));
    let child = under_way(&job);
    vanishing.vanish();
    let ended = end(&job, child);
    assert_no_report(&ended, &["is not where it was", "the disk of the state"], &job.state, "vanished");
    assert!(!job.report.exists(), "there must be no report that the state does not know");
    vanishing.come_back();
    let kept = job.kept(1);
    assert!(kept.len() >= 10, "{} orders are kept", kept.len());
    job.assert_goes_on(0, &kept, &reference, "it is back");
}

#[test]
fn a_state_that_is_not_there_at_the_next_start_is_said_to_be_new() {
    let (server, reference) = (sandbox(""), undisturbed());
    let (vanishing, place) = (VanishingFolder::open(), Place::new());
    let job = Job::new(&server, vanishing.folder().join("state.sqlite"), place.path("report"));
    assert_eq!(job.run(0).code, DISCREPANT);
    vanishing.vanish();
    let ended = job.run(0);
    assert_eq!(ended.code, DISCREPANT);
    assert_same_files(&job.reproducible_files(), &reference[0], "as on the first night");
    let state = job.state.display().to_string();
    assert!(ended.stderr.contains("is new") && ended.stderr.contains(&state), "{}", ended.stderr);
    vanishing.come_back();
    let back = job.run(1);
    assert_same_files(&job.reproducible_files(), &reference[1], "as on the second night");
    assert!(!back.stderr.contains("is new"), "{}", back.stderr);
}

#[test]
fn a_folder_of_reports_that_vanishes_under_a_job_costs_the_report_alone() {
    let (slow, [reference, _]) = (sandbox("slow,delay=20ms"), undisturbed());
    let place = Place::new();
    fs::create_dir(place.path("reports")).expect("writable");
    let job = Job::new(&slow, place.path("state.sqlite"), place.path("reports/report"));
    let child = under_way(&job);
    fs::rename(place.path("reports"), place.path("elsewhere")).expect("writable");
    let ended = end(&job, child);
    assert_no_report(&ended, &["No such file or directory"], &place.path("reports"), "vanished");
    assert_eq!(fs::read_dir(place.path("elsewhere")).expect("there").count(), 0, "no partial report");
    let kept = job.kept(1);
    assert_eq!(kept, super::orders().into_iter().collect::<BTreeSet<_>>(), "all orders");
    job.assert_goes_on(0, &kept, &reference, "the folder is made again");
}
