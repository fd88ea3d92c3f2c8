//! What a close adds to the summary: the roll-forward of pending orders, and the adjustments of closed months.

use std::io::{self, Write};

use super::{currency_name, grid, heading, print};
use crate::app::voice::Voice;
use crate::report::content::closing::{Line, lines};
use crate::report::content::summary_json::SummaryJson;

/// The amounts of adjustments that are shown; the report has all six.
const SHOWN: [&str; 2] = ["final_amount", "total_cost"];

/// The lines of a roll-forward that are shown even if they are zero.
const ALWAYS: [&str; 4] = ["pending_at_open", "new", "settled", "pending_at_close"];

pub(super) fn show(summary: &SummaryJson, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    show_roll_forward(summary, voice, out)?;
    show_adjustments(summary, voice, out)
}

fn show_roll_forward(summary: &SummaryJson, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let texts = voice.texts;
    let Some(by_currency) = summary.roll_forward.as_ref().filter(|lines| !lines.is_empty()) else { return Ok(()) };
    heading(&texts.get("terminal-roll-forward"), voice, out)?;
    let mut table = grid(&[
        String::new(),
        texts.get("terminal-column-orders"),
        texts.get("terminal-column-quote"),
        texts.get("terminal-column-currency"),
    ]);
    for (currency, of) in by_currency {
        // Most months have none of the rarer lines; the report has them all.
        let is_shown = |(code, orders, quotes): &Line| {
            ALWAYS.contains(code) || orders.unwrap_or_default() > 0 || !quotes.is_zero()
        };
        for (code, orders, quotes) in lines(of).into_iter().filter(is_shown) {
            let label = texts.get(&format!("report-line-{code}"));
            let orders = orders.map(|orders| orders.to_string()).unwrap_or_default();
            table.add_row([label, orders, quotes.to_string(), currency_name(currency, texts)]);
        }
    }
    print(&mut table, &[1, 2], out)
}

fn show_adjustments(summary: &SummaryJson, voice: &Voice, out: &mut dyn Write) -> io::Result<()> {
    let texts = voice.texts;
    let Some(by_month) = &summary.adjustments else { return Ok(()) };
    if by_month.is_empty() {
        return writeln!(out, "\n{}", texts.get("terminal-adjustments-none"));
    }
    heading(&texts.get("terminal-adjustments"), voice, out)?;
    let mut table = grid(&[
        texts.get("terminal-column-month"),
        texts.get("terminal-column-orders"),
        texts.get("terminal-column-final"),
        texts.get("terminal-column-total"),
        texts.get("terminal-column-pending-quote"),
        texts.get("terminal-column-currency"),
    ]);
    for sums in by_month {
        let month = sums.month.map_or_else(|| texts.get("terminal-undated"), |month| month.to_string());
        let amounts = SHOWN.map(|name| sums.totals.amounts.get(name).copied().unwrap_or_default().to_string());
        let last = [sums.totals.pending_quote.to_string(), currency_name(&sums.currency, texts)];
        let row = [month, sums.totals.orders.to_string()].into_iter().chain(amounts).chain(last);
        table.add_row(row.collect::<Vec<_>>());
    }
    print(&mut table, &[1, 2, 3, 4], out)
}
