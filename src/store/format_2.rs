//! Carries a state of format 2 over: its runs, and its outcomes with the facts in them.

use std::path::Path;

use jiff::Timestamp;
use rusqlite::types::FromSql;
use rusqlite::{Row, Transaction};

use super::cells::Damage;
use super::error::{StoreError, sqlite};
use super::insert::{Inserter, Learnt, Standing};
use super::runs::{self, Ending, Providers, Run};
use super::{NewRun, RunId};
use crate::domain::money::Amount;
use crate::domain::order::{Amounts, RunOrder};
use crate::domain::outcome::{Evidence, Outcome, Reason};
use crate::domain::time::from_microsecond;

const CARRYING: &str = "bring up to date";

/// Copies the renamed tables into the new ones, and removes them.
pub(super) fn carry_over(transaction: &Transaction<'_>, path: &Path) -> Result<(), StoreError> {
    let failed = || sqlite(path, CARRYING);
    let mut statement = transaction.prepare("SELECT * FROM runs_2 ORDER BY run_id").map_err(failed())?;
    let mut rows = statement.query(()).map_err(failed())?;
    let mut providers = Providers::read(transaction, path)?;
    while let Some(row) = rows.next().map_err(failed())? {
        let run = run(row).map_err(|damage| damage.at(path))?;
        providers.add(&run.begun.base_url);
        providers.write(transaction, path)?;
        runs::replace(transaction, path, &run)?;
        outcomes(transaction, path, &run)?;
    }
    drop(rows);
    drop(statement);
    transaction.execute_batch("DROP TABLE outcomes_2; DROP TABLE runs_2;").map_err(failed())
}

fn outcomes(transaction: &Transaction<'_>, path: &Path, run: &Run) -> Result<(), StoreError> {
    let failed = || sqlite(path, CARRYING);
    let query = "SELECT * FROM outcomes_2 WHERE run_id = ?1 ORDER BY line";
    let mut statement = transaction.prepare(query).map_err(failed())?;
    let mut rows = statement.query([run.id.0]).map_err(failed())?;
    let standing = Standing::of(transaction, path, run.id)?;
    let mut inserter = Inserter::prepare(transaction, path, standing, false)?;
    while let Some(row) = rows.next().map_err(failed())? {
        let outcome = outcome(row).map_err(|damage| damage.at(path))?;
        inserter.insert(Learnt::of(outcome, run.begun.started_at))?;
    }
    Ok(())
}

fn damage(what: &str) -> Damage {
    Damage::new(format!("column {what} of format 2"), "it is not understood")
}

fn get<T: FromSql>(row: &Row<'_>, column: &str) -> Result<T, Damage> {
    row.get(column).map_err(|_| damage(column))
}

fn moment(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>, Damage> {
    let microseconds: Option<i64> = get(row, column)?;
    microseconds.map(|microseconds| from_microsecond(microseconds).ok_or_else(|| damage(column))).transpose()
}

fn count(row: &Row<'_>, column: &str) -> Result<u64, Damage> {
    u64::try_from(get::<i64>(row, column)?).map_err(|_| damage(column))
}

fn run(row: &Row<'_>) -> Result<Run, Damage> {
    let required = |column: &str| moment(row, column)?.ok_or_else(|| damage(column));
    let begun = NewRun {
        base_url: get(row, "base_url")?,
        input_name: get(row, "input_name")?,
        input_sha256: get(row, "input_sha256")?,
        rows: count(row, "rows")?,
        settings: get(row, "settings")?,
        as_of: required("as_of")?,
        started_at: required("started_at")?,
    };
    let ended = moment(row, "finished_at")?.map(|at| (at, Ending::Reported));
    Ok(Run { ended, ..Run::begin(RunId(get(row, "run_id")?), begun) })
}

fn outcome(row: &Row<'_>) -> Result<Outcome, Damage> {
    let reason = || -> Result<Reason, Damage> {
        Ok(Reason { code: get(row, "reason_code")?, detail: get(row, "reason_detail")? })
    };
    let kind: String = get(row, "evidence")?;
    let evidence = match kind.as_str() {
        "fetched" => order(row)?.into(),
        "not_found" => Evidence::NotFound(reason()?),
        "refused" => Evidence::Refused(reason()?),
        "malformed" => Evidence::Malformed(reason()?),
        "unfetched" => Evidence::Unfetched(reason()?),
        "duplicate" => Evidence::Duplicate { first_line: count(row, "first_line")? },
        "rejected" => Evidence::Rejected(reason()?),
        _ => return Err(damage("evidence")),
    };
    Ok(Outcome { line: count(row, "line")?, run_order_id: get(row, "run_order_id")?, evidence })
}

fn order(row: &Row<'_>) -> Result<RunOrder, Damage> {
    let mut amounts = [None; Amounts::NAMES.len()];
    for (amount, column) in amounts.iter_mut().zip(Amounts::NAMES) {
        let text: Option<String> = get(row, column)?;
        *amount = text.map(|text| Amount::parse(&text).map_err(|_| damage(column))).transpose()?;
    }
    Ok(RunOrder {
        run_order_id: get(row, "replied_run_order_id")?,
        workflow_id: get(row, "workflow_id")?,
        revision_id: get(row, "revision_id")?,
        quote_currency: get(row, "quote_currency")?,
        amounts: Amounts::from_order(amounts),
        freeze_status: get(row, "freeze_status")?,
        submission_status: get(row, "submission_status")?,
        run_status: get(row, "run_status")?,
        settlement_status: get(row, "settlement_status")?,
        task_id: get(row, "task_id")?,
        prompt_id: get(row, "prompt_id")?,
        error_code: get(row, "error_code")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}
