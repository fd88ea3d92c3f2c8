//! `tieout audit`: rebuilds a report from its own evidence, or makes one about a dataset.

use std::io::{self, Write};

use super::cli::{Audit, CloseCommand, Engine, General, Output};
use super::exit::{self, Exit, Failure};
use super::settings::ScriptPlaces;
use super::voice::Voice;
use super::wrap::padded;
use super::{settings, terminal};
use crate::domain::visible::visible;
use crate::history::sql::{Results, SqlError};
use crate::history::{Dataset, DatasetError};
use crate::language::{Language, Texts};
use crate::pipeline::audit::close::CloseError;
use crate::pipeline::audit::sql::{AskedAudit, SCRIPT_FILE};
use crate::pipeline::audit::{self, ProvenReport};
use crate::pipeline::{self, JobError};
use crate::report::builder::Report;
use crate::report::folder::publish::{Destination, PublishedReport, follow};
use crate::store::RecheckCounts;

/// Rebuilds the report with the changed settings or makes one about a dataset, and prints its summary.
pub(super) fn run(command: Audit, general: &General, voice: &Voice) -> Result<Exit, Failure> {
    if let Some(option) = command.reader.misplaced() {
        return Err(Failure::usage(format!("--{option}: not with --engine {}", command.reader.engine.word())));
    }
    // A place that is not there is told as such.
    let is_dataset = Dataset::is_in(&command.report) || command.reader.given().is_some() && !command.report.exists();
    if is_dataset && command.reader.engine == Engine::Sql {
        return script(&command, general, voice.texts);
    }
    let (report, published) =
        if is_dataset { of_dataset(&command, general)? } else { of_report(&command, general.lang)? };
    show(&report, &published, command.output, general, voice)
}

/// Closes a month of a dataset, and prints the summary of its report.
pub(super) fn close(command: &CloseCommand, general: &General, voice: &Voice) -> Result<Exit, Failure> {
    let resolved = settings::resolve_close(command, general).map_err(Failure::usage)?;
    let audit = resolved.map_err(|error| failure(error.into()))?;
    let (report, published) = pipeline::close::close(&audit, command.month).map_err(failure)?;
    show(&report, &published, command.output, general, voice)
}

fn show(
    report: &Report,
    published: &PublishedReport,
    output: Output,
    general: &General,
    voice: &Voice,
) -> Result<Exit, Failure> {
    exit::warn_of_limits(&published.limits);
    let mut out = io::stdout().lock();
    let shown = match output {
        Output::Text if general.quiet => Ok(()),
        Output::Text => terminal::show(report, &published.folder, RecheckCounts::default(), voice, &mut out),
        Output::Json => serde_json::to_writer_pretty(&mut out, &report.summary)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(out)),
    };
    exit::check_summary_written(shown, &published.folder, output)?;
    Ok(exit::of_report(report))
}

fn of_dataset(command: &Audit, general: &General) -> Result<(Report, PublishedReport), Failure> {
    let dataset = Dataset::open(&command.report).map_err(|error| failure(error.into()))?;
    if command.reader.engine == Engine::Spark {
        return by_spark(command, dataset, general);
    }
    let (audit, destination) = match &command.reader.results {
        None => settings::resolve_dataset_audit(command, dataset, general).map_err(Failure::usage)?,
        Some(results) => {
            let results = Results::open(results).map_err(|error| failure(error.into()))?;
            let asked = AskedAudit::of(&results).map_err(|error| failure(error.into()))?;
            let (audit, destination) =
                settings::resolve_results(command, (dataset, results, asked), general).map_err(Failure::usage)?;
            (audit.map_err(|error| failure(error.into()))?, destination)
        }
    };
    check(&destination)?;
    audit.publish(&destination).map_err(failure)
}

/// Asks a Spark.
#[cfg(feature = "spark")]
fn by_spark(command: &Audit, dataset: Dataset, general: &General) -> Result<(Report, PublishedReport), Failure> {
    let (audit, destination, spark, address) =
        settings::resolve_spark(command, dataset, general).map_err(Failure::usage)?;
    check(&destination)?;
    audit.asking(&spark, &address).and_then(|audit| audit.publish(&destination)).map_err(failure)
}

