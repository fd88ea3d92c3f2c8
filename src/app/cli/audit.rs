//! The command lines of `tieout audit` and `tieout close`.

use std::path::PathBuf;

use clap::Args;

use super::choices::{CsvEncoding, DayBy, Engine, Output};
use super::provider::whole;
use crate::domain::month::Month;
use crate::report::formats::Format;
use crate::summary::FailOn;

/// Which orders of a dataset.
#[derive(Clone, Debug, Default, Args)]
pub struct Period {
    /// Of a dataset: only orders created on this day or later
    #[arg(long, value_name = "DAY")]
    pub since: Option<String>,
    /// Of a dataset: only orders created before this day
    #[arg(long, value_name = "DAY")]
    pub until: Option<String>,
    /// Of a dataset: only orders created in this month, such as 2026-10
    #[arg(long, value_name = "MONTH", conflicts_with_all = ["since", "until"])]
    pub month: Option<String>,
    /// Of a dataset: only orders of this workflow
    #[arg(long, value_name = "ID")]
    pub workflow: Option<String>,
}

impl Period {
    /// The name of an option that is given.
    #[must_use]
    pub const fn given(&self) -> Option<&'static str> {
        match self {
            Self { since: Some(_), .. } => Some("since"),
            Self { until: Some(_), .. } => Some("until"),
            Self { month: Some(_), .. } => Some("month"),
            Self { workflow: Some(_), .. } => Some("workflow"),
            Self { since: None, until: None, month: None, workflow: None } => None,
        }
    }
}

/// Who reads a dataset.
#[derive(Clone, Debug, Default, Args)]
pub struct EngineOptions {
    /// Who reads a dataset: this machine, any Spark by a script that is written to --out, or the Spark at --spark-remote
    #[arg(long, value_name = "ENGINE", default_value = "local")]
    pub engine: Engine,
    /// Where Spark finds the dataset, such as s3a://bucket/history [default: its folder on this machine]
    #[arg(long, value_name = "ADDRESS")]
    pub dataset_address: Option<String>,
    /// Where the script writes its answers [default: the folder `results` beside it]
    #[arg(long, value_name = "ADDRESS")]
    pub results_address: Option<String>,
    /// Make the report of the answers in this folder, which the script of --engine sql wrote
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = [
            "engine", "dataset_address", "results_address", "since", "until", "month", "workflow", "tolerance", "currency",
            "stale_after", "warn_before", "control_total", "books_decimals", "material", "waivers", "timezone", "day_by",
            "all_checks", "as_of"
        ]
    )]
    pub results: Option<PathBuf>,
    /// Spark Connect address, such as sc://host:15002/;use_ssl=true
    #[arg(long, value_name = "URL")]
    pub spark_remote: Option<String>,
    /// File with the token for --spark-remote, instead of SPARK_CONNECT_AUTHENTICATE_TOKEN
    #[arg(long, value_name = "FILE")]
    pub spark_token_file: Option<PathBuf>,
    /// How long the Spark at --spark-remote may take [default: 1h]
    #[arg(long, value_name = "DURATION")]
    pub deadline: Option<String>,
}

impl EngineOptions {
    /// The name of an option that is given, and the engines that it is for.
    fn all_given(&self) -> impl Iterator<Item = (&'static str, &'static [Engine])> {
        let given: [(_, _, &[Engine]); 6] = [
            ("dataset-address", self.dataset_address.is_some(), &[Engine::Sql, Engine::Spark]),
            ("results-address", self.results_address.is_some(), &[Engine::Sql]),
            ("results", self.results.is_some(), &[Engine::Local]),
            ("spark-remote", self.spark_remote.is_some(), &[Engine::Spark]),
            ("spark-token-file", self.spark_token_file.is_some(), &[Engine::Spark]),
            ("deadline", self.deadline.is_some(), &[Engine::Spark]),
        ];
        given.into_iter().filter(|(_, is_given, _)| *is_given).map(|(name, _, engines)| (name, engines))
    }

    /// The name of an option that is given.
    #[must_use]
    pub fn given(&self) -> Option<&'static str> {
        let engine = (self.engine != Engine::Local).then_some("engine");
        engine.or_else(|| self.all_given().next().map(|(name, _)| name))
    }

    /// The name of an option that the engine does not have.
    #[must_use]
    pub fn misplaced(&self) -> Option<&'static str> {
        self.all_given().find(|(_, engines)| !engines.contains(&self.engine)).map(|(name, _)| name)
    }
}

