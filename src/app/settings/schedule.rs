//! When runs are expected, and what a scheduler must know of the job.

use std::path::{Path, PathBuf};

use super::file::{find, with_file};
use super::{Options, REPORTS_DIR, SettingsError, provider, real, rules};
use crate::app::cli::{General, ScheduleOptions};
use crate::domain::schedule::Schedule;
use crate::history::{absolute, is_bucket};

/// What a scheduler must know of the job that a settings file describes. Every path is absolute.
#[derive(Debug)]
pub struct ScheduleSettings {
    /// The settings file.
    pub config: PathBuf,
    /// The folder that the file's relative paths are relative to; `None` if it has none.
    pub folder: Option<PathBuf>,
    /// The file of the API key, if the settings file names one.
    pub key: Option<PathBuf>,
    /// Whether the job needs a key.
    pub needs_key: bool,
    /// The other files that the job reads.
    pub read: Vec<PathBuf>,
    /// What the job leaves: its reports, its state, its dataset and its metrics.
    pub outputs: Vec<PathBuf>,
    /// The folders that it writes to for that.
    pub written: Vec<PathBuf>,
    /// How often the job runs; `None` if that is not said.
    pub every: Option<Schedule>,
}

/// What a scheduler must know of the job that the settings file describes.
///
/// # Errors
/// [`SettingsError`] if there is no settings file, or the job could not use it.
pub fn resolve_schedule(general: &General) -> Result<ScheduleSettings, SettingsError> {
    let config = find(general.config.as_deref())?.ok_or(SettingsError::NoFile)?.path;
    with_file(Options::default(), general, |options| {
        rules::rules(&options)?;
        provider::options(&options.provider)?;
        let every = options.schedule.as_ref().map(every).transpose()?.flatten();
        let targets = options.notify.as_deref().unwrap_or_default();
        targets.iter().enumerate().try_for_each(|(at, target)| refuse_variables(at, target))?;
        let read = [&options.waivers, &options.provider.ca_file].into_iter().flatten().cloned();
        let read: Vec<PathBuf> = read.chain(targets.iter().flat_map(files)).collect();
        let (outputs, written) = outputs(&options).into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
        let key = options.provider.api_key_file;
        let is_relative = |path: &PathBuf| path.is_relative() && !is_bucket(path);
        let folder = key.iter().chain(&read).chain(&written).any(is_relative).then(|| from_root(Path::new(".")));
        Ok(ScheduleSettings {
            config: from_root(&config),
            folder,
            key: key.as_deref().map(from_root),
            needs_key: options.provider.sandbox != Some(true),
            read: read.iter().map(|path| from_root(path)).collect(),
            outputs: outputs.iter().map(|path| from_root(path)).collect(),
            written: outermost(written.iter().map(|path| from_root(path)).collect()),
            every,
        })
    })
}

/// Refuses a target of notifications whose secrets are in variables, which the scheduled job does not have.
fn refuse_variables(at: usize, target: &toml::Table) -> Result<(), SettingsError> {
    let Some(key) = target.keys().find(|key| key.ends_with("-env")) else { return Ok(()) };
    let file = key.replace("-env", "-file");
    let problem = format!("`{key}`: a scheduled job has no variables of your shell; name a file with `{file}`");
    Err(SettingsError::Notify { target: format!("{}", at + 1), problem })
}

/// The files that a target of notifications needs: those of its secrets, and its program, unless that is looked up by its
/// name.
fn files(target: &toml::Table) -> Vec<PathBuf> {
    let named = target.iter().filter(|(key, _)| key.ends_with("-file")).filter_map(|(_, file)| file.as_str());
    let program = target.get("command").and_then(|command| command.get(0)).and_then(toml::Value::as_str);
    named.chain(program.filter(|program| program.contains('/'))).map(PathBuf::from).collect()
}

/// What a job with these options leaves, each with the folder that is written to for it: a report with a place of its
/// own, the state and the metrics are written beside their place first.
fn outputs(options: &Options) -> Vec<(PathBuf, PathBuf)> {
    let folder_of = |path: &Path| match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let beside = |path: &PathBuf| (path.clone(), folder_of(path));
    let within = |path: PathBuf| (path.clone(), path);
    let reports = options.reports_dir.clone().unwrap_or_else(|| REPORTS_DIR.into());
    let report = options.out.as_ref().map_or_else(|| within(reports.clone()), beside);
    let state = options.state.as_ref().map_or_else(|| within(reports), beside);
    let dataset = options.dataset.clone().filter(|dataset| !is_bucket(dataset)).map(within);
    [report, state].into_iter().chain(dataset).chain(options.metrics_file.as_ref().map(beside)).collect()
}

/// The folders that lie in none of the others.
fn outermost(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    folders.sort();
    folders.dedup_by(|folder, outer| folder.starts_with(outer));
    folders
}

/// A path from the root without `..`, which systemd does not accept.
pub(in crate::app) fn from_root(path: &Path) -> PathBuf {
    let has_parent = path.components().any(|part| part == std::path::Component::ParentDir);
    if has_parent { real(path) } else { absolute(path) }
}

/// How often runs are expected; `None` if that is not said.
pub(super) fn every(options: &ScheduleOptions) -> Result<Option<Schedule>, SettingsError> {
    let Some(text) = &options.every else { return Ok(None) };
    let unusable = || SettingsError::Schedule { value: text.clone() };
    let every = super::duration("schedule", text).map_err(|_| unusable())?;
    let seconds =
        Some(every).filter(|every| every.subsec_nanos() == 0).and_then(|every| every.as_secs().try_into().ok());
    seconds.and_then(|seconds: i64| Schedule::try_from(seconds).ok()).map(Some).ok_or_else(unusable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_job_writes_where_its_settings_say() {
        let of = |text: &str| {
            let options: Options = toml::from_str(text).expect("settings");
            let written = outputs(&options).into_iter().map(|(_, folder)| folder).collect();
            outermost(written).iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(of(""), ["reports"]);
        assert_eq!(of("reports-dir = '/r'\nstate = '/s/state.sqlite'\ndataset = '/d'"), ["/d", "/r", "/s"]);
        assert_eq!(of("reports-dir = '/r'\nstate = '/r/s/state.sqlite'\ndataset = 's3://b/d'"), ["/r"]);
        assert_eq!(of("out = '/o/report'\nreports-dir = '/r'"), ["/o", "/r"], "the state is in the reports folder");
        assert_eq!(of("out = '/o/report'\nstate = '/o/state'"), ["/o"]);
        assert_eq!(of("reports-dir = '/r'\nmetrics-file = '/m/t.prom'"), ["/m", "/r"]);
        assert_eq!(of("out = 'report'\nstate = 'state'"), ["."]);
    }

    #[test]
    fn paths_are_from_the_root() {
        let here = std::env::current_dir().expect("a folder");
        assert_eq!(from_root(Path::new("a")), here.join("a"));
        assert_eq!(from_root(Path::new("/a/./b")), Path::new("/a/b"));
        assert_eq!(from_root(Path::new("/nowhere/a/../b")), Path::new("/nowhere/b"));
        assert_eq!(from_root(Path::new(".")), here);
    }
}
