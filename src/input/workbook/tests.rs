//! Workbooks made by other software (see `tests/workbooks/make.py`), and damaged ones.

use std::fs;
use std::io::{Seek as _, SeekFrom};
use std::path::Path;
use std::time::{Duration, Instant};

use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

/// Damage must be detected within this time, even on a busy machine and in a debug build.
const SOON: Duration = Duration::from_secs(20);

fn bytes(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workbooks").join(name)).unwrap()
}

fn file(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}

fn open(bytes: &[u8]) -> Result<Workbook, WorkbookError> {
    Workbook::open(file(bytes))
}

fn kind(bytes: &[u8]) -> Option<Kind> {
    kind_of(&mut file(bytes)).unwrap()
}

fn error(bytes: &[u8]) -> String {
    open(bytes).unwrap_err().to_string()
}

/// A sheet's text, its hidden rows and its merged ranges.
fn sheet(bytes: &[u8], name: &str) -> Result<(String, Option<u64>, u64), WorkbookError> {
    let mut text = Vec::new();
    let sheet = open(bytes)?.write_sheet(name, &mut text)?;
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count() as u64, sheet.rows, "a line for each row");
    assert!(!text.contains('\r'));
    Ok((text, sheet.hidden, sheet.merged))
}

fn zip(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(*name, SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// An `.xlsx` workbook with one sheet of these rows and with these shared strings.
fn xlsx(rows: &str, strings: &str) -> Vec<u8> {
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let relation = |id: &str, kind: &str, target: &str| {
        format!("<Relationship Id=\"{id}\" Type=\"{office}/{kind}\" Target=\"{target}\"/>")
    };
    let main = format!("<Relationships>{}</Relationships>", relation("r1", "officeDocument", "xl/workbook.xml"));
    let sheets = format!("<Relationships>{}</Relationships>", relation("r1", "worksheet", "worksheets/sheet1.xml"));
    let sheet = format!("<worksheet><sheetData>{rows}</sheetData></worksheet>");
    zip(&[
        ("[Content_Types].xml", b"<Types><Override ContentType='x/spreadsheetml.sheet.main+xml'/></Types>"),
        ("_rels/.rels", main.as_bytes()),
        ("xl/_rels/workbook.xml.rels", sheets.as_bytes()),
        ("xl/workbook.xml", b"<workbook><sheets><sheet name='S' r:id='r1'/></sheets></workbook>"),
        ("xl/sharedStrings.xml", strings.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content><office:body><office:spreadsheet><table:table table:name='S'>{rows}</table:table>\
         </office:spreadsheet></office:body></office:document-content>"
    );
    let mime = b"application/vnd.oasis.opendocument.spreadsheet";
    zip(&[("mimetype", mime), ("content.xml", content.as_bytes())])
}

const ENDS: &str = "more digits than a workbook keeps";

/// The expected text of the workbook of values. The parameters are the cells that differ between programs.
fn values(text: &str, b3: &str, a5: &str, formulas: [&str; 3]) -> String {
    let [b12, c12, c13] = formulas;
    format!(
        "run_order_id,amount,note\n\
         wfrun_1,0.1,plain\n\
         00012,{b3},\"quoted \"\"a\"\", b\"\n\
         12345678901234567890,0.000288,\"two lines\"\n\
         {a5} (cell A5: {ENDS}),1234567.89, spaces kept \n\
         \n\
         \n\
         wfrun_2,-5,TRUE\n\
         wfrun_3,1.50,FALSE\n\
         wfrun_4,2026-05-08T12:00:00,2026-05-08\n\
         wfrun_5,{text}\n\
         wfrun_6,{b12},{c12}\n\
         wfrun_7,#N/A,{c13}\n\
         订单,1000000000000000 (cell B14: {ENDS}),999999999999999\n\
         wfrun_8,1000000000000000000000 (cell B15: {ENDS}),0\n"
    )
}

#[test]
fn every_kind_of_value_in_every_format() {
    let noise = format!("0.30000000000000004 (cell B3: {ENDS})");
    let bare = |cell| format!("(cell {cell}: a formula without a stored value)");
    let (b12, c12, c13) = (bare("B12"), bare("C12"), bare("C13"));
    let expected = values("09:30:00,PT26H5M0S", &noise, "12345678901234567000", [&b12, &c12, &c13]);
    assert_eq!(sheet(&bytes("uncomputed.xlsx"), "Bills").unwrap(), (expected, Some(0), 0));
    let formulas = ["0.125", "wfrun_1-x", "#DIV/0!"];
    // LibreOffice keeps 15 digits, as Excel shows on screen: the ID has lost its last digits and must not pass for one.
    let expected = values("09:30:00,PT26H5M0S", "0.3", "12345678901234600000", formulas);
    assert_eq!(sheet(&bytes("computed.xlsx"), "Bills").unwrap(), (expected, Some(0), 0));
    let expected = values("09:30:00,PT26H5M0S", &noise, "12345678901234567000", formulas);
    assert_eq!(sheet(&bytes("values.xls"), "Bills").unwrap(), (expected, Some(0), 0));
    let expected = values("PT09H30M00S,PT26H05M00S", "0.3", "12345678901234600000", formulas);
    // LibreOffice turns the truth values of other programs into formulas with the result 1 or 0.
    let expected = expected.replace("TRUE", "1").replace("FALSE", "0");
    assert_eq!(sheet(&bytes("values.ods"), "Bills").unwrap(), (expected, Some(0), 0));
}

#[test]
fn hidden_sheets_are_listed_and_chart_sheets_are_not() {
    for name in ["uncomputed.xlsx", "values.xls", "values.ods"] {
        let bytes = bytes(name);
        let mut workbook = open(&bytes).unwrap();
        let sheets = workbook.sheets().to_vec();
        assert_eq!((sheets[0].as_str(), sheets[sheets.len() - 1].as_str()), ("Bills", "Sheet, 2 & more"), "{name}");
        assert_eq!(sheet(&bytes, "Sheet, 2 & more").unwrap().0, "hidden sheet\n", "{name}");
        let error = workbook.write_sheet("bills", &mut Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with("there is no sheet `bills`; name one of these with --sheet: `Bills`, "), "{error}");
        // Sheets can be read in any order and more than once.
        for name in sheets.iter().rev().chain([&sheets[0]]) {
            workbook.write_sheet(name, &mut Vec::new()).unwrap();
        }
    }
    assert_eq!(open(&bytes("uncomputed.xlsx")).unwrap().sheets().len(), 2, "the chart sheet is not listed");
}

#[test]
fn lines_are_rows_and_commas_are_columns() {
    let from_c5 = "\n\n\n\n,,run_order_id,amount\n\n\n,,wfrun_1,,12.5\n";
    let hidden: String = (1..=10).map(|number| format!("wfrun_{number},{number}\n")).collect();
    let far = format!("near\n{}{}far\n", "\n".repeat(38), ",".repeat(255));
    for name in ["shapes.xlsx", "shapes.xls", "shapes.ods"] {
        let bytes = bytes(name);
        assert_eq!(sheet(&bytes, "From C5").unwrap(), (from_c5.to_owned(), Some(0), 0), "{name}");
        assert_eq!(sheet(&bytes, "Hidden").unwrap(), (hidden.clone(), Some(4), 0), "{name}");
        let merged = ("over three columns\ntwo rows,,x\n".to_owned(), Some(0), 2);
        assert_eq!(sheet(&bytes, "Merged").unwrap(), merged, "{name}");
        assert_eq!(sheet(&bytes, "Far").unwrap().0, far, "{name}");
        assert_eq!(sheet(&bytes, "Empty").unwrap(), (String::new(), Some(0), 0), "{name}");
    }
    let filtered = "run_order_id,state\nwfrun_1,open\nwfrun_2,paid\nwfrun_3,open\nwfrun_4,paid\n";
    for name in ["filtered.xlsx", "filtered.xls", "filtered.ods"] {
        assert_eq!(sheet(&bytes(name), "Filtered").unwrap(), (filtered.to_owned(), Some(2), 0), "{name}");
    }
}

#[test]
fn the_kind_of_a_file_is_detected_from_its_content() {
    let kinds = [
        ("shapes.xlsx", Kind::Xlsx),
        ("shapes.xls", Kind::Xls),
        ("shapes.ods", Kind::Ods),
        ("protected.xlsx", Kind::Protected),
        ("document.docx", Kind::Archive),
    ];
    for (name, expected) in kinds {
        assert_eq!(kind(&bytes(name)), Some(expected), "{name}");
    }
    for text in ["", "PK", "run_order_id\nwfrun_1\n", "\u{feff}PK\x03\x04 and more"] {
        assert_eq!(kind(text.as_bytes()), None);
    }
    assert_eq!(kind(&zip(&[("ids.csv", b"run_order_id\n")])), Some(Kind::Archive));
    let binary: &[u8] = b"<Override ContentType='application/vnd.ms-excel.sheet.binary.macroEnabled.main'/>";
    assert_eq!(kind(&zip(&[("[Content_Types].xml", binary)])), Some(Kind::Xlsb));
    let manifest: &[u8] = b"<manifest:encryption-data/>";
    let mime: &[u8] = b"application/vnd.oasis.opendocument.spreadsheet";
    let protected = zip(&[("mimetype", mime), ("META-INF/manifest.xml", manifest), ("content.xml", b"\x81")]);
    assert_eq!(kind(&protected), Some(Kind::Protected));
}

#[test]
fn the_error_says_what_a_file_is_that_is_not_a_workbook() {
    let other = "not a workbook; name an .xlsx, .xlsm, .xls or .ods file, or a CSV file";
    assert_eq!(error(&bytes("document.docx")), format!("this is a ZIP archive, {other}"));
    assert_eq!(error(&zip(&[("ids.csv", b"")])), format!("this is a ZIP archive, {other}"));
    assert_eq!(error(b"run_order_id"), format!("this is neither a ZIP archive nor an .xls file, {other}"));
    let protected = "the workbook is protected by a password; save a copy without a password and use the copy";
    assert_eq!(error(&bytes("protected.xlsx")), protected);
    let binary: &[u8] = b"<Override ContentType='application/vnd.ms-excel.sheet.binary.macroEnabled.main'/>";
    assert!(error(&zip(&[("[Content_Types].xml", binary)])).ends_with("save it as .xlsx"));
    assert!(error(&ods("")[..100]).contains("the archive is cut or damaged"));
    let twice = error(&ods("</table:table><table:table table:name='S'>"));
    assert!(twice.starts_with("the .ods workbook can't be read (two sheets are called `S`)"), "{twice}");
}

#[test]
fn what_calamine_would_misread_is_an_error() {
    let strings = "<sst><si><t>a</t></si></sst>";
    let read = |rows: &str| sheet(&xlsx(rows, strings), "S").map(|sheet| sheet.0).map_err(|error| error.to_string());
    assert_eq!(read("<row><c t='s'><v>0</v></c><c><v>1e2</v></c></row>").unwrap(), "a,100\n");
    assert_eq!(
        read("<row r='2'><c r='B2'><f>1</f><v/></c></row>").unwrap(),
        "\n,(cell B2: a formula without a stored value)\n"
    );
    assert_eq!(read("<row><c t='inlineStr'><is><t>x &amp; y</t></is></c></row>").unwrap(), "x & y\n");
    let refused = [
        ("<row><c><v>1<!-- -->2</v></c></row>", "the value of cell A1 is split into pieces"),
        ("<row><c><v>1&#50;</v></c></row>", "the value of cell A1 is split into pieces"),
        ("<row><c><v><![CDATA[1]]></v></c></row>", "the value of cell A1 is split into pieces"),
        ("<row><c><v>1</v><f>1</f></c></row>", "cell A1 has something after its value"),
        ("<row><c t='s'><v>x</v></c></row>", "cell A1 does not refer to a string"),
        ("<row><c t='s'><v>1</v></c></row>", "not found in shared strings"),
        ("<row r='2'/><row r='1'/>", "the row after row 2 is misplaced"),
        ("<row r='2'><c r='A1'><v>1</v></c></row>", "the cell expected at A2 or to its right is misplaced"),
        ("<row r='1'><c r='B1'/><c r='A1'/></row>", "the cell expected at C1 or to its right is misplaced"),
        ("<row r='1'><c r='XFE1'/></row>", "the cell expected at A1 or to its right is misplaced"),
        ("<row r='1'><c r='AAAAAAAAB1'/></row>", "the cell expected at A1 or to its right is misplaced"),
        ("<row r='1048577'/>", "the first row is misplaced"),
        ("<row r='99999999999999999999'/>", "the first row is misplaced"),
    ];
    for (rows, expected) in refused {
        let error = read(rows).unwrap_err();
        assert!(error.contains(expected) && error.starts_with("the .xlsx workbook can't be read ("), "{rows}: {error}");
    }
    let claimed = "<sst uniqueCount='999999999999'><si><t>a</t></si></sst>";
    assert!(error(&xlsx("", claimed)).contains("claims 999999999999 strings but has fewer"));
}

#[test]
fn rows_and_cells_of_an_ods_are_repeated_as_stated() {
    let read = |rows: &str| sheet(&ods(rows), "S").map_err(|error| error.to_string());
    let row = "<table:table-row table:number-rows-repeated='2' table:visibility='filter'>\
               <table:table-cell table:number-columns-repeated='2'/>\
               <table:table-cell office:value-type='float' office:value='1.50' table:number-columns-repeated='2'/>\
               <table:table-cell table:number-columns-repeated='16380'/></table:table-row>\
               <table:table-row table:number-rows-repeated='1048574'><table:table-cell/></table:table-row>";
    assert_eq!(read(row).unwrap(), (",,1.5,1.5\n,,1.5,1.5\n".to_owned(), Some(2), 0));
    let text = "<table:table-row><table:table-cell office:value-type='string'>\
                <office:annotation><text:p>a remark</text:p></office:annotation>\
                <text:p>a<text:s text:c='3'/>b&lt;<text:span>c</text:span></text:p>\n<text:p>d&#233;</text:p>\
                </table:table-cell><table:covered-table-cell/></table:table-row>";
    assert_eq!(read(text).unwrap().0, "\"a   b<c dé\"\n");
    let truth = "<table:table-row><table:table-cell office:value-type='boolean' office:boolean-value='true'/></table:table-row>";
    assert_eq!(read(truth).unwrap().0, "TRUE\n");
    let formula = "<table:table-row><table:table-cell table:formula='of:=1'/></table:table-row>";
    assert_eq!(read(formula).unwrap().0, "(cell A1: a formula without a stored value)\n");
    let refused = [
        (
            "<table:table-row><table:table-cell office:value-type='float'/></table:table-row>",
            "cell A1 should hold a number but does not",
        ),
        ("<table:table-row table:number-rows-repeated='x'/>", "`x` is not a number of cells"),
        ("<table:table-row><table:table-cell></table:table-row>", "table:table-cell"),
    ];
    for (rows, expected) in refused {
        let error = read(rows).unwrap_err();
        assert!(error.contains(expected), "{rows}: {error}");
    }
    let one = "<table:table-cell table:number-columns-repeated='16384' office:value-type='float' office:value='1'/>";
    let bomb = format!("<table:table-row table:number-rows-repeated='1048576'>{one}</table:table-row>");
    let mut workbook = open(&ods(&bomb)).unwrap();
    let error = workbook.write_sheet("S", &mut std::io::sink()).unwrap_err().to_string();
    assert!(error.starts_with("the sheet is larger than 2 GiB as text; "), "{error}");
}

#[test]
fn far_cells_take_neither_memory_nor_time() {
    let far =
        xlsx("<row r='1'><c r='A1'><v>1</v></c></row><row r='1048576'><c r='XFD1048576'><v>2</v></c></row>", "<sst/>");
    let begun = Instant::now();
    let (text, ..) = sheet(&far, "S").unwrap();
    assert_eq!((text.len(), &text[text.len() - 3..]), (2 + 1_048_574 + 16_383 + 2, ",2\n"));
    assert!(begun.elapsed() < SOON);
}

#[test]
fn archives_that_unpack_to_too_much_are_refused() {
    let zeros = vec![b' '; 64 << 20];
    let begun = Instant::now();
    // 40 parts of 64 MiB each, with their true sizes in the archive's directory.
    let names: Vec<String> = (0..40).map(|number| format!("xl/{number}.xml")).collect();
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("xl/0.xml", SimpleFileOptions::default()).unwrap();
    archive.write_all(&zeros).unwrap();
    for name in &names[1..] {
        archive.shallow_copy_file("xl/0.xml", name).unwrap();
    }
    let honest = archive.finish().unwrap().into_inner();
    assert_eq!(
        error(&honest),
        "the workbook's parts unpack to more than 2 GiB; delete the sheets and rows that you don't need, \
         or save the sheet as CSV"
    );
    // A part that claims to be short: its size in the central directory is overwritten.
    let mut liar = xlsx("", &format!("<sst>{}</sst>", "<si/>".repeat(1 << 20)));
    let entry = rfind(&liar, b"xl/sharedStrings.xml") - 46;
    liar[entry + 24..entry + 28].copy_from_slice(&100_u32.to_le_bytes());
    let found = error(&liar);
    assert!(found.starts_with("the .xlsx workbook can't be read (xl/sharedstrings.xml: "), "{found}");
    // A single text of 5 MiB.
    let endless = xlsx("", &format!("<sst><si><t>{}</t></si></sst>", "a".repeat(5 << 20)));
    assert!(error(&endless).contains("one text in it is longer than 4 MiB"));
    let deep = xlsx(&"<row>".repeat(300), "<sst/>");
    assert!(sheet(&deep, "S").unwrap_err().to_string().contains("is misplaced"));
    let deep = ods(&"<a>".repeat(300));
    assert!(error(&deep).contains("nested too deeply"));
    assert!(begun.elapsed() < SOON);
}

fn rfind(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).rposition(|window| window == wanted).unwrap()
}

#[test]
fn a_looping_chain_or_an_impossible_size_in_an_xls_is_an_error() {
    let whole = bytes("shapes.xls");
    let directory = usize::try_from(compound::u32_at(&whole, 48)).unwrap();
    let table = (compound::u32_at(&whole, 76) as usize + 1) * 512;
    let mut round = whole.clone();
    round[table + directory * 4..table + directory * 4 + 4].copy_from_slice(&(directory as u32).to_le_bytes());
    assert!(error(&round).contains("loops forever"));
    // The record of a sheet's size, made to claim nearly 2^31 rows.
    let mut large = whole;
    let at = large.windows(4).position(|window| window == [0x00, 0x02, 14, 0]).unwrap();
    large[at + 8..at + 12].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    assert!(error(&large).contains("larger than the format allows"), "{}", error(&large));
}

/// Reads all sheets of a damaged workbook, which must end in time and without a panic.
fn survive(bytes: &[u8], what: &str) {
    let begun = Instant::now();
    let _ = kind(bytes);
    if let Ok(mut workbook) = open(bytes) {
        for name in workbook.sheets().to_vec() {
            let _ = workbook.write_sheet(&name, &mut std::io::sink());
        }
    }
    assert!(begun.elapsed() < SOON, "{what}");
}

#[test]
fn damage_anywhere_in_a_file_is_survived() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for name in ["shapes.xlsx", "uncomputed.xlsx", "shapes.xls", "values.xls", "filtered.ods", "protected.xlsx"] {
        let whole = bytes(name);
        for round in 0..100 {
            let mut damaged = whole.clone();
            for _ in 0..=random(8) {
                let at = random(damaged.len());
                damaged[at] = random(256) as u8;
            }
            survive(&damaged, &format!("{name}, damage {round}"));
            let cut = random(whole.len());
            survive(&whole[..cut], &format!("{name} cut at {cut}"));
            assert!(
                name == "protected.xlsx" || open(&whole[..cut]).is_err() || name.ends_with(".xls"),
                "{name} cut at {cut}"
            );
        }
    }
}

#[test]
fn damage_inside_the_parts_is_survived() {
    // The XML is damaged before it is packed, because the archive's checksum would reveal damage done later.
    let rows = "<row r=\"1\" hidden=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\"><f>1+1</f><v>2.5</v></c></row>";
    let cell = "<table:table-row><table:table-cell office:value-type='float' office:value='1'/></table:table-row>";
    let mut state = 1_u64;
    for round in 0..600 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (at, byte) = ((state >> 33) as usize, (state >> 24) as u8 & 0x7f);
        let damage = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            String::from_utf8(bytes).unwrap()
        };
        let strings = "<sst uniqueCount=\"1\"><si><t>a</t></si></sst>";
        survive(&xlsx(&damage(rows), strings), &format!("row {round}"));
        survive(&xlsx(rows, &damage(strings)), &format!("string {round}"));
        survive(&ods(&damage(cell)), &format!("cell {round}"));
    }
}

#[test]
fn numbers_are_written_as_shortest_decimals_or_marked_as_inexact() {
    let plain = [
        (0.1, "0.1"),
        (2.88e-4, "0.000288"),
        (1_234_567.89, "1234567.89"),
        (-0.0, "0"),
        (-12.0, "-12"),
        (999_999_999_999_999.0, "999999999999999"),
        (0.001_234_567_890_123_45, "0.00123456789012345"),
        (1e-7, "0.0000001"),
    ];
    for (value, expected) in plain {
        assert_eq!(cells::number(value, (0, 0)), expected);
    }
    for value in [0.1 + 0.2, 1e15, 12_345_678_901_234_567_890.0, 1.0 / 3.0, f64::MAX] {
        let text = cells::number(value, (6, 27));
        assert_eq!(text, format!("{value} (cell AB7: {ENDS})"));
    }
    assert_eq!(cells::number(f64::NAN, (0, 16_383)), "NaN (cell XFD1: not a number)");
}
