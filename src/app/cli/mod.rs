//! The command line. The options of `reconcile` serve the command line, the environment and the settings file. Those
//! about the provider are a struct of their own ([`ProviderArgs`]), which `discover` shares.

mod audit;
mod choices;
mod dataset;
mod discover;
mod notify;
mod provider;
mod schedule;
mod workflow;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use serde::{Deserialize, Serialize};

use super::voice::Colour;
use crate::checks::ExpectRows;
use crate::language::Language;
use crate::report::formats::Format;
use crate::sandbox;
use crate::summary::FailOn;

pub use audit::{Audit, AuditOptions, CloseCommand, EngineOptions, Period};
pub use choices::{CsvEncoding, DayBy, Engine, EvidenceLevel, Output};
pub use dataset::{DatasetAction, DatasetCommand};
pub use discover::Discover;
pub use notify::Notify;
pub use provider::ProviderArgs;
pub use schedule::ScheduleOptions;
pub use workflow::WorkflowOptions;

const EXIT_CODES: &str = "\
Exit codes:
  0    everything tied out (warnings and pending orders allowed, unless --fail-on)
  1    verdict discrepant: needs review
  2    usage or configuration error; nothing was fetched
  3    verdict incomplete: there is a report, but some orders had no readable answer
  4    no report: key rejected, nothing could be fetched, disk full, or tieout's own totals disagree
  130  stopped by SIGINT    143  stopped by SIGTERM";

const DIFF_EXAMPLES: &str = "\
Examples:
  tieout diff reports/20260601T000000Z reports/latest
  tieout diff old new --output json | jq '.discrepancies[] | select(.state == \"new\")'";

const DIFF_EXIT_CODES: &str = "\
Exit codes:
  0    compared, whatever the result; scripts should read the JSON
  2    usage error, or one of the two is not a report
  4    a report can't be read, or does not match its manifest";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  tieout completions bash > /etc/bash_completion.d/tieout
  tieout completions zsh > ~/.zfunc/_tieout
  tieout completions fish > ~/.config/fish/completions/tieout.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  tieout man /usr/local/share/man/man1
  tieout man | man -l -";

const EXAMPLES: &str = "\
Examples:
  tieout reconcile ids.csv --sandbox             against the simulator: no key, no network
  CHENYU_API_KEY=cy_... tieout reconcile ids.csv against the provider
  zcat ids.csv.gz | tieout reconcile -           from standard input";

/// Billing reconciliation for AI-workflow run orders: fetches each order, checks its amounts, and reports what
/// does not tie out.
#[derive(Debug, Parser)]
#[command(name = "tieout", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub general: General,
    /// Which command to run, with its own options.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
pub struct General {
    /// Settings file [default: ~/.config/tieout/tieout.toml, if it exists]
    #[arg(long, global = true, env = "TIEOUT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Show no progress and no summary, and log only errors
    #[arg(short, long, global = true, env = "TIEOUT_QUIET")]
    pub quiet: bool,
    /// Log more (-vv logs most)
    #[arg(short, long, global = true, action = ArgAction::Count, env = "TIEOUT_VERBOSE")]
    pub verbose: u8,
    /// Format of the log
    #[arg(long, global = true, env = "TIEOUT_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// Language of help, summaries and reports: en or zh-CN [default: from the locale]
    #[arg(long, global = true, env = "TIEOUT_LANG", value_name = "LANG")]
    pub lang: Option<Language>,
    /// When to colour standard output
    #[arg(long = "color", global = true, env = "TIEOUT_COLOR", value_name = "WHEN", default_value = "auto")]
    pub colour: Colour,
}

/// Format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// A command with its arguments.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read the IDs, fetch each order, check it, and write the report
    #[command(args_override_self = true, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
    Reconcile(Box<Reconcile>),
    /// List the orders of the key's owner, and write the CSV of IDs that reconcile reads
    #[command(args_override_self = true)]
    Discover(Box<Discover>),
    /// Rebuild a report offline from its own evidence, with changed settings if given
    Audit(Box<Audit>),
    /// Prove a report: its hashes, its chain to earlier reports, and that its evidence gives the same figures
    Verify(Verify),
    /// List the runs in the state, with their status
    Runs(Runs),
    /// Remove old reports and old records of the state, but never the latest state of an order
    Prune(Prune),
    /// Show what a dataset holds and whether it is undamaged, or add reports to it
    Dataset(DatasetCommand),
    /// Merge the small files of a dataset; every row is kept
    Compact {
        /// Folder of the dataset
        #[arg(value_name = "DATASET")]
        dataset: PathBuf,
    },
    /// Close a month of a dataset: a report that stays, with what changed in months closed before
    Close(Box<CloseCommand>),
    /// Show what changed between two reports: new, persisting and resolved discrepancies, and how spend moved
    #[command(after_help = DIFF_EXAMPLES, after_long_help = format!("{DIFF_EXAMPLES}\n\n{DIFF_EXIT_CODES}"))]
    Diff(DiffCommand),
    /// Send a trial message to the targets of notifications in the settings file
    #[command(after_help = notify::EXIT_CODES)]
    Notify(Notify),
    /// Write a settings file that explains every key
    Init {
        /// File to write
        #[arg(value_name = "FILE", default_value = "tieout.toml")]
        file: PathBuf,
    },
    /// List the checks, or explain a check or another word that reports use
    Checks {
        /// Code of a check, such as quote-split; or a cause, bucket, verdict or severity
        code: Option<String>,
    },
    /// Write shell completions to standard output
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Shell to write them for
        shell: Shell,
    },
    /// Write the manual pages
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Folder for all pages; without it, tieout's own page goes to standard output
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Serve the provider simulator on loopback
    Sandbox(SandboxCommand),
}

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

