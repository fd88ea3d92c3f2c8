//! The settings about the provider, and the API key.

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::{SettingsError, duration, text_file, unusable};
use crate::app::cli::ProviderArgs;
use crate::provider::{ApiKey, KeyError, Options, RetryCodes};

const API_URL: &str = "https://www.chenyu.cn/api/open/v2";
pub(in crate::app) const KEY_VARIABLE: &str = "CHENYU_API_KEY";
pub(in crate::app) const SPARK_TOKEN_VARIABLE: &str = "SPARK_CONNECT_AUTHENTICATE_TOKEN";
/// The name of the key among the credentials of a service.
pub(in crate::app) const CREDENTIAL: &str = "chenyu-api-key";
/// The option that names the key file.
pub(super) const KEY_FILE: &str = "api-key-file";
/// The largest key file, in bytes.
const MAX_KEY_FILE: u64 = 4_096;
/// The default rate, in requests per second.
const DEFAULT_RATE: u32 = 10;
/// The highest rate, in requests per second. No provider allows more, and the pacer remembers the time of each request.
const MAX_RATE: u32 = 100_000;
/// The most requests in flight.
const MAX_CONCURRENCY: usize = 1_024;

/// Validates the options about the provider and fills in defaults.
pub(super) fn options(args: &ProviderArgs) -> Result<Options, SettingsError> {
    let concurrency = args.concurrency.unwrap_or(16);
    if !(1..=MAX_CONCURRENCY).contains(&concurrency) {
        return Err(unusable("concurrency", &concurrency.to_string(), "give a number from 1 to 1024"));
    }
    if let Some(rate) = args.rate.filter(|rate| *rate > MAX_RATE) {
        return Err(unusable("rate", &rate.to_string(), "give a number up to 100000, or 0 for unlimited"));
    }
    Ok(Options {
        base_url: args.api_url.clone().unwrap_or_else(|| API_URL.to_owned()),
        // The simulator is this process, so no rate is needed.
        rate: args.rate.unwrap_or(if args.sandbox == Some(true) { 0 } else { DEFAULT_RATE }),
        concurrency,
        timeout: duration("timeout", args.timeout.as_deref().unwrap_or("30s"))?,
        retries: args.retries.unwrap_or(5),
        retry_codes: RetryCodes::new(args.retry_codes.clone().unwrap_or_default()),
        max_wait: duration("max-wait", args.max_wait.as_deref().unwrap_or("5m"))?,
        strict_rate: args.strict_rate.unwrap_or(false),
        deadline: args.deadline.as_deref().map(|text| duration("deadline", text)).transpose()?,
        proxy: args.proxy.clone().map(SecretString::from),
        ca_file: args.ca_file.clone(),
    })
}

/// The API key; `None` where the simulator is used instead of the provider.
pub(super) fn key(args: &ProviderArgs) -> Result<Option<ApiKey>, SettingsError> {
    if args.sandbox == Some(true) { Ok(None) } else { key_from(args.api_key_file.as_deref()).map(Some) }
}

/// Reads the key from `file`, or else from the environment, or else from the service's credentials. It is never an
/// argument.
pub(super) fn key_from(file: Option<&Path>) -> Result<ApiKey, SettingsError> {
    if let Some(path) = file {
        let text = secret_file(path).map_err(|problem| SettingsError::KeyFile { path: path.to_owned(), problem })?;
        let origin = || format!("--{KEY_FILE} {}", path.display());
        return ApiKey::new(&text).map_err(|source| SettingsError::Key { origin: origin(), source });
    }
    match env::var(KEY_VARIABLE) {
        Ok(text) => ApiKey::new(&text).map_err(|source| SettingsError::Key { origin: KEY_VARIABLE.into(), source }),
        Err(env::VarError::NotUnicode(_)) => {
            Err(SettingsError::Key { origin: KEY_VARIABLE.into(), source: KeyError::BadCharacter })
        }
        Err(env::VarError::NotPresent) => match credentials().map(|folder| folder.join(CREDENTIAL)) {
            Some(path) if path.exists() => {
                let origin = format!("credential {}", path.display());
                let text = secret_file(&path).map_err(|problem| SettingsError::Credential { path, problem })?;
                ApiKey::new(&text).map_err(|source| SettingsError::Key { origin, source })
            }
            _ => Err(SettingsError::NoKey),
        },
    }
}

/// The folder of the service's credentials, which its manager made for it alone.
fn credentials() -> Option<PathBuf> {
    env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from).filter(|folder| folder.is_absolute())
}

/// Reads the token for a Spark from `file`, or else from the environment, as other clients do. It is never an argument.
#[cfg(feature = "spark")]
pub(super) fn spark_token(file: Option<&Path>) -> Result<Option<SecretString>, SettingsError> {
    let token = match file {
        Some(path) => {
            Some(secret_file(path).map_err(|problem| SettingsError::KeyFile { path: path.to_owned(), problem })?)
        }
        None => env::var(SPARK_TOKEN_VARIABLE).ok(),
    };
    Ok(token.map(|token| token.trim().to_owned()).filter(|token| !token.is_empty()).map(SecretString::from))
}

pub(super) fn secret_file(path: &Path) -> Result<String, String> {
    let text = text_file::read(path, MAX_KEY_FILE).map_err(|error| error.to_string())?;
    // Who may read a credential is in an access control list, which the mode shows as rights of a group.
    let is_credential = credentials().is_some_and(|folder| path.starts_with(folder));
    if !is_credential && fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0) {
        tracing::warn!("{} can be read by users other than its owner: run chmod 600 on it", path.display());
    }
    Ok(text)
}
