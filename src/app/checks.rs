//! `tieout checks`: every check, or one explained.

use std::io::{self, Write};

use super::exit::{self, Exit, Failure};
use crate::checks::{CATALOGUE, Cause, Check};

/// Lists the checks, or explains the one of that code.
pub(super) fn run(code: Option<&str>) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    let written = match code {
        None => {
            let width = CATALOGUE.iter().map(|check| check.code.len()).max().unwrap_or_default();
            CATALOGUE.iter().try_for_each(|check| {
                writeln!(out, "{:<width$} {:<8} {}", check.code, check.severity.code(), check.holds_when)
            })
        }
        Some(code) => {
            let check = CATALOGUE.iter().find(|check| check.code == code).ok_or_else(|| unknown(code))?;
            explain(check, &mut out)
        }
    };
    exit::ignore_closed_pipe(written)?;
    Ok(Exit::Success)
}

fn unknown(code: &str) -> Failure {
    let codes: Vec<&str> = CATALOGUE.iter().map(|check| check.code).collect();
    Failure::usage(format!("there is no check {code:?}")).help(format!("the checks are: {}", codes.join(", ")))
}

fn explain(check: &Check, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} ({})", check.code, check.severity.code())?;
    writeln!(out, "  holds when  {}", check.holds_when)?;
    writeln!(out, "  due         {}", check.due_when)?;
    writeln!(out, "  example     {}", check.example)?;
    writeln!(out, "  what to do  {}", check.remedy)?;
    let causes: Vec<&str> = Cause::of_check(check.code).iter().map(|cause| cause.code()).collect();
    if !causes.is_empty() {
        writeln!(out, "  causes      {}", causes.join(", "))?;
    }
    Ok(())
}
