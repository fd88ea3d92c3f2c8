//! The settings of `tieout audit` and `tieout close`: those of the report that is judged again, or for a dataset those of
//! the settings file, each with what is typed laid over it.

use std::path::{Path, PathBuf};

use super::{
    SettingsError, account, apart, as_of, fail_on, language, outside_dataset, outside_datasets, period, rules,
    schedule, unusable, with_file,
};
#[cfg(feature = "spark")]
use super::{duration, provider};
use crate::app::cli::{Audit, AuditOptions, CloseCommand, EngineOptions, General, Options};
use crate::checks::Rules;
use crate::history::sql::Results;
#[cfg(feature = "spark")]
use crate::history::sql::Spark;
use crate::history::{Dataset, DatasetError, Selection, absolute, is_bucket};
use crate::language::Language;
use crate::pipeline::audit::Changes;
use crate::pipeline::audit::dataset::DatasetAudit;
use crate::pipeline::audit::reader::Reader;
use crate::pipeline::audit::sql::{AskedAudit, RESULTS_FOLDER};
use crate::report::folder::manifest::CloseStamp;
use crate::report::folder::publish::Destination;
use crate::report::formats::options::ReportOptions;
use crate::report::formats::{Format, Formats};

const AUDITS_DIR: &str = "audits";

/// The settings that `audit` changes. `was` and `options_then` are those of the report.
///
/// # Errors
/// [`SettingsError`] says which option can't be used.
pub fn resolve_audit(
    command: &AuditOptions,
    was: &Rules,
    options_then: &ReportOptions,
    lang: Option<Language>,
) -> Result<Changes, SettingsError> {
    let currency = command.currency.clone().filter(|currency| !currency.is_empty());
    // The last day of a waiver ends in the report's time zone.
    let timezone = command.timezone.clone().or_else(|| Some(was.timezone.name().to_owned()));
    let given = rules::rules(&Options { currency, timezone, ..judging(command) })?;
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
    Ok(Changes { rules: Some(rules), as_of, options: Some(report) })
}

/// The options of `audit` that affect judgement, as those of `reconcile`.
fn judging(command: &AuditOptions) -> Options {
    Options {
        tolerance: command.tolerance.clone(),
        currency: command.currency.clone(),
        stale_after: command.stale_after.clone(),
        waivers: command.waivers.clone(),
        material: command.material.clone(),
        warn_before: command.warn_before.clone(),
        control_total: command.control_total.clone(),
        books_decimals: command.books_decimals,
        timezone: command.timezone.clone(),
        day_by: command.day_by,
        ..Options::default()
    }
}

/// Where the report of an audit goes.
///
/// # Errors
/// [`SettingsError`] if it would go into a dataset.
pub fn audit_destination(command: &Audit) -> Result<Destination, SettingsError> {
    let under = command.reports_dir.clone().unwrap_or_else(|| AUDITS_DIR.into());
    let destination = command.out.clone().map_or(Destination::Under(under), Destination::Exactly);
    outside_datasets(&destination).map(|()| destination)
}

/// The settings of an audit of a dataset, and where its report goes.
///
/// # Errors
/// [`SettingsError`] says which option can't be used.
pub fn resolve_dataset_audit(
    command: &Audit,
    dataset: Dataset,
    general: &General,
) -> Result<(DatasetAudit, Destination), SettingsError> {
    let selection = period::selection(&command.period)?;
    let destination = audit_destination(command)?;
    with_file(typed(&command.options), general, |options| {
        apart(dataset.folder().to_owned(), &destination)?;
        let audit = dataset_audit(dataset, selection, options, &command.options, general)?;
        Ok((audit, destination))
    })
}

/// Where the script of an audit goes, and where its engine finds the dataset and leaves its answers.
pub struct ScriptPlaces {
    /// The folder of the script.
    pub folder: PathBuf,
    /// The address of the dataset.
    pub dataset: String,
    /// The address of the answers.
    pub results: String,
}

/// The settings of an audit of a dataset by a script, and the places of the script.
///
/// # Errors
/// [`SettingsError`] says which option can't be used.
pub fn resolve_script(
    command: &Audit,
    dataset: Dataset,
    general: &General,
) -> Result<(DatasetAudit, ScriptPlaces), SettingsError> {
    let folder = command.out.clone().ok_or(SettingsError::NoScriptFolder)?;
    let AuditOptions { format, csv_encoding, account, fail_on, .. } = &command.options;
    let of_report = [
        ("format", format.is_some()),
        ("csv-encoding", csv_encoding.is_some()),
        ("account", account.is_some()),
        ("fail-on", !fail_on.is_empty()),
        ("reports-dir", command.reports_dir.is_some()),
    ];
    if let Some((option, _)) = of_report.into_iter().find(|(_, is_given)| *is_given) {
        return Err(SettingsError::NotOfScript { option });
    }
    outside_dataset("out", &folder)?;
    let EngineOptions { dataset_address, results_address, .. } = command.reader.clone();
    let places = ScriptPlaces {
        dataset: dataset_address.unwrap_or_else(|| address(dataset.folder())),
        results: results_address.unwrap_or_else(|| address(&folder.join(RESULTS_FOLDER))),
        folder,
    };
    let selection = period::selection(&command.period)?;
    with_file(typed(&command.options), general, |options| {
        Ok((dataset_audit(dataset, selection, options, &command.options, general)?, places))
    })
}

