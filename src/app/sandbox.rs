//! `tieout sandbox`: serves the simulator on loopback until it is stopped.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr};

use tokio::runtime::Runtime;

use super::exit::{self, Exit, Failure};
use crate::sandbox::{KEY, Options, Sandbox};

/// Serves until a signal ends the process.
///
/// # Errors
/// When the port is taken.
pub(super) fn run(port: u16, options: Options) -> Result<Exit, Failure> {
    let runtime = Runtime::new().map_err(|error| Failure::no_report(format!("can't start the runtime: {error}")))?;
    runtime.block_on(async {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let sandbox = Sandbox::start(address, options).await.map_err(Failure::usage)?;
        exit::ignore_closed_pipe(announce(&sandbox.base_url()))?;
        sandbox.wait().await.map_err(Failure::no_report)
    })?;
    Ok(Exit::Success)
}

fn announce(base_url: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "The sandbox serves {base_url}")?;
    writeln!(out, "Its only key is {KEY}. Stop it with Ctrl-C. Try:")?;
    writeln!(out, "  CHENYU_API_KEY={KEY} tieout reconcile ids.csv --api-url {base_url} --rate 0")?;
    out.flush()
}
