//! The settings of `discover`: which orders to list, and where to write their CSV.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{SettingsError, outside_dataset, place_of, provider, unusable, with_file};
use crate::app::cli::{Discover, General, Options};
use crate::domain::days::Zone;
use crate::domain::id::RunOrderId;
use crate::domain::time::Period;
use crate::provider::{ApiKey, ListQuery, Options as ProviderOptions};

/// The default time zone of days.
pub(super) const TIME_ZONE: &str = "Asia/Shanghai";

/// The validated settings of `discover`.
#[derive(Debug)]
pub struct DiscoverSettings {
    /// How to reach and ask the provider.
    pub provider: ProviderOptions,
    /// The API key; `None` where the simulator is used instead of the provider.
    pub key: Option<ApiKey>,
    /// The filters that are sent to the provider.
    pub query: ListQuery,
    /// The period of creation of the orders to write; others that the provider lists are left out.
    pub period: Period,
    /// The file to write the CSV to; `None` for standard output.
    pub output: Option<PathBuf>,
    /// The state file.
    pub state: PathBuf,
    /// Whether to show no progress and no summary.
    pub quiet: bool,
}

/// Combines typed options, environment and settings file, and validates the result.
///
/// # Errors
/// [`SettingsError`] names the setting that can't be used, and says which values are accepted.
pub fn resolve_discover(command: Discover, general: &General) -> Result<DiscoverSettings, SettingsError> {
    let zone = zone(command.timezone.as_deref())?;
    let period = period(command.since.as_deref(), command.until.as_deref(), zone.time_zone())?;
    let query = ListQuery { workflow_id: word("workflow", command.workflow)?, status: word("status", command.status)? };
    let options = Options {
        provider: command.provider,
        state: command.state,
        reports_dir: command.reports_dir,
        ..Options::default()
    };
    let (key, provider, state) = with_file(options, general, |options| {
        let (key, provider) = (provider::key(&options.provider)?, provider::options(&options.provider)?);
        let (state, _) = place_of(options);
        Ok((key, provider, state))
    })?;
    let output = command.output_file.filter(|path| path.as_os_str() != "-");
    outside_dataset("state", &state)?;
    output.as_deref().map_or(Ok(()), |output| outside_dataset("output-file", output))?;
    Ok(DiscoverSettings { provider, key, query, period, output, state, quiet: general.quiet })
}

/// Parses a period from `--since` and `--until`, each a day in `zone` or a time.
pub(super) fn period(since: Option<&str>, until: Option<&str>, zone: &TimeZone) -> Result<Period, SettingsError> {
    let bound = |option, text: Option<&str>| text.map(|text| moment(option, text, zone)).transpose();
    let period = Period { since: bound("since", since)?, until: bound("until", until)? };
    if let (Some(since), Some(before), Some(typed)) = (period.since, period.until, until)
        && before <= since
    {
        return Err(unusable("until", typed, "give a time after --since: only orders created before --until count"));
    }
    if let (Some(_), Some(typed)) = (period.since.filter(|since| *since > Timestamp::now()), since) {
        return Err(unusable("since", typed, "it lies in the future: nothing was created since then"));
    }
    Ok(period)
}

/// The time zone of that name, or the default one.
pub(super) fn zone(name: Option<&str>) -> Result<Zone, SettingsError> {
    let name = name.unwrap_or(TIME_ZONE);
    Zone::named(name).ok_or_else(|| unusable("timezone", name, "give a name such as Asia/Shanghai or UTC"))
}

/// Parses a time, or a day as the moment at which it begins in `zone`.
fn moment(option: &'static str, text: &str, zone: &TimeZone) -> Result<Timestamp, SettingsError> {
    let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
    let begins = day.and_then(|day| day.to_zoned_datetime(zone.clone()).ok()).map(|begins| begins.timestamp());
    begins
        .or_else(|| text.parse().ok())
        .ok_or_else(|| unusable(option, text, "give a day such as 2026-05-01, or a time such as 2026-05-01T08:00:00Z"))
}

/// Validates a workflow ID or a run status by the rule for run order IDs, which fits both.
fn word(option: &'static str, text: Option<String>) -> Result<Option<String>, SettingsError> {
    let Some(text) = text else {
        return Ok(None);
    };
    match RunOrderId::parse(&text) {
        Ok(word) => Ok(Some(word.as_str().to_owned())),
        Err(_) => Err(unusable(option, &text, "give 1 to 128 printable ASCII characters without spaces")),
    }
}

#[cfg(test)]
mod tests;