/// How a report is judged and written. What is `None` or empty keeps the setting of the report, or of the settings file.
#[derive(Clone, Debug, Default, Args)]
pub struct AuditOptions {
    /// How far quote-split and cost-sum may be off: one amount, or one per currency as in CNY=0.01,USD=0.002
    #[arg(long, value_name = "DECIMAL")]
    pub tolerance: Option<String>,
    /// The only currency expected, such as CNY; an empty value accepts any
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
    /// Warn about unsettled orders this old or older
    #[arg(long, value_name = "DURATION")]
    pub stale_after: Option<String>,
    /// Also warn about orders that would be stale within this time
    #[arg(long, value_name = "DURATION")]
    pub warn_before: Option<String>,
    /// Expected sum or count, such as final=1234.56 or rows=200; repeatable, instead of the report's
    #[arg(long, value_name = "FIELD=AMOUNT", value_delimiter = ';')]
    pub control_total: Option<Vec<String>>,
    /// Decimals of our books and control totals, 0 to 8; the provider's figures are rounded to match
    #[arg(long, value_name = "N", value_parser = whole::<u8>)]
    pub books_decimals: Option<u8>,
    /// Smallest difference that counts as material, in the order's currency
    #[arg(long, value_name = "DECIMAL")]
    pub material: Option<String>,
    /// TOML file of accepted discrepancies (waivers), instead of the report's
    #[arg(long, value_name = "FILE")]
    pub waivers: Option<PathBuf>,
    /// Time zone of days: for spend by day and the last days of --waivers
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// Which day an order's spend is counted on
    #[arg(long, value_name = "TIME")]
    pub day_by: Option<DayBy>,
    /// Apply every check of this version, including those that did not judge the report
    #[arg(long)]
    pub all_checks: bool,
    /// Time at which ages are measured, such as 2026-11-23T02:00:00Z
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// Encoding of the report's CSV files
    #[arg(long, value_name = "NAME")]
    pub csv_encoding: Option<CsvEncoding>,
    /// Formats of the new report, instead of the original's: csv, json, parquet (always written), html, xlsx, focus
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub format: Option<Vec<Format>>,
    /// A label for the report's heading
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// Also exit with 1 on: warnings, pending, material
    #[arg(long, value_name = "VERDICT", value_delimiter = ',')]
    pub fail_on: Vec<FailOn>,
}

/// Arguments of `tieout audit`.
#[derive(Debug, Args)]
#[command(
    after_help = "Settings that are not given stay as in the report. For a dataset they come from the settings file, and ages \
are measured when its newest run did. The evidence is first verified by its hashes.\n\nWith --engine sql, --out is a new folder \
for the script. Then --results makes the report of its answers: the dataset must still be there, and options about the form \
of the report (--format, --account, --fail-on) are given then."
)]
pub struct Audit {
    /// Folder of the report whose evidence is judged again, or of a dataset
    #[arg(value_name = "REPORT|DATASET")]
    pub report: PathBuf,
    /// Which orders of a dataset.
    #[command(flatten)]
    pub period: Period,
    /// Who reads it.
    #[command(flatten)]
    pub reader: EngineOptions,
    /// How it is judged and written.
    #[command(flatten)]
    pub options: AuditOptions,
    /// Write the report to exactly this folder, replacing an earlier report
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Folder that gets a subfolder for the report, with `latest` pointing at it [default: audits]
    #[arg(long, value_name = "DIR")]
    pub reports_dir: Option<PathBuf>,
    /// What to write to standard output: a summary for people, or summary.json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}

/// Arguments of `tieout close`.
#[derive(Debug, Args)]
#[command(
    after_help = "Settings that are not given come from the settings file. The report stays in the dataset, in closes/MONTH, and is \
never replaced.\n\nExit codes: as of a report; 2 also if the month is closed already or not the next one; 3 without --force if it \
can't be closed yet: then there is no report."
)]
pub struct CloseCommand {
    /// Month to close, such as 2026-10
    #[arg(value_name = "MONTH")]
    pub month: Month,
    /// Folder of the dataset
    #[arg(long, env = "TIEOUT_DATASET", value_name = "DIR")]
    pub dataset: Option<PathBuf>,
    /// Close it even if nights are missing or orders have no readable answer; the report says so
    #[arg(long)]
    pub force: bool,
    /// How it is judged and written.
    #[command(flatten)]
    pub options: AuditOptions,
    /// What to write to standard output: a summary for people, or summary.json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}
