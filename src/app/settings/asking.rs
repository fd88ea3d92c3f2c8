//! How the provider is asked, and with which key.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::SecretString;

use super::{SettingsError, duration, text_file, unusable};
use crate::app::cli::Asking;
use crate::provider::{ApiKey, KeyError, Options, RetryCodes};

const API_URL: &str = "https://www.chenyu.cn/api/open/v2";
pub(in crate::app) const KEY_VARIABLE: &str = "CHENYU_API_KEY";
/// The option that names the file of the key.
pub(super) const KEY_FILE: &str = "api-key-file";
/// The largest key file, in bytes.
const MAX_KEY_FILE: u64 = 4_096;
/// Requests per second.
const DEFAULT_RATE: u32 = 10;
/// Nobody allows more, and the times of so many are remembered.
const MAX_RATE: u32 = 100_000;
const MAX_CONCURRENCY: usize = 1_024;

/// How to ask the provider.
pub(super) fn provider(asking: &Asking) -> Result<Options, SettingsError> {
    let concurrency = asking.concurrency.unwrap_or(16);
    if !(1..=MAX_CONCURRENCY).contains(&concurrency) {
        return Err(unusable("concurrency", &concurrency.to_string(), "give a number from 1 to 1024"));
    }
    if let Some(rate) = asking.rate.filter(|rate| *rate > MAX_RATE) {
        return Err(unusable("rate", &rate.to_string(), "give a number up to 100000, or 0 for unlimited"));
    }
    Ok(Options {
        base_url: asking.api_url.clone().unwrap_or_else(|| API_URL.to_owned()),
        // The simulator is this process: there is nobody to spare.
        rate: asking.rate.unwrap_or(if asking.sandbox == Some(true) { 0 } else { DEFAULT_RATE }),
        concurrency,
        timeout: duration("timeout", asking.timeout.as_deref().unwrap_or("30s"))?,
        retries: asking.retries.unwrap_or(5),
        retry_codes: RetryCodes::new(asking.retry_codes.clone().unwrap_or_default()),
        max_wait: duration("max-wait", asking.max_wait.as_deref().unwrap_or("5m"))?,
        strict_rate: asking.strict_rate.unwrap_or(false),
        deadline: asking.deadline.as_deref().map(|text| duration("deadline", text)).transpose()?,
        proxy: asking.proxy.clone().map(SecretString::from),
        ca_file: asking.ca_file.clone(),
    })
}

/// The key that the provider is asked with; `None` where the simulator is asked instead.
pub(super) fn key(asking: &Asking) -> Result<Option<ApiKey>, SettingsError> {
    if asking.sandbox == Some(true) { Ok(None) } else { key_from(asking.api_key_file.as_deref()).map(Some) }
}

/// The key: from its file where one is named, else from the environment. It is never an argument.
pub(super) fn key_from(file: Option<&Path>) -> Result<ApiKey, SettingsError> {
    if let Some(path) = file {
        let text = key_file(path).map_err(|problem| SettingsError::KeyFile { path: path.to_owned(), problem })?;
        let origin = || format!("--{KEY_FILE} {}", path.display());
        return ApiKey::new(&text).map_err(|source| SettingsError::Key { origin: origin(), source });
    }
    match env::var(KEY_VARIABLE) {
        Ok(text) => ApiKey::new(&text).map_err(|source| SettingsError::Key { origin: KEY_VARIABLE.into(), source }),
        Err(env::VarError::NotUnicode(_)) => {
            Err(SettingsError::Key { origin: KEY_VARIABLE.into(), source: KeyError::BadCharacter })
        }
        Err(env::VarError::NotPresent) => Err(SettingsError::NoKey),
    }
}

fn key_file(path: &Path) -> Result<String, String> {
    let text = text_file::read(path, MAX_KEY_FILE).map_err(|error| error.to_string())?;
    if fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0) {
        tracing::warn!("{} can be read by others than its owner: chmod 600 it", path.display());
    }
    Ok(text)
}
