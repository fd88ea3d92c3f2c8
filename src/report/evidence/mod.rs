//! The evidence that a report is made from: the facts of orders as Parquet, the rows beside them, the
//! provider's list, and the spend that is summed over the facts.

pub mod completeness;
pub mod facts;
pub mod facts_read;
pub mod replay;
pub mod rows;
pub mod sources;
pub mod spend;
