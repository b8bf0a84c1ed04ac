//! Stream ports that carry frames: slab buffers of one item, each a takeable slot.

use super::probe::Probe;
use super::{FrameSlot, GraphError};
use futuresdr::runtime::Error;
use futuresdr::runtime::buffer::slab;
use futuresdr::runtime::dev::{BufferReader, CpuBufferReader, CpuBufferWriter};

/// The reading side of a wire that carries frames.
pub type FrameReader<F> = slab::Reader<FrameSlot<F>>;
/// The writing side of a wire that carries frames.
pub type FrameWriter<F> = slab::Writer<FrameSlot<F>>;

/// A reader with slabs of one frame: a frame arrives when it is sent, not when a slab is full.
pub(super) fn reader<F: Send + 'static>() -> FrameReader<F> {
    let mut reader = FrameReader::default();
    reader.set_min_buffer_size_in_items(1);
    reader
}

/// A writer with slabs of one frame.
pub(super) fn writer<F: Send + 'static>() -> FrameWriter<F> {
    let mut writer = FrameWriter::default();
    writer.set_min_buffer_size_in_items(1);
    writer
}

/// What an input has to offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// A frame.
    Frame,
    /// Nothing yet.
    Nothing,
    /// Nothing ever again.
    End,
}

/// Looks without taking.
pub(super) fn arrival<F: Send + 'static>(input: &mut FrameReader<F>) -> Arrival {
    // The order matters: `finished` does not count the slab that `slice` has already fetched.
    if !input.slice().is_empty() {
        Arrival::Frame
    } else if input.finished() {
        Arrival::End
    } else {
        Arrival::Nothing
    }
}

/// Whether a frame can be sent.
pub(super) fn has_room<F: Send + 'static>(output: &mut FrameWriter<F>) -> bool {
    !output.slice().is_empty()
}

/// Takes the frame that has arrived at the input of this index.
pub(super) fn take<F: Send + 'static>(
    input: &mut FrameReader<F>,
    port: usize,
    probe: &Probe,
) -> Result<F, Error> {
    let frame = input.slice().first().and_then(FrameSlot::take);
    input.consume(1);
    frame.ok_or_else(|| {
        probe.fail(GraphError::Port {
            block: probe.name().to_owned(),
            port: probe.ports().inputs[port],
            reason: "the frame was taken by someone else: a frame has one reader, put a Tee between".into(),
        })
    })
}

/// Sends a frame through an output that has room.
pub(super) fn put<F: Send + 'static>(output: &mut FrameWriter<F>, frame: F) {
    output.slice()[0] = FrameSlot::new(frame);
    output.produce(1);
}
