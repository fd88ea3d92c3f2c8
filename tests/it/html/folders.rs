//! Reports that the sandbox can't produce, written by the program's own builder: with hostile texts, very many rows or
//! none.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use tieout::checks::Rules;
use tieout::domain::finding::PastFinding;
use tieout::domain::layout::InputLayout;
use tieout::domain::money::Amount;
use tieout::domain::order::{Amounts, RunOrder};
use tieout::domain::outcome::{Background, Evidence, Outcome, Reason};
use tieout::language::Language;
use tieout::report::builder::{Brief, Builder, Origin};
use tieout::report::formats::options::ReportOptions;

/// Hostile texts: markup, quotes, text-direction marks, NULs, formulas, and names with a meaning in JavaScript or
/// templates.
const HOSTILE: [&str; 24] = [
    "</script><img src=x onerror=alert(1)>",
    "\"><svg onload=alert(2)>",
    "' autofocus onfocus=alert(3) x='",
    "<!--<script>",
    "--><script>alert(4)</script>",
    "]]><b>",
    "javascript:alert(5)",
    "&lt;b&gt;&amp;",
    "&#0;&#x202e;",
    "=HYPERLINK(\"https://example.com\")",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "＝1+1",
    "\u{202e}gpj.exe",
    "a\0b\u{1b}[31m",
    "line\u{2028}sep\u{2029}end",
    "__proto__",
    "constructor",
    "{id} {table} ${7*7} {{7*7}}",
    "\\u003cb\\u003e\\",
    "订单😀\u{fffd}é",
    "شحن",
    "0.00000001",
];

fn begin(folder: &Path, account: Option<&str>, rows_read: u64) -> Builder {
    fs::create_dir(folder).expect("writable");
    Builder::begin(Brief {
        folder: folder.to_owned(),
        rules: Rules::default(),
        as_of: Timestamp::from_second(1_780_272_000).expect("a time"),
        options: ReportOptions {
            account: account.map(str::to_owned),
            allow_empty: rows_read == 0,
            language: Language::English,
            ..ReportOptions::default()
        },
        origin: Origin::Input { rows: rows_read, shortfall: None, layout: InputLayout::default() },
        evidence: None,
        facts: None,
    })
    .expect("writable")
}

fn add(builder: &mut Builder, line: u64, run_order_id: String, evidence: Evidence) {
    builder.add(Outcome { line, run_order_id, evidence }, Background::default()).expect("writable");
}

/// A settled order: quote, final, released, compute, external and total in units of 10⁻⁸.
fn settled(id: &str, units: [i128; 6], created: i64) -> RunOrder {
    let text = |text: &str| Some(text.to_owned());
    let time = |after| Timestamp::from_microsecond(1_778_000_000_000_000 + created + after).ok();
    RunOrder {
        run_order_id: text(id),
        workflow_id: text("wf_0658553e8096e42f7449"),
        revision_id: text("wfr_78b00b22d7d4cbe16081"),
        quote_currency: text("CNY"),
        amounts: Amounts::from_order(units.map(Amount::from_units)),
        freeze_status: text("released"),
        submission_status: text("submitted"),
        run_status: text("succeeded"),
        settlement_status: text("settled"),
        created_at: time(0),
        updated_at: time(60_000_000),
        ..RunOrder::default()
    }
}

/// Makes a report in which every text from outside is hostile; returns the number of its discrepancies.
pub(super) fn hostile(folder: &Path) -> u64 {
    let rows = HOSTILE.len() as u64;
    let mut builder = begin(folder, Some(HOSTILE[0]), 3 * rows);
    let mut line = 1;
    let mut next = || {
        line += 1;
        line
    };
    for (at, text) in HOSTILE.iter().enumerate() {
        let other = |by: usize| Some(HOSTILE[(at + by) % HOSTILE.len()].to_owned());
        let order = RunOrder {
            workflow_id: other(1),
            revision_id: other(2),
            quote_currency: other(at / 2),
            run_status: other(3),
            freeze_status: other(4),
            error_code: other(5),
            ..settled(text, [100, 60, 41 + at as i128, 60, 0, 60], 0)
        };
        add(&mut builder, next(), (*text).to_owned(), order.into());
        let pending = RunOrder { settlement_status: other(6), ..settled(&format!("{text}2"), [100, 0, 0, 0, 0, 0], 0) };
        let pending = RunOrder { freeze_status: other(7), ..pending };
        add(&mut builder, next(), format!("{text}2"), pending.into());
        let refused = Evidence::Refused(Reason::new(*text, other(1).unwrap_or_default()));
        add(&mut builder, next(), format!("{text}3"), refused);
    }
    builder.finish().expect("it bridges").discrepancies.len()
}

/// Makes a report with that many discrepancies, one per order.
pub(super) fn large(folder: &Path, discrepancies: u64) {
    let mut builder = begin(folder, None, discrepancies);
    for at in 0..discrepancies {
        // Differences in a random-looking order, spread over 13 digits and both signs.
        let drawn = i128::from(at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20);
        let off = if at % 3 == 0 { -drawn - 1 } else { drawn + 1 };
        let id = format!("wfrun_{:020x}", at.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let whole = 100_000_000_000_000;
        let mut order = settled(&id, [whole, 60, whole - 60 + off, 60, 0, 60], (drawn % 2_592_000) as i64 * 1_000_000);
        order.workflow_id = Some(format!("wf_{:020x}", at % 40));
        order.revision_id = Some(format!("wfr_{:020x}", at % 400));
        add(&mut builder, at + 2, id, order.into());
    }
    let report = builder.finish().expect("it bridges");
    assert_eq!(report.discrepancies.len(), discrepancies);
}

/// Makes a report of that many orders that all tie out, but did not the night before.
pub(super) fn clean(folder: &Path, orders: u64) {
    let mut builder = begin(folder, None, orders);
    for at in 0..orders {
        let id = format!("wfrun_{at:020x}");
        let past = PastFinding {
            discrepancy_id: format!("{at:016x}"),
            run_order_id: id.clone(),
            check: "quote-split".into(),
            field: None,
            row: 1,
            severity: "error".into(),
            currency: Some("CNY".into()),
            expected: "0.00000100".into(),
            actual: "0.00000101".into(),
            difference: Some("0.00000001".into()),
        };
        let order = settled(&id, [100, 60, 40, 60, 0, 60], 0);
        let outcome = Outcome { line: at + 2, run_order_id: id, evidence: order.into() };
        builder.add(outcome, Background { past_findings: vec![past], ..Background::default() }).expect("writable");
    }
    builder.finish().expect("it bridges");
}
