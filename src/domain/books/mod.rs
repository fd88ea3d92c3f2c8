//! Our own books: what columns of the input say about an order, to be compared with the provider's figures.

mod notation;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::cell::{bare_text, trimmed};
use super::money::{Amount, AmountError};
use super::order::{Amounts, RunOrder};

pub use self::notation::{Sign, amount, currency, sign_of};
use self::notation::{decimals, is_nothing};

/// A field of a run order that our books may carry too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum Field {
    /// `final_amount`: what is finally charged.
    Final,
    /// `total_cost`: compute plus external, as the provider adds them up.
    Total,
    /// `quote_amount`: what was quoted.
    Quote,
    /// `released_amount`: what is released of the frozen quote.
    Released,
    /// `compute_cost`: the cost of GPU time.
    Compute,
    /// `external_model_cost`: the cost of third-party models.
    External,
    /// `quote_currency`: the currency of the amounts.
    Currency,
    /// `workflow_id`: the workflow that ran.
    Workflow,
    /// `revision_id`: the version of the workflow that ran.
    Revision,
    /// `run_status`: the state of the run.
    RunStatus,
}

impl Field {
    /// Every field that can be compared, the most important to the payer first.
    pub const ALL: [Self; 10] = [
        Self::Final,
        Self::Total,
        Self::Quote,
        Self::Released,
        Self::Compute,
        Self::External,
        Self::Currency,
        Self::Workflow,
        Self::Revision,
        Self::RunStatus,
    ];

    /// The provider's names of the fields, in the order of [`Field::ALL`].
    pub const NAMES: [&'static str; 10] = {
        let mut names = [""; 10];
        let mut at = 0;
        while at < names.len() {
            names[at] = Self::ALL[at].name();
            at += 1;
        }
        names
    };

    /// The field of that name. Amounts have a short name too, such as `final` for `final_amount`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let is_it = |field: &Self| {
            let full = field.name();
            full == name || full.strip_suffix("_amount").or_else(|| full.strip_suffix("_cost")) == Some(name)
        };
        Self::ALL.into_iter().find(is_it)
    }

    /// The provider's name of the field.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Final => "final_amount",
            Self::Total => "total_cost",
            Self::Quote => "quote_amount",
            Self::Released => "released_amount",
            Self::Compute => "compute_cost",
            Self::External => "external_model_cost",
            Self::Currency => "quote_currency",
            Self::Workflow => "workflow_id",
            Self::Revision => "revision_id",
            Self::RunStatus => "run_status",
        }
    }

    /// Whether the field is one of the six amounts.
    #[must_use]
    pub const fn is_amount(self) -> bool {
        !matches!(self, Self::Currency | Self::Workflow | Self::Revision | Self::RunStatus)
    }

    /// Whether the field is an amount that is due only once the order is settled.
    #[must_use]
    pub const fn is_due_when_settled(self) -> bool {
        self.is_amount() && !matches!(self, Self::Quote)
    }

    /// The field's amount; `None` if the field is a text, or the reply lacks the amount.
    #[must_use]
    pub const fn amount_of(self, amounts: &Amounts) -> Option<Amount> {
        match self {
            Self::Final => amounts.final_amount,
            Self::Total => amounts.total_cost,
            Self::Quote => amounts.quote_amount,
            Self::Released => amounts.released_amount,
            Self::Compute => amounts.compute_cost,
            Self::External => amounts.external_model_cost,
            Self::Currency | Self::Workflow | Self::Revision | Self::RunStatus => None,
        }
    }

    /// The provider's value of the field.
    #[must_use]
    pub fn of(self, order: &RunOrder) -> Entry {
        let text = match self {
            Self::Currency => &order.quote_currency,
            Self::Workflow => &order.workflow_id,
            Self::Revision => &order.revision_id,
            Self::RunStatus => &order.run_status,
            _ => return self.amount_of(&order.amounts).map_or(Entry::Nothing, Entry::Amount),
        };
        text.clone().map_or(Entry::Nothing, Entry::Text)
    }
}

impl TryFrom<String> for Field {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let field = Self::ALL.into_iter().find(|field| field.name() == name);
        field.ok_or_else(|| format!("{name:?} is not a field that can be compared"))
    }
}

