//! `tieout schedule`: its units pass systemd's own checks, its line runs under a real cron, and both start the job that
//! the settings file describes.

mod credentials;
mod cron;
mod systemd;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Place, code, repository, stderr, stdout, tieout};

/// A folder whose name means something to systemd, to a shell and to cron, but is only a name.
const HOSTILE: &str = "a b'c\"d%h$HOME;e#f&g`id`(~)*?[x]!账单";

/// `tieout schedule` for a settings file, started in the folder of the place.
fn schedule(place: &Place, scheduler: &str, ids: impl AsRef<Path>, settings: &Path) -> Command {
    let mut command = tieout();
    command.current_dir(place.path(".")).args(["schedule", scheduler]).arg(ids.as_ref());
    command.arg("--config").arg(settings);
    command
}

/// The sample's file of IDs, copied to this folder.
fn sample_in(folder: &Path) -> PathBuf {
    let ids = folder.join("ids.csv");
    std::fs::create_dir_all(folder).expect("writable");
    std::fs::copy(repository("sample_data/ids.csv"), &ids).expect("the sample");
    ids
}

/// What a command printed that had to succeed.
fn printed(output: &Output) -> String {
    assert_eq!((code(output), stderr(output).as_str()), (0, ""));
    stdout(output)
}

#[test]
fn what_can_not_be_scheduled_is_refused() {
    let place = Place::new();
    sample_in(&place.path("."));
    place.file("plain.toml", "sandbox = true\n");
    place.file("keyless.toml", "reports-dir = '/data'\n");
    place.file("odd.toml", "sandbox = true\n[schedule]\nevery = '5h'\n");
    place.file("wrong.toml", "sandbox = true\ntolerance = 'a lot'\n");
    place.file("back\\slash.toml", "sandbox = true\n");
    place.file("line\nbreak.toml", "sandbox = true\n");
    place.file("units.service", "mine");
    place.file("a b.toml", "sandbox = true\n");
    let cases: [(&[&str], &[&str]); 13] = [
        (&["systemd", "ids.csv", "--config", "a b.toml", "--template"], &["\"a b\"", "letters, digits"]),
        (&["cron", "ids.csv"], &["no settings file", "tieout init", "--config"]),
        (&["systemd", "ids.csv", "--config", "none.toml"], &["none.toml", "No such file"]),
        (&["cron", "-", "--config", "plain.toml"], &["standard input", "name the file of IDs"]),
        (&["cron", "ids.csv", "--config", "keyless.toml"], &["keyless.toml names no api-key-file", "add api-key-file"]),
        (&["cron", "ids.csv", "--config", "odd.toml"], &["every 18000 seconds", "24h or 7d"]),
        (&["systemd", "ids.csv", "--config", "wrong.toml"], &["--tolerance", "a lot", "wrong.toml"]),
        (&["cron", "ids.csv", "--config", "plain.toml", "--at", "2:30"], &["--at", "02:30"]),
        (&["systemd", "ids.csv", "--config", "plain.toml", "--name", "a/b"], &["--name", "a/b"]),
        (&["cron", "ids.csv", "--config", "back\\slash.toml"], &["back\\\\slash.toml", "backslash"]),
        (&["systemd", "ids.csv", "--config", "line\nbreak.toml"], &["line\\nbreak.toml", "line break"]),
        (&["systemd", "ids.csv", "--config", "plain.toml", "--template"], &["all accounts would share", "\"plain\""]),
        (
            &["systemd", "ids.csv", "--config", "plain.toml", "--name", "units", "--out", "."],
            &["units.service already exists", "never overwritten"],
        ),
    ];
    for (arguments, expected) in cases {
        let run = tieout().current_dir(place.path(".")).arg("schedule").args(arguments).output().expect("starts");
        let found = stderr(&run);
        assert_eq!((code(&run), stdout(&run).as_str()), (2, ""), "{arguments:?}: {found}");
        for part in expected {
            assert!(found.contains(part), "{arguments:?}: {part:?} is not in: {found}");
        }
    }
    assert_eq!(std::fs::read(place.path("units.service")).expect("there"), b"mine");
    assert!(!place.path("units.timer").exists(), "not even the other unit was written");
    let folder = ["schedule", "systemd", "ids.csv", "--config", "plain.toml", "--out", "none"];
    let run = tieout().current_dir(place.path(".")).args(folder).output().expect("starts");
    assert_eq!(code(&run), 4, "{}", stderr(&run));
}

#[test]
fn the_users_own_settings_file_serves_without_config() {
    let place = Place::new();
    sample_in(&place.path("."));
    std::fs::create_dir_all(place.path(".config/tieout")).expect("writable");
    let own = place.file(".config/tieout/tieout.toml", "sandbox = true\n");
    let mut command = tieout();
    command.current_dir(place.path(".")).env("HOME", place.path("")).args(["schedule", "cron", "ids.csv"]);
    let line = printed(&command.output().expect("starts"));
    assert!(line.contains(&format!("--config {}", own.display())), "{line}");
}
