//! Settings: option over environment over file over default, validated once, before anything is fetched.

mod asking;
mod discovering;
mod file;
mod language;
mod rules;
mod text_file;
mod waivers;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{Span, SpanRelativeTo, Timestamp, Unit};

use super::cli::{Audit, General, Kept, Options, Output, Place, Reconcile};
use crate::checks::Rules;
use crate::domain::books::Field;
use crate::input::{Options as InputOptions, Source};
use crate::language::Language;
use crate::pipeline::Memory;
use crate::pipeline::audit::Changes;
use crate::provider::{ApiKey, KeyError, Options as ProviderOptions};
use crate::report::folder::publish::Destination;
use crate::report::formats::Formats;
use crate::report::formats::options::ReportOptions;
use crate::summary::FailOn;
use asking::KEY_FILE;
pub(super) use asking::KEY_VARIABLE;
use file::with_file;

pub use discovering::{Discovering, discovering};

#[cfg(test)]
pub(super) use file::overlay;
pub(super) use language::language;
pub(super) use rules::nearest;

const REPORTS_DIR: &str = "reports";
const AUDITS_DIR: &str = "audits";
const STATE_FILE: &str = ".state.sqlite";
/// The longest label of an account, in characters.
const MAX_ACCOUNT: usize = 200;

/// What `reconcile` works with.
#[derive(Debug)]
pub struct Settings {
    /// How to read the CSV.
    pub input: InputOptions,
    /// How to ask the provider.
    pub provider: ProviderOptions,
    /// The provider's key; `None` where the simulator is asked instead.
    pub key: Option<ApiKey>,
    /// The settings that affect judgement.
    pub rules: Rules,
    /// What ages are counted to, if not the start of the run.
    pub as_of: Option<Timestamp>,
    /// What the report is to be.
    pub report: ReportOptions,
    /// Where the report goes.
    pub destination: Destination,
    /// The state.
    pub state: PathBuf,
    /// How long after its last sign of life a run is continued; `None` for never.
    pub resume_within: Option<Duration>,
    /// Whether failing orders are read once more before they are reported.
    pub confirms: bool,
    /// What is kept for later runs, and taken from earlier ones.
    pub memory: Memory,
    /// What standard output gets.
    pub output: Output,
    /// Whether to show no progress.
    pub quiet: bool,
}

/// A setting that can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The settings file can't be read.
    #[error("can't read the settings file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The settings file holds something it should not.
    #[error("the settings file {} is not usable: {message}", path.display())]
    Toml {
        /// The file.
        path: PathBuf,
        /// What and where.
        message: String,
    },
    /// A value is out of its range or form.
    #[error("--{option} {value:?}: {expected}")]
    Value {
        /// The option's name.
        option: &'static str,
        /// What was given.
        value: String,
        /// What would do.
        expected: String,
    },
    /// The file says something of a check that there is not.
    #[error("[checks]: there is no check {code:?}{}", nearest.map_or_else(String::new, |near| format!("; did you mean {near:?}?")))]
    UnknownCheck {
        /// What stands there.
        code: String,
        /// The code most like it, if any is alike.
        nearest: Option<&'static str>,
    },
    /// The file says of a check what can't be said of it.
    #[error("[checks]: {key} = {value:?}: {expected}")]
    Check {
        /// The check, or check and cause.
        key: String,
        /// What was said.
        value: String,
        /// What would do.
        expected: String,
    },
    /// The thresholds of a workflow can't be used.
    #[error("[workflow.{id}]: {problem}")]
    Workflow {
        /// The workflow.
        id: String,
        /// What and why not.
        problem: String,
    },
    /// The file of waivers can't be used.
    #[error("--waivers {}: {problem}", path.display())]
    Waivers {
        /// The file.
        path: PathBuf,
        /// What and where.
        problem: String,
    },
    /// There is no key.
    #[error(
        "no API key: set {KEY_VARIABLE}, or name a file that holds it with --api-key-file, or use --sandbox, which needs none"
    )]
    NoKey,
    /// The key's file can't be used.
    #[error("--api-key-file {}: {problem}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
    /// The key can't be one.
    #[error("{origin}: {source}")]
    Key {
        /// Where the key comes from.
        origin: String,
        /// Why not.
        source: KeyError,
    },
    /// The key stands where every report would show it.
    #[error("{place} holds the API key, and reports show it: leave it out there")]
    MisplacedKey {
        /// The option, or what else it is.
        place: &'static str,
    },
    /// What can't be used stands in the settings file.
    #[error("{error} (in the settings file {})", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What can't be used.
        error: Box<SettingsError>,
    },
}

