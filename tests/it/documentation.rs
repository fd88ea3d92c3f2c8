//! `docs/reference/faults.md` names exactly the tests that exist, and the documentation of reports matches real ones.

use std::collections::BTreeSet;
use std::fs;

use crate::dataset::close::two_closes;
use crate::readers::{printed, reader};
use crate::support::{Place, code, files_below, repository, tieout};

/// The modules whose tests `docs/reference/faults.md` lists.
const LISTED: [&str; 7] = ["damage", "disk", "faults", "hostile", "locks", "network", "restarts"];

#[test]
fn the_faults_are_documented_with_their_tests() {
    let text = fs::read_to_string(repository("docs/reference/faults.md")).expect("the list of faults");
    let named: BTreeSet<&str> = text
        .split('`')
        .filter(|quoted| LISTED.iter().any(|module| quoted.starts_with(&format!("{module}::"))))
        .collect();
    let there = tests();
    let there: BTreeSet<&str> = there.iter().map(String::as_str).collect();
    assert!(there.len() > 100, "found only {there:?}");
    let unknown: Vec<_> = named.difference(&there).collect();
    let unlisted: Vec<_> = there.difference(&named).collect();
    assert!(unknown.is_empty() && unlisted.is_empty(), "named but not there: {unknown:?}; not named: {unlisted:?}");
}

/// The names of the tests in the listed modules, as the test runner shows them.
fn tests() -> Vec<String> {
    let root = repository("tests/it");
    let mut tests = Vec::new();
    for file in files_below(&root) {
        let path = file.strip_prefix(&root).expect("below the root").with_extension("");
        let module = path.to_string_lossy().replace('/', "::");
        if !LISTED.iter().any(|listed| module.split("::").next() == Some(listed)) {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file");
        let attributed = text.split("#[test]").skip(1);
        let names = attributed.filter_map(|after| after.split_once("fn ")?.1.split_once('(').map(|(name, _)| name));
        tests.extend(names.map(|name| format!("{module}::{name}")));
    }
    tests
}

/// Settings that make every part of a report appear.
const EVERYTHING: &str = r#"
tolerance = "CNY=0.00000001,USD=1"
stale-after = "720h"
warn-before = "6h"
material = "5"
currency = "CNY"
control-total = ["final:CNY=1", "rows=200"]
expect-rows = "sum"
books-decimals = 2
expect = ["final_amount=amount"]
complete = true
since = "2026-05-02"
account = "Finance"
fail-on = ["warnings"]
csv-encoding = "utf8-bom"
[checks]
"quote-split.overage" = "warning"
[workflow.wf_861ef31e94dcfb10e6e7]
tolerance = "1000"
stale-after = "72h"
"#;
const WAIVERS: &str = r#"
[[waiver]]
order = "wfrun_eaf7c05e8ca99f795aeb"
check = "cost-sum"
difference = "-0.12074064"
owner = "Li Wei"
reason = "credit note 17"
expires = "2026-12-31"
"#;

#[test]
fn reports_are_as_documented() {
    let place = Place::new();
    let ids = fs::read_to_string(repository("sample_data/ids.csv")).expect("the sample");
    let ids = ids.lines().skip(1).filter_map(|line| line.split(',').next()).map(|id| format!("{id},1.5\n"));
    let ids = place.file("ids.csv", format!("run_order_id,amount\n{}", ids.collect::<String>()));
    let (settings, waivers) = (place.file("tieout.toml", EVERYTHING), place.file("waivers.toml", WAIVERS));
    let mut run = place.reconcile(ids);
    run.args(["--sandbox", "--as-of", "2026-06-01T00:00:00Z"]).arg("--config").arg(settings);
    let run = run.arg("--waivers").arg(waivers).output().expect("starts");
    assert!(place.report().exists(), "{}", printed(&run));
    let mut audit = tieout();
    audit.arg("audit").arg(place.path("report")).arg("--out").arg(place.path("audit"));
    // The simulator lists the orders of an account, which do not include those of the sample.
    assert_eq!(code(&audit.output().expect("starts")), 3);

    let (report, audit) = (place.path("report"), place.path("audit"));
    let [first, second] = two_closes(&place, &[]);
    let reading =
        reader("described.py", &[&repository("docs"), &report, &audit, &first, &second, &repository("reports/sample")]);
    let found = printed(&reading);
    assert!(reading.status.success() && found.starts_with("agree: "), "{found}");
}

#[test]
fn every_column_is_documented() {
    let page = fs::read_to_string(repository("docs/reference/files.md")).expect("the page");
    let files = ["src/report/content/tables.rs", "src/report/content/closing.rs"];
    let tables = files.map(|path| fs::read_to_string(repository(path)).expect("the tables")).concat();
    let columns = tables.split("column(\"").skip(1).filter_map(|after| after.split('"').next());
    let columns: BTreeSet<&str> = columns.collect();
    assert!(columns.len() > 40, "found only {columns:?}");
    let missing: Vec<_> = columns.into_iter().filter(|column| !page.contains(&format!("| `{column}` |"))).collect();
    assert!(missing.is_empty(), "not in docs/reference/files.md: {missing:?}");
}
