//! Which orders of a dataset are read.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::orders::UNDATED;
use crate::domain::month::Month;

/// Which orders of a dataset are read: those created in a period, of a workflow. Orders whose creation time is not known
/// belong to every period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// The first day, in the dataset's time zone; `None` for all from the beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
    /// The day after the last one; `None` for all to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// The workflow; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
}

impl Selection {
    /// The orders that were created in a month.
    #[must_use]
    pub fn of_month(month: Month) -> Self {
        Self { since: Some(month.first()), until: Some(month.end()), workflow: None }
    }

    /// Whether orders of a day are read.
    #[must_use]
    pub fn has_day(&self, day: Date) -> bool {
        let is_in_period = self.since.is_none_or(|since| since <= day) && self.until.is_none_or(|until| day < until);
        day == UNDATED || is_in_period
    }

    /// Whether orders of any day of a month are read.
    #[must_use]
    pub fn has_any_day_of(&self, month: Month) -> bool {
        self.since.is_none_or(|since| since < month.end()) && self.until.is_none_or(|until| month.first() < until)
    }

    /// Whether orders of a workflow are read.
    #[must_use]
    pub fn has_workflow(&self, workflow: Option<&str>) -> bool {
        self.workflow.is_none() || self.workflow.as_deref() == workflow
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_period_has_its_first_day_but_not_its_end_and_always_the_undated_orders() {
        let october =
            Selection { since: Some(date(2026, 10, 1)), until: Some(date(2026, 11, 1)), ..Selection::default() };
        let has = |month, day| october.has_day(date(2026, month, day));
        assert_eq!([has(9, 30), has(10, 1), has(10, 31), has(11, 1)], [false, true, true, false]);
        assert!(october.has_day(UNDATED));
        assert!(Selection::default().has_day(date(2026, 9, 30)));
    }
}
