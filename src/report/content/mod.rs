//! What a report says, in no format: its tables, its summary, and the words for both.

pub mod largest;
pub mod particulars;
pub mod percent;
pub mod summary_json;
pub mod table;
pub mod tables;
pub mod wording;
