//! Outcomes as rows of the `outcomes` table, and back.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::types::{FromSql, Value};
use rusqlite::{Row, Statement, params_from_iter};

use super::{RunId, StoreError};
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::{Evidence, Outcome, Reason};

const FETCHED: &str = "fetched";
const NOT_FOUND: &str = "not_found";
const REFUSED: &str = "refused";
const MALFORMED: &str = "malformed";
const UNFETCHED: &str = "unfetched";
const DUPLICATE: &str = "duplicate";
const REJECTED: &str = "rejected";

/// Inserts one outcome of a run.
pub(super) fn insert(statement: &mut Statement<'_>, run: RunId, outcome: &Outcome) -> rusqlite::Result<()> {
    let (kind, reason, first_line, order) = match &outcome.evidence {
        Evidence::Fetched(order) => (FETCHED, None, None, Some(&**order)),
        Evidence::NotFound(reason) => (NOT_FOUND, Some(reason), None, None),
        Evidence::Refused(reason) => (REFUSED, Some(reason), None, None),
        Evidence::Malformed(reason) => (MALFORMED, Some(reason), None, None),
        Evidence::Unfetched(reason) => (UNFETCHED, Some(reason), None, None),
        Evidence::Duplicate { first_line } => (DUPLICATE, None, Some(*first_line), None),
        Evidence::Rejected(reason) => (REJECTED, Some(reason), None, None),
    };
    let text = |text: Option<&String>| Value::from(text.cloned());
    let head = [
        Value::from(run.0),
        Value::from(outcome.line.cast_signed()),
        Value::from(outcome.run_order_id.clone()),
        Value::from(kind.to_owned()),
        text(reason.map(|reason| &reason.code)),
        text(reason.map(|reason| &reason.detail)),
        Value::from(first_line.map(u64::cast_signed)),
    ];
    let none = RunOrder::default();
    let order = order.unwrap_or(&none);
    let names = [&order.run_order_id, &order.workflow_id, &order.revision_id, &order.quote_currency];
    let amounts = order.amounts.in_order().map(|amount| Value::from(amount.map(|amount| amount.to_string())));
    let words = [
        &order.freeze_status,
        &order.submission_status,
        &order.run_status,
        &order.settlement_status,
        &order.task_id,
        &order.prompt_id,
        &order.error_code,
    ];
    let times = [order.created_at, order.updated_at].map(|time| Value::from(time.map(Timestamp::as_microsecond)));
    let values = head
        .into_iter()
        .chain(names.map(|name| text(name.as_ref())))
        .chain(amounts)
        .chain(words.map(|word| text(word.as_ref())))
        .chain(times);
    statement.execute(params_from_iter(values)).map(drop)
}

/// Reads one outcome. What can't be understood is damage, never a default.
pub(super) fn read(row: &Row<'_>, path: &Path) -> Result<Outcome, StoreError> {
    let line: i64 = row.get("line").map_err(StoreError::at(path))?;
    let columns = Columns { row, path, line: line.cast_unsigned() };
    let evidence = match columns.get::<String>("evidence")?.as_str() {
        FETCHED => Evidence::Fetched(Box::new(columns.order()?)),
        NOT_FOUND => Evidence::NotFound(columns.reason()?),
        REFUSED => Evidence::Refused(columns.reason()?),
        MALFORMED => Evidence::Malformed(columns.reason()?),
        UNFETCHED => Evidence::Unfetched(columns.reason()?),
        DUPLICATE => Evidence::Duplicate { first_line: columns.get::<i64>("first_line")?.cast_unsigned() },
        REJECTED => Evidence::Rejected(columns.reason()?),
        _ => return Err(columns.damaged("evidence")),
    };
    Ok(Outcome { line: columns.line, run_order_id: columns.get("run_order_id")?, evidence })
}

/// One stored row, read column by column.
struct Columns<'r> {
    row: &'r Row<'r>,
    path: &'r Path,
    line: u64,
}

impl Columns<'_> {
    fn damaged(&self, column: &'static str) -> StoreError {
        StoreError::Damaged { path: self.path.to_owned(), line: self.line, column }
    }

    fn get<T: FromSql>(&self, column: &'static str) -> Result<T, StoreError> {
        self.row.get(column).map_err(|_| self.damaged(column))
    }

    fn reason(&self) -> Result<Reason, StoreError> {
        Ok(Reason { code: self.get("reason_code")?, detail: self.get("reason_detail")? })
    }

    fn amount(&self, column: &'static str) -> Result<Option<Amount>, StoreError> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| Amount::parse(&text)).transpose().map_err(|_| self.damaged(column))
    }

    fn time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        let microseconds: Option<i64> = self.get(column)?;
        microseconds.map(Timestamp::from_microsecond).transpose().map_err(|_| self.damaged(column))
    }

    fn order(&self) -> Result<RunOrder, StoreError> {
        let mut amounts = [None; 6];
        for (amount, name) in amounts.iter_mut().zip(Amounts::NAMES) {
            *amount = self.amount(name)?;
        }
        Ok(RunOrder {
            run_order_id: self.get("replied_run_order_id")?,
            workflow_id: self.get("workflow_id")?,
            revision_id: self.get("revision_id")?,
            quote_currency: self.get("quote_currency")?,
            amounts: Amounts::from_order(amounts),
            freeze_status: self.get("freeze_status")?,
            submission_status: self.get("submission_status")?,
            run_status: self.get("run_status")?,
            settlement_status: self.get("settlement_status")?,
            task_id: self.get("task_id")?,
            prompt_id: self.get("prompt_id")?,
            error_code: self.get("error_code")?,
            created_at: self.time("created_at")?,
            updated_at: self.time("updated_at")?,
        })
    }
}
