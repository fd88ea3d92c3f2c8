//! The command line of `tieout reconcile`. Its options serve the command line, the environment and the settings file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use super::provider::{self, ProviderArgs};
use super::{CsvEncoding, DayBy, EvidenceLevel, Output, ScheduleOptions, WorkflowOptions};
use crate::checks::ExpectRows;
use crate::language::Language;
use crate::report::formats::Format;
use crate::summary::FailOn;

/// Arguments of `tieout reconcile`.
#[derive(Debug, Args)]
pub struct Reconcile {
    /// CSV or workbook of run order IDs, or - for standard input
    #[arg(value_name = "IDS")]
    pub ids: PathBuf,
    /// Its options, which the environment and the settings file may give too.
    #[command(flatten)]
    pub options: Options,
}

/// The options of `reconcile`, unchecked: from the command line, the environment or the settings file.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Options {
    /// How to reach the provider. The settings file has these keys at the same level as the others.
    #[command(flatten)]
    #[serde(skip)]
    pub provider: ProviderArgs,
    /// Fetch orders that fail a check again before reporting them [default: true]
    #[arg(long, env = "TIEOUT_CONFIRM", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Provider")]
    pub confirm: Option<bool>,

    /// Heading (or number) of the ID column [default: detected]
    #[arg(long, env = "TIEOUT_COLUMN", value_name = "NAME", help_heading = "Input")]
    pub column: Option<String>,
    /// The first row is not a heading
    #[arg(long, env = "TIEOUT_NO_HEADER", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Input")]
    pub no_header: Option<bool>,
    /// Line of the heading, counted from 1; lines above it are skipped [default: detected]
    #[arg(long, env = "TIEOUT_HEADING", value_name = "LINE", help_heading = "Input")]
    pub heading: Option<u64>,
    /// Sheet of a workbook [default: the one with an ID column]
    #[arg(long, env = "TIEOUT_SHEET", value_name = "NAME", help_heading = "Input")]
    pub sheet: Option<String>,
    /// Encoding of the CSV, such as utf-8, utf-16le or gb18030 [default: detected]
    #[arg(long, env = "TIEOUT_ENCODING", value_name = "NAME", help_heading = "Input")]
    pub encoding: Option<String>,
    /// Delimiter of the CSV: one character, or comma, semicolon, tab [default: detected]
    #[arg(long, env = "TIEOUT_DELIMITER", value_name = "CHAR", help_heading = "Input")]
    pub delimiter: Option<String>,
    /// Accept an input without rows (verdict empty, exit 0)
    #[arg(long, env = "TIEOUT_ALLOW_EMPTY", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Input")]
    pub allow_empty: Option<bool>,

    /// How far quote-split and cost-sum may be off: one amount, or one per currency as in CNY=0.01,USD=0.002
    /// [default: 0]
    #[arg(long, env = "TIEOUT_TOLERANCE", value_name = "DECIMAL", help_heading = "Judging")]
    pub tolerance: Option<String>,
    /// The only currency expected, such as CNY
    #[arg(long, env = "TIEOUT_CURRENCY", value_name = "CODE", help_heading = "Judging")]
    pub currency: Option<String>,
    /// Warn about unsettled orders this old or older [default: 24h]
    #[arg(long, env = "TIEOUT_STALE_AFTER", value_name = "DURATION", help_heading = "Judging")]
    pub stale_after: Option<String>,
    /// Also warn about orders that would be stale within this time, such as 6h [default: none]
    #[arg(long, env = "TIEOUT_WARN_BEFORE", value_name = "DURATION", help_heading = "Judging")]
    pub warn_before: Option<String>,
    /// Compare a field with a column of the input, such as final_amount=amount; repeatable, or separate several with ;
    #[arg(long, env = "TIEOUT_EXPECT", value_name = "FIELD=COLUMN", value_delimiter = ';', help_heading = "Judging")]
    pub expect: Option<Vec<String>>,
    /// How to compare rows of one order: each row, or their sum where our books split an order into rows
    /// [default: each]
    #[arg(long, env = "TIEOUT_EXPECT_ROWS", value_name = "HOW", help_heading = "Judging")]
    pub expect_rows: Option<ExpectRows>,
    /// Decimals of our books and control totals, 0 to 8; the provider's figures are rounded to match [default: 8]
    #[arg(long, env = "TIEOUT_BOOKS_DECIMALS", value_name = "N", value_parser = provider::whole::<u8>, help_heading = "Judging")]
    pub books_decimals: Option<u8>,
    /// Walk the provider's list of orders, and report orders that the input lacks
    #[arg(long, env = "TIEOUT_COMPLETE", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Judging")]
    pub complete: Option<bool>,
    /// With --complete: only orders created at or after this day or time
    #[arg(long, env = "TIEOUT_SINCE", value_name = "TIME", help_heading = "Judging")]
    pub since: Option<String>,
    /// With --complete: only orders created before this time, or before this day begins [default: --as-of]
    #[arg(long, env = "TIEOUT_UNTIL", value_name = "TIME", help_heading = "Judging")]
    pub until: Option<String>,
    /// Time zone of days: for spend by day, --since, --until and the last days of waivers [default: Asia/Shanghai]
    #[arg(long, env = "TIEOUT_TIMEZONE", value_name = "ZONE", help_heading = "Judging")]
    pub timezone: Option<String>,
    /// Which day an order's spend is counted on [default: created]
    #[arg(long, env = "TIEOUT_DAY_BY", value_name = "TIME", help_heading = "Judging")]
    pub day_by: Option<DayBy>,
    /// Expected sum over settled orders, such as final=1234.56 or final:USD=12, or expected number of rows or orders,
    /// such as rows=200; repeatable
    #[arg(
        long,
        env = "TIEOUT_CONTROL_TOTAL",
        value_name = "FIELD=AMOUNT",
        value_delimiter = ';',
        help_heading = "Judging"
    )]
    pub control_total: Option<Vec<String>>,
    /// Smallest difference that counts as material, in the order's currency: such differences are shown first; see also
    /// --fail-on [default: none]
    #[arg(long, env = "TIEOUT_MATERIAL", value_name = "DECIMAL", help_heading = "Judging")]
    pub material: Option<String>,
    /// TOML file of accepted discrepancies (waivers)
    #[arg(long, env = "TIEOUT_WAIVERS", value_name = "FILE", help_heading = "Judging")]
    pub waivers: Option<PathBuf>,
    /// Severities of checks that differ from the catalogue's; only in the settings file, in `[checks]`
    #[arg(skip)]
    pub checks: Option<toml::Table>,
    /// Thresholds for the orders of some workflows; only in the settings file, in `[workflow.ID]`
    #[arg(skip)]
    pub workflow: Option<BTreeMap<String, WorkflowOptions>>,
    /// When runs are expected; only in the settings file, in `[schedule]`
    #[arg(skip)]
    pub schedule: Option<ScheduleOptions>,
    /// Who is told how a job ended; only in the settings file, in `[[notify]]`
    #[arg(skip)]
    pub notify: Option<Vec<toml::Table>>,
    /// Time at which ages are measured, such as 2026-11-23T02:00:00Z [default: the start of the run]
    #[arg(long, env = "TIEOUT_AS_OF", value_name = "TIME", help_heading = "Judging")]
    pub as_of: Option<String>,
    /// Also exit with 1 on: warnings, pending, material
    #[arg(long, env = "TIEOUT_FAIL_ON", value_name = "VERDICT", value_delimiter = ',', help_heading = "Judging")]
    pub fail_on: Option<Vec<FailOn>>,

    /// Write the report to exactly this folder, replacing an earlier report
    #[arg(long, env = "TIEOUT_OUT", value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// Folder that gets one subfolder per run, with `latest` pointing at the newest [default: reports]
    #[arg(long, env = "TIEOUT_REPORTS_DIR", value_name = "DIR", help_heading = "Output")]
    pub reports_dir: Option<PathBuf>,
    /// State file [default: .state.sqlite in the reports folder]
    #[arg(long, env = "TIEOUT_STATE", value_name = "FILE", help_heading = "Output")]
    pub state: Option<PathBuf>,
    /// Folder of a dataset that gets what this run observes, for good
    #[arg(long, env = "TIEOUT_DATASET", value_name = "DIR", help_heading = "Output")]
    pub dataset: Option<PathBuf>,
    /// File that gets the run's metrics for Prometheus, as node_exporter reads it: its name ends in .prom
    #[arg(long, env = "TIEOUT_METRICS_FILE", value_name = "FILE", help_heading = "Output")]
    pub metrics_file: Option<PathBuf>,
    /// How long after its last activity an unfinished run of the same input may be resumed [default: 6h]
    #[arg(long, env = "TIEOUT_RESUME_WITHIN", value_name = "DURATION", help_heading = "Earlier runs")]
    pub resume_within: Option<String>,
    /// Start a new run even if an earlier one could be continued
    #[arg(long, env = "TIEOUT_FRESH", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Earlier runs")]
    pub fresh: Option<bool>,
    /// Reuse orders that were settled when last fetched within this time, such as 30d [default: fetch all]
    #[arg(long, env = "TIEOUT_REUSE_SETTLED", value_name = "DURATION", help_heading = "Earlier runs")]
    pub reuse_settled: Option<String>,
    /// What to keep of each reply: its billing facts and a hash, or all of it, prompts included [default: billing]
    #[arg(long, env = "TIEOUT_EVIDENCE", value_name = "WHAT", help_heading = "Earlier runs")]
    pub evidence: Option<EvidenceLevel>,

    /// Encoding of the report's CSV files [default: utf8]
    #[arg(long, env = "TIEOUT_CSV_ENCODING", value_name = "NAME", help_heading = "Output")]
    pub csv_encoding: Option<CsvEncoding>,
    /// Formats of the report: csv, json, parquet (always written), html, xlsx, focus [default: all but focus]
    #[arg(long, env = "TIEOUT_FORMAT", value_name = "LIST", value_delimiter = ',', help_heading = "Output")]
    pub format: Option<Vec<Format>>,
    /// A label for the report's heading
    #[arg(long, env = "TIEOUT_ACCOUNT", value_name = "NAME", help_heading = "Output")]
    pub account: Option<String>,
    /// What to write to standard output: a summary for people, or summary.json [default: text]
    #[arg(long, env = "TIEOUT_OUTPUT", value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<Output>,
    /// Language of texts for people. A key of the settings file only: on the command line, `General` has the option.
    #[arg(skip)]
    pub lang: Option<Language>,
}
