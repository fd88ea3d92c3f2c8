//! The script: one text that any Spark runs, and that writes its answers as Parquet.

use super::statements::TOTAL;
use super::{SqlAudit, SqlError, Statement, job_sha256};
use crate::domain::order::{Amounts, RunOrder};
use crate::history::{EXCEPTIONS, ORDERS};

/// How a session must calculate, as names and values.
pub(super) const SESSION_SETTINGS: [(&str, &str); 8] = [
    // Before any text from outside: else `${…}` in it would be replaced.
    ("spark.sql.variable.substitute", "false"),
    // Without it, what overflows is NULL.
    ("spark.sql.ansi.enabled", "true"),
    ("spark.sql.session.timeZone", "UTC"),
    ("spark.sql.decimalOperations.allowPrecisionLoss", "false"),
    // A file that can't be read is an error, and not one less.
    ("spark.sql.files.ignoreMissingFiles", "false"),
    ("spark.sql.files.ignoreCorruptFiles", "false"),
    ("spark.sql.parquet.datetimeRebaseModeInRead", "CORRECTED"),
    ("spark.sql.parquet.writeLegacyFormat", "false"),
];

/// The column of an answer that says which script wrote it.
pub(super) const JOB: &str = "job_sha256";

/// The views over the dataset's files at an address.
pub(super) fn written(address: &str) -> Result<[(&'static str, String); 2], SqlError> {
    let address = checked("dataset-address", address)?;
    let texts = |names: &[&str]| names.iter().map(|name| format!("{name} STRING")).collect::<Vec<_>>().join(", ");
    let (before, after) = RunOrder::TEXTS.split_at(4);
    let amounts = Amounts::NAMES.map(|name| format!("{name} DECIMAL(28,8)")).join(", ");
    Ok([
        (
            "written_observations",
            format!(
                "(\n  {},\n  {amounts},\n  {},\n  created_at TIMESTAMP, updated_at TIMESTAMP, settled BOOLEAN, moved_to DATE, \
                 run STRING, day DATE\n) USING parquet OPTIONS (path '{address}/{ORDERS}')",
                texts(before),
                texts(after)
            ),
        ),
        (
            "written_exceptions",
            format!(
                "(\n  run_order_id STRING, bucket STRING, reason STRING, detail STRING, run STRING\n) USING parquet OPTIONS \
                 (path '{address}/{EXCEPTIONS}')"
            ),
        ),
    ])
}

/// An address that can stand in SQL, without a slash at its end.
fn checked<'a>(option: &'static str, address: &'a str) -> Result<&'a str, SqlError> {
    let is_absolute = address.starts_with('/') || address.contains(":/");
    let is_plain = !address.contains(|sign: char| sign.is_control() || "'\"`\\$;@*?[]{}".contains(sign));
    if is_absolute && is_plain {
        return Ok(address.trim_end_matches('/'));
    }
    Err(SqlError::Address { option, address: address.to_owned() })
}

impl SqlAudit<'_> {
    /// The script that reads the dataset at the one address and writes its answers to the other, each in a folder of its own.
    /// `job` is what the results say of themselves.
    ///
    /// # Errors
    /// [`SqlError::Address`] if an address can't stand in a script.
    pub fn script(&self, dataset: &str, results: &str, job: &str) -> Result<String, SqlError> {
        let (mut script, results) = (HEAD.to_owned(), checked("results-address", results)?);
        let sha256 = job_sha256(job);
        let write = |statement: Statement, job: &str, select: &str| {
            let name = statement.name();
            format!(
                "\nINSERT OVERWRITE DIRECTORY '{results}/{name}' USING parquet\n\
                 SELECT '{job}' AS {JOB}, answer.* FROM (\n{select}\n) AS answer;\n"
            )
        };
        let end = |answer: &str, from: &str| format!("SELECT '{answer}' AS answer, COUNT(*) AS answer_rows{from}");
        for (name, value) in SESSION_SETTINGS {
            script += &format!("SET {name} = {value};\n");
        }
        for (name, view) in written(dataset)? {
            script += &format!("\nCREATE OR REPLACE TEMPORARY VIEW {name} {view};\n");
        }
        for (name, select) in self.views() {
            script += &format!("\nCREATE OR REPLACE TEMPORARY VIEW {name} AS\n{select};\n");
        }
        // What an earlier script wrote there has not ended any more.
        script += &write(Statement::End, "", &end("", ""));
        let mut ends = Vec::new();
        for statement in Statement::ALL {
            let Some(select) = self.statement(statement, job) else { continue };
            if statement == Statement::Session {
                script += &format!("\n{};\n", self_test(&select));
            }
            script += &write(statement, &sha256, &select);
            let name = statement.name();
            ends.push(end(name, &format!("\nFROM parquet.`{results}/{name}`")));
        }
        script += &write(Statement::End, &sha256, &ends.join("\nUNION ALL\n"));
        Ok(script)
    }
}

const HEAD: &str = "\
-- An audit of a dataset of tieout, for Spark 3.4 and later: spark-sql -f audit.sql, or a task of SQL in a lakehouse.
-- It writes Parquet. Once it has ended without an error: tieout audit DATASET --results FOLDER --out REPORT

";

/// Ends the script where the engine does not calculate as it must.
fn self_test(session: &str) -> String {
    format!(
        "SELECT assert_true(
  time_zone = 'UTC' AND coercion = 'bigint' AND total = '{TOTAL}' AND sums = 1 AND differences = 1 AND alike = 0,
  'this session does not calculate as it must: it needs ANSI mode, the time zone UTC and exact decimals'
) AS is_trusted
FROM (
{session}
) AS session"
    )
}
