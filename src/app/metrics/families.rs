//! Which metrics there are. Those of the run are of every run; those of the report are of the last run that made one.

use jiff::Timestamp;

use super::RunMetrics;
use super::exposition::Family;
use crate::domain::program::VERSION;
use crate::report::content::summary_json::SummaryJson;
use crate::summary::Verdict;

/// The exit codes of a run that did its work: everything tied out, or someone must review the report.
const SUCCESSES: [u8; 2] = [0, 1];

/// The text of all metrics of a run. What the run can't know anew is taken from the earlier text.
pub(super) fn text(run: &RunMetrics<'_>, earlier: &str) -> String {
    let mut families = of_run(run);
    let mut success = Family::new(
        "tieout_success_timestamp_seconds",
        "When the last run ended that made a complete report (exit code 0 or 1), in Unix time.",
    );
    if SUCCESSES.contains(&run.exit_code) {
        success.add(&[("account", run.account)], seconds(run.ended_at));
    } else {
        success.carry_over(earlier, run.account);
    }
    families.push(success);
    let mut of_report = empty_report_families();
    match run.summary {
        Some(summary) => fill(&mut of_report, run.account, summary),
        None => of_report.each().into_iter().for_each(|family| family.carry_over(earlier, run.account)),
    }
    let mut text = String::new();
    families.iter().for_each(|family| family.write(&mut text));
    of_report.each().into_iter().for_each(|family| family.write(&mut text));
    text
}

fn of_run(run: &RunMetrics<'_>) -> Vec<Family> {
    let account = [("account", run.account)];
    let took = run.ended_at.duration_since(run.started_at);
    vec![
        Family::new("tieout_info", "The version of tieout that made the last run.")
            .with(&[account[0], ("version", VERSION)], 1),
        Family::new("tieout_run_timestamp_seconds", "When the last run ended, however it ended, in Unix time.")
            .with(&account, seconds(run.ended_at)),
        Family::new("tieout_run_duration_seconds", "How long the last run took, in seconds.")
            .with(&account, format_args!("{}.{:03}", took.as_secs().max(0), took.subsec_millis().max(0))),
        Family::new("tieout_run_exit_code", "The exit code of the last run.").with(&account, run.exit_code),
        Family::new("tieout_run_requests", "Requests that the last run sent, retries included.")
            .with(&account, run.requests),
        Family::new("tieout_run_throttled", "Replies to the last run that said too many requests (429).")
            .with(&account, run.throttled),
        Family::new("tieout_run_undelivered", "Notifications of the last run that could not be delivered.")
            .with(&account, run.undelivered),
    ]
}

/// The figures of a report.
struct ReportFamilies {
    as_of: Family,
    verdict: Family,
    rows: Family,
    checks: Family,
    causes: Family,
    amounts: Family,
    differences: Family,
    frozen_amounts: Family,
    frozen_orders: Family,
}

impl ReportFamilies {
    fn each(&mut self) -> [&mut Family; 9] {
        let Self { as_of, verdict, rows, checks, causes, amounts, differences, frozen_amounts, frozen_orders } = self;
        [as_of, verdict, rows, checks, causes, amounts, differences, frozen_amounts, frozen_orders]
    }
}

const fn empty_report_families() -> ReportFamilies {
    ReportFamilies {
        as_of: Family::new(
            "tieout_report_timestamp_seconds",
            "The time at which the last report measures ages (as_of), in Unix time.",
        ),
        verdict: Family::new("tieout_report_verdict", "1 for the verdict of the last report, 0 for the others."),
        rows: Family::new("tieout_report_rows", "Input rows of the last report, by bucket of the population."),
        checks: Family::new(
            "tieout_report_check_orders",
            "Orders of the last report that fail a check, those with waivers included.",
        ),
        causes: Family::new(
            "tieout_report_cause_orders",
            "Orders of the last report that fail a check for a cause, those with waivers included.",
        ),
        amounts: Family::new(
            "tieout_report_amount",
            "Sums of the amounts over settled orders of the last report, in units of the currency.",
        ),
        differences: Family::new(
            "tieout_report_difference",
            "By how much an identity is off over settled orders of the last report, in units of the currency.",
        ),
        frozen_amounts: Family::new(
            "tieout_report_frozen_amount",
            "Quotes of unsettled orders of the last report, by age, in units of the currency.",
        ),
        frozen_orders: Family::new("tieout_report_frozen_orders", "Unsettled orders of the last report, by age."),
    }
}

fn fill(families: &mut ReportFamilies, account: &str, summary: &SummaryJson) {
    let account = ("account", account);
    if let Ok(as_of) = summary.as_of.parse::<Timestamp>() {
        families.as_of.add(&[account], seconds(as_of));
    }
    for verdict in Verdict::ALL.map(Verdict::code) {
        families.verdict.add(&[account, ("verdict", verdict)], u8::from(verdict == summary.verdict));
    }
    for (bucket, rows) in summary.population.buckets() {
        families.rows.add(&[account, ("bucket", bucket.code())], rows);
    }
    for (check, count) in &summary.checks {
        let labels = [account, ("check", check), ("severity", count.severity.code())];
        families.checks.add(&labels, count.orders);
    }
    for (key, count) in &summary.causes {
        let (check, cause) = key.split_once('.').unwrap_or((key, ""));
        families.causes.add(&[account, ("check", check), ("cause", cause)], count.orders);
    }
    for (currency, totals) in &summary.control_totals {
        let currency = ("currency", currency.as_str());
        for (amount, sum) in &totals.amounts {
            families.amounts.add(&[account, currency, ("amount", amount)], sum);
        }
        let identities = [("quote-split", &totals.differences.quote_split), ("cost-sum", &totals.differences.cost_sum)];
        for (check, differences) in identities {
            for (kind, sum) in [("net", differences.difference.net), ("gross", differences.difference.gross)] {
                families.differences.add(&[account, currency, ("check", check), ("kind", kind)], sum);
            }
        }
        for (age, frozen) in &totals.frozen.by_age {
            let labels = [account, currency, ("age", age.code())];
            families.frozen_amounts.add(&labels, frozen.quote_amount);
            families.frozen_orders.add(&labels, frozen.orders);
        }
    }
}

/// A time in seconds since 1970, with three decimals.
fn seconds(time: Timestamp) -> String {
    let milliseconds = time.as_millisecond();
    let sign = if milliseconds < 0 { "-" } else { "" };
    let milliseconds = milliseconds.unsigned_abs();
    format!("{sign}{}.{:03}", milliseconds / 1_000, milliseconds % 1_000)
}
