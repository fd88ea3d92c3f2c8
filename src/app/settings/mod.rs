//! Settings: an option wins over the environment, the environment over the settings file, and the file over the
//! default. All are validated once, before anything is fetched.

mod audit;
mod discover;
mod error;
mod file;
mod language;
mod notify;
mod period;
mod provider;
mod rules;
mod schedule;
mod status;
mod text_file;
mod waivers;

use std::collections::BTreeMap;
use std::path::{self, Component, Path, PathBuf};
use std::time::Duration;

use jiff::{Span, SpanRelativeTo, Timestamp, Unit};

use super::cli::{EvidenceLevel, General, Options, Output, Place, Reconcile};
use crate::checks::Rules;
use crate::domain::books::Field;
use crate::history::{Dataset, is_bucket};
use crate::input::{Options as InputOptions, Source};
use crate::pipeline::MemoryOptions;
use crate::provider::{ApiKey, Options as ProviderOptions};
use crate::report::files::MANIFEST_FILE;
use crate::report::folder::publish::Destination;
use crate::report::formats::Formats;
use crate::report::formats::options::ReportOptions;
use crate::store::without_links;
use crate::summary::FailOn;
use file::with_file;
pub(super) use provider::{CREDENTIAL, KEY_VARIABLE, SPARK_TOKEN_VARIABLE};

#[cfg(feature = "spark")]
pub use audit::resolve_spark;
pub use audit::{
    ScriptPlaces, audit_destination, resolve_audit, resolve_close, resolve_dataset_audit, resolve_results,
    resolve_script,
};
pub use discover::{DiscoverSettings, resolve_discover};
pub use error::SettingsError;
pub(super) use schedule::from_root;
pub use schedule::{ScheduleSettings, resolve_schedule};
pub use status::resolve_status;

#[cfg(test)]
pub(super) use file::overlay;
pub(super) use language::language;
pub use notify::{NotifySettings, resolve_notify};
pub(super) use rules::nearest;

const REPORTS_DIR: &str = "reports";
const STATE_FILE: &str = ".state.sqlite";
/// The longest label of an account, in characters.
const MAX_ACCOUNT: usize = 200;

/// The validated settings of `reconcile`.
#[derive(Debug)]
pub struct Settings {
    /// How to read the input.
    pub input: InputOptions,
    /// How to reach and ask the provider.
    pub provider: ProviderOptions,
    /// The API key; `None` where the simulator is used instead of the provider.
    pub key: Option<ApiKey>,
    /// The settings that affect judgement.
    pub rules: Rules,
    /// The time to which ages are counted; `None` for the start of the run.
    pub as_of: Option<Timestamp>,
    /// Formats, language and other options of the report.
    pub report: ReportOptions,
    /// Where the report goes.
    pub destination: Destination,
    /// The state file.
    pub state: PathBuf,
    /// How long after its last activity an unfinished run is continued; `None` never continues one.
    pub resume_within: Option<Duration>,
    /// Whether to fetch failing orders again before reporting them.
    pub recheck: bool,
    /// What to reuse from earlier runs and to keep for later ones.
    pub memory: MemoryOptions,
    /// The dataset that gets what the job observes.
    pub dataset: Option<PathBuf>,
    /// The file that gets the run's metrics.
    pub metrics_file: Option<PathBuf>,
    /// What to write to standard output.
    pub output: Output,
    /// Whether to show neither progress nor summary.
    pub quiet: bool,
    /// Who is told how the job ended.
    pub notify: NotifySettings,
}

/// Combines typed options, environment and settings file, and validates the result.
///
/// # Errors
/// [`SettingsError`] names the setting that can't be used, and says which values are accepted.
pub fn resolve(command: Reconcile, general: &General) -> Result<Settings, SettingsError> {
    with_file(command.options, general, |options| settings(command.ids, options, general))
}

