//! Our own books with the real binary: every row is compared to the last digit, both totals are reported, and sums
//! tie out to an invoice. The figures are from the provider's reference and `sample_data/README.md`.

use serde_json::json;

use crate::support::{Place, ReportFiles, code, stderr, stdout, tieout};

/// The order in the provider's reference: quoted 0.03, charged 0.0002878.
const DOCUMENTED: &str = "wfrun_314ff7d8b7a5beff1388";
/// A settled order whose final and released amounts differ from its quote by 0.58042467.
const SPLIT: &str = "wfrun_d88de39449148030b6f2";

struct Books {
    place: Place,
}

impl Books {
    fn new() -> Self {
        Self { place: Place::new() }
    }

    /// Runs the job; returns its exit code, its output and its report.
    fn run(&self, csv: &str, arguments: &[&str]) -> (i32, String, ReportFiles) {
        let ids = self.place.file("ids.csv", csv);
        let mut run = self.place.reconcile(&ids);
        let run = run.args(["--sandbox", "--as-of", "2026-06-01T00:00:00Z"]).args(arguments).output().expect("starts");
        (code(&run), format!("{}{}", stdout(&run), stderr(&run)), self.place.report())
    }
}

fn mismatches(report: &ReportFiles) -> Vec<[String; 5]> {
    let rows = report.rows("discrepancies.csv").into_iter().filter(|row| row["check"] == "expected-mismatch");
    rows.map(|row| ["input_line", "expected", "actual", "difference", "message"].map(|column| row[column].clone()))
        .collect()
}

#[test]
fn a_difference_of_one_unit_in_the_eighth_decimal_is_found() {
    let books = Books::new();
    let expect = ["--expect", "final_amount=金额", "--expect", "workflow_id=workflow"];
    let csv = |amount: &str| format!("run_order_id,金额,workflow\n{DOCUMENTED},{amount},wf_861ef31e94dcfb10e6e7\n");
    for same in ["0.0002878", "￥０．０００２８７８０", "\"'0.00028780\"", "2.878e-4"] {
        let (exit, printed, report) = books.run(&csv(same), &expect);
        assert_eq!((exit, report.verdict().as_str()), (0, "reconciled"), "{same}: {printed}");
    }
    let (exit, printed, report) = books.run(&csv("0.00028781"), &expect);
    assert_eq!((exit, report.verdict().as_str()), (1, "discrepant"), "{printed}");
    let message = "line 2: final_amount is 0.00028780, our books say 0.00028781";
    let expected = ["2", "0.00028781", "0.00028780", "-0.00000001", message].map(str::to_owned);
    assert_eq!(mismatches(&report), [expected]);
    let totals =
        json!({"ours": "0.00028781", "provider": "0.00028780", "difference": "-0.00000001", "without_amount": 0});
    assert_eq!(report.json("summary.json")["control_totals"]["CNY"]["books"]["final_amount"], totals);
    assert!(printed.contains("Our books and the provider's"), "{printed}");
    let verify = tieout().arg("verify").arg(&report.0).arg("--files-only").output().expect("starts");
    assert_eq!(code(&verify), 0, "{}", stdout(&verify));
}

