//! The days that an audit of a dataset, or a close, is about.

use jiff::civil::Date;

use super::{SettingsError, unusable};
use crate::app::cli::Period;
use crate::domain::month::Month;
use crate::history::Selection;

/// Which orders of a dataset are wanted.
pub(super) fn selection(typed: &Period) -> Result<Selection, SettingsError> {
    let selection = match &typed.month {
        Some(text) => of_month(text)?,
        None => Selection {
            since: typed.since.as_deref().map(|text| day("since", text)).transpose()?,
            until: typed.until.as_deref().map(|text| day("until", text)).transpose()?,
            workflow: None,
        },
    };
    if let (Some(since), Some(until), Some(text)) = (selection.since, selection.until, &typed.until)
        && until <= since
    {
        return Err(unusable("until", text, "give a day after --since: only orders created before --until count"));
    }
    Ok(Selection { workflow: typed.workflow.clone(), ..selection })
}

/// The orders that were created in a month.
fn of_month(text: &str) -> Result<Selection, SettingsError> {
    let month = text.parse::<Month>().map_err(|error| unusable("month", text, &error.to_string()))?;
    Ok(Selection::of_month(month))
}

pub(super) fn day(option: &'static str, text: &str) -> Result<Date, SettingsError> {
    let day = text.parse::<Date>().ok().filter(|day| day.to_string() == text);
    day.ok_or_else(|| unusable(option, text, "give a day such as 2026-10-01"))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn selected(since: Option<&str>, until: Option<&str>, month: Option<&str>) -> Result<Selection, String> {
        let [since, until, month] = [since, until, month].map(|text| text.map(str::to_owned));
        selection(&Period { since, until, month, workflow: None }).map_err(|error| error.to_string())
    }

    #[test]
    fn a_month_is_from_its_first_day_to_that_of_the_next() {
        let of = |since, until| Ok(Selection { since: Some(since), until: Some(until), workflow: None });
        assert_eq!(selected(None, None, Some("2026-12")), of(date(2026, 12, 1), date(2027, 1, 1)));
        assert_eq!(selected(None, None, Some("2028-02")), of(date(2028, 2, 1), date(2028, 3, 1)));
        let none = Ok(Selection { since: None, until: Some(date(2026, 10, 2)), workflow: None });
        assert_eq!(selected(None, Some("2026-10-02"), None), none);
    }

    #[test]
    fn what_is_no_month_and_no_day_is_refused() {
        for text in ["", "2026", "2026-13", "2026-1", "202610", "2026-10-01", "-2026-10", "2026-10 ", "9999-12"] {
            let refusal = selected(None, None, Some(text)).expect_err(text);
            assert!(refusal.ends_with("give a month such as 2026-10"), "{refusal}");
        }
        for text in ["yesterday", "2026-10-01T00:00:00Z", "2026-10-1", "20261001", "2026-02-30"] {
            assert!(selected(Some(text), None, None).is_err(), "{text}");
        }
        let refusal = selected(Some("2026-10-02"), Some("2026-10-02"), None).expect_err("empty");
        assert!(refusal.contains("after --since"), "{refusal}");
    }
}
