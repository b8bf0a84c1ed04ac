//! Any kernel as a FutureSDR block: the only rooms that name FutureSDR are this one and what
//! stands on it.
//!
//! | kernel | block | ports |
//! |---|---|---|
//! | `FrameKernel` | [`FrameBlock`], [`BlockingFrameBlock`] | `input`, `output` |
//! | `FrameSource` | [`SourceBlock`] | `output` |
//! | `FrameSink` | [`SinkBlock`] | `input` |
//! | `FrameSplitter` | [`SplitBlock`] | `input`, `first`, `second` |
//! | `FrameJoiner` | [`JoinBlock`] | `first`, `second`, `output` |
//! | `StreamKernel` | [`StreamBlock`] | `input`, `output` |
//! | `Modulator`, `Demodulator` | [`ModulatorBlock`], [`DemodulatorBlock`] | `input`, `output` |
//!
//! [`Graph`] wires them with types checked by the compiler and runs them under a watchdog. The
//! blocks work in a plain FutureSDR flowgraph as well, with `connect!`; see [`Monitor`].

mod adapter;
mod chain;
mod demodulator_block;
mod error;
mod frame_block;
mod frame_port;
mod graph;
mod join_block;
mod kept;
mod memory;
mod modulator_block;
mod monitor;
mod ports;
mod probe;
mod samples;
mod scheduler;
mod sink_block;
mod slot;
mod source_block;
mod split_block;
mod stream_block;
mod watchdog;

pub use adapter::Adapter;
pub use chain::Chain;
pub use demodulator_block::DemodulatorBlock;
pub use error::GraphError;
pub use frame_block::{BlockingFrameBlock, FrameBlock};
pub use frame_port::{FrameReader, FrameWriter};
pub use graph::Graph;
pub use join_block::JoinBlock;
pub use kept::Kept;
pub use memory::{Collect, Discard, Replay};
pub use modulator_block::ModulatorBlock;
pub use monitor::{Monitor, RunOptions};
pub use ports::{In, JoinPorts, Node, Out, PortType, Samples, SplitPorts, ThroughPorts};
pub use probe::Probe;
pub use samples::{SampleSink, SampleSource};
pub use sink_block::SinkBlock;
pub use slot::FrameSlot;
pub use source_block::SourceBlock;
pub use split_block::SplitBlock;
pub use stream_block::StreamBlock;
