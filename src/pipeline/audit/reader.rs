//! Who reads a dataset for an audit.

use std::collections::BTreeSet;

use crate::history::sql::Engine;
use crate::report::evidence::sources::SourceClose;

/// Who reads a dataset.
#[derive(Debug, Default)]
pub enum Reader {
    /// This program.
    #[default]
    Tieout,
    /// An engine, which was asked about some runs and closed months.
    Engine {
        /// The engine.
        engine: Engine,
        /// The runs.
        runs: BTreeSet<String>,
        /// The months.
        closes: Vec<SourceClose>,
    },
}
