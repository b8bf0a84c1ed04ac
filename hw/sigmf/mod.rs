//! Recordings in the Signal Metadata Format (SigMF 1.x): a `.sigmf-meta` file of JSON beside a `.sigmf-data` file of
//! samples, as other tools write and read them.
//! Source: SigMF specification, <https://sigmf.org>.
//!
//! ```text
//! name.sigmf-meta   global: what holds throughout | captures: stretches without a gap | annotations: marks on samples
//! name.sigmf-data   sample 0, sample 1, ...
//! ```
//!
//! | file | what stands there |
//! |---|---|
//! | [`RecordingReader`] | a recording as a source of samples |
//! | [`RecordingWriter`] | a recording as it grows; also a sink of bursts |
//! | [`Metadata`] | what a recording says about itself, and how it is checked |
//! | [`RecordingPaths`] | which two files a name means |

mod data_file;
mod datatype;
mod datetime;
mod global_fields;
mod item_fields;
mod layout;
mod metadata;
mod metadata_file;
mod paths;
mod reader;
mod scalar;
mod sink;
mod writer;
mod writer_settings;

pub use datatype::Datatype;
pub use metadata::{Annotation, Capture, Global, Metadata};
pub use metadata_file::METADATA_LIMIT_BYTES;
pub use paths::RecordingPaths;
pub use reader::RecordingReader;
pub use writer::{Gap, RecordingWriter};
pub use writer_settings::WriterSettings;
