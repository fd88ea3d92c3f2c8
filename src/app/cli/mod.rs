//! The command line. The options of `reconcile` serve the command line, the environment and the settings file; how the
//! provider is asked is a struct of its own among them, which other commands have as well.

mod asking;
mod audit;
mod choices;
mod discover;
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

pub use asking::Asking;
pub use audit::Audit;
pub use choices::{CsvEncoding, DayBy, Kept, Output};
pub use discover::Discover;
pub use workflow::WorkflowOptions;

const EXIT_CODES: &str = "\
Exit codes:
  0    everything tied out (warnings and pending orders allowed, unless --fail-on)
  1    verdict discrepant: a person must look
  2    usage or configuration error; nothing was fetched
  3    verdict incomplete: a report is there, but some orders had no readable answer
  4    no report: key rejected, nothing could be fetched, disk full, or our figures do not bridge
  130  stopped by SIGINT    143  stopped by SIGTERM";

const DIFF_EXAMPLES: &str = "\
Examples:
  tieout diff reports/20260601T000000Z reports/latest
  tieout diff old new --output json | jq '.discrepancies[] | select(.state == \"new\")'";

const DIFF_EXIT_CODES: &str = "\
Exit codes:
  0    compared, whatever changed: scripts read the JSON
  2    usage error, or one of the two is no report
  4    a report can't be read, or is not what its manifest says";

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

/// Billing reconciliation for AI-workflow run orders: fetches each order, proves its amounts, reports what does not
/// tie out.
#[derive(Debug, Parser)]
#[command(name = "tieout", version, after_help = EXIT_CODES, max_term_width = 110)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub general: General,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "General")]
pub struct General {
    /// Settings file; else ~/.config/tieout/tieout.toml where there is one
    #[arg(long, global = true, env = "TIEOUT_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// No progress, no summary, and only errors in the log
    #[arg(short, long, global = true, env = "TIEOUT_QUIET")]
    pub quiet: bool,
    /// More in the log (-vv for most)
    #[arg(short, long, global = true, action = ArgAction::Count, env = "TIEOUT_VERBOSE")]
    pub verbose: u8,
    /// How the log is written
    #[arg(long, global = true, env = "TIEOUT_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// Language of texts for people: en or zh-CN [default: that of the locale]
    #[arg(long, global = true, env = "TIEOUT_LANG", value_name = "LANG")]
    pub lang: Option<Language>,
    /// When texts on standard output are coloured
    #[arg(long = "color", global = true, env = "TIEOUT_COLOR", value_name = "WHEN", default_value = "auto")]
    pub colour: Colour,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The job: read the IDs, fetch each order, check it, write the report
    #[command(args_override_self = true, after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
    Reconcile(Box<Reconcile>),
    /// List the orders of the key's owner: writes the ids CSV that reconcile reads
    #[command(args_override_self = true)]
    Discover(Box<Discover>),
    /// Make a report again from its own evidence, offline, by other settings if given
    Audit(Box<Audit>),
    /// Prove a report: hashes, chain, and that its evidence comes to the same figures
    Verify(Verify),
    /// List the runs in the state, and what became of them
    Runs(Runs),
    /// Remove old reports and observations, never the latest state of an order
    Prune(Prune),
    /// What changed between two reports: discrepancies new, persisting and resolved, and movement of spend
    #[command(after_help = DIFF_EXAMPLES, after_long_help = format!("{DIFF_EXAMPLES}\n\n{DIFF_EXIT_CODES}"))]
    Diff(DiffCommand),
    /// Write a settings file with every key in it, explained
    Init {
        /// The file to make
        #[arg(value_name = "FILE", default_value = "tieout.toml")]
        file: PathBuf,
    },
    /// List the checks, or explain one, or any other word of the reports
    Checks {
        /// The check's code, such as quote-split; or a cause, bucket, verdict or severity
        code: Option<String>,
    },
    /// Write the completions of a shell to standard output
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Write the manual pages
    #[command(after_help = MAN_EXAMPLES)]
    Man {
        /// Folder for all pages; without one, the page of tieout itself goes to standard output
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Serve the simulator of the provider on loopback
    Sandbox(SandboxCommand),
}

/// `tieout reconcile`.
#[derive(Debug, Args)]
pub struct Reconcile {
    /// CSV with run order IDs, or - for standard input
    #[arg(value_name = "IDS")]
    pub ids: PathBuf,
    /// The options.
    #[command(flatten)]
    pub options: Options,
}

/// The options of `reconcile` as typed: on the command line, in the environment, or in the settings file.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct Options {
    /// How the provider is asked. In the settings file these keys stand among the others.
    #[command(flatten)]
    #[serde(skip)]
    pub asking: Asking,
    /// Read orders that fail a check once more before they are reported [default: true]
    #[arg(long, env = "TIEOUT_CONFIRM", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Provider")]
    pub confirm: Option<bool>,

