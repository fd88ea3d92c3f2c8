//! A disk that can't be written.

use std::collections::BTreeSet;
use std::fs;

use rusqlite::Connection;

use super::small::SmallDisk;
use super::{DISCREPANT, Job, NIGHTS, ORDERS, assert_no_report, sandbox, undisturbed};
use crate::support::{Files, Place, assert_same_files, code, files_below, stderr, stdout, tieout};

/// The error messages for a place where nothing can be written.
const CAUSES: [&str; 4] = ["Read-only file system", "can't be written", "Not a directory", "File exists"];

#[test]
fn a_state_that_can_not_be_written_is_said_before_anything_is_asked() {
    let (server, reference) = (sandbox(""), undisturbed());
    for is_first in [true, false] {
        let (disk, place) = (SmallDisk::new(), Place::new());
        let job = Job::new(&server, disk.path("state.sqlite"), place.path("report"));
        let night = usize::from(!is_first);
        if !is_first {
            assert_eq!(job.run(0).code, DISCREPANT);
        }
        let earlier = job.report();
        let before = server.journal.arrivals().len();
        disk.forbid();
        let when = format!("first: {is_first}");
        let ended = job.run(night);
        assert_no_report(&ended, &CAUSES, &disk.folder(), &when);
        assert!(ended.stderr.contains("no request was sent"), "{}", ended.stderr);
        assert_eq!(job.report(), earlier, "{when}");
        assert_eq!(job.asked_since(before), BTreeSet::new(), "{when}");
        disk.allow();
        job.assert_goes_on(night, &BTreeSet::new(), &reference[night], &when);
    }
}

#[test]
fn a_report_that_can_not_be_written_is_said_before_anything_is_asked() {
    let (server, reference) = (sandbox(""), undisturbed());
    let (disk, place) = (SmallDisk::new(), Place::new());
    let job = Job::new(&server, place.path("state.sqlite"), disk.path("report"));
    assert_eq!(job.run(0).code, DISCREPANT);
    let earlier = job.report().expect("a report");
    let before = server.journal.arrivals().len();
    disk.forbid();
    assert_no_report(&job.run(1), &CAUSES, &disk.folder(), "the report");
    assert_eq!(job.asked_since(before), BTreeSet::new());
    disk.allow();
    assert_same_files(&job.report().expect("as it was"), &earlier, "untouched");
    job.assert_goes_on(1, &BTreeSet::new(), &reference[1], "the next night");
}

/// Every file on the disk.
fn all(disk: &SmallDisk) -> Files {
    let files = files_below(&disk.folder()).into_iter();
    files.map(|path| (path.display().to_string(), fs::read(path).expect("readable"))).collect()
}

#[test]
fn what_only_reads_reads_a_state_that_can_not_be_written() {
    let server = sandbox("");
    let (disk, place) = (SmallDisk::new(), Place::new());
    // A path whose characters mean something in a URI.
    let job = Job::new(&server, disk.path("state %41?#.sqlite"), disk.path("report"));
    assert_eq!(job.run(0).code, DISCREPANT);
    // As a killed job leaves it.
    let (open, killed) = (place.path("killed.sqlite"), disk.path("killed.sqlite"));
    fs::copy(&job.state, &open).expect("copied");
    let connection = Connection::open(&open).expect("a state");
    assert_eq!(connection.execute("DELETE FROM outcomes", ()).expect("written"), ORDERS);
    fs::copy(&open, &killed).expect("copied");
    fs::copy(place.path("killed.sqlite-wal"), disk.path("killed.sqlite-wal")).expect("copied");
    let before = all(&disk);
    disk.forbid();
    let (folder, report) = (disk.folder().display().to_string(), job.report.display().to_string());
    let (state, killed) = (job.state.display().to_string(), killed.display().to_string());
    let run = |arguments: &[&str]| {
        let output = tieout().args(arguments).output().expect("starts");
        (code(&output), stdout(&output), stderr(&output))
    };
    for is_killed in [false, true] {
        let state = if is_killed { &killed } else { &state };
        let commands: [(&[&str], &str); 4] = [
            (&["runs", "--state", state], "ids.csv"),
            (&["verify", &report, "--state", state], "files rebuilt from"),
            (&["verify", "--all", &folder, "--state", state], "report  proven\n"),
            (
                &["status", "--reports-dir", &folder, "--state", state, "--as-of", NIGHTS[0], "--min-free", "0"],
                "OK: report, 0s old, DISCREPANT, proven",
            ),
        ];
        for (arguments, shown) in commands {
            let (code, stdout, stderr) = run(arguments);
            match (disk.is_mounted(), is_killed) {
                (true, false) => {
                    assert_eq!(code, 0, "{arguments:?}: {stdout}{stderr}");
                    assert!(stdout.contains(shown), "{arguments:?}: {stdout}{stderr}");
                }
                (true, true) => {
                    assert_eq!(code, if arguments[0] == "status" { 1 } else { 4 }, "{arguments:?}: {stdout}{stderr}");
                    assert!(format!("{stdout}{stderr}").contains("its log beside it (-wal)"), "{stdout}{stderr}");
                }
                // Without a mount nothing is there.
                (false, _) => assert!(code > 0 && !stdout.contains(shown), "{arguments:?}: {stdout}{stderr}"),
            }
        }
    }
    if disk.is_mounted() {
        let (code, stdout, stderr) = run(&["verify", &report, "--files-only"]);
        assert_eq!(code, 0, "{stdout}{stderr}");
        assert!(stdout.contains("files rebuilt from"), "{stdout}");
    }
    disk.allow();
    assert_same_files(&all(&disk), &before, "nothing was touched");
}
