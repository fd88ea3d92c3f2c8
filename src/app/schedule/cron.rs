//! The job as a line of a crontab.

use std::fmt::Write as _;
use std::path::Path;

use super::{Job, text};
use crate::app::exit::Failure;

/// The longest command that cron accepts, in bytes.
const LONGEST: usize = 998;

/// The lines for a crontab: a comment, and the job.
pub(super) fn line(job: &Job) -> Result<String, Failure> {
    let settings = &job.settings;
    if settings.key.is_none() && settings.needs_key {
        let file = settings.config.display();
        return Err(Failure::usage(format!("{file} names no api-key-file, and cron has no CHENYU_API_KEY"))
            .help("add api-key-file to the settings file"));
    }
    let mut command = String::new();
    if let Some(folder) = &settings.folder {
        // Writing to a `String` never fails.
        _ = write!(command, "cd {} && ", argument(folder)?);
    }
    let (program, ids, config) = (argument(&job.program)?, argument(&job.ids)?, argument(&settings.config)?);
    _ = write!(command, "{program} reconcile {ids} --config {config} -q");
    command.push_str(" || { code=$?; echo \"tieout exited with $code\"; exit $code; }");
    if command.len() > LONGEST {
        return Err(Failure::usage(format!(
            "the line has a command of {} bytes, and cron takes {LONGEST}",
            command.len()
        ))
        .help("shorten the paths, or put the command in a script"));
    }
    let comment = "# tieout: prints, and so makes cron mail, errors and every exit code other than 0.";
    Ok(format!("{comment}\n{} {command}\n", job.times.crontab()))
}

/// A path as an argument for a shell in a crontab.
fn argument(path: &Path) -> Result<String, Failure> {
    let text = text(path)?;
    // Some crons remove a backslash before another one, others don't.
    if text.contains('\\') {
        return Err(Failure::usage(format!("{path:?} can't stand in a crontab: it has a backslash")));
    }
    Ok(quoted(text).replace('%', "\\%"))
}

/// A text as one word of a shell, without any backslash.
fn quoted(text: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "/._-+:,@%".contains(sign);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\"'\"'")) }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_shell_reads_every_path_as_it_is(text in "/[^\\\\\\p{Cc}]{0,40}[a-z'\"$%`!*]") {
            let command = argument(Path::new(&text)).expect("a path").replace("\\%", "%");
            let read = Command::new("/bin/sh").args(["-c", &format!("printf %s {command}")]).output().expect("sh");
            prop_assert_eq!(String::from_utf8_lossy(&read.stdout), text);
        }
    }

    #[test]
    fn plain_paths_stay_plain() {
        assert_eq!(argument(Path::new("/data/ids-1.csv")).ok().as_deref(), Some("/data/ids-1.csv"));
        assert_eq!(argument(Path::new("/100%/a b")).ok().as_deref(), Some("'/100\\%/a b'"));
        assert!(argument(Path::new("/a\\b")).is_err());
    }
}
