//! `tieout sandbox`: serves the simulator on loopback until it is stopped.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};

use tokio::runtime::Runtime;

use super::cli::SandboxOptions;
use super::exit::{self, Exit, Failure};
use crate::language::Texts;
use crate::sandbox::{FaultPlan, FaultPlanError, HeaderText, KEY, Options, Sandbox};

/// Serves until a signal ends the process.
///
/// # Errors
/// When the port is taken, the fault plan is invalid, or the request log can't be created.
pub(super) fn run(port: u16, typed: &SandboxOptions, texts: Texts) -> Result<Exit, Failure> {
    let options =
        resolve(typed).map_err(|error| Failure::usage(error).help("docs/reference/sandbox.md explains fault plans"))?;
    let runtime = Runtime::new().map_err(|error| Failure::no_report(format!("can't start the runtime: {error}")))?;
    runtime.block_on(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let sandbox = Sandbox::start(address, options).await.map_err(Failure::usage)?;
        exit::ignore_closed_pipe(announce(&sandbox.base_url(), texts))?;
        sandbox.wait().await.map_err(Failure::no_report)
    })?;
    Ok(Exit::Success)
}

fn resolve(typed: &SandboxOptions) -> Result<Options, FaultPlanError> {
    let usual = Options::default();
    let in_file = typed.faults.as_deref().map(FaultPlan::from_file).transpose()?.unwrap_or_default();
    Ok(Options {
        seed: typed.seed,
        rate_limit: typed.rate_limit,
        retry_after: typed.retry_after.clone().map_or(usual.retry_after, HeaderText::unless_none),
        date: typed.date.clone(),
        faults: FaultPlan::from_specs(&typed.fault)?.then(in_file),
        log_requests: typed.log_requests,
        journal: usual.journal,
        request_log: typed.request_log.clone(),
    })
}

fn announce(base_url: &str, texts: Texts) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", texts.with("sandbox-serves", &[("url", base_url.into())]))?;
    writeln!(out, "{}", texts.with("sandbox-key", &[("key", KEY.into())]))?;
    writeln!(out, "  CHENYU_API_KEY={KEY} tieout reconcile ids.csv --api-url {base_url} --rate 0")?;
    out.flush()
}
