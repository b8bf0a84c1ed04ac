//! Typed ends of wires: the compiler refuses to connect ports that carry different things.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;

/// What a port for plain samples carries, where other ports carry frames.
pub struct Samples<T>(PhantomData<fn(T) -> T>);

/// A port's name, and what travels through it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortType {
    /// Name of the port.
    pub name: &'static str,
    /// Name of the type, without its path.
    pub carries: String,
    pub(super) id: TypeId,
}

impl PortType {
    /// A port of this name that carries `F`, or plain samples where `F` is [`Samples`].
    pub fn of<F: 'static>(name: &'static str) -> Self {
        Self { name, carries: short_type_name::<F>(), id: TypeId::of::<F>() }
    }
}

/// Which block of which graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    pub(super) graph: u64,
    pub(super) index: usize,
}

/// The end at which an input waits to be fed.
pub struct In<F> {
    pub(super) node: Node,
    pub(super) port: usize,
    carries: PhantomData<fn() -> F>,
}

/// The end at which an output waits to be read.
pub struct Out<F> {
    pub(super) node: Node,
    pub(super) port: usize,
    carries: PhantomData<fn() -> F>,
}

impl<F> In<F> {
    pub(super) fn new(node: Node, port: usize) -> Self {
        Self { node, port, carries: PhantomData }
    }
}

impl<F> Out<F> {
    pub(super) fn new(node: Node, port: usize) -> Self {
        Self { node, port, carries: PhantomData }
    }
}

// Derived, these would ask the same of F, which need not be Copy.
impl<F> Copy for In<F> {}
impl<F> Clone for In<F> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<F> Copy for Out<F> {}
impl<F> Clone for Out<F> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<F> fmt::Debug for In<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "input {} of block {}: {}", self.port, self.node.index, short_type_name::<F>())
    }
}
impl<F> fmt::Debug for Out<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "output {} of block {}: {}", self.port, self.node.index, short_type_name::<F>())
    }
}

/// One input, one output.
#[derive(Clone, Copy, Debug)]
pub struct ThroughPorts<I, O> {
    /// The input.
    pub input: In<I>,
    /// The output.
    pub output: Out<O>,
}

/// One input, two outputs.
#[derive(Clone, Copy, Debug)]
pub struct SplitPorts<I, A, B> {
    /// The input.
    pub input: In<I>,
    /// The first output.
    pub first: Out<A>,
    /// The second output.
    pub second: Out<B>,
}

/// Two inputs, one output.
#[derive(Clone, Copy, Debug)]
pub struct JoinPorts<A, B, O> {
    /// The first input.
    pub first: In<A>,
    /// The second input.
    pub second: In<B>,
    /// The output.
    pub output: Out<O>,
}

/// `sememe_blocks::frame::ImageBatch` -> `ImageBatch`, inside generic arguments too.
pub(super) fn short_type_name<T>() -> String {
    let full = std::any::type_name::<T>();
    let mut short = String::new();
    for piece in full.split_inclusive(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        short.push_str(piece.rsplit("::").next().unwrap_or(piece));
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_names_lose_their_paths() {
        assert_eq!(short_type_name::<sememe_blocks::frame::ImageBatch>(), "ImageBatch");
        assert_eq!(short_type_name::<Vec<sememe_blocks::Grouping>>(), "Vec<Grouping>");
        assert_eq!(short_type_name::<Samples<num_complex::Complex32>>(), "Samples<Complex<f32>>");
        assert_eq!(short_type_name::<u8>(), "u8");
        assert_eq!(short_type_name::<(u8, Vec<String>)>(), "(u8, Vec<String>)");
    }

    #[test]
    fn ports_of_equal_type_are_equal() {
        assert_eq!(PortType::of::<u8>("input").id, PortType::of::<u8>("first").id);
        assert_ne!(PortType::of::<Samples<u8>>("input").id, PortType::of::<u8>("input").id);
    }
}
