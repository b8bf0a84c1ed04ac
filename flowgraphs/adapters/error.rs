//! Why a flowgraph cannot be wired, or why a run ended early. Every error names its block.

use sememe_blocks::BlockError;
use std::time::Duration;

/// What can go wrong between building a graph and taking its results.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// A kernel returned an error.
    #[error("block '{block}': {reason}")]
    Block {
        /// Name of the block.
        block: String,
        /// What the kernel said.
        reason: BlockError,
    },
    /// A kernel panicked.
    #[error("block '{block}' panicked: {reason}")]
    Panicked {
        /// Name of the block.
        block: String,
        /// The panic's message.
        reason: String,
    },
    /// One input of a joiner ended before the other.
    #[error("block '{block}': input '{port}' ended after {frames} frames while input '{other}' goes on")]
    UnequalEnds {
        /// Name of the block.
        block: String,
        /// The input that ended.
        port: &'static str,
        /// Frames it had delivered.
        frames: u64,
        /// The input that has more.
        other: &'static str,
    },
    /// A block broke the rules of its port.
    #[error("block '{block}', port '{port}': {reason}")]
    Port {
        /// Name of the block.
        block: String,
        /// Name of the port.
        port: &'static str,
        /// What was wrong, in one line.
        reason: String,
    },
    /// No block made progress.
    #[error("no block made progress for {} s: {starved}", .after.as_secs_f64())]
    Stalled {
        /// For how long.
        after: Duration,
        /// Which port waits for what.
        starved: String,
    },
    /// An output that has a reader was given another.
    #[error(
        "output '{port}' of block '{block}' already feeds '{reader}' and cannot feed '{refused}' too: \
         a port has one reader, put a Tee between"
    )]
    SecondReader {
        /// Block with the output.
        block: String,
        /// Name of the output.
        port: &'static str,
        /// Block that reads it.
        reader: String,
        /// Block that was to read it too.
        refused: String,
    },
    /// An input that has a writer was given another.
    #[error(
        "input '{port}' of block '{block}' is already fed by '{writer}' and cannot be fed by '{refused}' too"
    )]
    SecondWriter {
        /// Block with the input.
        block: String,
        /// Name of the input.
        port: &'static str,
        /// Block that feeds it.
        writer: String,
        /// Block that was to feed it too.
        refused: String,
    },
    /// A port has no peer.
    #[error("{direction} '{port}' of block '{block}' is not connected")]
    Unconnected {
        /// `input` or `output`.
        direction: &'static str,
        /// Name of the port.
        port: &'static str,
        /// Name of the block.
        block: String,
    },
    /// Two ports carry different things.
    #[error("{from} carries {found}, but {to} takes {needed}")]
    Mismatch {
        /// The output and its block.
        from: String,
        /// What it carries.
        found: String,
        /// The input and its block.
        to: String,
        /// What it takes.
        needed: String,
    },
    /// Two blocks bear one name.
    #[error("two blocks are named '{0}': names must differ, they tell errors apart")]
    DuplicateName(String),
    /// The wires form a ring, in which every block waits for the one before.
    #[error("the wires form a ring through block '{0}': frames can only travel forward")]
    Ring(String),
    /// A port of one graph was used in another.
    #[error("a port of another graph was given to this one")]
    OtherGraph,
    /// A kernel was asked for while its block still runs.
    #[error("the kernel of block '{0}' cannot be taken: it is still in its flowgraph")]
    StillRunning(String),
    /// The runtime itself failed.
    #[error("the flowgraph runtime failed: {0}")]
    Runtime(String),
}
