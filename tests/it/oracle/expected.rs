//! The oracle: the bucket and findings that the contract's tables give for one order, in plain integers.

use super::orders::{Cell, RandomOrder};

/// A finding, with the texts of its row in the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) check: &'static str,
    pub(super) severity: &'static str,
    pub(super) cause: &'static str,
    pub(super) expected: String,
    pub(super) actual: String,
    pub(super) difference: String,
}

/// Every check and cause that must be drawn often enough.
pub(super) const ALL: [(&str, &str); 33] = [
    ("quote-split", "overage"),
    ("quote-split", "not-released"),
    ("quote-split", "released-in-full"),
    ("quote-split", "released-twice"),
    ("quote-split", "sign-flipped"),
    ("quote-split", "scale"),
    ("quote-split", "rounding"),
    ("quote-split", "unexplained"),
    ("cost-sum", "external-left-out"),
    ("cost-sum", "compute-left-out"),
    ("cost-sum", "external-counted-twice"),
    ("cost-sum", "compute-counted-twice"),
    ("cost-sum", "sign-flipped"),
    ("cost-sum", "scale"),
    ("cost-sum", "rounding"),
    ("cost-sum", "unexplained"),
    ("missing-amount", ""),
    ("negative-amount", ""),
    ("identity-mismatch", ""),
    ("currency", ""),
    ("charge-equals-cost", ""),
    ("charge-exceeds-quote", ""),
    ("failed-run-charged", ""),
    ("status-conflict", ""),
    ("stale-pending", ""),
    ("timestamp-order", ""),
    ("unknown-status", ""),
    ("expected-mismatch", ""),
    ("expected-mismatch", "sign-flipped"),
    ("expected-mismatch", "scale"),
    ("expected-mismatch", "rounding"),
    ("booked-twice", ""),
    ("list-mismatch", ""),
];

/// Units of 10⁻⁸ as text.
pub(super) fn money(units: i128) -> String {
    let digits = format!("{:09}", units.unsigned_abs());
    let (whole, decimals) = digits.split_at(digits.len() - 8);
    format!("{}{whole}.{decimals}", if units < 0 { "-" } else { "" })
}

fn text(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).expect("a time").to_string()
}

/// Collects the findings of one order.
#[derive(Default)]
struct Findings(Vec<Found>);

impl Findings {
    fn texts(&mut self, check: &'static str, severity: &'static str, expected: &str, actual: &str) {
        let (expected, actual) = (expected.to_owned(), actual.to_owned());
        self.0.push(Found { check, severity, cause: "", expected, actual, difference: String::new() });
    }

    fn figures(&mut self, check: &'static str, severity: &'static str, cause: &'static str, sides: [i128; 2]) {
        let [expected, actual] = sides.map(money);
        let difference = money(sides[1] - sides[0]);
        self.0.push(Found { check, severity, cause, expected, actual, difference });
    }
}

impl RandomOrder {
    /// The order's bucket, and its findings sorted by check.
    pub(super) fn expected(&self, as_of: i64) -> (&'static str, Vec<Found>) {
        let mut findings = Findings::default();
        if self.replied.as_ref() != Some(&self.asked) {
            let replied = self.replied.clone().unwrap_or_default();
            findings.texts("identity-mismatch", "error", &self.asked, &replied);
            return ("discrepant", findings.0);
        }
        let has_ended = matches!(self.run, Some("succeeded" | "failed"));
        let settled = match self.settlement {
            Some("settled") => true,
            Some(_) => self.freeze == Some("released") && has_ended,
            None => false,
        };
        self.amounts(settled, &mut findings);
        if self.currency.is_none() {
            findings.texts("currency", "error", "", "");
        }
        self.charges(settled, &mut findings);
        self.words(settled, has_ended, &mut findings);
        self.times(settled, as_of, &mut findings);
        self.against_books(settled, &mut findings);
        self.against_list(settled, &mut findings);
        findings.0.sort_by_key(|found| found.check);
        let bucket = if findings.0.iter().any(|found| found.severity == "error") {
            "discrepant"
        } else if settled {
            "reconciled"
        } else {
            "pending"
        };
        (bucket, findings.0)
    }

