//! A disk that vanishes, and comes back.

use std::collections::BTreeSet;
use std::fs;
use std::process::Child;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::small::Window;
use super::{DISCREPANT, Ended, Job, assert_no_report, sandbox, undisturbed};
use crate::support::{Place, assert_same_files};

/// Nothing that a test waits for takes longer, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Starts the job, and lets it get on.
fn under_way(job: &Job<'_>) -> Child {
    let before = job.server.journal.arrivals().len();
    let child = job.command(0).spawn().expect("starts");
    let start = Instant::now();
    while job.server.journal.arrivals().len() < before + 20 {
        assert!(start.elapsed() < PATIENCE, "it asks for nothing");
        sleep(Duration::from_millis(5));
    }
    child
}

fn end(job: &Job<'_>, child: Child) -> Ended {
    job.end(&child.wait_with_output().expect("it ends"))
}

#[test]
fn a_state_that_vanishes_under_a_job_is_said_and_goes_on_when_it_is_back() {
    let (slow, [calm, _]) = (sandbox("slow,delay=20ms"), undisturbed());
    let (window, place) = (Window::open(), Place::new());
    let job = Job::new(&slow, window.folder().join("state.sqlite"), place.path("report"));
    let child = under_way(&job);
    window.vanish();
    let ended = end(&job, child);
    assert_no_report(&ended, &["is not where it was", "the disk of the state"], &job.state, "vanished");
    assert!(!job.report.exists(), "a report that no state vouches for");
    window.come_back();
    let kept = job.kept(1);
    assert!(kept.len() >= 10, "{} orders are kept", kept.len());
    job.assert_goes_on(0, &kept, &calm, "it is back");
}

#[test]
fn a_state_that_is_not_there_at_the_next_start_is_said_to_be_new() {
    let (server, calm) = (sandbox(""), undisturbed());
    let (window, place) = (Window::open(), Place::new());
    let job = Job::new(&server, window.folder().join("state.sqlite"), place.path("report"));
    assert_eq!(job.run(0).code, DISCREPANT);
    window.vanish();
    let ended = job.run(0);
    assert_eq!(ended.code, DISCREPANT);
    assert_same_files(&job.evident(), &calm[0], "as on the first night");
    let state = job.state.display().to_string();
    assert!(ended.said.contains("is new") && ended.said.contains(&state), "{}", ended.said);
    window.come_back();
    let back = job.run(1);
    assert_same_files(&job.evident(), &calm[1], "as on the second night");
    assert!(!back.said.contains("is new"), "{}", back.said);
}

#[test]
fn a_folder_of_reports_that_vanishes_under_a_job_costs_the_report_alone() {
    let (slow, [calm, _]) = (sandbox("slow,delay=20ms"), undisturbed());
    let place = Place::new();
    fs::create_dir(place.path("reports")).expect("writable");
    let job = Job::new(&slow, place.path("state.sqlite"), place.path("reports/report"));
    let child = under_way(&job);
    fs::rename(place.path("reports"), place.path("elsewhere")).expect("writable");
    let ended = end(&job, child);
    assert_no_report(&ended, &["No such file or directory"], &place.path("reports"), "vanished");
    assert_eq!(fs::read_dir(place.path("elsewhere")).expect("there").count(), 0, "nothing half");
    let kept = job.kept(1);
    assert_eq!(kept, super::orders().into_iter().collect::<BTreeSet<_>>(), "all of it");
    job.assert_goes_on(0, &kept, &calm, "the folder is made again");
}
