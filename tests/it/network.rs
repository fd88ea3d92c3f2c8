//! Faults below HTTP and from the operating system, produced with raw sockets and signals.

pub mod certificates;
mod connections;
mod destinations;
mod encryption;
mod job;
mod kills;
mod orders;
mod progress;
mod replies;
mod server;
mod signals;
mod smuggling;