    fn amounts(&self, settled: bool, findings: &mut Findings) {
        if let (true, Some(q), Some(f), Some(r)) = (settled, self.quote, self.charged, self.released)
            && q != f + r
        {
            findings.figures("quote-split", "error", split_cause(q, f, r), [q, f + r]);
        }
        if let (Some(c), Some(e), Some(t)) = (self.compute, self.external, self.total)
            && t != c + e
        {
            findings.figures("cost-sum", "error", sum_cause(c, e, t), [c + e, t]);
        }
        let named = [
            ("quote_amount", self.quote),
            ("final_amount", self.charged),
            ("released_amount", self.released),
            ("compute_cost", self.compute),
            ("external_model_cost", self.external),
            ("total_cost", self.total),
        ];
        let missing: Vec<&str> = named
            .iter()
            .filter(|(name, units)| units.is_none() && (settled || *name == "quote_amount"))
            .map(|(name, _)| *name)
            .collect();
        if !missing.is_empty() {
            findings.texts("missing-amount", "error", &missing.join(" "), "");
        }
        let negative: Vec<String> = named
            .iter()
            .filter_map(|(name, units)| {
                units.filter(|units| *units < 0).map(|units| format!("{name}={}", money(units)))
            })
            .collect();
        if !negative.is_empty() {
            findings.texts("negative-amount", "error", "", &negative.join(" "));
        }
    }

    fn charges(&self, settled: bool, findings: &mut Findings) {
        let Some(f) = self.charged.filter(|_| settled) else {
            return;
        };
        if self.run == Some("failed") {
            if f != 0 {
                findings.figures("failed-run-charged", "warning", "", [0, f]);
            }
        } else if let Some(t) = self.total.filter(|t| *t != f) {
            findings.figures("charge-equals-cost", "warning", "", [t, f]);
        }
        if let Some(q) = self.quote.filter(|q| f > *q) {
            findings.figures("charge-exceeds-quote", "warning", "", [q, f]);
        }
    }

    fn words(&self, settled: bool, has_ended: bool, findings: &mut Findings) {
        let words = [
            ("run_status", self.run),
            ("freeze_status", self.freeze),
            ("submission_status", self.submission),
            ("settlement_status", self.settlement),
        ];
        let runs = matches!(self.run, Some("queued" | "running"));
        let is_charged_early = self.run == Some("queued") && self.charged.is_some_and(|f| f != 0);
        if (settled && (self.freeze == Some("frozen") || runs)) || is_charged_early {
            let statuses: Vec<String> =
                words.iter().filter_map(|(name, word)| word.map(|word| format!("{name}={word}"))).collect();
            findings.texts("status-conflict", "warning", "", &statuses.join(" "));
        }
        let known = |name: &str, word: Option<&str>| match name {
            "run_status" => matches!(word, Some("queued" | "running" | "succeeded" | "failed")),
            _ if !has_ended => true,
            "freeze_status" => matches!(word, Some("frozen" | "released")),
            "submission_status" => word == Some("submitted"),
            _ => word == Some("settled"),
        };
        let unknown: Vec<String> = words
            .iter()
            .filter(|(name, word)| !known(name, *word))
            .map(|(name, word)| format!("{name}={}", word.unwrap_or("")))
            .collect();
        if !unknown.is_empty() {
            findings.texts("unknown-status", "warning", "", &unknown.join(" "));
        }
    }

    /// Adds the finding of the first row that differs.
    fn against_books(&self, settled: bool, findings: &mut Findings) {
        if self.books.len() > 1 {
            findings.texts("booked-twice", "error", "1", &self.books.len().to_string());
        }
        for cell in &self.books {
            match (cell, self.charged) {
                (Cell::Units(ours, _, places), Some(f)) if *ours != f => {
                    findings.figures("expected-mismatch", "error", books_cause(*ours, f, *places), [*ours, f]);
                }
                (Cell::Units(ours, ..), None) if settled || *ours != 0 => {
                    findings.texts("expected-mismatch", "error", &money(*ours), "");
                }
                (Cell::Empty, Some(f)) if settled || f != 0 => {
                    findings.texts("expected-mismatch", "error", "", &money(f));
                }
                (Cell::Unreadable(text), f) => {
                    findings.texts("expected-mismatch", "error", text, &f.map(money).unwrap_or_default());
                }
                _ => {}
            }
        }
    }