/// Where to find the state and the reports of `reconcile`, as typed.
#[derive(Clone, Debug, Default, Args)]
pub struct Place {
    /// State file [default: .state.sqlite in the reports folder]
    #[arg(long, env = "TIEOUT_STATE", value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Folder of the reports [default: reports]
    #[arg(long, env = "TIEOUT_REPORTS_DIR", value_name = "DIR")]
    pub reports_dir: Option<PathBuf>,
}

/// Arguments of `tieout verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the report is proven; 1 it is not; 2 wrong usage or not a report; 4 the proof could not run."
)]
pub struct Verify {
    /// Folder of the report
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,
    /// State file that recorded the report's manifest [default: .state.sqlite beside the report]
    #[arg(long, env = "TIEOUT_STATE", value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Folder of the dataset that the report was made from, if it was moved
    #[arg(long, value_name = "DIR")]
    pub dataset: Option<PathBuf>,
    /// Skip the state: a change to both files and manifest is then not detected
    #[arg(long)]
    pub files_only: bool,
    /// What to write to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}

/// Arguments of `tieout runs`.
#[derive(Debug, Args)]
pub struct Runs {
    /// Where to find the state.
    #[command(flatten)]
    pub place: Place,
    /// What to write to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}

/// Arguments of `tieout prune`.
#[derive(Debug, Args)]
pub struct Prune {
    /// How far back to keep, such as 400d: older reports, and the rows of runs that ended earlier, are removed
    #[arg(long, value_name = "DURATION")]
    pub keep: String,
    /// Only show what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Return the free space inside the state file to the disk
    #[arg(long, conflicts_with = "dry_run")]
    pub compact: bool,
    /// Where to find the state and the reports.
    #[command(flatten)]
    pub place: Place,
}

/// Arguments of `tieout diff`.
#[derive(Debug, Args)]
pub struct DiffCommand {
    /// Folder of the older report
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// Folder of the newer report, such as reports/latest
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// What to write to standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: DiffOutput,
}

/// Format in which a comparison is written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffOutput {
    /// A summary for people
    Text,
    /// Everything, for scripts
    Json,
    /// Everything in one table, for spreadsheets
    Csv,
}

/// Arguments of `tieout sandbox`.
#[derive(Debug, Args)]
pub struct SandboxCommand {
    /// Port on loopback; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 8080)]
    pub port: u16,
    /// How the sandbox behaves.
    #[command(flatten)]
    options: SandboxOptions,
}

/// How the sandbox behaves, unchecked.
#[derive(Clone, Debug, Args)]
pub struct SandboxOptions {
    /// Seed that decides which orders exist, and which requests a fault with a probability hits
    #[arg(long, value_name = "N", default_value_t = sandbox::Options::default().seed)]
    pub seed: u64,
    /// Answer 429 beyond this many requests in any second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate_limit: Option<u32>,
    /// Retry-After header of that 429, verbatim; `none` leaves it out [default: 1]
    #[arg(long, value_name = "TEXT", requires = "rate_limit", allow_hyphen_values = true)]
    pub retry_after: Option<sandbox::HeaderText>,
    /// Date header of that 429, verbatim [default: the current time]
    #[arg(long, value_name = "TEXT", requires = "rate_limit", allow_hyphen_values = true)]
    pub date: Option<sandbox::HeaderText>,
    /// TOML file of faults to inject; docs/reference/sandbox.md explains them
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Fault to inject, such as 'status=502,every=7' or 'cut-body,ids=wfrun_0*,times=1'; repeatable; the first that
    /// matches a request wins, and those of --faults come last
    #[arg(long, value_name = "SPEC")]
    pub fault: Vec<String>,
    /// Log each request
    #[arg(long)]
    pub log_requests: bool,
    /// Write each request's time, status or fault, and order to this new CSV file
    #[arg(long, value_name = "FILE")]
    pub request_log: Option<PathBuf>,
}

impl SandboxCommand {
    /// The verbosity at which the log shows requests: 1 with `--log-requests`, else 0.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        u8::from(self.options.log_requests)
    }

    /// How the sandbox behaves, unchecked.
    #[must_use]
    pub const fn options(&self) -> &SandboxOptions {
        &self.options
    }
}
