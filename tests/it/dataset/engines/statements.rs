//! Rules for the script's SQL that its engines don't check: what is exact and portable looks like this.

use super::{local, script};
use crate::dataset::engines::random;
use crate::support::Place;

/// What no statement may have: binary numbers, divisions, rounding, and functions whose result depends on the engine.
const FORBIDDEN: [&str; 12] =
    ["AVG(", "ROUND(", " / ", "FLOAT", "DOUBLE", "REAL", "E0", "FIRST(", "LAST(", "ANY_VALUE(", "NOW(", "RAND("];
const AGGREGATES: [&str; 4] = ["SUM(", "COUNT(", "MAX(", "MIN("];

/// What is wrong with a script.
fn violations(script: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let text = code_only(script);
    for word in FORBIDDEN {
        if text.contains(word) {
            violations.push(format!("it has {word:?}"));
        }
    }
    for aggregate in AGGREGATES {
        for (at, _) in text.match_indices(aggregate) {
            let before = text[..at].trim_end();
            let after = text[at + closing(&text[at..])..].trim_start();
            let calculates = |text: Option<char>| text.is_some_and(|sign| "+-*/".contains(sign));
            if calculates(before.chars().next_back()) || calculates(after.chars().next()) {
                violations.push(format!("it calculates with {aggregate}…)"));
            }
        }
    }
    for (at, _) in text.match_indices("ORDER BY ") {
        let keys = &text[at..];
        let keys = &keys[..closing(keys).min(keys.find(';').unwrap_or(keys.len()))];
        // Two jobs never have the same place, and one job has an order once.
        if !keys.contains("place") {
            violations.push(format!("an ORDER BY is not total: {keys}"));
        }
    }
    violations
}

/// The text without literals.
fn code_only(script: &str) -> String {
    script.split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

/// The length of a text, to the parenthesis that closes the call that it begins with, or the one around it.
fn closing(call: &str) -> usize {
    let mut depth = 0_usize;
    for (at, sign) in call.char_indices() {
        match sign {
            '(' => depth += 1,
            ')' if depth <= 1 => return at + 1,
            ')' => depth -= 1,
            _ => {}
        }
    }
    call.len()
}

#[test]
fn every_statement_is_exact_and_portable() {
    for planted in [
        "SELECT SUM(a) - SUM(b) FROM t",
        "SELECT 1 + SUM(a) FROM t",
        "SELECT AVG(a) FROM t",
        "SELECT ROW_NUMBER() OVER (ORDER BY run_order_id) FROM t",
    ] {
        assert!(!violations(planted).is_empty(), "{planted}");
    }
    assert_eq!(violations("SELECT SUM(a - b), 'AVG(x)' FROM t ORDER BY place DESC"), Vec::<String>::new());
    let place = Place::new();
    let dataset = random::dataset(&place, 2);
    assert!(dataset.join("closes").exists());
    local(&place, &dataset, "report", &[]);
    let arguments = ["--workflow", random::ODD_WORKFLOW, "--since", "2026-08-25", "--day-by", "updated"];
    for (number, arguments) in [&[][..], &arguments].into_iter().enumerate() {
        let script = script(&place, &dataset, &format!("job-{number}"), arguments);
        let text = std::fs::read_to_string(script).expect("readable");
        assert_eq!(violations(&text), Vec::<String>::new());
        assert!(text.contains("as_it_was"), "closed months are compared");
    }
}
