//! The statements that an engine is asked.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan};

use super::SqlAudit;
use super::columns::{FIRST, ID, IS, TEXTS_BEFORE, TIMES, WAS, charge, own, side};
use crate::domain::days::DayBy;
use crate::domain::facts::TextColumn::{QuoteCurrency, RunStatus, WorkflowId};
use crate::domain::order::{Amounts, TimeField};
use crate::domain::sql::literal;
use crate::history::UNDATED;
use crate::parquet::columns::FactArrays;

/// A statement whose answer is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statement {
    /// What the engine is, and how it calculates.
    Session,
    /// How many rows of each run and day were read, with their control totals.
    Population,
    /// The sums of sound orders, and every other order.
    Orders,
    /// The orders that could not be fetched.
    Exceptions,
    /// The orders of closed months that are not as they were.
    Changes,
    /// That a script has written every other answer, and how many rows each has.
    End,
}

impl Statement {
    /// Every statement but [`Self::End`], in the order in which they are run.
    pub const ALL: [Self; 5] = [Self::Session, Self::Population, Self::Orders, Self::Exceptions, Self::Changes];

    /// What its answer is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Population => "population",
            Self::Orders => "orders",
            Self::Exceptions => "exceptions",
            Self::Changes => "changes",
            Self::End => "end",
        }
    }
}

/// How many days after its creation an order is mostly updated for the last time.
const UPDATED_WITHIN: usize = 60;
/// The largest amount, and twice that.
const WHOLE: &str = "99999999999999999999.99999999";
pub(super) const TOTAL: &str = "199999999999999999999.99999998";

