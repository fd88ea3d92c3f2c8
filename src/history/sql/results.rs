//! The folder that the script wrote its answers to. It may come from anywhere.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use polars::prelude::{DataFrame, DataType};

use super::answers::require_exact;
use super::columns::Table;
use super::script::JOB;
use super::{SqlError, Statement, job_sha256};
use crate::parquet::file::{ParquetFile, Shape};

/// The most rows of a row group. Their size is limited as well.
const GROUP_ROWS: usize = 1 << 24;

/// The answers that a script wrote.
#[derive(Debug)]
pub struct Results {
    folder: PathBuf,
    job: String,
    sha256: String,
    /// How many rows each answer has.
    rows: BTreeMap<String, u64>,
}

impl Results {
    /// Opens a folder of answers. They must be whole, and of an engine that calculates as it must.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(folder: &Path) -> Result<Self, SqlError> {
        let mut results =
            Self { folder: folder.to_owned(), job: String::new(), sha256: String::new(), rows: BTreeMap::new() };
        if !folder.is_dir() {
            return Err(not_a_result(folder, "there is no such folder"));
        }
        if !folder.join(Statement::Session.name()).is_dir() {
            let problem = "it has no folder `session`: name the one that the script writes to, once it has ended";
            return Err(not_a_result(folder, problem));
        }
        let mut jobs = Vec::new();
        results.read(Statement::Session, |frame| {
            jobs.push(require_exact(frame)?);
            Ok::<_, SqlError>(())
        })?;
        let [job] = <[String; 1]>::try_from(jobs).map_err(|_| not_a_result(folder, "it is not of a single session"))?;
        let mut rows = BTreeMap::new();
        results.sha256 = job_sha256(&job);
        results.read(Statement::End, |frame| {
            let table = Table { statement: Statement::End, frame };
            for row in 0..frame.height() {
                rows.insert(table.needed(table.text("answer", row)?)?.to_owned(), table.count("answer_rows", row)?);
            }
            Ok::<_, SqlError>(())
        })?;
        let needed = Statement::ALL.into_iter().filter(|answer| *answer != Statement::Changes);
        if let Some(answer) = needed.map(Statement::name).find(|answer| !rows.contains_key(*answer)) {
            return Err(not_a_result(folder, &format!("the answer {answer} is missing")));
        }
        (results.job, results.rows) = (job, rows);
        Ok(results)
    }

    /// What the answers say of themselves.
    #[must_use]
    pub fn job(&self) -> &str {
        &self.job
    }

    /// Visits the rows of an answer.
    pub(super) fn each<E: From<SqlError>>(
        &self,
        statement: Statement,
        visit: impl FnMut(&DataFrame) -> Result<(), E>,
    ) -> Result<(), E> {
        let rows = self.rows.get(statement.name());
        let rows = rows.ok_or_else(|| not_a_result(&self.folder, &format!("it has no {}", statement.name())))?;
        let read = self.read(statement, visit)?;
        if read == *rows {
            return Ok(());
        }
        let folder = self.folder.join(statement.name());
        Err(not_a_result(&folder, &format!("it has {read} rows, {rows} were written")).into())
    }

    fn read<E: From<SqlError>>(
        &self,
        statement: Statement,
        mut visit: impl FnMut(&DataFrame) -> Result<(), E>,
    ) -> Result<u64, E> {
        let (folder, mut rows) = (self.folder.join(statement.name()), 0_u64);
        for path in parquet_files(&folder)? {
            let failed = |problem: String| not_a_result(&path, &problem);
            let file = File::open(&path).map_err(io("read", &path))?;
            let mut schema = statement.columns();
            schema.insert_at_index(0, JOB.into(), DataType::String).map_err(|error| failed(error.to_string()))?;
            let shape = Shape { schema, group_rows: GROUP_ROWS, kind: "the script of this version" };
            let file = ParquetFile::open(file, shape).map_err(failed)?;
            for group in 0..file.groups() {
                let mut frame = file.group(group, None, |frame| Ok(frame.clone())).map_err(failed)?;
                if statement != Statement::Session {
                    Table { statement, frame: &frame }.require_all(JOB, &self.sha256)?;
                }
                frame.drop_in_place(JOB).map_err(|error| failed(error.to_string()))?;
                rows = rows.saturating_add(frame.height() as u64);
                visit(&frame)?;
            }
        }
        Ok(rows)
    }
}

/// The files of an answer, by name. What begins with `_` or `.` is the engine's own.
fn parquet_files(folder: &Path) -> Result<Vec<PathBuf>, SqlError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(io("read", folder))? {
        let path = entry.map_err(io("read", folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(['_', '.']) {
            continue;
        }
        if !path.metadata().map_err(io("read", &path))?.is_file() {
            return Err(not_a_result(&path, "it is not a regular file"));
        }
        files.push(path);
    }
    files.sort();
    Ok(files)
}

fn io(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> SqlError + use<> {
    let path = path.to_owned();
    move |source| SqlError::Io { doing, path: path.clone(), source }
}

fn not_a_result(path: &Path, problem: &str) -> SqlError {
    SqlError::NotAResult { path: path.to_owned(), problem: problem.to_owned() }
}