    /// Heading (or number) of the ID column [default: detected]
    #[arg(long, env = "TIEOUT_COLUMN", value_name = "NAME", help_heading = "Input")]
    pub column: Option<String>,
    /// The first row is no heading
    #[arg(long, env = "TIEOUT_NO_HEADER", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Input")]
    pub no_header: Option<bool>,
    /// Line of the heading, counted from 1; what stands above it is skipped [default: detected]
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
    /// An input without rows is fine (verdict empty, exit 0)
    #[arg(long, env = "TIEOUT_ALLOW_EMPTY", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Input")]
    pub allow_empty: Option<bool>,

    /// By how much quote-split and cost-sum may be off: for all, or by currency as in CNY=0.01,USD=0.002 [default: 0]
    #[arg(long, env = "TIEOUT_TOLERANCE", value_name = "DECIMAL", help_heading = "Judging")]
    pub tolerance: Option<String>,
    /// The only currency expected, such as CNY
    #[arg(long, env = "TIEOUT_CURRENCY", value_name = "CODE", help_heading = "Judging")]
    pub currency: Option<String>,
    /// From which age an order that is not settled is a warning [default: 24h]
    #[arg(long, env = "TIEOUT_STALE_AFTER", value_name = "DURATION", help_heading = "Judging")]
    pub stale_after: Option<String>,
    /// How long before it is stale an order is a warning already, such as 6h [default: none]
    #[arg(long, env = "TIEOUT_WARN_BEFORE", value_name = "DURATION", help_heading = "Judging")]
    pub warn_before: Option<String>,
    /// Compare a field with a column of the CSV, such as final_amount=amount; repeatable, or several with ; between
    #[arg(long, env = "TIEOUT_EXPECT", value_name = "FIELD=COLUMN", value_delimiter = ';', help_heading = "Judging")]
    pub expect: Option<Vec<String>>,
    /// How rows of one order are compared: each, or added (sum), where our books split an order into rows [default: each]
    #[arg(long, env = "TIEOUT_EXPECT_ROWS", value_name = "HOW", help_heading = "Judging")]
    pub expect_rows: Option<ExpectRows>,
    /// How many decimals our books and control totals have, 0 to 8: the provider's figures are rounded to as many [default: 8]
    #[arg(long, env = "TIEOUT_BOOKS_DECIMALS", value_name = "N", value_parser = asking::whole::<u8>, help_heading = "Judging")]
    pub books_decimals: Option<u8>,
    /// The input must have every order that the provider lists: its list is walked, and what is missing is named
    #[arg(long, env = "TIEOUT_COMPLETE", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Judging")]
    pub complete: Option<bool>,
    /// With --complete: only orders created from then on, a day or a time
    #[arg(long, env = "TIEOUT_SINCE", value_name = "TIME", help_heading = "Judging")]
    pub since: Option<String>,
    /// With --complete: only orders created before then, a day (before it begins) or a time [default: --as-of]
    #[arg(long, env = "TIEOUT_UNTIL", value_name = "TIME", help_heading = "Judging")]
    pub until: Option<String>,
    /// Where days begin and end: those of spend, of --since and --until, and the last ones of waivers [default: Asia/Shanghai]
    #[arg(long, env = "TIEOUT_TIMEZONE", value_name = "ZONE", help_heading = "Judging")]
    pub timezone: Option<String>,
    /// On which day an order's spend is counted [default: created]
    #[arg(long, env = "TIEOUT_DAY_BY", value_name = "TIME", help_heading = "Judging")]
    pub day_by: Option<DayBy>,
    /// What a sum over settled orders has to come to, such as final=1234.56 or final:USD=12, or how many rows or orders there must be, such as rows=200; repeatable
    #[arg(
        long,
        env = "TIEOUT_CONTROL_TOTAL",
        value_name = "FIELD=AMOUNT",
        value_delimiter = ';',
        help_heading = "Judging"
    )]
    pub control_total: Option<Vec<String>>,
    /// From which size on, in the order's currency, a difference is material: shown first, and see --fail-on [default: none]
    #[arg(long, env = "TIEOUT_MATERIAL", value_name = "DECIMAL", help_heading = "Judging")]
    pub material: Option<String>,
    /// TOML file of discrepancies that somebody answers for
    #[arg(long, env = "TIEOUT_WAIVERS", value_name = "FILE", help_heading = "Judging")]
    pub waivers: Option<PathBuf>,
    /// Severities of checks that are other ones than the catalogue's: only in the file, in `[checks]`
    #[arg(skip)]
    pub checks: Option<toml::Table>,
    /// Thresholds for the orders of some workflows: only in the file, in `[workflow.ID]`
    #[arg(skip)]
    pub workflow: Option<BTreeMap<String, WorkflowOptions>>,
    /// What ages are counted to, such as 2026-11-23T02:00:00Z [default: the start of the run]
    #[arg(long, env = "TIEOUT_AS_OF", value_name = "TIME", help_heading = "Judging")]
    pub as_of: Option<String>,
    /// What is to exit with 1 as well: warnings, pending, material
    #[arg(long, env = "TIEOUT_FAIL_ON", value_name = "VERDICT", value_delimiter = ',', help_heading = "Judging")]
    pub fail_on: Option<Vec<FailOn>>,

    /// Write the report exactly there, in place of an earlier one
    #[arg(long, env = "TIEOUT_OUT", value_name = "DIR", help_heading = "Output")]
    pub out: Option<PathBuf>,
    /// One folder per run in there, `latest` pointing at the newest [default: reports]
    #[arg(long, env = "TIEOUT_REPORTS_DIR", value_name = "DIR", help_heading = "Output")]
    pub reports_dir: Option<PathBuf>,
    /// The state [default: .state.sqlite in the reports folder]
    #[arg(long, env = "TIEOUT_STATE", value_name = "FILE", help_heading = "Output")]
    pub state: Option<PathBuf>,
    /// How long after its last activity an unfinished run of the same input may be resumed [default: 6h]
    #[arg(long, env = "TIEOUT_RESUME_WITHIN", value_name = "DURATION", help_heading = "Earlier runs")]
    pub resume_within: Option<String>,
    /// Continue no earlier run
    #[arg(long, env = "TIEOUT_FRESH", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Earlier runs")]
    pub fresh: Option<bool>,
    /// Reuse orders that were settled when last fetched within this time, such as 30d [default: fetch all]
    #[arg(long, env = "TIEOUT_REUSE_SETTLED", value_name = "DURATION", help_heading = "Earlier runs")]
    pub reuse_settled: Option<String>,
    /// What is kept of a reply: its billing facts and its hash, or all of it, prompts included [default: billing]
    #[arg(long, env = "TIEOUT_EVIDENCE", value_name = "WHAT", help_heading = "Earlier runs")]
    pub evidence: Option<Kept>,

    /// How the CSV files of a report are written [default: utf8]
    #[arg(long, env = "TIEOUT_CSV_ENCODING", value_name = "NAME", help_heading = "Output")]
    pub csv_encoding: Option<CsvEncoding>,
    /// What the report is written in: csv, json, parquet (these always), html, xlsx, focus [default: all but focus]
    #[arg(long, env = "TIEOUT_FORMAT", value_name = "LIST", value_delimiter = ',', help_heading = "Output")]
    pub format: Option<Vec<Format>>,
    /// A label for the report's heading
    #[arg(long, env = "TIEOUT_ACCOUNT", value_name = "NAME", help_heading = "Output")]
    pub account: Option<String>,
    /// What standard output gets: a summary for people, or summary.json [default: text]
    #[arg(long, env = "TIEOUT_OUTPUT", value_name = "FORMAT", help_heading = "Output")]
    pub output: Option<Output>,
    /// The language of texts for people: on the command line it is an option of every command.
    #[arg(skip)]
    pub lang: Option<Language>,
}

