//! Settings: option over environment over file over default, validated once, before anything is fetched.

mod judging;
mod waivers;

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{Span, SpanRelativeTo, Timestamp, Unit};
use secrecy::SecretString;
use toml::Table;

use super::cli::{self, Audit, General, Kept, Options, Output, Place, Reconcile};
use super::exit::FailOn;
use crate::checks::Judging;
use crate::input::{Options as InputOptions, Source};
use crate::pipeline::Memory;
use crate::pipeline::audit::Changes;
use crate::provider::{ApiKey, KeyError, Options as ProviderOptions};
use crate::report::formats::{Format, Formats};
use crate::report::publish::Destination;
use crate::report::texts::Language;

const API_URL: &str = "https://www.chenyu.cn/api/open/v2";
const KEY_VARIABLE: &str = "CHENYU_API_KEY";
const REPORTS_DIR: &str = "reports";
const AUDITS_DIR: &str = "audits";
const STATE_FILE: &str = ".state.sqlite";
/// The largest key file, in bytes.
const MAX_KEY_FILE: u64 = 4_096;
/// Requests per second.
const DEFAULT_RATE: u32 = 10;
const MAX_CONCURRENCY: usize = 1_024;
/// The longest label of an account, in characters.
const MAX_ACCOUNT: usize = 200;

