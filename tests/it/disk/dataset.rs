//! The disk of a dataset is full or gone: the report is made all the same, and the next night makes up for it.

use std::path::Path;

use super::small::SmallDisk;
use super::{DISCREPANT, Job, sandbox, undisturbed};
use crate::support::{Place, assert_same_files, code, repository, stderr, tieout};

/// How much room there is for a dataset whose files need some 300 KiB, in KiB.
const ROOMS: [u64; 6] = [4, 12, 24, 60, 120, 200];

/// The exit code of a close that lacks something.
const INCOMPLETE: i32 = 3;

/// The number of runs in a dataset, which must be undamaged; `None` without a dataset.
fn runs(dataset: &Path) -> Option<u64> {
    let shown = tieout().arg("dataset").arg(dataset).args(["--output", "json"]).output().expect("starts");
    match code(&shown) {
        2 => None,
        0 => serde_json::from_slice::<serde_json::Value>(&shown.stdout).expect("JSON")["runs"].as_u64(),
        _ => panic!("{}", stderr(&shown)),
    }
}

#[test]
fn a_dataset_that_can_not_be_written_changes_no_report_and_is_made_up_for() {
    let (server, reference) = (sandbox(""), undisturbed());
    let mut failed = 0;
    for room in ROOMS {
        let (disk, place) = (SmallDisk::new(), Place::new());
        let job = Job::new(&server, place.path("state.sqlite"), place.path("report"));
        let dataset = disk.path("history");
        let night = |number: usize| {
            let mut command = job.command(number);
            let ended = job.end(&command.arg("--dataset").arg(&dataset).output().expect("starts"));
            assert_eq!(ended.code, DISCREPANT, "{room} KiB: {}", ended.stderr);
            assert_same_files(&job.reproducible_files(), &reference[number], "the report is as ever");
            ended.stderr.contains("warning: nothing was appended to the dataset")
        };
        // Where no small disk can be mounted, the folder is gone.
        if disk.is_mounted() {
            disk.leave(room)
        } else {
            disk.forbid()
        }
        let has_failed = night(0);
        failed += usize::from(has_failed);
        if disk.is_mounted() {
            disk.make_room()
        } else {
            disk.allow()
        }
        assert_eq!(runs(&dataset).unwrap_or_default(), u64::from(!has_failed), "{room} KiB: whole or not at all");
        // `--out` has one report: that of the first night is replaced by that of the second, and so lost for the dataset.
        night(1);
        assert_eq!(runs(&dataset), Some(if has_failed { 1 } else { 2 }), "{room} KiB");
    }
    assert!(failed > 1, "{failed} appends failed");
}

#[test]
fn a_month_is_not_closed_on_a_full_disk_and_can_be_closed_later() {
    let place = Place::new();
    let disk = SmallDisk::new();
    let dataset = disk.path("history");
    let mut night = place.reconcile(repository("sample_data/ids.csv"));
    night.args(["--sandbox", "--as-of", "2026-06-01T00:00:00Z", "--format", "csv", "--dataset"]).arg(&dataset);
    assert_eq!(code(&night.output().expect("starts")), DISCREPANT);
    let close = || {
        let mut close = tieout();
        close.args(["close", "2026-05", "--force", "--dataset"]).arg(&dataset);
        disk.bound(close).output().expect("starts")
    };
    let mut failed = 0;
    for room in [4, 12, 40, 100] {
        disk.leave(room);
        let ended = close();
        if dataset.join("closes/2026-05").exists() {
            break;
        }
        failed += 1;
        assert_eq!(code(&ended), 4, "{room} KiB: {}", stderr(&ended));
        assert!(disk.causes().iter().any(|cause| stderr(&ended).contains(cause)), "{room} KiB: {}", stderr(&ended));
    }
    assert!(failed > 1, "{failed} closes failed");
    disk.make_room();
    assert_eq!(code(&close()), INCOMPLETE, "nights are missing");
    let report = dataset.join("closes/2026-05");
    let verify = tieout().arg("verify").arg(&report).arg("--files-only").output().expect("starts");
    assert_eq!(code(&verify), 0, "{}", stderr(&verify));
    assert_eq!(std::fs::read_dir(dataset.join("closes")).expect("readable").count(), 1, "nothing else is left");
}