/// Validates the combined settings.
fn settings(ids: PathBuf, options: Options, general: &General) -> Result<Settings, SettingsError> {
    let key = provider::key(&options.provider)?;
    let shown = [
        ("--account", options.account.as_deref()),
        ("--api-url", options.provider.api_url.as_deref()),
        ("the name of the input", ids.to_str()),
        ("--dataset", options.dataset.as_deref().and_then(Path::to_str)),
    ];
    refuse_shown_key(key.as_ref(), shown.into_iter().filter_map(|(place, text)| Some((place, text?))))?;
    let reports_dir = options.reports_dir.clone().unwrap_or_else(|| REPORTS_DIR.into());
    let rules = rules::rules(&options)?;
    let waivers = rules.waivers.values().flat_map(|waiver| [&waiver.owner, &waiver.reason]);
    let listed = waivers.chain(rules.expect.values()).map(|text| ("--waivers or --expect", text.as_str()));
    refuse_shown_key(key.as_ref(), listed)?;
    let provider = provider::options(&options.provider)?;
    let destination = options.out.clone().map_or_else(|| Destination::Under(reports_dir.clone()), Destination::Exactly);
    outside_datasets(&destination)?;
    match &options.state {
        Some(state) => outside_dataset("state", state)?,
        None => outside_datasets(&Destination::Under(reports_dir.clone()))?,
    }
    let dataset = options.dataset.clone().map(|dataset| apart(dataset, &destination)).transpose()?;
    let metrics_file =
        options.metrics_file.clone().map(|path| metrics_file(path, &destination, dataset.as_deref())).transpose()?;
    let language = language(general.lang, general.config.as_deref());
    Ok(Settings {
        notify: notify::settings(&options, language)?,
        input: input(ids, &options, rules.expect.clone())?,
        provider,
        key,
        as_of: as_of(options.as_of.as_deref())?,
        report: ReportOptions {
            account: options.account.map(account).transpose()?,
            csv_encoding: options.csv_encoding.map(Into::into).unwrap_or_default(),
            formats: options.format.map_or_else(Formats::default, Formats::of),
            language,
            allow_empty: options.allow_empty.unwrap_or(false),
            fail_on: fail_on(options.fail_on.unwrap_or_default(), &rules)?,
        },
        rules,
        state: options.state.unwrap_or_else(|| reports_dir.join(STATE_FILE)),
        destination,
        resume_within: match options.fresh {
            Some(true) => None,
            _ => Some(duration("resume-within", options.resume_within.as_deref().unwrap_or("6h"))?),
        },
        recheck: options.confirm.unwrap_or(true),
        memory: MemoryOptions {
            reuse_settled: options.reuse_settled.as_deref().map(|text| duration("reuse-settled", text)).transpose()?,
            keeps_replies: options.evidence == Some(EvidenceLevel::Full),
        },
        dataset,
        metrics_file,
        output: options.output.unwrap_or_default(),
        quiet: general.quiet,
    })
}

/// Refuses a file that node_exporter would pass over, and one in a report: that would no longer be proven.
fn metrics_file(path: PathBuf, destination: &Destination, dataset: Option<&Path>) -> Result<PathBuf, SettingsError> {
    let refuse = |expected: &str| Err(unusable("metrics-file", &path.display().to_string(), expected));
    if path.extension().is_none_or(|ending| ending != "prom") {
        return refuse("give a name that ends in .prom: node_exporter reads no other file");
    }
    outside_dataset("metrics-file", &path)?;
    let (place, reports) = (real(&path), real(destination.path()));
    if let Some(dataset) = dataset.filter(|dataset| !is_bucket(dataset) && place.starts_with(real(dataset))) {
        return refuse(&format!("it lies in the dataset {}; name a place outside of it", dataset.display()));
    }
    let folder = place.parent().unwrap_or(&place);
    let is_in_report = match destination {
        Destination::Under(_) => folder != reports && folder.starts_with(&reports),
        Destination::Exactly(_) | Destination::New(_) => folder.starts_with(&reports),
    };
    if is_in_report || folder.join(MANIFEST_FILE).exists() {
        return refuse("it lies in a report, to which nothing may be added; name a file outside of it");
    }
    Ok(path)
}

/// Refuses a dataset in the place of a report, since each report replaces what is there.
fn apart(dataset: PathBuf, destination: &Destination) -> Result<PathBuf, SettingsError> {
    if is_bucket(&dataset) {
        return Ok(dataset);
    }
    if let Some(around) = real(&dataset).parent() {
        outside_dataset("dataset", around)?;
    }
    let (place, reports) = (real(&dataset), real(destination.path()));
    let is_in_place = match destination {
        Destination::Under(_) => place == reports,
        Destination::Exactly(_) | Destination::New(_) => place.starts_with(&reports),
    };
    if is_in_place || reports.starts_with(&place) {
        let expected = "reports go there; give a folder of its own".to_owned();
        return Err(SettingsError::Value { option: "dataset", value: dataset.display().to_string(), expected });
    }
    Ok(dataset)
}

/// Refuses reports within a dataset, where they would take the place of closes.
fn outside_datasets(destination: &Destination) -> Result<(), SettingsError> {
    let option = match destination {
        Destination::Under(_) => "reports-dir",
        Destination::Exactly(_) | Destination::New(_) => "out",
    };
    outside_dataset(option, destination.path())
}

/// Refuses a file or a folder of other things within a dataset.
fn outside_dataset(option: &'static str, path: &Path) -> Result<(), SettingsError> {
    if is_bucket(path) {
        return Err(unusable(option, &path.display().to_string(), "only a dataset can be in a bucket; name a folder"));
    }
    match real(path).ancestors().find(|folder| Dataset::is_in(folder)) {
        None => Ok(()),
        Some(dataset) => {
            let expected = format!("it lies in the dataset {}; name a place outside of it", dataset.display());
            Err(unusable(option, &path.display().to_string(), &expected))
        }
    }
}

/// A path with its links resolved, also those to what is not there yet.
fn real(path: &Path) -> PathBuf {
    let path = path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.components().fold(PathBuf::new(), |mut real, component| match component {
        // What is not there yet will be a folder.
        Component::ParentDir => {
            real.pop();
            real
        }
        component => {
            let place = real.join(component);
            without_links(&place).unwrap_or(place)
        }
    })
}