/// What `reconcile` works with.
#[derive(Debug)]
pub struct Settings {
    /// How to read the CSV.
    pub input: InputOptions,
    /// How to ask the provider.
    pub provider: ProviderOptions,
    /// The provider's key; `None` with the simulator.
    pub key: Option<ApiKey>,
    /// Whether the simulator is asked instead.
    pub sandbox: bool,
    /// The settings that affect judgement.
    pub judging: Judging,
    /// What ages are counted to, if not the start of the run.
    pub as_of: Option<Timestamp>,
    /// Which verdicts are to fail as well.
    pub fail_on: Vec<FailOn>,
    /// Whether an empty input is fine.
    pub allow_empty: bool,
    /// Which formats the report is written in.
    pub formats: Formats,
    /// In which language people read it.
    pub language: Language,
    /// Where the report goes.
    pub destination: Destination,
    /// The state.
    pub state: PathBuf,
    /// A label for the report's heading.
    pub account: Option<String>,
    /// How long after its last sign of life a run is continued; `None` for never.
    pub resume_within: Option<Duration>,
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
    #[error("the settings file {} is not usable:\n{message}", path.display())]
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
    #[error("[checks] in the settings file: there is no check {code:?}{}", nearest.map_or_else(String::new, |near| format!("; did you mean {near:?}?")))]
    UnknownCheck {
        /// What stands there.
        code: String,
        /// The code most like it, if any is alike.
        nearest: Option<&'static str>,
    },
    /// The file says of a check what can't be said of it.
    #[error("[checks] in the settings file: {key} = {value:?}: {expected}")]
    Check {
        /// The check, or check and cause.
        key: String,
        /// What was said.
        value: String,
        /// What would do.
        expected: String,
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
}

/// Brings together what was typed, and proves it usable.
///
/// # Errors
/// [`SettingsError`] says which setting can't be used and what would do.
pub fn resolve(command: Reconcile, general: &General) -> Result<Settings, SettingsError> {
    let options = match settings_file(general.config.as_deref())? {
        Some((path, text)) => {
            overlay(&command.options, &text).map_err(|message| SettingsError::Toml { path, message })?
        }
        None => command.options,
    };
    let sandbox = options.sandbox.unwrap_or(false);
    let key = if sandbox { None } else { Some(key(options.api_key_file.as_deref())?) };
    let reports_dir = options.reports_dir.clone().unwrap_or_else(|| REPORTS_DIR.into());
    Ok(Settings {
        input: input(command.ids, &options)?,
        provider: provider(&options)?,
        key,
        sandbox,
        judging: judging::judging(&options)?,
        as_of: as_of(options.as_of.as_deref())?,
        fail_on: fail_on(&options)?,
        allow_empty: options.allow_empty.unwrap_or(false),
        formats: options.format.as_deref().map_or_else(Formats::default, formats),
        language: Language::default(),
        state: options.state.unwrap_or_else(|| reports_dir.join(STATE_FILE)),
        destination: options.out.map_or(Destination::Under(reports_dir), Destination::Exactly),
        account: options.account.map(account).transpose()?,
        resume_within: match options.fresh {
            Some(true) => None,
            _ => Some(duration("resume-within", options.resume_within.as_deref().unwrap_or("6h"))?),
        },
        memory: Memory {
            reuse_settled: options.reuse_settled.as_deref().map(|text| duration("reuse-settled", text)).transpose()?,
            keeps_replies: options.evidence == Some(Kept::Full),
        },
        output: options.output.unwrap_or_default(),
        quiet: general.quiet,
    })
}

/// Where state and reports are, for the commands that work on what `reconcile` left.
///
/// # Errors
/// [`SettingsError`] where the settings file can't be used.
pub fn place(typed: &Place, general: &General) -> Result<(PathBuf, PathBuf), SettingsError> {
    let typed = Options { state: typed.state.clone(), reports_dir: typed.reports_dir.clone(), ..Options::default() };
    let options = match settings_file(general.config.as_deref())? {
        Some((path, text)) => overlay(&typed, &text).map_err(|message| SettingsError::Toml { path, message })?,
        None => typed,
    };
    let reports_dir = options.reports_dir.unwrap_or_else(|| REPORTS_DIR.into());
    Ok((options.state.unwrap_or_else(|| reports_dir.join(STATE_FILE)), reports_dir))
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
pub fn changes(command: &Audit, was: &Judging) -> Result<(Changes, Destination), SettingsError> {
    let (tolerance, stale_after) = (command.tolerance.clone(), command.stale_after.clone());
    let options = Options {
        tolerance,
        stale_after,
        waivers: command.waivers.clone(),
        material: command.material.clone(),
        ..Options::default()
    };
    let currency = command.currency.clone().filter(|currency| !currency.is_empty());
    let given = judging::judging(&Options { currency, ..options })?;
    let judging = Judging {
        tolerance: if command.tolerance.is_some() { given.tolerance } else { was.tolerance.clone() },
        currency: if command.currency.is_some() { given.currency } else { was.currency.clone() },
        stale_after: if command.stale_after.is_some() { given.stale_after } else { was.stale_after },
        off: if command.all_checks { given.off } else { was.off.clone() },
        severities: was.severities.clone(),
        names_causes: was.names_causes || command.all_checks,
        material: if command.material.is_some() { given.material } else { was.material },
        waivers: if command.waivers.is_some() { given.waivers } else { was.waivers.clone() },
    };
    let changes = Changes {
        judging: Some(judging),
        as_of: as_of(command.as_of.as_deref())?,
        account: command.account.clone().map(account).transpose()?,
        formats: command.format.as_deref().map(formats),
        language: None,
    };
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

fn fail_on(options: &Options) -> Result<Vec<FailOn>, SettingsError> {
    let fail_on = options.fail_on.clone().unwrap_or_default();
    if fail_on.contains(&FailOn::Material) && options.material.is_none() {
        return Err(unusable("fail-on", FailOn::Material.word(), "say from which size on, with --material"));
    }
    Ok(fail_on)
}

fn formats(named: &[cli::Format]) -> Formats {
    Formats::of(named.iter().map(|format| match format {
        cli::Format::Csv => Format::Csv,
        cli::Format::Json => Format::Json,
        cli::Format::Parquet => Format::Parquet,
        cli::Format::Html => Format::Html,
    }))
}

fn as_of(text: Option<&str>) -> Result<Option<Timestamp>, SettingsError> {
    let parsed =
        text.map(|text| value::<Timestamp>("as-of", text, "a time such as 2026-11-23T02:00:00Z")).transpose()?;
    // What the state can't keep must not be judged by either: times are kept to the microsecond.
    Ok(parsed.map(|as_of| as_of.round(Unit::Microsecond).unwrap_or(as_of)))
}

/// The file that is named, or the user's own; never one of the current directory, which could redirect the key.
fn settings_file(named: Option<&Path>) -> Result<Option<(PathBuf, String)>, SettingsError> {
    let own = || {
        let folder = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let folder = folder.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".config")))?;
        Some(folder.join("tieout/tieout.toml")).filter(|path| path.exists())
    };
    let Some(path) = named.map(Path::to_owned).or_else(own) else {
        return Ok(None);
    };
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(source) => Err(SettingsError::File { path, source }),
    }
}

