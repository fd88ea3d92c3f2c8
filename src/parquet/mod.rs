//! Order facts as Parquet: their columns, and files that may come from anywhere. Reports and datasets keep them in the
//! same form.

pub(crate) mod columns;
pub(crate) mod file;
pub(crate) mod stage;