impl SettingsError {
    /// The key of the settings file that could be at fault.
    fn key(&self) -> Option<&'static str> {
        match self {
            Self::Value { option, .. } => Some(option),
            Self::UnknownCheck { .. } | Self::Check { .. } => Some("checks"),
            Self::Workflow { .. } => Some("workflow"),
            Self::Waivers { .. } => Some("waivers"),
            Self::KeyFile { .. } => Some(KEY_FILE),
            Self::Key { origin, .. } if origin != KEY_VARIABLE => Some(KEY_FILE),
            Self::Key { .. }
            | Self::File { .. }
            | Self::Toml { .. }
            | Self::NoKey
            | Self::MisplacedKey { .. }
            | Self::InFile { .. } => None,
        }
    }
}

/// Brings together what was typed, and proves it usable.
///
/// # Errors
/// [`SettingsError`] says which setting can't be used and what would do.
pub fn resolve(command: Reconcile, general: &General) -> Result<Settings, SettingsError> {
    with_file(command.options, general, |options| settings(command.ids, options, general))
}

/// Proves the settings usable, wherever each comes from.
fn settings(ids: PathBuf, options: Options, general: &General) -> Result<Settings, SettingsError> {
    let key = asking::key(&options.asking)?;
    let shown = [
        ("--account", options.account.as_deref()),
        ("--api-url", options.asking.api_url.as_deref()),
        ("the name of the input", ids.to_str()),
    ];
    refuse_shown_key(key.as_ref(), shown.into_iter().filter_map(|(place, text)| Some((place, text?))))?;
    let reports_dir = options.reports_dir.clone().unwrap_or_else(|| REPORTS_DIR.into());
    let rules = rules::rules(&options)?;
    let waivers = rules.waivers.values().flat_map(|waiver| [&waiver.owner, &waiver.reason]);
    let listed = waivers.chain(rules.expect.values()).map(|text| ("--waivers or --expect", text.as_str()));
    refuse_shown_key(key.as_ref(), listed)?;
    let provider = asking::provider(&options.asking)?;
    Ok(Settings {
        input: input(ids, &options, rules.expect.clone())?,
        provider,
        key,
        as_of: as_of(options.as_of.as_deref())?,
        report: ReportOptions {
            account: options.account.map(account).transpose()?,
            csv_encoding: options.csv_encoding.map(Into::into).unwrap_or_default(),
            formats: options.format.map_or_else(Formats::default, Formats::of),
            language: language(general.lang, general.config.as_deref()),
            allow_empty: options.allow_empty.unwrap_or(false),
            fail_on: fail_on(options.fail_on.unwrap_or_default(), &rules)?,
        },
        rules,
        state: options.state.unwrap_or_else(|| reports_dir.join(STATE_FILE)),
        destination: options.out.map_or(Destination::Under(reports_dir), Destination::Exactly),
        resume_within: match options.fresh {
            Some(true) => None,
            _ => Some(duration("resume-within", options.resume_within.as_deref().unwrap_or("6h"))?),
        },
        confirms: options.confirm.unwrap_or(true),
        memory: Memory {
            reuse_settled: options.reuse_settled.as_deref().map(|text| duration("reuse-settled", text)).transpose()?,
            keeps_replies: options.evidence == Some(Kept::Full),
        },
        output: options.output.unwrap_or_default(),
        quiet: general.quiet,
    })
}

/// Refuses the key where every report would show it: `shown` is each text that reports show, after its place.
fn refuse_shown_key<'t>(
    key: Option<&ApiKey>,
    mut shown: impl Iterator<Item = (&'static str, &'t str)>,
) -> Result<(), SettingsError> {
    let misplaced = key.and_then(|key| shown.find(|(_, text)| key.is_in(text)));
    misplaced.map_or(Ok(()), |(place, _)| Err(SettingsError::MisplacedKey { place }))
}

/// Where state and reports are, for the commands that work on what `reconcile` left.
///
/// # Errors
/// [`SettingsError`] where the settings file can't be used.
pub fn place(typed: &Place, general: &General) -> Result<(PathBuf, PathBuf), SettingsError> {
    let typed = Options { state: typed.state.clone(), reports_dir: typed.reports_dir.clone(), ..Options::default() };
    with_file(typed, general, |options| Ok(place_of(options)))
}

fn place_of(options: Options) -> (PathBuf, PathBuf) {
    let reports_dir = options.reports_dir.unwrap_or_else(|| REPORTS_DIR.into());
    (options.state.unwrap_or_else(|| reports_dir.join(STATE_FILE)), reports_dir)
}

