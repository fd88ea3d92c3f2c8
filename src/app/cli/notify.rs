//! Arguments of `tieout notify`.

use std::path::PathBuf;

use clap::Args;

pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    every message was delivered
  2    wrong usage or settings, or there are no targets
  4    a message was not delivered";

/// Arguments of `tieout notify`.
#[derive(Debug, Args)]
pub struct Notify {
    /// Send a trial message now
    #[arg(long, required = true)]
    pub test: bool,
    /// Only to the target with this name
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// Proxy to use, such as http://proxy:3128 [default: none, whatever the environment says]
    #[arg(long, env = "TIEOUT_PROXY", value_name = "URL", hide_env_values = true)]
    pub proxy: Option<String>,
    /// PEM file of certificates to trust in addition to the system's
    #[arg(long, env = "TIEOUT_CA_FILE", value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
}
