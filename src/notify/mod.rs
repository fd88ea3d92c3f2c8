//! Notifications: what is told to whom once a job has ended, and how it gets there.
//!
//! [`Told::events`] decides what a night is worth to a target, by what was last delivered to it. [`Facts::message`] puts
//! it into words, and [`send`] delivers it. Whatever happens here changes neither verdict nor report nor exit code.

mod command;
mod delivery;
mod event;
mod message;
mod request;
mod sign;
mod target;

pub use delivery::{Network, Parcel, send};
pub use event::{Errors, Event, Night, Told};
pub use message::{End, ErrorFact, Facts, Message, ReportFacts};
pub use request::Ping;
pub use target::{Kind, Target, UrlError, Way, WebhookUrl};
