//! The command line of `tieout discover`.

use std::path::PathBuf;

use clap::Args;

use super::ProviderArgs;

const EXAMPLES: &str = "\
Examples:
  tieout discover -o ids.csv                                  every order of the key's owner
  tieout discover --since 2026-05-01 --until 2026-06-01       orders created in May
  tieout discover --workflow wf_861ef31e94dcfb10e6e7 | tieout reconcile -";

const EXIT_CODES: &str = "\
Exit codes:
  0    every order that the provider counts is listed
  2    usage or configuration error; no request was sent
  3    the CSV is written, but the provider counts more orders than it lists, or gives no count
  4    no CSV: key rejected, a page could not be fetched, disk full
  130  stopped by SIGINT    143  stopped by SIGTERM: no CSV";

/// Arguments of `tieout discover`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct Discover {
    /// Only orders of this workflow
    #[arg(long, value_name = "ID", help_heading = "Which orders")]
    pub workflow: Option<String>,
    /// Only orders whose run has this status: queued, running, succeeded, failed, or another word of the provider
    #[arg(long, value_name = "WORD", help_heading = "Which orders")]
    pub status: Option<String>,
    /// Only orders created at or after this day or time, such as 2026-05-01 or 2026-05-01T08:00:00Z
    #[arg(long, value_name = "TIME", help_heading = "Which orders")]
    pub since: Option<String>,
    /// Only orders created before this time, or before this day begins
    #[arg(long, value_name = "TIME", help_heading = "Which orders")]
    pub until: Option<String>,
    /// Time zone of the days of --since and --until [default: Asia/Shanghai]
    #[arg(long, env = "TIEOUT_TIMEZONE", value_name = "ZONE", help_heading = "Which orders")]
    pub timezone: Option<String>,
    /// File to write the CSV to, complete or not at all [default: standard output]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output_file: Option<PathBuf>,
    /// State file, which records when the last requests were sent [default: .state.sqlite in the reports folder]
    #[arg(long, env = "TIEOUT_STATE", value_name = "FILE", help_heading = "Output")]
    pub state: Option<PathBuf>,
    /// Folder of the reports [default: reports]
    #[arg(long, env = "TIEOUT_REPORTS_DIR", value_name = "DIR", help_heading = "Output")]
    pub reports_dir: Option<PathBuf>,
    /// How to reach and ask the provider.
    #[command(flatten)]
    pub provider: ProviderArgs,
}
