//! Names the commit that the program is built from.

use std::env;
use std::path::Path;
use std::process::Command;

/// What goes into the program, besides the crates that Cargo.lock names.
const SOURCES: [&str; 6] = ["build.rs", "src", "locales", "templates", "Cargo.toml", "Cargo.lock"];

fn main() {
    println!("cargo:rerun-if-env-changed=TIEOUT_COMMIT");
    println!("cargo:rerun-if-changed=build.rs");
    let named = env::var("TIEOUT_COMMIT").ok().filter(|commit| !commit.is_empty());
    // A debug build has none: every commit would compile it again.
    let is_release = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if let Some(commit) = named.or_else(|| is_release.then(checked_out).flatten()) {
        println!("cargo:rustc-env=TIEOUT_COMMIT={commit}");
    }
}

/// The commit of the checkout, with `-dirty` after it if a file has changed since; `None` outside a checkout.
fn checked_out() -> Option<String> {
    // This file grows whenever another commit is checked out.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    for path in SOURCES.into_iter().chain([log.as_str()]) {
        println!("cargo:rerun-if-changed={path}");
    }
    git(&["describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"])
}

/// What git prints about this folder; `None` if it is not a checkout itself, but perhaps lies in another one.
fn git(arguments: &[&str]) -> Option<String> {
    let folder = env::var("CARGO_MANIFEST_DIR").ok()?;
    let ceiling = Path::new(&folder).parent()?;
    let output = Command::new("git").args(arguments).env("GIT_CEILING_DIRECTORIES", ceiling).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| printed.trim().to_owned())
}