#[test]
fn every_row_is_compared_and_an_unreadable_amount_is_reported_with_its_line() {
    let books = Books::new();
    let csv = format!(
        "run_order_id,amount\n{DOCUMENTED},0.0002878\n{SPLIT},\"1.234,56\"\n{DOCUMENTED},0.0003\n,5\nwfrun_0{},2\n",
        "0".repeat(19)
    );
    let (exit, printed, report) = books.run(&csv, &["--expect", "final=amount", "--currency", "CNY"]);
    assert_eq!(exit, 1, "{printed}");
    let found: Vec<(String, String)> =
        mismatches(&report).into_iter().map(|[line, .., message]| (line, message)).collect();
    assert_eq!(found[0].0, "2", "an order is reported on its first row");
    assert_eq!(found[0].1, "line 4: final_amount is 0.00028780, our books say 0.00030000");
    assert_eq!(found[1].1, "line 3: final_amount can't be read as an amount: not a decimal number");
    let twice: Vec<_> =
        report.rows("discrepancies.csv").into_iter().filter(|row| row["check"] == "booked-twice").collect();
    assert_eq!(twice.len(), 1);
    assert_eq!(
        (twice[0]["actual"].as_str(), twice[0]["message"].as_str()),
        ("2", "our books carry the order on lines 2, 4")
    );
    assert_eq!((report.population("duplicate"), report.population("rejected")), (1, 1));
    // The sum of our whole column, including rows without an order to judge: 0.0002878 + 0.0003 + 5 + 2, and one
    // cell that is not an amount.
    let totals = &report.json("summary.json")["control_totals"]["CNY"]["books"]["final_amount"];
    assert_eq!((&totals["ours"], &totals["without_amount"]), (&json!("7.00058780"), &json!(1)));
    for other in [&["verify"][..], &["audit"]] {
        let mut again = tieout();
        again.args(other).arg(&report.0);
        let again = if other == ["verify"] {
            again.arg("--files-only")
        } else {
            again.arg("--out").arg(books.place.path("audit"))
        };
        let ended = again.output().expect("starts");
        assert_eq!(code(&ended), i32::from(other == ["audit"]), "{}", stderr(&ended));
    }
    let audited = ReportFiles(books.place.path("audit"));
    assert_eq!(audited.reproducible_files(), report.reproducible_files(), "the audit makes the same report");
}

#[test]
fn a_sum_ties_out_to_an_invoice_or_the_verdict_says_so() {
    let books = Books::new();
    let csv = format!("run_order_id\n{DOCUMENTED}\n");
    for (total, exit, verdict) in [
        ("final=0.0002878", 0, "reconciled"),
        ("final:CNY=￥0.00028780", 0, "reconciled"),
        ("final=0.0002879", 1, "discrepant"),
        ("quote:USD=0.03", 1, "discrepant"),
    ] {
        let (code, printed, report) = books.run(&csv, &["--control-total", total]);
        assert_eq!((code, report.verdict().as_str()), (exit, verdict), "{total}: {printed}");
        assert_eq!(printed.contains("DOES NOT TIE OUT"), exit == 1, "{printed}");
    }
    let (_, _, report) = books.run(&csv, &["--control-total", "final=0.0002879;quote=0.03"]);
    let ties = json!([
        {"field": "final_amount", "currency": "CNY", "expected": "0.00028790", "actual": "0.00028780", "difference": "-0.00000010"},
        {"field": "quote_amount", "currency": "CNY", "expected": "0.03000000", "actual": "0.03000000", "difference": "0.00000000"},
    ]);
    assert_eq!(report.json("summary.json")["ties"], ties);
    let verify = tieout().arg("verify").arg(&report.0).arg("--files-only").output().expect("starts");
    assert_eq!(code(&verify), 0, "{}", stdout(&verify));
}

#[test]
fn books_of_two_decimals_pass_by_rounding_which_an_audit_can_take_back() {
    let books = Books::new();
    let csv = format!("run_order_id,amount\n{DOCUMENTED},0.00\n");
    let (exit, printed, report) = books.run(&csv, &["--expect", "final=amount", "--books-decimals", "2"]);
    assert_eq!((exit, report.verdict().as_str()), (0, "reconciled"), "{printed}");
    assert!(printed.contains("passed by rounding"), "{printed}");
    let passed = json!({"passes": 1, "net": "0.00028780", "gross": "0.00028780"});
    let summary = report.json("summary.json");
    assert_eq!(summary["control_totals"]["CNY"]["passed_by_rounding"], passed);
    assert_eq!((&summary["settings"]["books_decimals"], &summary["checks"]), (&json!(2), &json!({})));
    let verify = tieout().arg("verify").arg(&report.0).arg("--files-only").output().expect("starts");
    assert_eq!(code(&verify), 0, "{}", stdout(&verify));
    let mut audit = tieout();
    audit.arg("audit").arg(&report.0).args(["--books-decimals", "8"]).arg("--out").arg(books.place.path("audit"));
    let audit = audit.output().expect("starts");
    assert_eq!(code(&audit), 1, "{}", stderr(&audit));
    let audited = ReportFiles(books.place.path("audit"));
    assert_eq!(audited.json("summary.json")["causes"]["expected-mismatch.rounding"]["orders"], json!(1));
    assert_eq!(audited.rows("discrepancies.csv")[0]["cause"], "rounding");
}

