//! `tieout audit`, as typed.

use std::path::PathBuf;

use clap::Args;

use super::asking::whole;
use super::choices::{CsvEncoding, DayBy, Output};
use crate::report::formats::Format;
use crate::summary::FailOn;

/// `tieout audit`.
#[derive(Debug, Args)]
#[command(after_help = "What is not given stays as it was in the report. The evidence is proved by its hashes first.")]
pub struct Audit {
    /// The folder of the report whose evidence is judged again
    #[arg(value_name = "REPORT")]
    pub report: PathBuf,
    /// By how much quote-split and cost-sum may be off: for all, or by currency as in CNY=0.01,USD=0.002
    #[arg(long, value_name = "DECIMAL")]
    pub tolerance: Option<String>,
    /// The only currency expected, such as CNY; an empty one for any
    #[arg(long, value_name = "CODE")]
    pub currency: Option<String>,
    /// From which age an order that is not settled is a warning
    #[arg(long, value_name = "DURATION")]
    pub stale_after: Option<String>,
    /// How long before it is stale an order is a warning already
    #[arg(long, value_name = "DURATION")]
    pub warn_before: Option<String>,
    /// What a sum or a count has to come to, such as final=1234.56 or rows=200; repeatable, in place of the report's
    #[arg(long, value_name = "FIELD=AMOUNT", value_delimiter = ';')]
    pub control_total: Option<Vec<String>>,
    /// How many decimals our books and control totals have, 0 to 8: the provider's figures are rounded to as many
    #[arg(long, value_name = "N", value_parser = whole::<u8>)]
    pub books_decimals: Option<u8>,
    /// From which size on, in the order's currency, a difference is material
    #[arg(long, value_name = "DECIMAL")]
    pub material: Option<String>,
    /// TOML file of discrepancies that somebody answers for, instead of those of the report
    #[arg(long, value_name = "FILE")]
    pub waivers: Option<PathBuf>,
    /// Where days begin and end: those of spend, and the last ones of --waivers
    #[arg(long, value_name = "ZONE")]
    pub timezone: Option<String>,
    /// On which day an order's spend is counted
    #[arg(long, value_name = "TIME")]
    pub day_by: Option<DayBy>,
    /// Judge by every check of this version, those that the report was not judged by as well
    #[arg(long)]
    pub all_checks: bool,
    /// What ages are counted to, such as 2026-11-23T02:00:00Z
    #[arg(long, value_name = "TIME")]
    pub as_of: Option<String>,
    /// How the CSV files of the report are written
    #[arg(long, value_name = "NAME")]
    pub csv_encoding: Option<CsvEncoding>,
    /// What the report is written in, instead of what it was: csv, json, parquet (these always), html, xlsx, focus
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub format: Option<Vec<Format>>,
    /// A label for the report's heading
    #[arg(long, value_name = "NAME")]
    pub account: Option<String>,
    /// What is to exit with 1 as well: warnings, pending, material
    #[arg(long, value_name = "VERDICT", value_delimiter = ',')]
    pub fail_on: Vec<FailOn>,
    /// Write the report exactly there, in place of an earlier one
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// A folder of its own in there, `latest` pointing at it [default: audits]
    #[arg(long, value_name = "DIR")]
    pub reports_dir: Option<PathBuf>,
    /// What standard output gets: a summary for people, or summary.json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}
