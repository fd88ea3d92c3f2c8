//! A disk that can't be written.

use std::collections::BTreeSet;
use std::fs;

use super::small::SmallDisk;
use super::{DISCREPANT, Job, assert_no_report, sandbox, undisturbed};
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
fn what_only_reads_says_that_the_state_needs_a_disk_that_can_be_written() {
    let server = sandbox("");
    let disk = SmallDisk::new();
    let job = Job::new(&server, disk.path("state.sqlite"), disk.path("report"));
    assert_eq!(job.run(0).code, DISCREPANT);
    let before = all(&disk);
    disk.forbid();
    let run = |arguments: &[&str]| {
        let mut command = tieout();
        let output = command.args(arguments).output().expect("starts");
        (code(&output), stdout(&output), stderr(&output))
    };
    let (state, report) = (job.state.display().to_string(), job.report.display().to_string());
    // Without a mount the state does not exist at all.
    let expected = if disk.is_mounted() { 4 } else { 2 };
    for arguments in [vec!["runs", "--state", &state], vec!["verify", &report, "--state", &state]] {
        let (code, stdout, stderr) = run(&arguments);
        assert!(stderr.contains(&state) && stdout.is_empty(), "{arguments:?}: {stdout}{stderr}");
        assert_eq!(code, expected, "{arguments:?}: {stderr}");
    }
    if disk.is_mounted() {
        let (code, stdout, stderr) = run(&["verify", &report, "--files-only"]);
        assert_eq!(code, 0, "{stdout}{stderr}");
        assert!(stdout.contains("files rebuilt from"), "{stdout}");
    }
    disk.allow();
    assert_same_files(&all(&disk), &before, "nothing was touched");
}
