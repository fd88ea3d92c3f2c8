//! Waivers that are read, and files that are refused.

use super::*;

fn parse_in_shanghai(text: &str) -> Result<Waivers, String> {
    parse(text, &TimeZone::get("Asia/Shanghai").expect("a zone"))
}

const GOOD: &str = "
[[waiver]]
order = 'wfrun_1'
check = 'quote-split'
difference = '0.58'
owner = 'Li Wei'
reason = 'credit note 17'
expires = '2026-12-31'
";

/// The good file with one part replaced.
fn with(line: &str, instead: &str) -> String {
    assert!(GOOD.contains(line), "{line}");
    GOOD.replace(line, instead)
}

#[test]
fn waivers_are_read_from_a_file() {
    let sides = "expected = '0.9'\nactual = 'thawed'";
    let second = GOOD.replace("wfrun_1", "wfrun_2").replace("difference = '0.58'", sides);
    let third = GOOD.replace("quote-split", NOT_FOUND).replace("difference = '0.58'\n", "");
    let waivers = parse_in_shanghai(&[GOOD, &second, &third].concat()).expect("usable");
    assert_eq!(waivers.len(), 3);
    let key = |order: &str, check: &str| WaiverKey { order: order.into(), check: check.into(), field: None, row: 1 };
    let get = |order: &str, check: &str| waivers[&key(order, check)].clone();
    let first = get("wfrun_1", "quote-split");
    let difference = Amount::parse("0.58000000").expect("an amount");
    assert_eq!(first.figures, Figures::Difference(difference.into()));
    assert_eq!((first.owner.as_str(), first.reason.as_str()), ("Li Wei", "credit note 17"));
    // Midnight in Shanghai is 16:00 in UTC.
    assert_eq!(
        (first.expires.to_string(), first.until.to_string()),
        ("2026-12-31".into(), "2026-12-31T16:00:00Z".into())
    );
    let sides = Figures::Sides { expected: "0.9".into(), actual: "thawed".into() };
    assert_eq!(get("wfrun_2", "quote-split").figures, sides);
    assert_eq!(get("wfrun_1", NOT_FOUND).figures, Figures::Missing);
    assert!(parse_in_shanghai("").expect("usable").is_empty());
}

#[test]
fn every_field_and_row_of_our_books_has_its_own_waiver() {
    let of = |subject: &str| GOOD.replace("'quote-split'", &format!("'expected-mismatch'\n{subject}"));
    let texts = ["field = 'final_amount'", "field = 'quote_amount'", "field = 'final_amount'\nrow = 2"].map(of);
    let waivers = parse_in_shanghai(&texts.concat()).expect("usable");
    let subjects: Vec<_> = waivers.keys().map(|key| (key.field.as_deref(), key.row)).collect();
    assert_eq!(subjects, [(Some("final_amount"), 1), (Some("final_amount"), 2), (Some("quote_amount"), 1)]);
    let twice = parse_in_shanghai(&[&*texts[2], &texts[2]].concat()).expect_err("twice");
    assert!(twice.contains("an earlier waiver covers the same"), "{twice}");
}

#[test]
fn malformed_files_are_refused_with_the_reason() {
    let cases = [
        (with("owner = 'Li Wei'\n", ""), "owner"),
        (with("reason = 'credit note 17'\n", ""), "reason"),
        (with("expires = '2026-12-31'\n", ""), "expires"),
        (with("'Li Wei'", "' '"), "give the owner"),
        (with("'credit note 17'", "\"a\\nb\""), "give the reason on one line"),
        (with("'2026-12-31'", "'2026-02-30'"), "a day such as"),
        (with("'2026-12-31'", "'9999-12-31'"), "an earlier day"),
        (with("'quote-split'", "'quote-spilt'"), "no such check"),
        (with("'quote-split'", "'restated'"), "give the field that it covers, one of quote_currency, quote_amount"),
        (with("'quote-split'", "'restated'\nfield = 'workflow_id'"), "give the field"),
        (with("'quote-split'", "'quote-split'\nfield = 'quote_amount'"), "has no fields"),
        (with("'quote-split'", "'restated'\nfield = 'final_amount'\nrow = 2"), "only expected-mismatch"),
        (with("'quote-split'", "'expected-mismatch'\nfield = 'final_amount'\nrow = 0"), "from 1"),
        (with("'quote-split'", "'not-found'"), "has no figures"),
        (with("difference = '0.58'\n", ""), "give the difference"),
        (with("difference = '0.58'", "expected = '1'"), "give the difference"),
        (with("difference = '0.58'", "difference = '1,5'"), "not a decimal number"),
        (with("difference = '0.58'", "difference = 0.58"), "invalid type"),
        (with("'wfrun_1'", "'wf run'"), "printable ASCII"),
        (format!("{GOOD}{GOOD}"), "line 10: the waiver of \"wfrun_1\" for \"quote-split\": an earlier waiver covers"),
        (format!("{GOOD}approved = true"), "unknown field `approved`"),
        ("[[waivers]]".to_owned(), "unknown field `waivers`"),
        ("waiver = 3".to_owned(), "invalid type"),
    ];
    for (text, expected) in cases {
        let problem = parse_in_shanghai(&text).expect_err(expected);
        assert!(problem.contains(expected), "{expected}: {problem}");
    }
}
