//! The settings of `discover`: which orders are wanted, and where their CSV goes.

use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{SettingsError, asking, place_of, unusable, with_file};
use crate::app::cli::{Discover, General, Options};
use crate::domain::days::Zone;
use crate::domain::id::RunOrderId;
use crate::domain::time::Period;
use crate::provider::{ApiKey, ListQuery, Options as ProviderOptions};

/// Where days begin and end, where nothing else is said.
pub(super) const TIME_ZONE: &str = "Asia/Shanghai";

/// What `discover` works with.
#[derive(Debug)]
pub struct Discovering {
    /// How to ask the provider.
    pub provider: ProviderOptions,
    /// The provider's key; `None` where the simulator is asked instead.
    pub key: Option<ApiKey>,
    /// Which orders the provider is to list.
    pub query: ListQuery,
    /// When those were created that are wanted of them.
    pub period: Period,
    /// Where the CSV goes; `None` for standard output.
    pub output: Option<PathBuf>,
    /// The state.
    pub state: PathBuf,
    /// Whether to show no progress and no summary.
    pub quiet: bool,
}

/// Brings together what was typed, and proves it usable.
///
/// # Errors
/// [`SettingsError`] says which setting can't be used and what would do.
pub fn discovering(command: Discover, general: &General) -> Result<Discovering, SettingsError> {
    let zone = zone(command.timezone.as_deref())?;
    let period = period(command.since.as_deref(), command.until.as_deref(), zone.time_zone())?;
    let query = ListQuery { workflow_id: word("workflow", command.workflow)?, status: word("status", command.status)? };
    let options = Options {
        asking: command.asking,
        state: command.state,
        reports_dir: command.reports_dir,
        ..Options::default()
    };
    let (key, provider, state) = with_file(options, general, |options| {
        let (key, provider) = (asking::key(&options.asking)?, asking::provider(&options.asking)?);
        let (state, _) = place_of(options);
        Ok((key, provider, state))
    })?;
    let output = command.output_file.filter(|path| path.as_os_str() != "-");
    Ok(Discovering { provider, key, query, period, output, state, quiet: general.quiet })
}

/// The time between two bounds as typed, each a day or a time.
pub(super) fn period(since: Option<&str>, until: Option<&str>, zone: &TimeZone) -> Result<Period, SettingsError> {
    let bound = |option, text: Option<&str>| text.map(|text| moment(option, text, zone)).transpose();
    let period = Period { since: bound("since", since)?, until: bound("until", until)? };
    if let (Some(since), Some(before), Some(typed)) = (period.since, period.until, until)
        && before <= since
    {
        return Err(unusable("until", typed, "give a time after --since: it is the first one that is not wanted"));
    }
    if let (Some(_), Some(typed)) = (period.since.filter(|since| *since > Timestamp::now()), since) {
        return Err(unusable("since", typed, "it lies in the future: nothing was created since then"));
    }
    Ok(period)
}

/// The zone of that name, or the usual one.
pub(super) fn zone(name: Option<&str>) -> Result<Zone, SettingsError> {
    let name = name.unwrap_or(TIME_ZONE);
    Zone::named(name).ok_or_else(|| unusable("timezone", name, "give a name such as Asia/Shanghai or UTC"))
}

/// A day, as it begins there, or a time.
fn moment(option: &'static str, text: &str, zone: &TimeZone) -> Result<Timestamp, SettingsError> {
    let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
    let begins = day.and_then(|day| day.to_zoned_datetime(zone.clone()).ok()).map(|begins| begins.timestamp());
    begins
        .or_else(|| text.parse().ok())
        .ok_or_else(|| unusable(option, text, "give a day such as 2026-05-01, or a time such as 2026-05-01T08:00:00Z"))
}

/// A word as the provider writes its own: the rule for run order IDs fits them all.
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