/// Refuses the API key in texts that every report shows. `shown` has each such text with a name for its place.
fn refuse_shown_key<'t>(
    key: Option<&ApiKey>,
    mut shown: impl Iterator<Item = (&'static str, &'t str)>,
) -> Result<(), SettingsError> {
    let misplaced = key.and_then(|key| shown.find(|(_, text)| key.is_in(text)));
    misplaced.map_or(Ok(()), |(place, _)| Err(SettingsError::MisplacedKey { place }))
}

/// The state file and the reports folder, for commands that work on what `reconcile` left.
///
/// # Errors
/// [`SettingsError`] where the settings file can't be used.
pub fn place(typed: &Place, general: &General) -> Result<(PathBuf, PathBuf), SettingsError> {
    let typed = Options { state: typed.state.clone(), reports_dir: typed.reports_dir.clone(), ..Options::default() };
    with_file(typed, general, |options| {
        let (state, reports_dir) = place_of(options);
        outside_dataset("state", &state)?;
        outside_dataset("reports-dir", &reports_dir)?;
        Ok((state, reports_dir))
    })
}

fn place_of(options: Options) -> (PathBuf, PathBuf) {
    let reports_dir = options.reports_dir.unwrap_or_else(|| REPORTS_DIR.into());
    (options.state.unwrap_or_else(|| reports_dir.join(STATE_FILE)), reports_dir)
}

/// The default state file of a report: beside its folder.
#[must_use]
pub fn state_beside(report: &Path) -> PathBuf {
    let report = report.canonicalize().unwrap_or_else(|_| report.to_owned());
    report.parent().unwrap_or(&report).join(STATE_FILE)
}

/// Parses the duration of `prune --keep`.
///
/// # Errors
/// [`SettingsError`] if `text` is not a duration above zero.
pub fn keep(text: &str) -> Result<Duration, SettingsError> {
    duration("keep", text)
}

fn fail_on(fail_on: Vec<FailOn>, rules: &Rules) -> Result<Vec<FailOn>, SettingsError> {
    if fail_on.contains(&FailOn::Material) && !rules.has_materiality() {
        return Err(unusable("fail-on", FailOn::Material.name(), "also give --material, such as --material 100"));
    }
    Ok(fail_on)
}

fn as_of(text: Option<&str>) -> Result<Option<Timestamp>, SettingsError> {
    let parsed = text
        .map(|text| value::<Timestamp>("as-of", text, "give a time with its offset, such as 2026-11-23T02:00:00Z"))
        .transpose()?;
    // The state keeps times to the microsecond, so judgement uses no finer ones.
    Ok(parsed.map(|as_of| as_of.round(Unit::Microsecond).unwrap_or(as_of)))
}

fn input(ids: PathBuf, options: &Options, books: BTreeMap<Field, String>) -> Result<InputOptions, SettingsError> {
    if let (Some(line), Some(true)) = (options.heading, options.no_header) {
        return Err(unusable(
            "heading",
            &line.to_string(),
            "--no-header says that there is no heading: give one of the two",
        ));
    }
    Ok(InputOptions {
        source: if ids.as_os_str() == "-" { Source::Stdin } else { Source::File(ids) },
        column: options.column.clone(),
        no_header: options.no_header.unwrap_or(false),
        heading: options.heading,
        sheet: options.sheet.clone(),
        encoding: options.encoding.clone(),
        delimiter: options.delimiter.as_deref().map(delimiter).transpose()?,
        books,
    })
}

fn delimiter(text: &str) -> Result<u8, SettingsError> {
    match (text, text.as_bytes()) {
        ("comma", _) => Ok(b','),
        ("semicolon", _) => Ok(b';'),
        ("tab" | "\\t", _) => Ok(b'\t'),
        (_, [byte]) if byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n' | 0) => Ok(*byte),
        _ => Err(unusable("delimiter", text, "give one character, or comma, semicolon, tab")),
    }
}

fn duration(option: &'static str, text: &str) -> Result<Duration, SettingsError> {
    let expected = "give a duration above zero, such as 500ms, 30s, 2m or 30d";
    let span: Span = value(option, text, expected)?;
    let parsed = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok();
    parsed
        .and_then(|time| Duration::try_from(time).ok())
        .filter(|time| !time.is_zero())
        .ok_or_else(|| unusable(option, text, expected))
}

fn account(name: String) -> Result<String, SettingsError> {
    if name.chars().count() > MAX_ACCOUNT || name.chars().any(char::is_control) {
        return Err(unusable("account", &name, "give at most 200 characters on one line"));
    }
    Ok(name)
}

fn value<T: std::str::FromStr>(option: &'static str, text: &str, expected: &str) -> Result<T, SettingsError> {
    text.parse().map_err(|_| unusable(option, text, expected))
}

fn unusable(option: &'static str, value: &str, expected: &str) -> SettingsError {
    SettingsError::Value { option, value: value.to_owned(), expected: expected.to_owned() }
}

#[cfg(test)]
mod tests;
