//! Malicious report folders. Every command that reads one ends and says what is wrong; none panics or uses up the
//! machine's memory.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Place, code, repository, stderr, stdout, tieout};

/// A command that takes longer hangs, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);
/// The address space of a command, in bytes.
const MEMORY: &str = "--as=8000000000";
/// The name of the intact report, which the others are copied from and compared with.
const GOOD: &str = "good";

/// A name, the harm done to a report, and the exit codes of `verify`, `audit` and `diff` on it.
type Hostile = (&'static str, fn(&Path), [i32; 3]);

/// A place with a report of some orders of the sample in [`GOOD`].
fn made() -> Place {
    let place = Place::new();
    let sample = fs::read_to_string(repository("sample_data/ids.csv")).expect("the sample");
    let ids: Vec<&str> = sample.lines().take(12).collect();
    let ids = place.file("ids.csv", ids.join("\n") + "\n");
    let mut run = tieout();
    run.arg("reconcile").arg(ids).args(["--sandbox", "--rate", "0", "--format", "csv", "--out"]).arg(place.path(GOOD));
    let run = run.arg("--state").arg(place.path("state.sqlite")).output().expect("starts");
    assert_eq!(code(&run), 1, "{}", stderr(&run));
    place
}

fn copy(from: &Path, to: &Path) {
    _ = fs::remove_dir_all(to);
    fs::create_dir(to).expect("writable");
    for entry in fs::read_dir(from).expect("readable") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("writable");
    }
}

/// Runs a command with little memory, and fails the test if it hangs.
fn ends(command: &Command) -> Output {
    let mut limited = Command::new("prlimit");
    limited.arg(MEMORY).arg(command.get_program()).args(command.get_args());
    limited.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let mut child = limited.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("prlimit starts");
    let until = Instant::now() + PATIENCE;
    while child.try_wait().expect("a child").is_none() {
        if Instant::now() > until {
            _ = child.kill();
            panic!("{:?} hangs", command.get_args().collect::<Vec<_>>());
        }
        sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("a child");
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    output
}

fn command(name: &str, arguments: &[&Path]) -> Command {
    let mut command = tieout();
    command.arg(name).args(arguments);
    command
}

fn change_manifest(report: &Path, change: impl FnOnce(&mut Value)) {
    let path = report.join("manifest.json");
    let mut manifest = serde_json::from_slice(&fs::read(&path).expect("there")).expect("JSON");
    change(&mut manifest);
    fs::write(path, serde_json::to_vec_pretty(&manifest).expect("JSON")).expect("writable");
}

/// Adds a file to the manifest's list.
fn list(report: &Path, name: &str) {
    let stamp = json!({ "name": name, "sha256": "0".repeat(64), "bytes": 1 });
    change_manifest(report, |manifest| manifest["files"].as_array_mut().expect("files").push(stamp));
}

/// Sets a file's hash and size in the manifest to what they are now.
fn vouch(report: &Path, name: &str) {
    let bytes = fs::read(report.join(name)).expect("there");
    change_manifest(report, |manifest| {
        let files = manifest["files"].as_array_mut().expect("files");
        let stamp = files.iter_mut().find(|file| file["name"] == name).expect("it is listed");
        stamp["sha256"] = hex::encode(Sha256::digest(&bytes)).into();
        stamp["bytes"] = bytes.len().into();
    });
}

fn fifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo starts").success());
}

fn sparse(path: &Path, bytes: u64) {
    File::create(path).and_then(|file| file.set_len(bytes)).expect("writable");
}

fn instead(report: &Path, name: &str, make: impl FnOnce(&Path)) {
    let path = report.join(name);
    fs::remove_file(&path).expect("there");
    make(&path);
}

