//! Plants anomalies in orders so that exactly one cause explains each.

use super::die::Die;
use super::facts::{AmountForm, Facts, Figures};
use super::kind::Anomaly;

/// Whether an anomaly needs an order with external cost.
pub(super) const fn needs_external(anomaly: Anomaly) -> bool {
    matches!(
        anomaly,
        Anomaly::Overage
            | Anomaly::ExternalLeftOut
            | Anomaly::ComputeLeftOut
            | Anomaly::ExternalCountedTwice
            | Anomaly::ComputeCountedTwice
            | Anomaly::CostSignFlipped
            | Anomaly::CostScale
            | Anomaly::CostRounding
            | Anomaly::CostUnexplained
            | Anomaly::NegativeAmount
            | Anomaly::ShortfallAsNegativeRelease
    )
}

/// Figures that tie out and that, once one is falsified, no other cause explains by chance: each cost is 10 to 30 % of
/// the quote, the compute cost is odd and not a multiple of 5, the external cost is 4 more than a multiple of 20, and
/// quotes are multiples of 10⁴ units.
pub(super) fn figures(quote: i128, external: bool, die: &Die) -> Figures {
    let share = |about| quote * i128::from(100 + die.roll(about, 200)) / 1000 + i128::from(die.roll(about, 10_007));
    let compute = share("compute share") / 10 * 10 + die.pick("last digit", [1, 3, 7, 9]);
    let external = if external { share("external share") / 20 * 20 + 4 } else { 0 };
    charge(Figures { quote, compute, external, ..Figures::default() }, compute + external)
}

/// The figures with `total` as the total cost, charged in full and the rest released.
const fn charge(figures: Figures, total: i128) -> Figures {
    Figures { total, charged: total, released: figures.quote - total, ..figures }
}

/// Plants an anomaly in a settled order whose figures come from [`figures`].
pub(super) fn plant(anomaly: Anomaly, mut facts: Facts, die: &Die) -> Facts {
    let figures = facts.figures;
    let Figures { quote, compute, external, total, released, .. } = figures;
    let unit = die.pick("unit", [1, -1]);
    match anomaly {
        Anomaly::Overage => {
            let external = quote + external;
            facts.figures = Figures { released: 0, ..charge(Figures { external, ..figures }, compute + external) };
        }
        Anomaly::NotReleased => facts.figures.released = 0,
        Anomaly::ReleasedInFull => facts.figures.released = quote,
        Anomaly::ReleasedTwice => facts.figures.released = 2 * released,
        Anomaly::ReleasedSignFlipped => facts.figures.released = -released,
        Anomaly::ReleasedScale => facts.figures.released = 100 * released,
        Anomaly::SplitRounding => facts.figures.released += unit,
        // Even, while every explainable difference is odd, and too large for rounding to a cent.
        Anomaly::SplitUnexplained => facts.figures.released += 1_000_002 + 2 * i128::from(die.roll("off", 100_000)),
        Anomaly::ExternalLeftOut => facts.figures = charge(figures, compute),
        Anomaly::ComputeLeftOut => facts.figures = charge(figures, external),
        Anomaly::ExternalCountedTwice => facts.figures = charge(figures, compute + 2 * external),
        Anomaly::ComputeCountedTwice => facts.figures = charge(figures, 2 * compute + external),
        Anomaly::CostSignFlipped => facts.figures = charge(figures, (compute - external).abs()),
        Anomaly::CostScale => {
            // Makes the sum a multiple of 10, but never ten times the difference of the costs.
            let compute = compute / 20 * 20 + 6;
            facts.figures = charge(Figures { compute, ..figures }, (compute + external) / 10);
        }
        Anomaly::CostRounding => facts.figures = charge(figures, total + unit),
        // 2 more than a multiple of 4, so it equals neither cost.
        Anomaly::CostUnexplained => facts.figures = charge(figures, total + quote / 80 * 4 + 2),
        Anomaly::AmountEmpty => leave_out(&mut facts, AmountForm::Empty, die),
        Anomaly::AmountNull => leave_out(&mut facts, AmountForm::Null, die),
        Anomaly::AmountAbsent => leave_out(&mut facts, AmountForm::Absent, die),
        Anomaly::NegativeAmount => {
            facts.figures = charge(Figures { compute: compute + external, external: -external, ..figures }, compute);
        }
        Anomaly::IdentityMismatch => facts.run_order_id = format!("wfrun_{}", Die::of(0, &[die.hex()]).hex()),
        Anomaly::ForeignCurrency => facts.currency = Some("USD"),
        Anomaly::CurrencyAbsent => facts.currency = None,
        Anomaly::ChargeBelowCost => {
            facts.figures.charged = total - compute / 3;
            facts.figures.released = quote - facts.figures.charged;
        }
        Anomaly::ShortfallAsNegativeRelease => {
            let external = quote + external;
            facts.figures = charge(Figures { external, ..figures }, compute + external);
        }
        Anomaly::FailedRunCharged => facts.mark_failed(die),
        Anomaly::SettledYetFrozen => facts.freeze_status = "frozen",
        Anomaly::SettledYetRunning => facts.run_status = "running",
        Anomaly::ChargedWhileQueued => {
            facts.run_status = "queued";
            facts.freeze_status = "frozen";
            facts.settlement_status = "pending";
        }
        Anomaly::UpdatedBeforeCreated => facts.updated = facts.created - (facts.updated - facts.created),
        Anomaly::UnknownRunStatus => facts.run_status = "cancelled",
        Anomaly::UnknownSettlementStatus => facts.settlement_status = "closed",
    }
    facts
}

fn leave_out(facts: &mut Facts, gap: AmountForm, die: &Die) {
    let forms = &mut facts.forms;
    match die.roll("gap", 6) {
        0 => forms.quote = gap,
        1 => forms.compute = gap,
        2 => forms.external = gap,
        3 => forms.total = gap,
        4 => forms.charged = gap,
        _ => forms.released = gap,
    }
}
