//! How the page shows the columns of a table: their order, and the look of their cells. No column is left
//! out.

use crate::language::{Texts, Word};
use crate::report::content::table::{Column, Kind};

/// The class of a kind's cells in the style sheet and in the script.
pub(super) const fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Id => "id",
        Kind::Code | Kind::Key => "code",
        Kind::Severity => "severity",
        Kind::Bucket | Kind::Word(_) => "word",
        Kind::Text => "text",
        Kind::Sentence => "long",
        Kind::Amount => "amount",
        Kind::Percent | Kind::Integer => "integer",
        Kind::Time => "time",
        Kind::Flag => "flag",
    }
}

/// Whether the texts of a kind may come from outside and so have any length.
pub(super) const fn is_unbounded(kind: Kind) -> bool {
    matches!(kind, Kind::Id | Kind::Code | Kind::Key | Kind::Text | Kind::Sentence | Kind::Amount)
}

/// Whether the texts of a kind repeat across rows. The page then embeds each text once.
pub(super) const fn repeats(kind: Kind) -> bool {
    matches!(kind, Kind::Code | Kind::Severity | Kind::Bucket | Kind::Word(_) | Kind::Text | Kind::Flag)
}

/// What people read instead of a machine word, where that differs.
pub(super) fn translation(kind: Kind, word: &str, texts: Texts) -> Option<String> {
    match kind {
        Kind::Severity => Some(texts.word(Word::SeverityName, word)),
        Kind::Bucket => Some(texts.word(Word::BucketName, word)),
        Kind::Word(family) => Some(texts.get(&format!("{family}-{word}"))),
        Kind::Flag => Some(texts.get("report-yes")),
        _ => None,
    }
}

/// The order of the columns for people, as indices into the table: the most important first, then the rest in
/// the table's order.
pub(super) fn display_order(table: &str, columns: &[Column]) -> Vec<usize> {
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
    use crate::report::content::table::column;

    #[test]
    fn no_column_is_left_out() {
        let columns = ["message", "brand_new", "check", "run_order_id"].map(|name| column(name, Kind::Text));
        assert_eq!(display_order("discrepancies", &columns), [3, 2, 0, 1]);
        assert_eq!(display_order("exceptions", &columns), [0, 1, 2, 3]);
    }
}