impl From<Field> for &'static str {
    fn from(field: Field) -> Self {
        field.name()
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The value of a field in our books or in a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// No value.
    Nothing,
    /// An exact amount.
    Amount(Amount),
    /// A text, trimmed.
    Text(String),
    /// A text that should be an amount but can't be read exactly as one.
    Unreadable(Unreadable),
}

/// A cell that can't be read as an exact amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// The cell's text.
    pub text: String,
    /// Why the text is not an amount.
    pub why: AmountError,
}

/// One row of our books: the compared cells, as they stand in the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booking {
    /// The line of the input on which the row begins, counted from 1.
    pub line: u64,
    /// The cells' texts by field. A cell that the row lacks is empty.
    pub cells: BTreeMap<Field, String>,
}

impl Booking {
    /// The currency sign beside an amount of the row.
    #[must_use]
    pub fn sign(&self, field: Field) -> Option<Sign> {
        sign_of(self.cells.get(&field)?).filter(|_| field.is_amount())
    }

    /// The row's value of a field; `None` if the field is not compared.
    #[must_use]
    pub fn entry(&self, field: Field) -> Option<Entry> {
        let cell = self.cells.get(&field)?;
        let text = bare_text(cell);
        Some(match field {
            _ if is_nothing(text) => Entry::Nothing,
            _ if !field.is_amount() => Entry::Text(text.to_owned()),
            _ => match amount(cell) {
                Ok(amount) => Entry::Amount(amount),
                Err(why) => Entry::Unreadable(Unreadable { text: trimmed(cell).to_owned(), why }),
            },
        })
    }

    /// The code of the currency that the row names for an amount: in its currency column, or else by a sign.
    #[must_use]
    pub fn named_currency(&self, field: Field) -> Option<String> {
        self.currency().or_else(|| Some(self.sign(field)?.usual().to_owned()))
    }

    /// How many decimals an amount of the row is written with.
    #[must_use]
    pub fn decimals(&self, field: Field) -> Option<u32> {
        decimals(self.cells.get(&field)?)
    }

    /// The code of the currency in the row's currency column, if it names one.
    #[must_use]
    pub fn currency(&self) -> Option<String> {
        match self.entry(Field::Currency)? {
            Entry::Text(text) => Some(currency(&text)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_booking_reads_its_cells() {
        let cells =
            [(Field::Final, "1,000.5"), (Field::Total, " "), (Field::Quote, "n/a"), (Field::Workflow, " wf_1 ")];
        let cells = cells.map(|(field, text)| (field, text.to_owned())).into();
        let booking = Booking { line: 2, cells };
        assert_eq!(booking.entry(Field::Final), Amount::parse("1000.5").ok().map(Entry::Amount));
        assert_eq!(booking.entry(Field::Total), Some(Entry::Nothing));
        let unreadable = Unreadable { text: "n/a".to_owned(), why: AmountError::NotANumber };
        assert_eq!(booking.entry(Field::Quote), Some(Entry::Unreadable(unreadable)));
        assert_eq!(booking.entry(Field::Workflow), Some(Entry::Text("wf_1".to_owned())));
        assert_eq!(booking.entry(Field::Revision), None);
        assert_eq!(booking.currency(), None);
        let cells = [(Field::Currency, "'rmb"), (Field::Final, "\\N"), (Field::Workflow, "=\"wf_1\"")];
        let booking = Booking { line: 2, cells: cells.map(|(field, text)| (field, text.to_owned())).into() };
        assert_eq!(booking.currency().as_deref(), Some("CNY"));
        assert_eq!(booking.entry(Field::Final), Some(Entry::Nothing));
        assert_eq!(booking.entry(Field::Workflow), Some(Entry::Text("wf_1".to_owned())));
    }

    #[test]
    fn fields_are_found_by_name() {
        assert_eq!(Field::named("final_amount"), Some(Field::Final));
        assert_eq!(Field::named("final"), Some(Field::Final));
        assert_eq!(Field::named("total"), Some(Field::Total));
        assert_eq!(Field::named("external_model"), Some(Field::External));
        assert_eq!(Field::named("workflow_id"), Some(Field::Workflow));
        assert_eq!(Field::named("workflow"), None);
        for field in Field::ALL {
            assert_eq!(Field::named(field.name()), Some(field));
        }
    }
}
