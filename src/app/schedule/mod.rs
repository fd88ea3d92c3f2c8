//! `tieout schedule`: prints what starts the job every night, for systemd or cron.

mod cron;
mod systemd;
mod times;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{env, iter};

use super::cli::{General, ScheduleCommand, Scheduler, Start, SystemdCommand};
use super::exit::{self, Exit, Failure};
use super::settings::{self, ScheduleSettings};
use crate::language::Texts;
use times::Times;

/// Prints or writes what the scheduler reads.
pub(super) fn run(command: &ScheduleCommand, general: &General, texts: Texts) -> Result<Exit, Failure> {
    match &command.scheduler {
        Scheduler::Cron(start) => {
            let line = cron::line(&Job::new(start, general)?)?;
            exit::ignore_closed_pipe(io::stdout().lock().write_all(line.as_bytes()))?;
        }
        Scheduler::Systemd(command) => {
            let units = systemd::units(&Job::new(&command.start, general)?, command)?;
            match &command.out {
                Some(folder) => write(folder, &units, command, texts)?,
                None => {
                    let text = units.map(|(name, unit)| format!("# {name}\n{unit}")).join("\n");
                    exit::ignore_closed_pipe(io::stdout().lock().write_all(text.as_bytes()))?;
                }
            }
        }
    }
    Ok(Exit::Success)
}

/// The job as a scheduler starts it.
struct Job {
    program: PathBuf,
    ids: PathBuf,
    settings: ScheduleSettings,
    times: Times,
}

impl Job {
    fn new(start: &Start, general: &General) -> Result<Self, Failure> {
        if start.ids.as_os_str() == "-" {
            return Err(Failure::usage("a scheduled job has no standard input").help("name the file of IDs"));
        }
        let settings = settings::resolve_schedule(general).map_err(Failure::usage)?;
        let program = env::current_exe()
            .map_err(|error| Failure::no_report(format!("can't tell where this program is: {error}")))?;
        let job = Self {
            program,
            ids: settings::from_root(&start.ids),
            times: Times::new(settings.every, start.at).map_err(|problem| {
                Failure::usage(problem).help("change it in the settings file, or write the schedule by hand")
            })?,
            settings,
        };
        job.paths().try_for_each(|path| text(path).map(drop))?;
        if !job.ids.exists() {
            exit::warn(format!("there is no file {} yet", job.ids.display()), None);
        }
        Ok(job)
    }

    /// Every path that the job uses.
    fn paths(&self) -> impl Iterator<Item = &Path> {
        let ScheduleSettings { config, folder, key, read, written, .. } = &self.settings;
        let files = [&self.program, &self.ids, config].into_iter().chain(folder).chain(key);
        files.chain(read).chain(written).map(PathBuf::as_path)
    }
}

/// A path as text. Refuses what the files of schedulers have no way to write.
fn text(path: &Path) -> Result<&str, Failure> {
    let refuse = |problem: &str| Failure::usage(format!("{path:?} can't stand in a schedule: {problem}"));
    let text = path.to_str().ok_or_else(|| refuse("it is not UTF-8"))?;
    if text.chars().any(char::is_control) {
        return Err(refuse("it has a line break or another control character"));
    }
    if text.ends_with(|last: char| last == '\\' || last.is_whitespace()) {
        return Err(refuse("it ends with a blank or a backslash"));
    }
    Ok(text)
}

/// Writes the units to a folder, and refuses to overwrite an existing one.
fn write(folder: &Path, units: &[(String, String)], command: &SystemdCommand, texts: Texts) -> Result<(), Failure> {
    let exists = |path: &Path| {
        Failure::usage(format!("{} already exists", path.display()))
            .help("remove it first, or choose a different --name or --out: units are never overwritten")
    };
    let paths = units.iter().map(|(name, _)| folder.join(name));
    if let Some(path) = paths.clone().find(|path| path.symlink_metadata().is_ok()) {
        return Err(exists(&path));
    }
    for (path, (_, unit)) in iter::zip(paths, units) {
        let opened = OpenOptions::new().write(true).create_new(true).open(&path);
        let written = opened.and_then(|mut file| file.write_all(unit.as_bytes()));
        written.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => exists(&path),
            _ => Failure::no_report(format!("can't write {}: {error}", path.display()))
                .help("name an existing folder that you can write to"),
        })?;
        let wrote = texts.with("schedule-wrote", &[("file", path.display().to_string().into())]);
        exit::ignore_closed_pipe(writeln!(io::stdout().lock(), "{wrote}"))?;
    }
    let timer =
        if command.template { format!("{}@ACCOUNT.timer", command.name) } else { format!("{}.timer", command.name) };
    let next = texts.with("schedule-next", &[("timer", timer.into())]);
    exit::ignore_closed_pipe(writeln!(io::stdout().lock(), "{next}"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn paths_that_no_schedule_can_write_are_refused() {
        for bytes in [b"/a\nb".as_slice(), b"/a\tb", b"/a\x1b", b"/a\xff", b"/a ", b"/a\\", "/a\u{3000}".as_bytes()] {
            assert!(text(Path::new(OsStr::from_bytes(bytes))).is_err(), "{bytes:?}");
        }
        for path in ["/a b", "/a\\b", "/账单/%i$\"'", "/a;b"] {
            assert_eq!(text(Path::new(path)).ok(), Some(path));
        }
    }
}
