//! One order's facts, and the order info written from them.

use super::catalogue::Revision;
use super::die::Die;
use super::json;

/// 2026-05-01T00:00:00Z in Unix seconds; the sandbox counts its seconds from here.
pub(super) const MAY: u64 = 1_777_593_600;
/// Seconds in May 2026, in which all of the sandbox's orders lie.
pub(super) const MONTH: u64 = 31 * DAY;
const DAY: u64 = 86_400;

/// The six amounts of an order, in units of 10⁻⁸.
#[derive(Clone, Copy, Default)]
pub(super) struct Figures {
    pub(super) quote: i128,
    pub(super) compute: i128,
    pub(super) external: i128,
    pub(super) total: i128,
    pub(super) charged: i128,
    pub(super) released: i128,
}

/// What the reply has for each amount.
#[derive(Clone, Copy, Default)]
pub(super) struct AmountForms {
    pub(super) quote: AmountForm,
    pub(super) compute: AmountForm,
    pub(super) external: AmountForm,
    pub(super) total: AmountForm,
    pub(super) charged: AmountForm,
    pub(super) released: AmountForm,
}

/// What the reply has for an amount.
#[derive(Clone, Copy, Default)]
pub(super) enum AmountForm {
    /// The amount itself.
    #[default]
    Figure,
    /// The empty string.
    Empty,
    /// `null`.
    Null,
    /// Nothing: the field is absent.
    Absent,
    /// This JSON instead.
    Other(&'static str),
}

/// How the amounts of an order are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// Strings with 8 decimals, as documented.
    Text,
    /// JSON numbers in plain notation: `0.1`.
    Number,
    /// JSON numbers in exponent notation: `1e-1`.
    Exponent,
}

/// The facts of one order.
pub(super) struct Facts {
    pub(super) run_order_id: String,
    pub(super) revision: Revision,
    /// `None` omits the field.
    pub(super) currency: Option<&'static str>,
    pub(super) figures: Figures,
    pub(super) forms: AmountForms,
    pub(super) notation: Notation,
    pub(super) freeze_status: &'static str,
    pub(super) run_status: &'static str,
    pub(super) settlement_status: &'static str,
    pub(super) task_id: String,
    pub(super) prompt_id: String,
    pub(super) error_code: &'static str,
    pub(super) error_message: String,
    /// Seconds since [`MAY`].
    pub(super) created: u64,
    /// Seconds since [`MAY`].
    pub(super) updated: u64,
}

impl Facts {
    /// Makes the run a failed one, with an error message that quotes the user's private text.
    pub(super) fn mark_failed(&mut self, die: &Die) {
        self.run_status = "failed";
        self.error_code = die.pick("error", ["NODE_EXECUTION_FAILED", "OUT_OF_MEMORY", "CONTENT_REJECTED"]);
        self.error_message = format!("node 7 refused \"PRIVATE PROMPT of {}\":\n\tno such style", self.run_order_id);
    }

    /// All members of the order info, in the documented sequence.
    pub(super) fn members(&self) -> Vec<(&'static str, String)> {
        let (figures, forms) = (&self.figures, &self.forms);
        let mut members = vec![
            ("run_order_id", json::text(&self.run_order_id)),
            ("workflow_id", json::text(&self.revision.workflow.id)),
            ("revision_id", json::text(&self.revision.id)),
        ];
        members.extend(self.amount("quote_amount", figures.quote, forms.quote));
        members.extend(self.currency.map(|currency| ("quote_currency", json::text(currency))));
        members.extend([
            ("freeze_status", json::text(self.freeze_status)),
            ("submission_status", json::text("submitted")),
            ("run_status", json::text(self.run_status)),
            ("settlement_status", json::text(self.settlement_status)),
            ("task_id", json::text(&self.task_id)),
            ("prompt_id", json::text(&self.prompt_id)),
            ("inputs", self.inputs()),
            ("outputs", self.outputs()),
        ]);
        members.extend(self.amount("compute_cost", figures.compute, forms.compute));
        members.extend(self.amount("external_model_cost", figures.external, forms.external));
        members.extend(self.amount("total_cost", figures.total, forms.total));
        members.extend(self.amount("final_amount", figures.charged, forms.charged));
        members.extend(self.amount("released_amount", figures.released, forms.released));
        members.extend([
            ("error_code", json::text(self.error_code)),
            ("error_message", json::text(&self.error_message)),
            ("created_at", json::text(&moment(self.created))),
            ("updated_at", json::text(&moment(self.updated))),
        ]);
        members
    }

    /// Whether the amounts are final.
    pub(super) fn is_settled(&self) -> bool {
        self.freeze_status != "frozen" || self.settlement_status == "settled"
    }

    fn amount(&self, name: &'static str, units: i128, form: AmountForm) -> Option<(&'static str, String)> {
        let written = match form {
            AmountForm::Figure => match self.notation {
                Notation::Text => json::decimal_string(units),
                Notation::Number => json::plain_number(units),
                Notation::Exponent => json::exponent_number(units),
            },
            AmountForm::Empty => "\"\"".to_owned(),
            AmountForm::Null => "null".to_owned(),
            AmountForm::Absent => return None,
            AmountForm::Other(json) => json.to_owned(),
        };
        Some((name, written))
    }

    /// Private data with a marker, so that tests can prove that nothing leaks.
    fn inputs(&self) -> String {
        let prompt = format!("PRIVATE PROMPT of {}: a \"red\" fox,\n一只狐狸 🦊 \\ night", self.run_order_id);
        json::object([
            ("prompt", json::text(&prompt)),
            ("steps", "28".to_owned()),
            ("images", json::array([json::text("https://media.example/PRIVATE-PROMPT/in.png")])),
        ])
    }

    fn outputs(&self) -> String {
        let caption = format!("made from the PRIVATE PROMPT of {}", self.run_order_id);
        json::object([
            ("videos", json::array([json::text("https://media.example/PRIVATE-PROMPT/out.mp4")])),
            ("caption", json::text(&caption)),
        ])
    }
}

/// A moment in May 2026, in RFC 3339, from seconds since [`MAY`].
fn moment(seconds: u64) -> String {
    let (day, second) = (seconds / DAY + 1, seconds % DAY);
    format!("2026-05-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}