impl SqlAudit<'_> {
    /// The views over `written_observations` and `written_exceptions`, which hold every row of the dataset's files, in the order
    /// in which they are made. Each is a name and what it selects.
    #[must_use]
    pub fn views(&self) -> Vec<(&'static str, String)> {
        let mut views = vec![
            ("jobs", self.jobs()),
            ("calendar", self.calendar()),
            (
                "observed",
                "SELECT o.*, j.place, j.known\nFROM written_observations AS o JOIN jobs AS j ON o.run = j.run"
                    .to_owned(),
            ),
            (
                "missing",
                "SELECT e.*, j.place, j.known\nFROM written_exceptions AS e JOIN jobs AS j ON e.run = j.run".to_owned(),
            ),
            ("newest_missing", newest_missing()),
            ("observed_of_missing", observed_of_missing()),
            ("sighted", self.sighted()),
            ("newest_sighted", newest_sighted()),
            ("judged", self.judged()),
        ];
        if !self.closed.is_empty() {
            views.extend([
                ("closed_months", self.closed_months()),
                ("missing_then", missing_then()),
                ("sides", self.sides()),
                (
                    "as_it_was",
                    as_of("nth_then", " AND s.known <= s.number", "missing_then AS e ON e.number = s.number AND"),
                ),
                ("as_it_is", as_of("nth", "", "newest_missing AS e ON")),
            ]);
        }
        views
    }

    /// The text of a statement; `None` if nothing is asked. `job` is what the results are to say of themselves.
    #[must_use]
    pub fn statement(&self, statement: Statement, job: &str) -> Option<String> {
        Some(match statement {
            Statement::Session => session(job),
            Statement::Population => self.population(),
            Statement::Orders => orders(),
            Statement::Exceptions => self.exceptions(),
            Statement::Changes if self.closed.is_empty() => return None,
            Statement::End => return None,
            Statement::Changes => changes(),
        })
    }

    /// The jobs whose rows count, by their places among all: of two, the later one began later.
    fn jobs(&self) -> String {
        let jobs = self.reading.jobs().into_iter().zip(0..).map(|((run, name, _), place): (_, u32)| {
            let known = self.known_since.get(run).map_or("CAST(NULL AS INT)".to_owned(), usize::to_string);
            format!("({}, {place}, {known})", literal(name))
        });
        values(jobs, "jobs(run, place, known)")
    }

    /// The days that are counted, from their first to their last microsecond, by the dates that they have in UTC.
    fn calendar(&self) -> String {
        let mut days: BTreeSet<Date> = self.reading.days().filter(|day| self.is_selected(*day)).collect();
        if self.days.by == DayBy::Updated {
            // An order that is updated later than that is judged one by one.
            let later = days.iter().flat_map(|day| day.series(1.day()).take(UPDATED_WITHIN));
            days = later.collect();
        }
        let utc = |time: Timestamp| Offset::UTC.to_datetime(time).date();
        let mut rows = Vec::new();
        for day in days {
            let period = self.days.day(day).period;
            let (Some(since), Some(until)) = (period.since, period.until) else { continue };
            let mut date = utc(since);
            while date <= utc(until) {
                let (since, until) = (since.as_microsecond(), until.as_microsecond());
                rows.push(format!("(DATE '{date}', DATE '{day}', {since}, {until})"));
                let Ok(next) = date.tomorrow() else { break };
                date = next;
            }
        }
        if rows.is_empty() {
            rows.push("(DATE '1970-01-01', DATE '1970-01-01', 0, 0)".to_owned());
        }
        values(rows.into_iter(), "calendar(date_in_utc, day, since, until)")
    }

    fn is_selected(&self, day: Date) -> bool {
        day != UNDATED && self.reading.selection.has_day(day)
    }

    /// Which days are selected, as a condition.
    fn selected(&self, day: &str) -> String {
        let selection = &self.reading.selection;
        let bounds = [(">=", selection.since), ("<", selection.until)];
        let bounds =
            bounds.into_iter().filter_map(|(is, bound)| bound.map(|bound| format!("{day} {is} DATE '{bound}'")));
        let bounds: Vec<String> = bounds.collect();
        if bounds.is_empty() {
            return "TRUE".to_owned();
        }
        format!("({} OR {day} = DATE '{UNDATED}')", bounds.join(" AND "))
    }

    /// Every row of the selected days, numbered by how new it is, and by when it first had a whole charge.
    fn sighted(&self) -> String {
        let complete = complete("o");
        format!(
            "SELECT o.*,
  ROW_NUMBER() OVER (PARTITION BY o.day, o.{ID} ORDER BY o.place DESC) AS nth,
  ROW_NUMBER() OVER (
    PARTITION BY o.day, o.{ID} ORDER BY CASE WHEN {complete} THEN 0 ELSE 1 END, o.place
  ) AS nth_charge
FROM observed AS o
WHERE {}",
            self.selected("o.day")
        )
    }

    /// The newest sighting of each order, and whether it is sound.
    fn judged(&self) -> String {
        let counted = match self.days.by {
            DayBy::Created => TimeField::CreatedAt.name(),
            DayBy::Updated => TimeField::UpdatedAt.name(),
        };
        let workflow = self.reading.selection.workflow.as_deref();
        let workflow =
            workflow.map(|id| format!("  AND o.{} = {}\n", WorkflowId.name(), literal(id))).unwrap_or_default();
        let same = charge().map(|name| format!("{name} = {FIRST}{name}")).collect::<Vec<_>>().join(" AND ");
        let sound = self.soundness.sql();
        let status = RunStatus.name();
        format!(
            "SELECT s.*,
  CASE WHEN s.{status} = 'failed' THEN 1 END AS failed_run,
  CASE WHEN NOT s.is_missing AND settled AND s.created_on = s.day AND s.counted_on IS NOT NULL
  AND {sound}
  AND ({FIRST}place IS NULL OR {same})
  THEN TRUE ELSE FALSE END AS is_sound
FROM (
  SELECT o.*, c.day AS created_on, d.day AS counted_on, e.{ID} IS NOT NULL AS is_missing
  FROM newest_sighted AS o
  LEFT JOIN newest_missing AS e ON e.{ID} = o.{ID} AND e.place > o.place
  LEFT JOIN calendar AS c ON c.date_in_utc = CAST(o.created_at AS DATE)
    AND unix_micros(o.created_at) >= c.since AND unix_micros(o.created_at) < c.until
  LEFT JOIN calendar AS d ON d.date_in_utc = CAST(o.{counted} AS DATE)
    AND unix_micros(o.{counted}) >= d.since AND unix_micros(o.{counted}) < d.until
  WHERE o.settled IS NOT NULL
{workflow}) AS s
WHERE NOT s.is_missing OR s.was_settled = 1"
        )
    }

    fn population(&self) -> String {
        let zero = "CAST('0' AS DECIMAL(28,8))";
        let sums = Amounts::NAMES.map(|name| format!(",\n  SUM(COALESCE({name}, {zero})) AS {name}")).concat();
        let zeros = Amounts::NAMES.map(|name| format!(",\n  SUM({zero}) AS {name}")).concat();
        let currency = QuoteCurrency.name();
        format!(
            "SELECT day, run, COALESCE({currency}, '') AS {currency},
  COUNT(*) AS observations, COUNT(settled) AS orders, COUNT(CASE WHEN settled THEN 1 END) AS settled_orders,
  COUNT(CASE WHEN settled IS NULL AND moved_to IS NULL OR settled IS NOT NULL AND moved_to IS NOT NULL THEN 1 END)
    AS contradictions{sums}
FROM observed
WHERE {}
GROUP BY day, run, COALESCE({currency}, '')
UNION ALL
SELECT CAST(NULL AS DATE) AS day, run, '' AS {currency},
  COUNT(*) AS observations, COUNT(CASE WHEN FALSE THEN 1 END) AS orders, COUNT(CASE WHEN FALSE THEN 1 END) AS settled_orders,
  COUNT(CASE WHEN FALSE THEN 1 END) AS contradictions{zeros}
FROM missing
GROUP BY run",
            self.selected("day")
        )
    }

    fn exceptions(&self) -> String {
        let selected = self.selected("o.day");
        let other = self.reading.selection.workflow.as_deref().map_or("FALSE".to_owned(), |id| {
            format!("{selected} AND CASE WHEN o.{} = {} THEN FALSE ELSE TRUE END", WorkflowId.name(), literal(id))
        });
        format!(
            "SELECT MAX(CASE WHEN {selected} THEN o.day END) AS day, e.{ID}, e.bucket, e.reason, e.detail
FROM newest_missing AS e LEFT JOIN observed_of_missing AS o ON o.{ID} = e.{ID}
GROUP BY e.{ID}, e.bucket, e.reason, e.detail
HAVING COUNT(CASE WHEN o.place >= e.place THEN 1 END) = 0
  AND (COUNT(CASE WHEN {selected} THEN o.day END) > 0 OR COUNT(o.day) = 0)
  AND COUNT(CASE WHEN {other} THEN o.day END) = 0"
        )
    }

    /// The days of each closed month. Undated orders are compared with the last close.
    fn closed_months(&self) -> String {
        let row = |number: usize, since: Date, until: Date| format!("({number}, DATE '{since}', DATE '{until}')");
        let months = self.closed.iter().enumerate().map(|(number, month)| row(number, month.first(), month.end()));
        let undated = row(self.closed.len().saturating_sub(1), UNDATED, UNDATED.tomorrow().unwrap_or(UNDATED));
        values(months.chain([undated]), "closed_months(number, since, until)")
    }

    /// Every row of the closed months, numbered by how new it is, and by how new it was then.
    fn sides(&self) -> String {
        format!(
            "SELECT o.*, c.number,
  ROW_NUMBER() OVER (PARTITION BY o.day, o.{ID} ORDER BY o.place DESC) AS nth,
  ROW_NUMBER() OVER (
    PARTITION BY o.day, o.{ID} ORDER BY CASE WHEN o.known <= c.number THEN 0 ELSE 1 END, o.place DESC
  ) AS nth_then
FROM observed AS o JOIN closed_months AS c ON o.day >= c.since AND o.day < c.until
WHERE {}",
            self.selected("o.day")
        )
    }
}

