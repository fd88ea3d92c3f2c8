//! The settings of `status`: what is expected of a reports folder.

use jiff::{SignedDuration, Timestamp};

use super::{SettingsError, as_of, discover, duration, period, place_of, schedule, unusable, with_file};
use crate::app::cli::{General, Options, StatusCommand};
use crate::domain::days::Days;
use crate::pipeline::status::Expectation;

/// Combines typed options and the settings file, and validates the result.
///
/// # Errors
/// [`SettingsError`] names the setting that can't be used, and says which values are accepted.
pub fn resolve_status(command: &StatusCommand, general: &General) -> Result<Expectation, SettingsError> {
    let typed = Options {
        state: command.place.state.clone(),
        reports_dir: command.place.reports_dir.clone(),
        ..Options::default()
    };
    let max_age = SignedDuration::try_from(duration("max-age", &command.max_age)?)
        .map_err(|_| unusable("max-age", &command.max_age, "give a shorter duration, such as 26h"))?;
    let since = command.since.as_deref().map(|text| period::day("since", text)).transpose()?;
    let now = as_of(command.as_of.as_deref())?.unwrap_or_else(Timestamp::now);
    with_file(typed, general, |options| {
        let every = options.schedule.as_ref().map(schedule::every).transpose()?.flatten();
        let days = Days { zone: discover::zone(options.timezone.as_deref())?, ..Days::default() };
        let (state, reports) = place_of(options);
        let min_free = u64::from(command.min_free) << 20;
        Ok(Expectation { reports, state, now, max_age, every, since, days, min_free })
    })
}
