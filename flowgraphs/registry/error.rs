//! What can be wrong with a block's table or a wire's line.

use crate::adapters::GraphError;

/// Why a block or a graph cannot be made from its description.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// A name was registered twice.
    #[error("a block kind '{0}' is registered already")]
    KindTaken(String),
    /// A block's kind is not registered.
    #[error("block '{block}': kind = \"{found}\" is not known: allowed are {allowed}")]
    UnknownKind {
        /// Name of the block.
        block: String,
        /// The kind found.
        found: String,
        /// All kinds registered.
        allowed: String,
    },
    /// A block's parameters are wrong.
    #[error("block '{block}' of kind '{kind}': {reason}")]
    Params {
        /// Name of the block.
        block: String,
        /// Kind of the block.
        kind: String,
        /// Which key, what was found, what is allowed.
        reason: String,
    },
    /// A `[[block]]` table lacks its name or kind, or has one that cannot be.
    #[error("block number {number}: key '{key}' {reason}")]
    Identity {
        /// Which table, counted from 1.
        number: usize,
        /// `name` or `kind`.
        key: &'static str,
        /// What is wrong, and what is allowed.
        reason: String,
    },
    /// A wire's end names no port.
    #[error("wire {wire}: {key} = \"{found}\": {reason}")]
    WireEnd {
        /// The wire, as `from -> to`.
        wire: String,
        /// `from` or `to`.
        key: &'static str,
        /// The end found.
        found: String,
        /// What is wrong, and what is allowed.
        reason: String,
    },
    /// The text is no graph.
    #[error("{0}")]
    Syntax(String),
    /// The blocks are known, but cannot be wired like this.
    #[error(transparent)]
    Wiring(#[from] GraphError),
}