/// The newest row without a fetched order, of each order.
fn newest_missing() -> String {
    format!(
        "SELECT * FROM (
  SELECT e.*, ROW_NUMBER() OVER (
    PARTITION BY e.{ID} ORDER BY e.place DESC, COALESCE(e.bucket, ''), COALESCE(e.reason, ''), COALESCE(e.detail, '')
  ) AS nth
  FROM missing AS e
) AS numbered
WHERE nth = 1"
    )
}

/// The newest row of each order without a fetched order, on every day.
fn observed_of_missing() -> String {
    let workflow = WorkflowId.name();
    format!(
        "SELECT day, {ID}, place, {workflow} FROM (
  SELECT o.day, o.{ID}, o.place, o.{workflow}, o.settled,
    ROW_NUMBER() OVER (PARTITION BY o.day, o.{ID} ORDER BY o.place DESC) AS nth
  FROM observed AS o JOIN newest_missing AS e ON e.{ID} = o.{ID}
) AS numbered
WHERE nth = 1 AND settled IS NOT NULL"
    )
}

/// The rows without a fetched order that were known when each month was closed.
fn missing_then() -> String {
    format!(
        "SELECT c.number, e.{ID}, MAX(e.place) AS place
FROM missing AS e JOIN closed_months AS c ON e.known <= c.number
GROUP BY c.number, e.{ID}"
    )
}

/// The newest row of each order, what it was first charged, and whether it was ever settled.
fn newest_sighted() -> String {
    let newest = |name: &str| format!(",\n  MAX(CASE WHEN s.nth = 1 THEN s.{name} END) AS {name}");
    let first = |name: &str, of: &str| {
        format!(",\n  MAX(CASE WHEN s.nth_charge = 1 AND {} THEN s.{of} END) AS {FIRST}{name}", complete("s"))
    };
    let facts = FactArrays::JUDGED.iter().filter(|name| **name != ID).map(|name| newest(name)).collect::<String>();
    let charge = charge().map(|name| first(name, name)).collect::<String>();
    format!(
        "SELECT s.day, s.{ID},
  MAX(CASE WHEN s.settled THEN 1 ELSE 0 END) AS was_settled{}{}{facts}{}{charge}
FROM sighted AS s
GROUP BY s.day, s.{ID}",
        newest("place"),
        newest("settled"),
        first("place", "place"),
    )
}

