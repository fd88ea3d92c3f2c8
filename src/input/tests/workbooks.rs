//! Workbooks made by other software (see `tests/workbooks`), read as inputs.

use super::*;

fn workbook(name: &str) -> Case {
    let bytes = fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/workbooks").join(name)).unwrap();
    Case::new(bytes)
}

impl Case {
    fn sheet(mut self, name: &str) -> Self {
        self.options.sheet = Some(name.to_owned());
        self
    }
}

#[test]
fn a_workbook_is_read_like_a_csv() {
    for name in ["uncomputed.xlsx", "values.xls", "values.ods"] {
        let case = workbook(name).book(Field::Final, "amount");
        let rows = case.rows();
        assert_eq!(rows[..2], ["2 wfrun_1", "3 00012"], "{name}");
        assert!(rows[3].starts_with("5 bad-character(") && rows[3].contains("A5"), "{name}: {rows:?}");
        assert!(
            rows.contains(&"13 wfrun_7".to_owned()) && rows.contains(&"14 bad-character(订单)".to_owned()),
            "{name}"
        );
        let input = case.open().unwrap();
        let amounts: Vec<String> =
            input.read().unwrap().map(|row| row.unwrap().booking.unwrap().cells[&Field::Final].clone()).collect();
        assert_eq!(amounts[0], "0.1", "{name}");
        // LibreOffice keeps 15 digits, so the number that it saves is not marked as inexact.
        assert!(amounts[1].contains("B3") || name.ends_with(".ods"), "{name}: {amounts:?}");
        assert_eq!((&*amounts[2], &*amounts[3]), ("0.000288", "1234567.89"), "{name}");
        assert_eq!(input.layout().sheet.as_deref(), Some("Bills"), "{name}");
        assert_eq!(input.sha256(), hex::encode(<sha2::Sha256 as sha2::Digest>::digest(fs::read(&case.path).unwrap())));
    }
}

#[test]
fn the_sheet_with_the_ids_is_found_or_named() {
    let error = workbook("shapes.xlsx").error();
    assert_eq!(error, "2 sheets have an ID column (`From C5`, `Hidden`); name one with --sheet");
    assert_eq!(workbook("shapes.xlsx").sheet("From C5").rows()[0], "8 wfrun_1", "lines are row numbers of the sheet");
    let hidden = workbook("shapes.xlsx").sheet("Hidden");
    assert_eq!(hidden.rows().len(), 10, "hidden rows are rows");
    assert_eq!(hidden.open().unwrap().layout().hidden_rows, Some(4));
    assert!(workbook("shapes.xlsx").sheet("Bills").error().contains("there is no sheet `Bills`"));
    let lone = workbook("uncomputed.xlsx").sheet("Sheet, 2 & more").open().unwrap_err().to_string();
    assert!(
        lone.contains("sheet `Sheet, 2 & more`: there are no rows, only a line that is not a known heading"),
        "{lone}"
    );
    assert_eq!(Case::new("run_order_id\n").sheet("x").error(), "this is not a workbook; leave out --sheet");
}

#[test]
fn protected_damaged_and_other_files_are_named() {
    assert!(workbook("protected.xlsx").error().contains("password"));
    assert!(workbook("document.docx").error().contains("this is a ZIP archive"));
    let cut = fs::read(&workbook("uncomputed.xlsx").path).unwrap();
    let error = Case::new(&cut[..cut.len() / 2]).error();
    assert!(error.contains("ZIP") || error.contains("workbook"), "{error}");
}

#[test]
fn a_workbook_that_changes_ends_in_an_error() {
    let case = workbook("uncomputed.xlsx");
    let input = case.open().unwrap();
    let mut bytes = fs::read(&case.path).unwrap();
    bytes.push(0);
    fs::write(&case.path, bytes).unwrap();
    let last = input.read().unwrap().last().unwrap();
    assert!(matches!(last, Err(InputError::Changed { .. })), "{last:?}");
}
