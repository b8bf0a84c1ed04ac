//! Every block by name: what it is, how to make one from a table of parameters, and the proof that
//! it behaves in a flowgraph as it does when called directly.
//!
//! [`Registry::builtin`] knows the blocks of this project, one line each in `builtin`, in `digital` for the
//! classical chain, in `impairments` for what happens to samples, in `antenna` between frames and samples and, where a network is inside, in `learned`. Kernels of
//! other crates join with [`Registry::register`], and are then found by [`FreeGraph`] and by the
//! conformance trials like any other:
//!
//! ```
//! use sememe::registry::{Entry, FreeGraph, NoParams, Registry, specimens};
//! # use sememe_blocks::frame::SymbolFrame;
//! # struct Conjugate;
//! # impl sememe_blocks::kernel::FrameKernel for Conjugate {
//! #     type In = SymbolFrame;
//! #     type Out = SymbolFrame;
//! #     fn process(&mut self, mut frame: SymbolFrame) -> sememe_blocks::Result<SymbolFrame> {
//! #         frame.slots.iter_mut().flat_map(|slot| &mut slot.symbols).for_each(|s| *s = s.conj());
//! #         Ok(frame)
//! #     }
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut registry = Registry::builtin();
//! registry.register(Entry::frame(
//!     "conjugate",
//!     "mirrors every symbol at the real axis",
//!     specimens::symbols,
//!     |_: NoParams| Ok(Conjugate),
//! ))?;
//! let scratch = tempfile::tempdir()?;
//! registry.get("conjugate").unwrap().conformance(scratch.path())?;
//! # Ok(())
//! # }
//! ```

mod antenna;
mod antenna_conformance;
mod builtin;
mod catalogue;
mod conformance;
mod digital;
mod entry;
mod error;
mod failing;
mod free_graph;
mod impairments;
mod learned;
mod params;
mod save_images;
pub mod specimens;
mod stream_conformance;
mod trials;

pub use catalogue::Registry;
pub use conformance::Nonconformance;
pub use entry::{Entry, Kind};
pub use error::RegistryError;
pub use free_graph::{FreeGraph, WireTable};
pub use params::NoParams;
pub use save_images::SaveImages;
pub(crate) use save_images::save_image;
