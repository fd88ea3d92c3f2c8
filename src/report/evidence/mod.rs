//! What a report is made from: the facts of orders as Parquet, what stands beside them, and spend, which is summed over the facts.
//! Nothing else in the program knows Polars.

pub mod completeness;
pub mod facts;
pub(in crate::report) mod facts_file;
pub mod facts_read;
pub mod replay;
pub mod rows;
pub mod spend;
