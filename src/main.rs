//! The `tieout` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    tieout::app::run().into()
}
