//! The integration tests, in one binary because each test binary links Polars, which is slow. `make test` sets
//! up what they need: a Python with DuckDB, openpyxl and pyarrow, nginx, LibreOffice and Chromium.

#![allow(clippy::expect_used, clippy::panic, reason = "a test that cannot continue fails with a message")]
#![allow(unreachable_pub, reason = "nothing outside uses a test binary")]

mod book;
mod books;
mod cases;
mod chinese;
mod completeness;
mod damage;
mod dataset;
mod diff;
mod discover;
mod disk;
mod documentation;
mod evidence;
mod faults;
mod focus;
mod help;
mod hostile;
mod html;
mod index;
mod language;
mod locks;
mod logs;
mod materiality;
mod metrics;
mod network;
mod nginx;
mod nights;
mod notify;
mod oracle;
mod proof;
mod readers;
mod recheck;
mod reconcile;
mod reperform;
mod restarts;
mod schedule;
mod simulation;
mod spreadsheets;
mod status;
mod support;
mod terminal;
mod tidy;
mod usage;
mod waivers;
mod workbook;
