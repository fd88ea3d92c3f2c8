//! `tieout` reconciles what an AI-workflow provider says it charged: every run order named in a CSV is
//! fetched, its amounts are checked to the last digit, and what does not tie out is reported.
//!
//! Data runs one way:
//!
//! ```text
//! ids.csv → input → fetch → store → judge (checks) → summarise → tables → writers → publish → exit code
//! ```
//!
//! A module imports only from layers below its own:
//!
//! | layer | modules |
//! |---|---|
//! | 5 | [`app`]: command line, settings, one file per command, exit codes |
//! | 4 | [`pipeline`]: the corridor of `reconcile`, and its progress |
//! | 3 | [`input`], [`provider`], [`store`], [`report`], [`sandbox`]: each owns one kind of I/O |
//! | 2 | [`checks`], [`summary`]: pure functions over the evidence |
//! | 1 | [`domain`]: money, ids, orders, findings, outcomes; [`language`]: the texts for people |

#[cfg(feature = "reports")]
pub mod app;
pub mod checks;
pub mod domain;
pub mod input;
pub mod language;
mod panics;
#[cfg(feature = "reports")]
pub mod pipeline;
pub mod provider;
#[cfg(feature = "reports")]
pub mod report;
pub mod sandbox;
pub mod store;
pub mod summary;
