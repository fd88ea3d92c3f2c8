//! The `tieout` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Outcomes are made by one thread and freed by another, which glibc's allocator makes both wait for.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tieout::app::run().into()
}
