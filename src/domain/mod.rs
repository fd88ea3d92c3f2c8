//! The terms of the domain as types: exact money, run order IDs, run orders, findings and outcomes.
//!
//! Nothing here does I/O, waits, or knows where a value came from.

pub mod books;
pub mod cell;
pub mod days;
pub mod facts;
pub mod finding;
pub mod id;
pub mod layout;
pub mod listed;
pub mod money;
pub mod month;
pub mod order;
pub mod outcome;
pub mod program;
pub mod schedule;
pub mod secret;
pub mod sql;
pub mod status;
pub mod time;
pub mod visible;