/// Where a command finds what `reconcile` left.
#[derive(Clone, Debug, Default, Args)]
pub struct Place {
    /// The state [default: .state.sqlite in the reports folder]
    #[arg(long, env = "TIEOUT_STATE", value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// The folder of the reports [default: reports]
    #[arg(long, env = "TIEOUT_REPORTS_DIR", value_name = "DIR")]
    pub reports_dir: Option<PathBuf>,
}

/// `tieout verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 the report is proven; 1 it is not; 2 there is no report; 4 the proof could not be carried out."
)]
pub struct Verify {
    /// The folder of the report
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,
    /// The state that knows its manifest [default: .state.sqlite beside the report]
    #[arg(long, env = "TIEOUT_STATE", value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Be content without a state: somebody who changed files and manifest alike is not found out
    #[arg(long)]
    pub files_only: bool,
    /// What standard output gets
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}

/// `tieout runs`.
#[derive(Debug, Args)]
pub struct Runs {
    /// Where the state is.
    #[command(flatten)]
    pub place: Place,
    /// What standard output gets
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}

/// `tieout prune`.
#[derive(Debug, Args)]
pub struct Prune {
    /// How much to keep, such as 400d: runs that ended and reports that were made longer ago are removed
    #[arg(long, value_name = "DURATION")]
    pub keep: String,
    /// Only say what would be removed
    #[arg(long)]
    pub dry_run: bool,
    /// Give the space that is free inside the state back to the disk
    #[arg(long, conflicts_with = "dry_run")]
    pub compact: bool,
    /// Where state and reports are.
    #[command(flatten)]
    pub place: Place,
}