    /// Compares the charge first, once it is final, and then the quote.
    fn against_list(&self, settled: bool, findings: &mut Findings) {
        let Some([quote, charged]) = self.listed else { return };
        let pairs = [(charged.filter(|_| settled), self.charged), (quote, self.quote)];
        for (listed, own) in pairs {
            match (listed, own) {
                (Some(listed), Some(own)) if listed != own => {
                    findings.figures("list-mismatch", "error", "", [listed, own]);
                }
                (Some(listed), None) => findings.texts("list-mismatch", "error", &money(listed), ""),
                _ => {}
            }
        }
    }

    fn times(&self, settled: bool, as_of: i64, findings: &mut Findings) {
        if !settled && self.created.is_none_or(|created| as_of - created >= 24 * 3_600) {
            findings.texts("stale-pending", "warning", "below 24h", "");
        }
        if let (Some(created), Some(updated)) = (self.created, self.updated)
            && updated < created
        {
            findings.texts("timestamp-order", "warning", &text(created), &text(updated));
        }
    }
}

fn split_cause(q: i128, f: i128, r: i128) -> &'static str {
    if r == 0 && f > q {
        return "overage";
    }
    if r == 0 && f < q {
        return "not-released";
    }
    if r == q && f > 0 {
        return "released-in-full";
    }
    if r > 0 && f * 2 + r == q * 2 {
        return "released-twice";
    }
    if (r < 0 && f - r == q) || (f < 0 && r - f == q) {
        return "sign-flipped";
    }
    let mut ten = 1;
    for _ in 1..=8 {
        ten *= 10;
        // f·10^k + r = q or f + r·10^k = q for k > 0; then the same for k < 0, multiplied by 10^-k.
        let up = (f != 0 && f * ten + r == q) || (r != 0 && f + r * ten == q);
        let down = (f != 0 && f + r * ten == q * ten) || (r != 0 && f * ten + r == q * ten);
        if up || down {
            return "scale";
        }
    }
    rounding(q, f + r)
}

fn sum_cause(c: i128, e: i128, t: i128) -> &'static str {
    if t == c && e != 0 {
        return "external-left-out";
    }
    if t == e && c != 0 {
        return "compute-left-out";
    }
    if t == c + e + e {
        return "external-counted-twice";
    }
    if t == c + c + e {
        return "compute-counted-twice";
    }
    if t == c - e || t == e - c {
        return "sign-flipped";
    }
    let mut ten = 1;
    for _ in 1..=8 {
        ten *= 10;
        if t != 0 && (t * ten == c + e || t == (c + e) * ten) {
            return "scale";
        }
    }
    rounding(t, c + e)
}

/// The cause of a mismatch with our books. `places` is the number of decimals of our figure.
fn books_cause(ours: i128, f: i128, places: u32) -> &'static str {
    if ours + f == 0 {
        return "sign-flipped";
    }
    let mut ten = 1;
    for _ in 1..=8 {
        ten *= 10;
        if f != 0 && ours != 0 && (f * ten == ours || ours * ten == f) {
            return "scale";
        }
    }
    // Half away from zero: rounding down cuts off less than half of the last place, rounding up adds at most half.
    let last = 10_i128.pow(8 - places);
    let (small, large) = (2 * (f.abs() - ours.abs()), 2 * (ours.abs() - f.abs()));
    let is_near = (0..last).contains(&small) || (0..=last).contains(&large);
    let is_same_side = ours == 0 || (ours < 0) == (f < 0);
    if ours % last == 0 && is_near && is_same_side { "rounding" } else { "" }
}

fn rounding(whole: i128, sum: i128) -> &'static str {
    let off = if whole > sum { whole - sum } else { sum - whole };
    let to = |place: i128| whole.rem_euclid(place) == 0 && 2 * off <= place;
    if off == 1 || to(100) || to(10_000) || to(1_000_000) { "rounding" } else { "unexplained" }
}
