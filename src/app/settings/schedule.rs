//! When runs are expected.

use super::SettingsError;
use crate::app::cli::ScheduleOptions;
use crate::domain::schedule::Schedule;

/// How often runs are expected; `None` if that is not said.
pub(super) fn every(options: &ScheduleOptions) -> Result<Option<Schedule>, SettingsError> {
    let Some(text) = &options.every else { return Ok(None) };
    let unusable = || SettingsError::Schedule { value: text.clone() };
    let every = super::duration("schedule", text).map_err(|_| unusable())?;
    let seconds =
        Some(every).filter(|every| every.subsec_nanos() == 0).and_then(|every| every.as_secs().try_into().ok());
    seconds.and_then(|seconds: i64| Schedule::try_from(seconds).ok()).map(Some).ok_or_else(unusable)
}