#[cfg(not(feature = "spark"))]
fn by_spark(_: &Audit, _: Dataset, _: &General) -> Result<(Report, PublishedReport), Failure> {
    Err(Failure::usage("--engine spark: this program was built without the feature `spark`")
        .help("build it with `cargo build --release --features spark`, or write a script with --engine sql"))
}

/// Writes the script of an audit by Spark, and says what to do with it.
fn script(command: &Audit, general: &General, texts: Texts) -> Result<Exit, Failure> {
    let dataset = Dataset::open(&command.report).map_err(|error| failure(error.into()))?;
    let (audit, places) = settings::resolve_script(command, dataset, general).map_err(Failure::usage)?;
    let ScriptPlaces { folder, dataset, results } = &places;
    audit.write_script(folder, dataset, results).map_err(failure)?;
    if general.quiet {
        return Ok(Exit::Success);
    }
    let (script, mut out) = (folder.join(SCRIPT_FILE), io::stdout().lock());
    let script = script.display();
    let lines = [
        (texts.get("script-file"), script.to_string()),
        (texts.get("script-reads"), dataset.to_string()),
        (texts.get("script-writes"), results.to_string()),
        (texts.get("script-run"), format!("spark-sql -f {script}")),
        (texts.get("script-then"), format!("tieout audit {} --results RESULTS --out REPORT", command.report.display())),
    ];
    let mut lines = lines.iter().map(|(heading, value)| format!("{} {value}", padded(heading, 10)));
    exit::ignore_closed_pipe(lines.try_for_each(|line| writeln!(out, "{}", visible(&line))))?;
    Ok(Exit::Success)
}

fn of_report(command: &Audit, lang: Option<Language>) -> Result<(Report, PublishedReport), Failure> {
    if let Some(option) = command.period.given() {
        return Err(Failure::usage(format!("--{option}: use it only with a dataset; a report has its own orders")));
    }
    if let Some(option) = command.reader.given() {
        return Err(Failure::usage(format!("--{option}: use it only with a dataset; a report is read here")));
    }
    let original = ProvenReport::open(&follow(&command.report)).map_err(failure)?;
    let was = &original.manifest.stamp.settings;
    let options = &original.manifest.stamp.options;
    let changes = settings::resolve_audit(&command.options, was, options, lang).map_err(Failure::usage)?;
    let destination = settings::audit_destination(command).map_err(Failure::usage)?;
    check(&destination)?;
    audit::audit(&original, &changes, &destination).map_err(failure)
}

fn check(destination: &Destination) -> Result<(), Failure> {
    destination
        .check()
        .map_err(|error| if error.is_usage_error() { Failure::usage(error) } else { Failure::no_report(error) })
}

/// The failure for a report that can't be audited or verified, with advice where the folder is not a report.
pub(super) fn failure(error: JobError) -> Failure {
    match error {
        JobError::OfDataset { .. }
        | JobError::Dataset(DatasetError::NotADataset { .. } | DatasetError::Other { .. }) => Failure::usage(error),
        JobError::NoReport { .. } => Failure::usage(error)
            .help("name the folder of a report that `tieout reconcile` made, such as reports/latest"),
        JobError::Close(error @ (CloseError::NotReady { .. } | CloseError::Incomplete { .. })) => Failure::incomplete(
            error,
        )
        .help("run what is lacking, or close it nonetheless with --force: the report says so, without a verdict"),
        JobError::Close(error @ CloseError::NotProven { .. }) => {
            Failure::no_report(error).help("restore it from a backup, or remove it and close that month again")
        }
        JobError::Close(error) => Failure::usage(error),
        JobError::Sql(error @ (SqlError::Address { .. } | SqlError::NotEmpty { .. } | SqlError::Remote { .. })) => {
            Failure::usage(error)
        }
        JobError::Sql(SqlError::Dataset(error)) => failure(error.into()),
        JobError::Publish(error) if error.is_usage_error() => Failure::usage(error),
        other => Failure::no_report(other),
    }
}
