//! The `tieout` binary.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// One thread allocates outcomes and another frees them; with glibc's allocator they would wait for each other.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    tieout::app::run().into()
}