/// The settings of an audit of a dataset by a Spark, where its report goes, and where Spark finds the dataset.
///
/// # Errors
/// [`SettingsError`] says which option can't be used.
#[cfg(feature = "spark")]
pub fn resolve_spark(
    command: &Audit,
    dataset: Dataset,
    general: &General,
) -> Result<(DatasetAudit, Destination, Spark, String), SettingsError> {
    let EngineOptions { dataset_address, spark_remote, spark_token_file, deadline, .. } = command.reader.clone();
    let remote = spark_remote.ok_or(SettingsError::NoSpark)?;
    let spark = Spark {
        token: provider::spark_token(spark_token_file.as_deref())?,
        deadline: duration("deadline", deadline.as_deref().unwrap_or("1h"))?,
        remote,
    };
    let address = dataset_address.unwrap_or_else(|| address(dataset.folder()));
    let (audit, destination) = resolve_dataset_audit(command, dataset, general)?;
    Ok((audit, destination, spark, address))
}

/// The audit of answers that a script wrote, and where its report goes. What is wrong with the answers comes as it is.
///
/// # Errors
/// [`SettingsError`] says which option can't be used.
pub fn resolve_results(
    command: &Audit,
    (dataset, results, asked): (Dataset, Results, AskedAudit),
    general: &General,
) -> Result<(Result<DatasetAudit, DatasetError>, Destination), SettingsError> {
    let destination = audit_destination(command)?;
    with_file(typed(&command.options), general, |options| {
        apart(dataset.folder().to_owned(), &destination)?;
        let report = report_options(&dataset, options, &asked.settings, general)?;
        Ok((asked.with(results, dataset, report), destination))
    })
}

/// The address of a folder on this machine or in a bucket, as Spark knows it.
fn address(folder: &Path) -> String {
    if is_bucket(folder) {
        return folder.display().to_string().replacen("s3://", "s3a://", 1);
    }
    format!("file://{}", absolute(folder).display())
}

/// The dataset and the settings of a close.
///
/// # Errors
/// [`SettingsError`] says which option can't be used. What is wrong with the dataset comes as it is.
pub fn resolve_close(
    command: &CloseCommand,
    general: &General,
) -> Result<Result<DatasetAudit, DatasetError>, SettingsError> {
    let typed = Options { dataset: command.dataset.clone(), ..typed(&command.options) };
    with_file(typed, general, |options| {
        let folder = options.dataset.clone().ok_or(SettingsError::NoDataset)?;
        let every = options.schedule.as_ref().map(schedule::every).transpose()?.flatten();
        let dataset = match Dataset::open(&folder) {
            Ok(dataset) => dataset,
            Err(error) => return Ok(Err(error)),
        };
        let month = command.month;
        let audit = dataset_audit(dataset, Selection::of_month(month), options, &command.options, general)?;
        let close = Some(CloseStamp { month, every, is_forced: command.force });
        // A month without an order is one, as long as no night is missing.
        let options = ReportOptions { allow_empty: true, ..audit.options };
        Ok(Ok(DatasetAudit { close, options, ..audit }))
    })
}

/// The typed options of an audit, as those of `reconcile`.
fn typed(command: &AuditOptions) -> Options {
    Options {
        as_of: command.as_of.clone(),
        format: command.format.clone(),
        csv_encoding: command.csv_encoding,
        fail_on: Some(command.fail_on.clone()).filter(|fail_on| !fail_on.is_empty()),
        account: command.account.clone(),
        ..judging(command)
    }
}

/// An audit of some orders of a dataset.
fn dataset_audit(
    dataset: Dataset,
    selection: Selection,
    options: Options,
    command: &AuditOptions,
    general: &General,
) -> Result<DatasetAudit, SettingsError> {
    let zone = dataset.identity().timezone.name();
    if let Some(other) = options.timezone.as_deref().filter(|other| *other != zone) {
        return Err(unusable("timezone", other, &format!("the dataset has the days of {zone}; leave it out")));
    }
    // What compares the orders with an input can't be asked of a dataset.
    let options = Options {
        timezone: Some(zone.to_owned()),
        currency: options.currency.filter(|currency| !currency.is_empty()),
        expect: None,
        expect_rows: None,
        complete: None,
        since: None,
        until: None,
        ..options
    };
    let mut rules = rules::rules(&options)?;
    if command.all_checks {
        rules.off.clear();
    }
    let as_of = as_of(options.as_of.as_deref())?;
    let report = report_options(&dataset, options, &rules, general)?;
    Ok(DatasetAudit { dataset, selection, rules, as_of, options: report, close: None, reader: Reader::Tieout })
}

/// The form of a report about a dataset.
fn report_options(
    dataset: &Dataset,
    options: Options,
    rules: &Rules,
    general: &General,
) -> Result<ReportOptions, SettingsError> {
    let account = options.account.map(account).transpose()?.or_else(|| dataset.identity().account.clone());
    let report = ReportOptions {
        account,
        csv_encoding: options.csv_encoding.map(Into::into).unwrap_or_default(),
        formats: options.format.map_or_else(Formats::default, Formats::of),
        language: language(general.lang, general.config.as_deref()),
        allow_empty: options.allow_empty.unwrap_or(false),
        fail_on: fail_on(options.fail_on.unwrap_or_default(), rules)?,
    };
    if report.formats.has(Format::Focus) {
        let expected = "a dataset is a table already; leave it out";
        return Err(unusable("format", Format::Focus.name(), expected));
    }
    Ok(report)
}