const CASES: [Hostile; 23] = [
    ("a name of a device", |report| list(report, "/dev/zero"), [1, 4, 4]),
    ("a name outside the folder", |report| list(report, "../state.sqlite"), [1, 4, 4]),
    ("a name with ..", |report| list(report, "x/../summary.json"), [1, 4, 4]),
    ("the name of the folder", |report| list(report, "."), [1, 4, 4]),
    ("an empty name", |report| list(report, ""), [1, 4, 4]),
    ("the manifest's own name", |report| list(report, "manifest.json"), [1, 4, 4]),
    ("a name twice", |report| list(report, "summary.json"), [1, 4, 4]),
    ("a name in capitals", |report| list(report, "SUMMARY.json"), [1, 1, 0]),
    (
        "an unread pipe",
        |report| {
            fifo(&report.join("x.csv"));
            list(report, "x.csv");
        },
        [1, 1, 0],
    ),
    ("evidence from a pipe", |report| instead(report, "evidence.jsonl", fifo), [1, 4, 0]),
    ("facts from a pipe", |report| instead(report, "run_orders.parquet", fifo), [1, 4, 4]),
    ("a table from a pipe", |report| instead(report, "discrepancies.csv", fifo), [1, 1, 4]),
    (
        "evidence from a device",
        |report| instead(report, "evidence.jsonl", |path| symlink("/dev/zero", path).expect("a link")),
        [1, 4, 0],
    ),
    (
        "a link to a table outside",
        |report| {
            let elsewhere = report.with_file_name("discrepancies.csv");
            fs::copy(report.join("discrepancies.csv"), &elsewhere).expect("writable");
            instead(report, "discrepancies.csv", |path| symlink(elsewhere, path).expect("a link"));
        },
        [1, 1, 4],
    ),
    (
        "a socket",
        // A socket's path must be short, so it is made in /tmp and moved.
        |report| {
            let short = tempfile::tempdir_in("/tmp").expect("a folder");
            drop(UnixListener::bind(short.path().join("s")).expect("a socket"));
            instead(report, "exceptions.csv", |path| {
                let moved = Command::new("mv").arg(short.path().join("s")).arg(path).status();
                assert!(moved.expect("mv starts").success());
            });
        },
        [1, 1, 4],
    ),
    ("a folder", |report| instead(report, "evidence.jsonl", |path| fs::create_dir(path).expect("writable")), [1, 4, 0]),
    ("evidence without end", |report| sparse(&report.join("evidence.jsonl"), 5 << 30), [1, 4, 0]),
    ("a manifest from a pipe", |report| instead(report, "manifest.json", fifo), [1, 4, 4]),
    (
        "a manifest from a device",
        |report| instead(report, "manifest.json", |path| symlink("/dev/zero", path).expect("a link")),
        [1, 4, 4],
    ),
    (
        "a manifest that is a folder",
        |report| instead(report, "manifest.json", |path| fs::create_dir(path).expect("writable")),
        [1, 4, 4],
    ),
    ("a manifest without end", |report| sparse(&report.join("manifest.json"), 10 << 30), [1, 4, 4]),
    (
        "a deeply nested manifest",
        |report| fs::write(report.join("manifest.json"), "[".repeat(1 << 20)).expect("writable"),
        [1, 4, 4],
    ),
    (
        "deeply nested evidence",
        |report| {
            let deep = format!("{{\"line\":{}\n", "[".repeat(1 << 20));
            fs::write(report.join("evidence.jsonl"), deep).expect("writable");
            vouch(report, "evidence.jsonl");
        },
        [1, 4, 0],
    ),
];

#[test]
fn no_folder_from_elsewhere_hangs_a_command_that_reads_it() {
    let place = made();
    let (good, report) = (place.path(GOOD), place.path("hostile"));
    for (what, harm, codes) in CASES {
        copy(&good, &report);
        harm(&report);
        let verified = ends(command("verify", &[&report]).arg("--files-only"));
        let audited = ends(command("audit", &[&report]).arg("--out").arg(place.path("audited")));
        let compared = [[&*good, &*report], [&*report, &*good]].map(|pair| ends(&command("diff", &pair)));
        let found = [code(&verified), code(&audited), code(&compared[0])];
        let printed = || [&verified, &audited, &compared[0]].map(|output| stdout(output) + &stderr(output)).join("\n");
        assert_eq!(found, codes, "{what}: {}", printed());
        assert!(stdout(&verified).contains("NOT proven"), "{what}: {}", printed());
        // `diff` does not need the facts of the old report.
        assert!([codes[2], 0].contains(&code(&compared[1])), "{what}: {}", stderr(&compared[1]));
        for failed in [&audited, &compared[0]].into_iter().filter(|output| code(output) == 4) {
            assert!(stderr(failed).contains("hostile/"), "{what}: the message names the file: {}", stderr(failed));
        }
    }
}