/// A group of sound orders, or an order that is a group of its own.
fn orders() -> String {
    let alone = |name: &str| format!("CASE WHEN is_sound THEN NULL ELSE {name} END AS {name}");
    let time = |name: &str| format!("CASE WHEN is_sound THEN NULL ELSE unix_micros({name}) END AS {name}");
    let names = own().collect::<Vec<_>>().join(", ");
    let own = own().map(|name| if TIMES.contains(&name.as_str()) { time(&name) } else { alone(&name) });
    let (own, shared) = (own.collect::<Vec<_>>().join(",\n    "), TEXTS_BEFORE.join(", "));
    let amounts = Amounts::NAMES.join(", ");
    let sums = Amounts::NAMES.map(|name| format!(", SUM({name}) AS {name}")).concat();
    format!(
        "SELECT day, {shared}, {names},
  COUNT(*) AS orders, COUNT(failed_run) AS failed_runs{sums}
FROM (
  SELECT CASE WHEN is_sound THEN counted_on ELSE day END AS day, {shared},
    {own},
    failed_run, {amounts}
  FROM judged
) AS grouped
GROUP BY day, {shared}, {names}"
    )
}

/// One of the two sides of orders: those whose `number`th row is the first, unless they could not be fetched since.
fn as_of(nth: &str, known: &str, missing: &str) -> String {
    format!(
        "SELECT s.*
FROM sides AS s LEFT JOIN {missing} e.{ID} = s.{ID} AND e.place > s.place
WHERE s.{nth} = 1{known} AND s.settled IS NOT NULL AND e.{ID} IS NULL"
    )
}

fn changes() -> String {
    let column = |table: &str, (name, alias): (&str, String)| match name {
        name if TIMES.contains(&name) => format!(",\n  unix_micros({table}.{name}) AS {alias}"),
        name => format!(",\n  {table}.{name} AS {alias}"),
    };
    let (was, now) = (side(WAS).map(|name| column("w", name)), side(IS).map(|name| column("n", name)));
    let columns: String = was.chain(now).collect();
    let figures = TEXTS_BEFORE.iter().copied().chain(Amounts::NAMES);
    let differs: String = figures.map(|name| format!("\n  OR w.{name} IS DISTINCT FROM n.{name}")).collect();
    format!(
        "SELECT COALESCE(w.day, n.day) AS day, COALESCE(w.{ID}, n.{ID}) AS {ID}{columns}
FROM as_it_was AS w FULL OUTER JOIN as_it_is AS n ON n.day = w.day AND n.{ID} = w.{ID}
WHERE w.{ID} IS NULL OR n.{ID} IS NULL
  OR w.settled <> n.settled{differs}"
    )
}

/// What the engine is, and what it makes of values that only an exact one gets right: two amounts of 28 digits, of which
/// one is the sum of its parts and one is off by the last decimal.
fn session(job: &str) -> String {
    let amount = |text: &str| format!("CAST('{text}' AS DECIMAL(28,8))");
    let (whole, less) = (amount(WHOLE), amount("99999999999999999999.99999998"));
    let (unit, zero) = (amount("0.00000001"), amount("0"));
    let rows = [format!("({whole}, {less}, {unit})"), format!("({whole}, {less}, {zero})")];
    format!(
        "SELECT '{}' AS job, current_timezone() AS time_zone, typeof(COALESCE(1, '1')) AS coercion,
  CAST(SUM(whole) AS STRING) AS total,
  COUNT(CASE WHEN whole = one + other THEN 1 END) AS sums,
  COUNT(CASE WHEN whole <> one + other THEN 1 END) AS differences,
  COUNT(CASE WHEN 'a' = 'A' OR 'a' = 'a ' OR '' IS NULL THEN 1 END) AS alike
FROM (\n{}\n) AS trap",
        hex::encode(job),
        values(rows.into_iter(), "trap(whole, one, other)"),
    )
}

/// Whether a row has a whole charge that was settled.
fn complete(table: &str) -> String {
    let amounts = Amounts::NAMES.map(|name| format!(" AND {table}.{name} IS NOT NULL")).concat();
    format!("{table}.settled{amounts}")
}

/// Rows as a table.
fn values(rows: impl Iterator<Item = String>, table: &str) -> String {
    format!("SELECT * FROM (VALUES\n  {}\n) AS {table}", rows.collect::<Vec<_>>().join(",\n  "))
}
