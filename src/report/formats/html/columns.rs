//! How people see the columns of a table: in which order, and what a cell looks like. What stands in them is decided
//! elsewhere; no column is left out.

use crate::language::Texts;
use crate::report::content::table::{Column, Kind};

/// What a cell looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// An ID that people take with them.
    Id,
    /// A machine name.
    Code,
    /// `error` or `warning`.
    Severity,
    /// A word of ours that is translated; what its message begins with.
    Word(&'static str),
    /// Text.
    Text,
    /// A sentence.
    Long,
    /// Exact money, or a text where a check compares texts.
    Amount,
    /// A whole number, or a percentage.
    Integer,
    /// A time in UTC.
    Time,
    /// Yes, or nothing.
    Flag,
}

impl Look {
    /// That of a column.
    pub(super) fn of(column: &Column) -> Self {
        match (column.name, column.kind) {
            ("run_order_id", _) => Self::Id,
            ("check" | "field" | "cause" | "workflow_id" | "revision_id" | "discrepancy_id" | "day", _) => Self::Code,
            ("severity", _) => Self::Severity,
            ("lifecycle", _) => Self::Word("report-lifecycle"),
            ("bucket", _) => Self::Word("report-bucket"),
            ("state", _) => Self::Word("report-state"),
            ("age_bucket", _) => Self::Word("report-age"),
            ("message" | "detail", _) => Self::Long,
            (_, Kind::Text) => Self::Text,
            (_, Kind::Amount) => Self::Amount,
            (_, Kind::Percent | Kind::Integer) => Self::Integer,
            (_, Kind::Time) => Self::Time,
            (_, Kind::Flag) => Self::Flag,
        }
    }

    /// Its name in the style sheet and for the script.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Code => "code",
            Self::Severity => "severity",
            Self::Word(_) => "word",
            Self::Text => "text",
            Self::Long => "long",
            Self::Amount => "amount",
            Self::Integer => "integer",
            Self::Time => "time",
            Self::Flag => "flag",
        }
    }

    /// Whether its texts may be as long as somebody else likes.
    pub(super) const fn is_unbounded(self) -> bool {
        matches!(self, Self::Id | Self::Code | Self::Text | Self::Long | Self::Amount)
    }

    /// What people read for a machine word, where that is another one.
    pub(super) fn shown(self, word: &str, texts: Texts) -> Option<String> {
        match self {
            Self::Severity => Some(texts.get(&format!("report-severity-{word}"))),
            Self::Word(family) => Some(texts.get(&format!("{family}-{word}"))),
            Self::Flag => Some(texts.get("report-yes")),
            _ => None,
        }
    }
}

/// Whether the texts of a column are few: each is embedded once.
pub(super) fn repeats(column: &Column) -> bool {
    let is_word = matches!(column.kind, Kind::Text | Kind::Flag);
    is_word && !["run_order_id", "discrepancy_id", "message", "detail"].contains(&column.name)
}

/// Whether a column is left out on paper, which is not wide enough for all.
pub(super) fn is_extra(table: &str, column: &str) -> bool {
    let extra: &[&str] = match table {
        "discrepancies" => &[
            "message",
            "workflow_id",
            "revision_id",
            "run_status",
            "settlement_status",
            "created_at",
            "updated_at",
            "discrepancy_id",
        ],
        "pending" => &["revision_id"],
        _ if table.starts_with("spend_by_") => {
            &["failed_runs", "compute_cost", "external_model_cost", "quote_net_difference", "cost_net_difference"]
        }
        _ => &[],
    };
    extra.contains(&column)
}

/// The order of the columns for people, by their places in the table: what matters first. A column that nothing is said
/// of comes after.
pub(super) fn arranged(table: &str, columns: &[Column]) -> Vec<usize> {
    let first: &[&str] = match table {
        "discrepancies" => &[
            "run_order_id",
            "input_line",
            "check",
            "field",
            "cause",
            "severity",
            "difference",
            "currency",
            "expected",
            "actual",
            "waived",
            "lifecycle",
            "message",
        ],
        _ => &[],
    };
    let place = |name: &str| columns.iter().position(|column| column.name == name);
    let mut order: Vec<usize> = first.iter().filter_map(|name| place(name)).collect();
    order.extend((0..columns.len()).filter(|at| !first.contains(&columns[*at].name)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_column_is_left_out() {
        let columns = ["message", "brand_new", "check", "run_order_id"].map(|name| Column { name, kind: Kind::Text });
        assert_eq!(arranged("discrepancies", &columns), [3, 2, 0, 1]);
        assert_eq!(arranged("exceptions", &columns), [0, 1, 2, 3]);
    }
}
