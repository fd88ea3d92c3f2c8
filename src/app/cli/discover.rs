//! The command line of `tieout discover`.

use std::path::PathBuf;

use clap::Args;

use super::Asking;

const EXAMPLES: &str = "\
Examples:
  tieout discover -o ids.csv                                  every order of the key's owner
  tieout discover --since 2026-05-01 --until 2026-06-01       those created in May
  tieout discover --workflow wf_861ef31e94dcfb10e6e7 | tieout reconcile -";

const EXIT_CODES: &str = "\
Exit codes:
  0    every order that the provider counts is listed
  2    usage or configuration error; nothing was asked
  3    the CSV is written, but the provider counts more orders than it lists, or does not say how many there are
  4    no CSV: key rejected, a page could not be had, disk full
  130  stopped by SIGINT    143  stopped by SIGTERM: no CSV";

/// `tieout discover`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"))]
pub struct Discover {
    /// Only orders of this workflow
    #[arg(long, value_name = "ID", help_heading = "Which orders")]
    pub workflow: Option<String>,
    /// Only orders whose run is in this state: queued, running, succeeded, failed, or another word of the provider
    #[arg(long, value_name = "WORD", help_heading = "Which orders")]
    pub status: Option<String>,
    /// Only orders created from then on: a day such as 2026-05-01, or a time such as 2026-05-01T08:00:00Z
    #[arg(long, value_name = "TIME", help_heading = "Which orders")]
    pub since: Option<String>,
    /// Only orders created before then: a day (before it begins) or a time
    #[arg(long, value_name = "TIME", help_heading = "Which orders")]
    pub until: Option<String>,
    /// Where the days of --since and --until begin [default: Asia/Shanghai]
    #[arg(long, env = "TIEOUT_TIMEZONE", value_name = "ZONE", help_heading = "Which orders")]
    pub timezone: Option<String>,
    /// Write the CSV there, whole or not at all [default: standard output]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output_file: Option<PathBuf>,
    /// The state, which knows when the last requests went out [default: .state.sqlite in the reports folder]
    #[arg(long, env = "TIEOUT_STATE", value_name = "FILE", help_heading = "Output")]
    pub state: Option<PathBuf>,
    /// The folder of the reports [default: reports]
    #[arg(long, env = "TIEOUT_REPORTS_DIR", value_name = "DIR", help_heading = "Output")]
    pub reports_dir: Option<PathBuf>,
    /// How the provider is asked.
    #[command(flatten)]
    pub asking: Asking,
}
