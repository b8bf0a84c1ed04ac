//! Sample streams from and to GNU Radio over ZeroMQ: messages of little-endian 32-bit floats, I and Q in turn, as its
//! blocks *ZMQ PUB Sink*, *SUB Source*, *PUSH Sink* and *PULL Source* carry complex samples.
//!
//! ```text
//! GNU Radio ZMQ PUB Sink, tcp://*:5555   --->  zmq+sub://HOST:5555         ZmqSource
//! GNU Radio ZMQ SUB Source               <---  zmq+pub://*:5555            ZmqSink
//! GNU Radio ZMQ PULL Source, ipc:///x    <---  zmq+push+ipc:///x           ZmqSink
//! ```
//!
//! In GNU Radio *Pass Tags* stays off and the vector length is 1; a key goes into [`ZmqSettings::key`].
//!
//! - PUB and SUB: any number of receivers; what a receiver is too slow for, or comes too late for, is dropped by ZeroMQ
//!   and **nobody is told**, so neither side can count it. For measurements take PUSH and PULL.
//! - PUSH and PULL: a sender waits for its receivers, and nothing is dropped while they stay; what was on its way to a
//!   receiver that goes away is lost with it.
//! - Neither carries time: bursts leave at once, and samples have no time of their own.

mod settings;
mod sink;
mod socket;
mod source;

pub use settings::{Attachment, Pattern, ZmqSettings};
pub use sink::ZmqSink;
pub use source::ZmqSource;