/// Lays what was typed over what the file says. The file is read by itself first, so that its errors name its lines.
fn overlay(typed: &Options, file: &str) -> Result<Options, String> {
    let unusable = |error: toml::de::Error| error.to_string();
    toml::from_str::<Options>(file).map_err(unusable)?;
    let mut settings: Table = file.parse().map_err(unusable)?;
    settings.extend(Table::try_from(typed).map_err(|error| error.to_string())?);
    settings.try_into().map_err(unusable)
}

fn input(ids: PathBuf, options: &Options) -> Result<InputOptions, SettingsError> {
    Ok(InputOptions {
        source: if ids.as_os_str() == "-" { Source::Stdin } else { Source::File(ids) },
        column: options.column.clone(),
        no_header: options.no_header.unwrap_or(false),
        encoding: options.encoding.clone(),
        delimiter: options.delimiter.as_deref().map(delimiter).transpose()?,
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

fn provider(options: &Options) -> Result<ProviderOptions, SettingsError> {
    let concurrency = options.concurrency.unwrap_or(16);
    if !(1..=MAX_CONCURRENCY).contains(&concurrency) {
        return Err(unusable("concurrency", &concurrency.to_string(), "give a number from 1 to 1024"));
    }
    Ok(ProviderOptions {
        base_url: options.api_url.clone().unwrap_or_else(|| API_URL.to_owned()),
        // The simulator is this process: there is nobody to spare.
        rate: options.rate.unwrap_or(if options.sandbox == Some(true) { 0 } else { DEFAULT_RATE }),
        concurrency,
        timeout: duration("timeout", options.timeout.as_deref().unwrap_or("30s"))?,
        retries: options.retries.unwrap_or(5),
        max_wait: duration("max-wait", options.max_wait.as_deref().unwrap_or("5m"))?,
        strict_rate: options.strict_rate.unwrap_or(false),
        deadline: options.deadline.as_deref().map(|text| duration("deadline", text)).transpose()?,
        proxy: options.proxy.clone().map(SecretString::from),
        ca_file: options.ca_file.clone(),
    })
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

/// The key: from its file where one is named, else from the environment. It is never an argument.
fn key(file: Option<&Path>) -> Result<ApiKey, SettingsError> {
    if let Some(path) = file {
        let text = key_file(path).map_err(|problem| SettingsError::KeyFile { path: path.to_owned(), problem })?;
        let origin = || format!("--api-key-file {}", path.display());
        return ApiKey::new(&text).map_err(|source| SettingsError::Key { origin: origin(), source });
    }
    match env::var(KEY_VARIABLE) {
        Ok(text) => ApiKey::new(&text).map_err(|source| SettingsError::Key { origin: KEY_VARIABLE.into(), source }),
        Err(env::VarError::NotUnicode(_)) => {
            Err(SettingsError::Key { origin: KEY_VARIABLE.into(), source: KeyError::BadCharacter })
        }
        Err(env::VarError::NotPresent) => Err(SettingsError::NoKey),
    }
}

fn key_file(path: &Path) -> Result<String, String> {
    let found = fs::metadata(path).map_err(|error| error.to_string())?;
    if !found.is_file() {
        return Err("it is no regular file".to_owned());
    }
    if found.len() > MAX_KEY_FILE {
        return Err(format!("it is larger than {MAX_KEY_FILE} bytes: it should hold the key alone"));
    }
    if found.permissions().mode() & 0o077 != 0 {
        tracing::warn!("{} can be read by others than its owner: chmod 600 it", path.display());
    }
    fs::read_to_string(path).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
