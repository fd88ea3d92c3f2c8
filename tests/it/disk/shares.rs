//! Places that can do less than a local disk: a folder that can't be renamed over, or a share without symbolic links,
//! exchanges or shared memory.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::small::SmallDisk;
use super::{DISCREPANT, Job, sandbox, undisturbed};
use crate::support::{Place, ReportFiles, assert_same_files, code, repository, stderr, stdout, tieout};

/// The wrapper's exit code if system calls can't be filtered here.
const NO_FILTER: i32 = 77;

/// The errors of a system call that a share does not support: EPERM, EINVAL, ENOSYS, EOPNOTSUPP.
const LACKING: [u8; 4] = [1, 22, 38, 95];

/// The command with failing system calls; `None` if they can't be filtered here.
fn without(calls: &[String], command: &Command) -> Option<Command> {
    let python = std::env::var_os("TIEOUT_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let wrap = |rest: &mut dyn FnMut(&mut Command)| {
        let mut wrapped = Command::new(&python);
        wrapped.env_clear().arg(repository("tests/readers/without.py")).args(calls).arg("--");
        rest(&mut wrapped);
        wrapped
    };
    let is_possible = wrap(&mut |wrapped| {
        wrapped.arg("true").env("PATH", std::env::var_os("PATH").unwrap_or_default());
    })
    .status()
    .is_ok_and(|status| status.code() != Some(NO_FILTER));
    is_possible.then(|| {
        let mut wrapped = wrap(&mut |wrapped| {
            wrapped.arg(command.get_program()).args(command.get_args());
        });
        wrapped.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        if let Some(folder) = command.get_current_dir() {
            wrapped.current_dir(folder);
        }
        wrapped
    })
}

#[test]
fn a_folder_that_no_report_can_replace_is_refused_before_anything_is_asked() {
    let server = sandbox("");
    let (disk, place) = (SmallDisk::new(), Place::new());
    fs::create_dir_all(place.path("here/new")).expect("writable");
    let mut cases = vec![".".to_owned(), "..".into(), "./.".into(), "new/..".into(), "/".into()];
    if disk.is_mounted() {
        cases.push(disk.folder().display().to_string());
    }
    for out in cases {
        let job = Job::new(&server, place.path("state.sqlite"), out.clone().into());
        let before = server.journal.arrivals().len();
        let ended = job.command(0).current_dir(place.path("here")).output().expect("starts");
        let printed = stderr(&ended);
        assert_eq!(code(&ended), 2, "{out}: {printed}");
        assert!(
            printed.contains("replaces a whole folder") && printed.contains("nothing was touched"),
            "{out}: {printed}"
        );
        assert_eq!(server.journal.arrivals().len(), before, "{out}: a request was sent");
    }
    // An unusual spelling of a folder is accepted.
    for out in ["new/.", "fresh/.", "./other/"] {
        let job = Job::new(&server, place.path("state.sqlite"), out.into());
        let ended = job.command(0).current_dir(place.path("here")).output().expect("starts");
        assert_eq!(code(&ended), DISCREPANT, "{out}: {}", stderr(&ended));
        assert!(place.path("here").join(out).join("manifest.json").exists(), "{out}");
    }
}

/// Runs one night into a folder of reports, with these system calls failing.
fn night(job: &Job<'_>, number: usize, reports: &Path, calls: &[String]) -> Option<std::process::Output> {
    let command = job.command(number);
    let mut arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let out = arguments.iter().position(|argument| argument == "--out").expect("it is there");
    arguments.splice(out..out + 2, ["--reports-dir".into(), reports.into()]);
    let mut night = Command::new(command.get_program());
    night.env_clear().args(arguments).envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Some(without(calls, &night)?.output().expect("starts"))
}

#[test]
fn where_no_links_can_be_made_the_next_night_still_knows_the_last() {
    for errno in LACKING {
        let server = sandbox("");
        let place = Place::new();
        let job = Job::new(&server, place.path("state.sqlite"), place.path("unused"));
        let reports = place.path("reports");
        for number in [0, 1] {
            let Some(ended) = night(&job, number, &reports, &[format!("symlink={errno}")]) else { return };
            assert_eq!(code(&ended), DISCREPANT, "{errno}: {}", stderr(&ended));
            assert!(stderr(&ended).contains("warning") && stderr(&ended).contains("latest"), "{}", stderr(&ended));
        }
        let latest = reports.join("latest");
        assert_eq!(fs::read_to_string(&latest).expect("a text"), "20260602T000000Z\n");
        let second = ReportFiles(reports.join("20260602T000000Z"));
        assert_eq!(second.json("manifest.json")["previous"]["report"], "20260601T000000Z", "the chain continues");
        assert_eq!(second.json("summary.json")["lifecycle"]["new"], 0, "it knows earlier findings");
        let state = job.state.display().to_string();
        for report in [&second.0, &latest] {
            let proven = tieout().arg("verify").arg(report).args(["--state", &state]).output().expect("starts");
            assert_eq!(code(&proven), 0, "{}: {}{}", report.display(), stdout(&proven), stderr(&proven));
        }
        let mut prune = tieout();
        prune.args(["prune", "--keep", "1ms", "--state", &state]).arg("--reports-dir").arg(&reports);
        let pruned = prune.output().expect("starts");
        assert_eq!(code(&pruned), 0, "{}", stderr(&pruned));
        assert!(second.exists() && !reports.join("20260601T000000Z").exists(), "the latest stays: {}", stdout(&pruned));

        // Once links work again, the next night makes one.
        let linked = night(&job, 1, &reports, &[]).expect("nothing is filtered");
        assert_eq!(code(&linked), DISCREPANT, "{}", stderr(&linked));
        assert!(latest.is_symlink() && latest.join("manifest.json").exists());
    }
}

#[test]
fn where_folders_can_not_be_exchanged_a_report_is_replaced_in_two_steps() {
    let (server, reference) = (sandbox(""), undisturbed());
    for errno in LACKING {
        let place = Place::new();
        let job = Job::new(&server, place.path("state.sqlite"), place.path("report"));
        for number in [0, 1] {
            let Some(mut bound) = without(&[format!("exchange={errno}")], &job.command(number)) else { return };
            let ended = job.end(&bound.output().expect("starts"));
            assert_eq!(ended.code, DISCREPANT, "{errno}: {}", ended.stderr);
            assert_same_files(&job.reproducible_files(), &reference[number], "as on any disk");
        }
    }
}

#[test]
fn a_state_where_its_log_can_not_work_is_refused_before_anything_is_asked() {
    let server = sandbox("");
    let place = Place::new();
    let job = Job::new(&server, place.path("state.sqlite"), place.path("report"));
    let Some(mut bound) = without(&["shared-memory=19".into()], &job.command(0)) else { return };
    let ended = job.end(&bound.output().expect("starts"));
    assert_eq!(ended.code, 4, "{}", ended.stderr);
    assert!(ended.stderr.contains("write-ahead log") && ended.stderr.contains("a local disk"), "{}", ended.stderr);
    assert_eq!(server.journal.arrivals().len(), 0);
}
