//! A block from outside the tree: a kernel of one's own, tried for conformance, named in a registry, and
//! wired into a free graph described in TOML.
//!
//! `cargo run --release --example own_block`

use sememe::registry::{Entry, FreeGraph, Registry, specimens};
use sememe_blocks::frame::SymbolFrame;
use sememe_blocks::kernel::FrameKernel;
use sememe_blocks::{BlockError, Result};
use serde::Deserialize;

/// Limits the magnitude of symbols, as a saturated power amplifier does; the phase stays.
struct Clipper {
    limit: f32,
}

/// Parameters as they stand in TOML.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClipperParams {
    /// Largest magnitude, above 0.
    limit: f32,
}

impl Clipper {
    fn new(limit: f32) -> Result<Self> {
        if limit.is_finite() && limit > 0.0 {
            return Ok(Self { limit });
        }
        Err(BlockError::invalid("limit", limit, "a finite number above 0"))
    }
}

impl FrameKernel for Clipper {
    type In = SymbolFrame;
    type Out = SymbolFrame;

    fn process(&mut self, mut frame: SymbolFrame) -> Result<SymbolFrame> {
        for symbol in frame.slots.iter_mut().flat_map(|slot| &mut slot.symbols) {
            let magnitude = symbol.norm();
            if magnitude > self.limit {
                *symbol *= self.limit / magnitude;
            }
        }
        Ok(frame)
    }
}

const GRAPH: &str = r#"
[[block]]
name = "pictures"
kind = "scenes"
walk = { users = 5 }
scenes = { len = 20 }

[[block]]
name = "encoder"
kind = "klt_encoder"
height = 32
width = 32
private_len = 2048
snr_db = 12.0
fit_images = 200

[[block]]
name = "mapper"
kind = "feature_mapper"

[[block]]
name = "power"
kind = "power_norm"

[[block]]
name = "amplifier"
kind = "clipper"
limit = 1.5

[[block]]
name = "fades"
kind = "fading"
fading = { model = "rayleigh" }

[[block]]
name = "noise"
kind = "awgn"
snr_db = 12.0

[[block]]
name = "equalizer"
kind = "equalizer"
method = "mmse"

[[block]]
name = "demapper"
kind = "feature_demapper"
private_len = 2048

[[block]]
name = "decoder"
kind = "klt_decoder"
height = 32
width = 32
private_len = 2048
snr_db = 12.0
fit_images = 200

[[block]]
name = "files"
kind = "save_images"
folder = "out/own_block"

[[wire]]
from = "pictures"
to = "encoder"
[[wire]]
from = "encoder"
to = "mapper"
[[wire]]
from = "mapper"
to = "power"
[[wire]]
from = "power"
to = "amplifier"
[[wire]]
from = "amplifier"
to = "fades"
[[wire]]
from = "fades"
to = "noise"
[[wire]]
from = "noise"
to = "equalizer"
[[wire]]
from = "equalizer"
to = "demapper"
[[wire]]
from = "demapper"
to = "decoder"
[[wire]]
from = "decoder"
to = "files"
"#;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let clipper =
        Entry::frame("clipper", "limits the magnitude of symbols", specimens::symbols, |p: ClipperParams| {
            Clipper::new(p.limit)
        })
        .example("limit = 0.8");
    clipper.conformance(&std::env::temp_dir().join("sememe-own-block"))?;
    println!("{clipper}: conforms");

    let mut registry = Registry::builtin();
    registry.register(clipper)?;
    FreeGraph::parse(GRAPH)?.build(&registry)?.run()?;
    println!("20 decoded pictures are in out/own_block");
    Ok(())
}
