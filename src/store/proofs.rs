//! Which reports were proven before, so that proving a folder again is quick.

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params_from_iter};

use super::Store;
use super::cells::{Cells, Layout};
use super::error::{StoreError, sqlite};
use super::seal::with_checksum;

static PROVEN_REPORTS: Layout = Layout { table: "proven_reports", columns: &["manifest_sha256", "version"] };

impl Store {
    /// Records that a version of tieout made the same report again from the evidence of the one with this manifest.
    ///
    /// # Errors
    /// When the state can't be written.
    pub fn note_proven_report(&mut self, manifest_sha256: &str, version: &str) -> Result<(), StoreError> {
        const DOING: &str = "record a proven report in";
        self.change(DOING, |connection| {
            let row = with_checksum([manifest_sha256, version].map(|text| Value::from(text.to_owned())));
            let noted = connection.execute(&PROVEN_REPORTS.replace(), params_from_iter(row));
            noted.map(drop).map_err(sqlite(DOING))
        })
    }

    /// Whether that version of tieout has proven the report with this manifest.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn has_proven_report(&self, manifest_sha256: &str, version: &str) -> Result<bool, StoreError> {
        self.read(|connection| {
            let failed = sqlite("look up a proven report in");
            let query = format!("SELECT {} FROM proven_reports WHERE manifest_sha256 = ?1", PROVEN_REPORTS.list(""));
            let mut statement = connection.prepare_cached(&query).map_err(failed)?;
            let by = |row: &rusqlite::Row<'_>| {
                Ok(Cells::open(row, 0, &PROVEN_REPORTS).and_then(|mut cells| {
                    let _ = cells.required_text()?;
                    cells.required_text()
                }))
            };
            let found = statement.query_row([manifest_sha256], by).optional().map_err(failed)?;
            // A damaged row proves nothing. The next proof replaces it.
            Ok(found.is_some_and(|found| found.is_ok_and(|found| found == version)))
        })
    }
}