/// Where the state of a report is unless it is named: beside it.
#[must_use]
pub fn state_beside(report: &Path) -> PathBuf {
    let report = report.canonicalize().unwrap_or_else(|_| report.to_owned());
    report.parent().unwrap_or(&report).join(STATE_FILE)
}

/// What `audit` is to change, and where its report goes.
///
/// # Errors
/// [`SettingsError`] says which option can't be used.
pub fn changes(
    command: &Audit,
    was: &Rules,
    options_then: &ReportOptions,
    lang: Option<Language>,
) -> Result<(Changes, Destination), SettingsError> {
    let (tolerance, stale_after) = (command.tolerance.clone(), command.stale_after.clone());
    let options = Options {
        tolerance,
        stale_after,
        waivers: command.waivers.clone(),
        material: command.material.clone(),
        warn_before: command.warn_before.clone(),
        control_total: command.control_total.clone(),
        books_decimals: command.books_decimals,
        // A waiver's last day ends where the report's days do.
        timezone: command.timezone.clone().or_else(|| Some(was.timezone.name().to_owned())),
        day_by: command.day_by,
        ..Options::default()
    };
    let currency = command.currency.clone().filter(|currency| !currency.is_empty());
    let given = rules::rules(&Options { currency, ..options })?;
    let rules = Rules {
        tolerance: if command.tolerance.is_some() { given.tolerance } else { was.tolerance },
        tolerances: if command.tolerance.is_some() { given.tolerances } else { was.tolerances.clone() },
        currency: if command.currency.is_some() { given.currency } else { was.currency.clone() },
        stale_after: if command.stale_after.is_some() { given.stale_after } else { was.stale_after },
        warn_before: if command.warn_before.is_some() { given.warn_before } else { was.warn_before },
        off: if command.all_checks { given.off } else { was.off.clone() },
        material: if command.material.is_some() { given.material } else { was.material },
        waivers: if command.waivers.is_some() { given.waivers } else { was.waivers.clone() },
        control_totals: if command.control_total.is_some() { given.control_totals } else { was.control_totals.clone() },
        books_decimals: if command.books_decimals.is_some() { given.books_decimals } else { was.books_decimals },
        timezone: given.timezone,
        day_by: if command.day_by.is_some() { given.day_by } else { was.day_by },
        ..was.clone()
    };
    let then = options_then.clone();
    let report = ReportOptions {
        account: command.account.clone().map(account).transpose()?.or(then.account),
        csv_encoding: command.csv_encoding.map_or(then.csv_encoding, Into::into),
        formats: command.format.clone().map_or(then.formats, Formats::of),
        language: lang.unwrap_or(then.language),
        allow_empty: then.allow_empty,
        fail_on: fail_on(if command.fail_on.is_empty() { then.fail_on } else { command.fail_on.clone() }, &rules)?,
    };
    let as_of = as_of(command.as_of.as_deref())?;
    let changes = Changes { rules: Some(rules), as_of, options: Some(report) };
    let under = command.reports_dir.clone().unwrap_or_else(|| AUDITS_DIR.into());
    Ok((changes, command.out.clone().map_or(Destination::Under(under), Destination::Exactly)))
}

/// A time from now back, as `prune` takes it.
///
/// # Errors
/// [`SettingsError`] where it is no duration.
pub fn keep(text: &str) -> Result<Duration, SettingsError> {
    duration("keep", text)
}

fn fail_on(fail_on: Vec<FailOn>, rules: &Rules) -> Result<Vec<FailOn>, SettingsError> {
    if fail_on.contains(&FailOn::Material) && !rules.has_materiality() {
        return Err(unusable("fail-on", FailOn::Material.word(), "say from which size on, with --material"));
    }
    Ok(fail_on)
}

fn as_of(text: Option<&str>) -> Result<Option<Timestamp>, SettingsError> {
    let parsed = text
        .map(|text| value::<Timestamp>("as-of", text, "give a time with its offset, such as 2026-11-23T02:00:00Z"))
        .transpose()?;
    // What the state can't keep must not be judged by either: times are kept to the microsecond.
    Ok(parsed.map(|as_of| as_of.round(Unit::Microsecond).unwrap_or(as_of)))
}

fn input(ids: PathBuf, options: &Options, books: BTreeMap<Field, String>) -> Result<InputOptions, SettingsError> {
    if let (Some(line), Some(true)) = (options.heading, options.no_header) {
        return Err(unusable(
            "heading",
            &line.to_string(),
            "--no-header says that there is none: leave one of them out",
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
