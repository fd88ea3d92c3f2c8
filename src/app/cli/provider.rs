//! The options about the provider, the same for every command that sends it requests.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use serde::{Deserialize, Serialize};

/// How to reach and ask the provider, unchecked: from the command line, the environment or the settings file.
#[derive(Clone, Debug, Default, Args, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
#[allow(rustdoc::bare_urls, reason = "these texts are the help, where angle brackets would show")]
pub struct ProviderArgs {
    /// Base URL of the provider [default: https://www.chenyu.cn/api/open/v2]
    #[arg(long, env = "TIEOUT_API_URL", value_name = "URL", help_heading = "Provider")]
    pub api_url: Option<String>,
    /// File that holds the API key [default: the environment variable CHENYU_API_KEY]
    #[arg(long, env = "TIEOUT_API_KEY_FILE", value_name = "FILE", help_heading = "Provider")]
    pub api_key_file: Option<PathBuf>,
    /// Use the simulator in this process instead: no key, no network
    #[arg(long, env = "TIEOUT_SANDBOX", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Provider")]
    pub sandbox: Option<bool>,
    /// Requests per second; 0 means unlimited [default: 10; with --sandbox 0]
    #[arg(long, env = "TIEOUT_RATE", value_name = "N", value_parser = whole::<u32>, help_heading = "Provider")]
    pub rate: Option<u32>,
    /// Count a request against the rate until a second after its reply: never over the rate on any network, but slower
    #[arg(long, env = "TIEOUT_STRICT_RATE", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true, help_heading = "Provider")]
    pub strict_rate: Option<bool>,
    /// Requests in flight, 1 to 1024 [default: 16]
    #[arg(long, env = "TIEOUT_CONCURRENCY", value_name = "N", value_parser = whole::<usize>, help_heading = "Provider")]
    pub concurrency: Option<usize>,
    /// Time limit of one whole attempt, such as 30s or 2m [default: 30s]
    #[arg(long, env = "TIEOUT_TIMEOUT", value_name = "DURATION", help_heading = "Provider")]
    pub timeout: Option<String>,
    /// Retries after the first attempt [default: 5]
    #[arg(long, env = "TIEOUT_RETRIES", value_name = "N", value_parser = whole::<u32>, help_heading = "Provider")]
    pub retries: Option<u32>,
    /// Values of `code` in replies that mean "try again later", as 429 does, such as 10029,10030 [default: none]
    #[arg(long, env = "TIEOUT_RETRY_CODES", value_name = "LIST", value_delimiter = ',', help_heading = "Provider")]
    pub retry_codes: Option<Vec<String>>,
    /// Longest single wait that the provider may impose [default: 5m]
    #[arg(long, env = "TIEOUT_MAX_WAIT", value_name = "DURATION", help_heading = "Provider")]
    pub max_wait: Option<String>,
    /// Stop asking the provider after this long; what is not fetched by then is unfetched [default: none]
    #[arg(long, env = "TIEOUT_DEADLINE", value_name = "DURATION", help_heading = "Provider")]
    pub deadline: Option<String>,
    /// Proxy to use, such as http://proxy:3128 [default: none, whatever the environment says]
    #[arg(long, env = "TIEOUT_PROXY", hide_env_values = true, value_name = "URL", help_heading = "Provider")]
    pub proxy: Option<String>,
    /// PEM file of certificates to trust in addition to the system's
    #[arg(long, env = "TIEOUT_CA_FILE", value_name = "FILE", help_heading = "Provider")]
    pub ca_file: Option<PathBuf>,
}

/// Parses a whole number, zero or more.
pub(super) fn whole<N: FromStr>(text: &str) -> Result<N, &'static str> {
    text.parse().map_err(|_| "give a whole number, such as 10")
}