#[test]
fn no_folder_from_elsewhere_hangs_a_job_that_finds_one_in_its_place() {
    let place = made();
    let (good, reports) = (place.path(GOOD), place.path("reports"));
    let report = reports.join("20260101T000000Z");
    fs::create_dir(&reports).expect("writable");
    symlink("20260101T000000Z", reports.join("latest")).expect("a link");
    let ids = place.path("ids.csv");
    for (what, harm, _) in CASES {
        copy(&good, &report);
        harm(&report);
        let before = fs::symlink_metadata(report.join("manifest.json")).expect("there").file_type();
        let run = |place: &str, to: &Path| {
            let mut run = command("reconcile", &[&ids]);
            run.args(["--sandbox", "--rate", "0", "--format", "csv", "--confirm=false", "-q", place]).arg(to);
            ends(run.arg("--state").arg(to.with_extension("sqlite")))
        };
        // Only a folder that is recognised as a tieout report is replaced.
        let exactly = run("--out", &report);
        let is_ours = code(&exactly) == 1;
        assert!(is_ours || code(&exactly) == 2, "{what}: {}", stderr(&exactly));
        if is_ours {
            copy(&good, &report);
            harm(&report);
        } else {
            assert!(stderr(&exactly).contains("nothing was touched"), "{what}: {}", stderr(&exactly));
            let after = fs::symlink_metadata(report.join("manifest.json")).expect("there").file_type();
            assert_eq!(before, after, "{what}");
        }
        let pruned = ends(
            command("prune", &[])
                .args(["--keep", "1h", "--reports-dir"])
                .arg(&reports)
                .arg("--state")
                .arg(place.path("state.sqlite")),
        );
        assert_eq!(code(&pruned), 0, "{what}: {}", stderr(&pruned));
        let beside = run("--reports-dir", &reports);
        assert_eq!(code(&beside), 1, "{what}: {}", stderr(&beside));
        fs::remove_dir_all(&reports).expect("there");
        fs::create_dir(&reports).expect("writable");
        symlink("20260101T000000Z", reports.join("latest")).expect("a link");
    }
}

#[test]
fn facts_that_make_their_reader_panic_are_not_proven() {
    let place = made();
    let (good, report) = (place.path(GOOD), place.path("hostile"));
    let honest = fs::read(good.join("run_orders.parquet")).expect("there");
    // In the footer, 0x26 begins field 9, the offset of a column's data pages, as a variable-length integer. The first
    // byte of each is replaced by 0x7f, which ends the integer early.
    let begins = |at: &usize| honest[at - 1] == 0x26 && honest[*at] >= 0x80;
    let mut undecoded = 0;
    for at in (honest.len() - 4000..honest.len()).filter(begins) {
        copy(&good, &report);
        let mut bytes = honest.clone();
        bytes[at] = 0x7f;
        fs::write(report.join("run_orders.parquet"), bytes).expect("writable");
        vouch(&report, "run_orders.parquet");
        let verified = ends(command("verify", &[&report]).arg("--files-only"));
        assert_eq!(code(&verified), 1, "byte {at}: {}{}", stdout(&verified), stderr(&verified));
        if stdout(&verified).contains("can't be decoded") {
            undecoded += 1;
            let audited = ends(command("audit", &[&report]).arg("--out").arg(place.path("audited")));
            assert_eq!(code(&audited), 4, "byte {at}: {}", stderr(&audited));
            let compared = ends(&command("diff", &[&good, &report]));
            assert!([0, 4].contains(&code(&compared)), "byte {at}: {}", stderr(&compared));
        }
    }
    assert!(undecoded > 0, "some damage makes Polars panic");
}

#[test]
fn a_file_that_grows_while_it_is_read_is_not_proven() {
    let place = made();
    let (good, report) = (place.path(GOOD), place.path("hostile"));
    copy(&good, &report);
    // Large enough that it grows while it is being read.
    sparse(&report.join("evidence.jsonl"), 64 << 20);
    vouch(&report, "evidence.jsonl");
    let path = report.join("evidence.jsonl");
    let grows = std::thread::spawn(move || {
        let mut file = File::options().append(true).open(path).expect("there");
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until && file.write_all(&[b'\n'; 4096]).is_ok() {
            sleep(Duration::from_millis(1));
        }
    });
    let verified = ends(command("verify", &[&report]).arg("--files-only"));
    assert_eq!(code(&verified), 1, "{}", stdout(&verified));
    drop(grows);
}

#[test]
fn a_link_to_a_report_is_one() {
    let place = made();
    symlink(place.path(GOOD), place.path("link")).expect("a link");
    let verified = ends(command("verify", &[&place.path("link")]).arg("--files-only"));
    assert_eq!(code(&verified), 0, "{}{}", stdout(&verified), stderr(&verified));
}