/// `tieout diff`.
#[derive(Debug, Args)]
pub struct DiffCommand {
    /// Folder of the report to compare with
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// Folder of the report to compare, such as reports/latest
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// What standard output gets
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: DiffOutput,
}

/// What standard output gets of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffOutput {
    /// A summary for people
    Text,
    /// Everything, for scripts
    Json,
    /// Everything in one table, for spreadsheets
    Csv,
}

/// `tieout sandbox`.
#[derive(Debug, Args)]
pub struct SandboxCommand {
    /// Port on loopback; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = 8080)]
    pub port: u16,
    /// How the sandbox is to behave.
    #[command(flatten)]
    options: SandboxOptions,
}

/// How the sandbox is to behave, as typed.
#[derive(Clone, Debug, Args)]
pub struct SandboxOptions {
    /// Which orders there are, and which requests a probability strikes
    #[arg(long, value_name = "N", default_value_t = sandbox::Options::default().seed)]
    pub seed: u64,
    /// Answer 429 past that many requests in any second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate_limit: Option<u32>,
    /// What that 429 says in Retry-After, verbatim; `none` leaves the header out [default: 1]
    #[arg(long, value_name = "TEXT", requires = "rate_limit", allow_hyphen_values = true)]
    pub retry_after: Option<sandbox::HeaderText>,
    /// What that 429 says in Date, verbatim [default: the time]
    #[arg(long, value_name = "TEXT", requires = "rate_limit", allow_hyphen_values = true)]
    pub date: Option<sandbox::HeaderText>,
    /// Misbehave by the rules of this TOML file; docs/sandbox.md explains them
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Misbehave by this rule, such as 'status=502,every=7' or 'cut-body,ids=wfrun_0*,times=1'; repeatable, the first that
    /// matches wins, those of --faults come last
    #[arg(long, value_name = "SPEC")]
    pub fault: Vec<String>,
    /// Log each request
    #[arg(long)]
    pub log_requests: bool,
    /// Write each request's time, status or fault, and order into this new CSV file
    #[arg(long, value_name = "FILE")]
    pub request_log: Option<PathBuf>,
}

impl SandboxCommand {
    /// How much the log must say for its requests to be seen.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        u8::from(self.options.log_requests)
    }

    /// How the sandbox is to behave, as typed.
    #[must_use]
    pub const fn options(&self) -> &SandboxOptions {
        &self.options
    }
}