#[test]
fn rows_that_are_added_stand_for_one_order() {
    let books = Books::new();
    let csv =
        |more: &str| format!("run_order_id,amount\n{DOCUMENTED},0.0002\n{SPLIT},\n{DOCUMENTED},0.0000878\n{more}");
    let sum = ["--expect", "final=amount", "--expect-rows", "sum"];
    let of_documented = |report: &ReportFiles| {
        let rows = report.rows("discrepancies.csv").into_iter().filter(|row| row["run_order_id"] == DOCUMENTED);
        rows.map(|row| row["message"].clone()).collect::<Vec<_>>()
    };
    let (_, printed, report) = books.run(&csv(""), &sum);
    assert_eq!(of_documented(&report), Vec::<String>::new(), "{printed}");
    assert_eq!(report.population("duplicate"), 1);
    let totals = &report.json("summary.json")["control_totals"]["CNY"]["books"]["final_amount"]["ours"];
    assert_eq!(totals, "0.00028780", "both rows");
    let verify = tieout().arg("verify").arg(&report.0).arg("--files-only").output().expect("starts");
    assert_eq!(code(&verify), 0, "{}", stdout(&verify));
    let (_, _, report) = books.run(&csv(&format!("{DOCUMENTED},0.01\n")), &sum);
    let message = "lines 2, 4, 5: final_amount is 0.00028780, our books say 0.01028780";
    assert_eq!(of_documented(&report), [message]);
}

#[test]
fn a_mismatch_is_waived_like_any_other_discrepancy() {
    let books = Books::new();
    let waivers = books.place.file(
        "waivers.toml",
        format!(
            "[[waiver]]\norder = '{DOCUMENTED}'\ncheck = 'expected-mismatch'\nfield = 'final_amount'\ndifference = '-0.00000001'\n\
             owner = 'Li Wei'\nreason = 'rounding of ours'\nexpires = '2026-12-31'\n"
        ),
    );
    let waivers = waivers.to_str().expect("a path");
    let csv = format!("run_order_id,amount\n{DOCUMENTED},0.00028781\n");
    let (exit, printed, report) = books.run(&csv, &["--expect", "final_amount=amount", "--waivers", waivers]);
    assert_eq!((exit, report.population("waived")), (0, 1), "{printed}");
}

#[test]
fn an_impossible_comparison_is_a_usage_error() {
    let books = Books::new();
    let csv = format!("run_order_id,amount,amount\n{DOCUMENTED},1,1\n");
    for (arguments, message) in [
        (&["--expect", "final_amount=price"][..], "there is no such column"),
        (&["--expect", "final_amount=amount"], "2 columns have that heading"),
        (&["--expect", "final_amout=2"], "did you mean final_amount?"),
        (&["--expect", "final_amount"], "give a field and a column"),
        (&["--expect", "final=2", "--expect", "final_amount=3"], "with only one column"),
        (&["--control-total", "final=lots"], "not a decimal number"),
        (&["--control-total", "workflow_id=1"], "the amounts are"),
        (&["--control-total", "final:yuan=1"], "in capitals"),
        (&["--control-total", "final"], "as in final=1234.56"),
    ] {
        let (exit, printed, report) = books.run(&csv, arguments);
        assert_eq!(exit, 2, "{arguments:?}: {printed}");
        assert!(printed.contains(message), "{arguments:?}: {printed}");
        assert!(!report.exists());
    }
}
