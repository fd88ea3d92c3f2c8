//! Headless LibreOffice: what it shows of a workbook, and whether it can print it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::readers::printed;
use crate::support::Place;

/// The export filter: each sheet into its own file, in UTF-8, cells as shown.
const EVERY_SHEET: &str = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1";

/// LibreOffice with its own profile, which no other instance uses.
pub(super) struct LibreOffice {
    profile: String,
    shown: PathBuf,
}

impl LibreOffice {
    /// Exports every sheet of the workbook of a place's report.
    pub(super) fn new(place: &Place) -> Self {
        let office =
            Self { profile: format!("file://{}", place.path("profile").display()), shown: place.path("shown") };
        office.convert(EVERY_SHEET, &place.path("report"));
        office
    }

    fn convert(&self, into: &str, report: &Path) {
        let mut command = Command::new("soffice");
        command.arg(format!("-env:UserInstallation={}", self.profile)).args(["--headless", "--convert-to", into]);
        command.arg("--outdir").arg(&self.shown).arg(report.join("report.xlsx"));
        let run = command.output().unwrap_or_else(|error| {
            panic!("LibreOffice can't be started ({error}): run `make test`, or apt-get install libreoffice-calc-nogui")
        });
        assert!(run.status.success(), "{}", printed(&run));
    }

    /// Asserts that a sheet shows the rows of its CSV file, and its sums a second time as text.
    pub(super) fn assert_shows(&self, report: &Path, table: &str, sheet: &str) {
        let (names, expected) = rows(&report.join(format!("{table}.csv")));
        let (heading, shown) = rows(&self.shown.join(format!("report-{sheet}.csv")));
        assert_eq!(shown.len(), expected.len(), "{sheet}");
        let is_exact = |at: usize| heading[at].ends_with("(exact text)");
        let plain: Vec<usize> = (0..heading.len()).filter(|at| !is_exact(*at)).collect();
        assert_eq!(plain.len(), names.len(), "{heading:?}");
        let mut exact = BTreeMap::new();
        for (row, expected) in shown.iter().zip(&expected) {
            for (at, (name, expected)) in plain.iter().zip(names.iter().zip(expected)) {
                assert_eq!(row[*at], as_shown(name, expected), "{sheet}: {name} of {row:?}");
                if at + 1 < heading.len() && is_exact(at + 1) {
                    assert_eq!(&row[at + 1], expected, "{sheet}: {name} of {row:?}");
                    *exact.entry(name).or_insert(0_u64) += 1;
                }
            }
        }
        assert_eq!(exact.len(), if table.starts_with("spend_") { 10 } else { 0 }, "{sheet}: {exact:?}");
    }

    /// Asserts that the workbook can be printed.
    pub(super) fn assert_prints(&self, report: &Path) {
        self.convert("pdf", report);
        let pdf = fs::read(self.shown.join("report.pdf")).expect("a PDF");
        assert!(pdf.starts_with(b"%PDF-") && pdf.len() > 10_000, "{} bytes", pdf.len());
    }
}

fn rows(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let fields = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let heading = fields(reader.headers().expect("a heading"));
    (heading, reader.records().map(|row| fields(&row.expect("a row"))).collect())
}

/// How a sheet shows a cell of a CSV file.
fn as_shown(column: &str, text: &str) -> String {
    match column {
        "created_at" | "updated_at" => text.replacen('T', " ", 1).trim_end_matches('Z').chars().take(19).collect(),
        "waived" => text.to_uppercase(),
        _ => text.to_owned(),
    }
}
