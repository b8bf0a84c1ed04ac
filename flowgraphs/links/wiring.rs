//! Wires kernels without saying what runs them: a flowgraph, or plain function calls.
//!
//! A link is drawn once, against [`Wiring`]. [`Graph`](crate::adapters::Graph) runs it as a FutureSDR
//! flowgraph; [`Direct`] calls the same kernels one after the other, which is the oracle of the first.

use crate::adapters::{Collect, Graph, GraphError, Kept, Out};
use sememe_blocks::kernel::{FrameJoiner, FrameKernel, FrameSource, FrameSplitter};

/// Shorthand for results of wiring.
pub type Result<T, E = GraphError> = std::result::Result<T, E>;

/// Connects kernels to each other.
pub trait Wiring {
    /// An output that something has yet to read.
    type Port<F: Send + 'static>;
    /// A claim on all frames of an output, to be redeemed after the run.
    type Claim<F: Send + 'static>;

    /// Starts at a source.
    fn source<S: FrameSource>(&mut self, name: &str, source: S) -> Result<Self::Port<S::Out>>;

    /// Feeds a kernel.
    fn then<K: FrameKernel>(
        &mut self,
        port: Self::Port<K::In>,
        name: &str,
        kernel: K,
    ) -> Result<Self::Port<K::Out>>;

    /// Feeds a kernel that computes for long.
    fn then_blocking<K: FrameKernel>(
        &mut self,
        port: Self::Port<K::In>,
        name: &str,
        kernel: K,
    ) -> Result<Self::Port<K::Out>>;

    /// Splits in two.
    #[allow(clippy::type_complexity, reason = "a name for the pair would hide that it is one")]
    fn split<K: FrameSplitter>(
        &mut self,
        port: Self::Port<K::In>,
        name: &str,
        splitter: K,
    ) -> Result<(Self::Port<K::First>, Self::Port<K::Second>)>;

    /// Joins two.
    fn join<K: FrameJoiner>(
        &mut self,
        first: Self::Port<K::First>,
        second: Self::Port<K::Second>,
        name: &str,
        joiner: K,
    ) -> Result<Self::Port<K::Out>>;

    /// Keeps all frames.
    fn collect<F: Send + 'static>(&mut self, port: Self::Port<F>, name: &str) -> Result<Self::Claim<F>>;

    /// The frames of a claim, after the run.
    fn redeem<F: Send + 'static>(claim: Self::Claim<F>) -> Result<Vec<F>>;
}

impl Wiring for Graph {
    type Port<F: Send + 'static> = Out<F>;
    type Claim<F: Send + 'static> = Kept<Collect<F>>;

    fn source<S: FrameSource>(&mut self, name: &str, source: S) -> Result<Out<S::Out>> {
        Ok(self.chain(name, source).out())
    }

    fn then<K: FrameKernel>(&mut self, port: Out<K::In>, name: &str, kernel: K) -> Result<Out<K::Out>> {
        Ok(self.resume(port).then(name, kernel).out())
    }

    fn then_blocking<K: FrameKernel>(
        &mut self,
        port: Out<K::In>,
        name: &str,
        kernel: K,
    ) -> Result<Out<K::Out>> {
        Ok(self.resume(port).then_blocking(name, kernel).out())
    }

    fn split<K: FrameSplitter>(
        &mut self,
        port: Out<K::In>,
        name: &str,
        splitter: K,
    ) -> Result<(Out<K::First>, Out<K::Second>)> {
        Ok(self.resume(port).split(name, splitter))
    }

    fn join<K: FrameJoiner>(
        &mut self,
        first: Out<K::First>,
        second: Out<K::Second>,
        name: &str,
        joiner: K,
    ) -> Result<Out<K::Out>> {
        Ok(self.resume(first).join(name, joiner, second).out())
    }

    fn collect<F: Send + 'static>(&mut self, port: Out<F>, name: &str) -> Result<Kept<Collect<F>>> {
        Ok(self.resume(port).sink(name, Collect::new()))
    }

    fn redeem<F: Send + 'static>(claim: Kept<Collect<F>>) -> Result<Vec<F>> {
        Ok(claim.take()?.into_frames())
    }
}

/// Calls kernels at once, on all frames, without a runtime.
#[derive(Clone, Copy, Debug, Default)]
pub struct Direct;

/// Names the block that failed, as a flowgraph does.
fn named<T>(block: &str, result: sememe_blocks::Result<T>) -> Result<T> {
    result.map_err(|reason| GraphError::Block { block: block.to_owned(), reason })
}

impl Wiring for Direct {
    type Port<F: Send + 'static> = Vec<F>;
    type Claim<F: Send + 'static> = Vec<F>;

    fn source<S: FrameSource>(&mut self, name: &str, mut source: S) -> Result<Vec<S::Out>> {
        let mut frames = Vec::new();
        while let Some(frame) = named(name, source.next_frame())? {
            frames.push(frame);
        }
        Ok(frames)
    }

    fn then<K: FrameKernel>(&mut self, port: Vec<K::In>, name: &str, mut kernel: K) -> Result<Vec<K::Out>> {
        port.into_iter().map(|frame| named(name, kernel.process(frame))).collect()
    }

    fn then_blocking<K: FrameKernel>(
        &mut self,
        port: Vec<K::In>,
        name: &str,
        kernel: K,
    ) -> Result<Vec<K::Out>> {
        self.then(port, name, kernel)
    }

    fn split<K: FrameSplitter>(
        &mut self,
        port: Vec<K::In>,
        name: &str,
        mut splitter: K,
    ) -> Result<(Vec<K::First>, Vec<K::Second>)> {
        port.into_iter().map(|frame| named(name, splitter.split(frame))).collect()
    }

    fn join<K: FrameJoiner>(
        &mut self,
        first: Vec<K::First>,
        second: Vec<K::Second>,
        name: &str,
        mut joiner: K,
    ) -> Result<Vec<K::Out>> {
        if first.len() != second.len() {
            let (port, other) =
                if first.len() < second.len() { ("first", "second") } else { ("second", "first") };
            let frames = first.len().min(second.len()) as u64;
            return Err(GraphError::UnequalEnds { block: name.to_owned(), port, frames, other });
        }
        first.into_iter().zip(second).map(|(a, b)| named(name, joiner.join(a, b))).collect()
    }

    fn collect<F: Send + 'static>(&mut self, port: Vec<F>, _: &str) -> Result<Vec<F>> {
        Ok(port)
    }

    fn redeem<F: Send + 'static>(claim: Vec<F>) -> Result<Vec<F>> {
        Ok(claim)
    }
}
