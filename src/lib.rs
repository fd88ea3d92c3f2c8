//! `tieout` reconciles what an AI-workflow provider says it charged: it fetches every run order named in a CSV, checks
//! its amounts to the last digit, and reports what does not tie out.
//!
//! Data flows one way:
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
//! | 4 | [`pipeline`]: the steps of each job from input to report, and its progress |
//! | 3 | [`input`], [`provider`], [`store`], [`report`], [`history`], [`notify`], [`sandbox`]: each owns one kind of I/O |
//! | 2 | [`checks`], [`summary`]: pure functions over the evidence; `parquet`: order facts as Parquet; `https`: clients that go nowhere else |
//! | 1 | [`domain`]: money, ids, orders, findings, outcomes; [`language`]: the texts for people |

#[cfg(feature = "reports")]
pub mod app;
pub mod checks;
pub mod domain;
#[cfg(feature = "reports")]
pub mod history;
mod https;
pub mod input;
pub mod language;
pub mod notify;
mod panics;
#[cfg(feature = "reports")]
mod parquet;
#[cfg(feature = "reports")]
pub mod pipeline;
pub mod provider;
#[cfg(feature = "reports")]
pub mod report;
pub mod sandbox;
pub mod store;
pub mod summary;
