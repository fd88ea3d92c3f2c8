//! Derives the facts of an order from its ID and the seed.

use super::anomalies;
use super::catalogue;
use super::die::Die;
use super::facts::{AmountForm, AmountForms, Facts, Figures, MONTH, Notation};
use super::kind::{Anomaly, Kind, Malformation};

/// The longest time from an order's creation to its last change, in seconds.
const LONGEST_RUN: u64 = 1200;

/// The facts of an order of this kind. What is wrong with the reply as a whole is handled in `reply`.
pub(super) fn order(id: &str, seed: u64, kind: Kind) -> Facts {
    let die = Die::of(seed, &["order", id]);
    match kind {
        Kind::Documented => documented(id),
        Kind::Pending => pending(id, seed, &die),
        Kind::FailedRun => failed(id, seed, &die),
        Kind::Anomalous(anomaly) => anomalies::plant(anomaly, settled(id, seed, &die, Some(anomaly)), &die),
        Kind::Malformed(malformation) => malformed(malformation, settled(id, seed, &die, None), &die),
        Kind::Clean | Kind::NotFound | Kind::Refused | Kind::RefusedInBody => settled(id, seed, &die, None),
    }
}

/// The example in the provider's reference.
fn documented(id: &str) -> Facts {
    let created = 7 * 86_400 + 10 * 3600;
    Facts {
        run_order_id: id.to_owned(),
        revision: catalogue::documented(),
        currency: Some("CNY"),
        figures: Figures {
            quote: 3_000_000,
            compute: 28_780,
            external: 0,
            total: 28_780,
            charged: 28_780,
            released: 2_971_220,
        },
        forms: AmountForms::default(),
        notation: Notation::Text,
        freeze_status: "released",
        run_status: "succeeded",
        settlement_status: "settled",
        task_id: String::new(),
        prompt_id: String::new(),
        error_code: "",
        error_message: String::new(),
        created,
        updated: created + 60,
    }
}

/// A settled order that ties out.
fn settled(id: &str, seed: u64, die: &Die, anomaly: Option<Anomaly>) -> Facts {
    let external = die.roll("external", 10) < 3 || anomaly.is_some_and(anomalies::needs_external);
    let revision = catalogue::revision_of(seed, die, external);
    let quote = revision.price * die.pick("units", [1, 1, 2, 4]);
    // Away from the ends of the month, so that every moment stays within it.
    let created = LONGEST_RUN + die.roll("created", MONTH - 2 * LONGEST_RUN);
    let notation = match die.roll("notation", 20) {
        0 => Notation::Number,
        1 => Notation::Exponent,
        _ => Notation::Text,
    };
    Facts {
        run_order_id: id.to_owned(),
        revision,
        currency: Some("CNY"),
        figures: if anomaly.is_some() { anomalies::figures(quote, external, die) } else { clean(quote, external, die) },
        forms: AmountForms::default(),
        notation,
        freeze_status: "released",
        run_status: "succeeded",
        settlement_status: "settled",
        task_id: if die.roll("task", 8) == 0 {
            String::new()
        } else {
            format!("task-{}", die.roll("task id", 1 << 40))
        },
        prompt_id: if die.roll("prompt", 8) == 0 {
            String::new()
        } else {
            format!("p-{:010x}", die.roll("prompt id", 1 << 40))
        },
        error_code: "",
        error_message: String::new(),
        created,
        updated: created + 20 + die.roll("took", LONGEST_RUN - 20 + 1),
    }
}

/// Figures that tie out, with costs of 4 to 8 decimals that stay within the quote.
fn clean(quote: i128, external: bool, die: &Die) -> Figures {
    let grain = die.pick("grain", [1, 1, 1, 10, 100, 1000, 10_000]);
    let permille = |about, least, most| i128::from(least + die.roll(about, most - least));
    let coarse = |units: i128| units / grain * grain;
    let jitter = i128::from(die.roll("jitter", 1000));
    // One run in twenty uses up its quote to the last unit.
    let spent = die.roll("spent", 20) == 0;
    let external = if external { coarse(quote * permille("external share", 50, 350) / 1000 + jitter) } else { 0 };
    let compute =
        if spent { quote - external } else { coarse(quote * permille("compute share", 50, 600) / 1000 + jitter) };
    let total = compute + external;
    Figures { quote, compute, external, total, charged: total, released: quote - total }
}

/// An order that is not settled yet. Amounts that are not due yet may be absent, empty, null or present.
fn pending(id: &str, seed: u64, die: &Die) -> Facts {
    let mut facts = settled(id, seed, die, None);
    let undue = |about| die.pick(about, [AmountForm::Absent, AmountForm::Empty, AmountForm::Null, AmountForm::Figure]);
    (facts.figures.charged, facts.figures.released) = (0, 0);
    (facts.forms.charged, facts.forms.released) = (undue("pending final"), undue("pending released"));
    facts.freeze_status = "frozen";
    facts.settlement_status = "pending";
    facts.run_status = die.pick("pending run", ["queued", "running"]);
    let costs = match die.roll("pending costs", 4) {
        0 => [AmountForm::Absent; 3],
        1 => [AmountForm::Figure, AmountForm::Null, AmountForm::Absent],
        2 => [AmountForm::Figure, AmountForm::Figure, AmountForm::Empty],
        _ => [AmountForm::Figure; 3],
    };
    [facts.forms.compute, facts.forms.external, facts.forms.total] = costs;
    facts
}

fn failed(id: &str, seed: u64, die: &Die) -> Facts {
    let mut facts = settled(id, seed, die, None);
    facts.figures = Figures { quote: facts.figures.quote, released: facts.figures.quote, ..Figures::default() };
    facts.mark_failed(die);
    facts
}

fn malformed(malformation: Malformation, mut facts: Facts, die: &Die) -> Facts {
    let other = match malformation {
        Malformation::AmountIsArray => AmountForm::Other("[\"0.01000000\"]"),
        Malformation::AmountIsBool => AmountForm::Other("true"),
        Malformation::NineDecimals => AmountForm::Other(die.pick("nine", ["\"0.123456789\"", "0.123456789", "1e-9"])),
        Malformation::DataIsArray | Malformation::DataIsNull => AmountForm::Figure,
    };
    match die.roll("malformed amount", 3) {
        0 => facts.forms.quote = other,
        1 => facts.forms.total = other,
        _ => facts.forms.released = other,
    }
    facts
}
