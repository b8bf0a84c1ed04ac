//! A checked configuration with everything filled in, and the kernels that it asks for.

use super::config::{DEFAULT_ITERATIONS, ErrorRateConfig, FORMAT_VERSION};
use super::frame_decoder::{FrameDecoder, eight_bit_rule};
use super::frame_format::FrameFormat;
use super::snr_list::SnrList;
use super::words::{
    ChannelKind, CrcChoice, DecoderKind, FadingKind, FrameKind, GraphChoice, RuleChoice, StopKind,
};
use crate::experiment::{ConfigError, RunError, Tree};
use sememe_blocks::channel::{FadeProcess, FadingModel, Phases, Variation};
use sememe_blocks::coding::ldpc::decoder::{DecoderConfig, Rule, STEPS_PER_NAT, Stop};
use sememe_blocks::metric::StopRule;
use sememe_blocks::modem::{Demapping, SoftDemapper};
use sememe_blocks::{BlockError, Result};

/// Most transmissions of a frame.
const MOST_TRANSMISSIONS: usize = 64;

/// LLRs of the soft buffers of one chunk of frames: they stay near the core, and fill batches of the decoder.
const CHUNK_LLRS: usize = 1 << 21;

/// What is run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The configuration, resolved: read again, it gives the same setup.
    pub config: ErrorRateConfig,
    /// The frames.
    pub format: FrameFormat,
    /// Whether points are named by Eb/N0.
    pub is_ebn0: bool,
}

impl Setup {
    /// Reads and checks a configuration.
    ///
    /// - errors: in one line, with the key and what is possible
    pub fn read(tree: &Tree) -> Result<Self, RunError> {
        let config: ErrorRateConfig = tree.typed()?;
        Self::new(config).map_err(|error| match error {
            BlockError::InvalidParameter { name, found, allowed } if tree.table.contains_key(name) => {
                RunError::Config(tree.refuse_as(name, &found, allowed))
            }
            BlockError::InvalidParameter { name, allowed, .. } => {
                RunError::Config(tree.missing(name, allowed))
            }
            other => RunError::Config(ConfigError::Unreadable {
                origin: tree.origin().to_owned(),
                reason: other.to_string(),
            }),
        })
    }

    /// Checks a configuration and fills in what it leaves open.
    ///
    /// - errors: the first value that is not possible, under its key
    pub fn new(mut config: ErrorRateConfig) -> Result<Self> {
        if config.version != FORMAT_VERSION {
            return Err(BlockError::invalid("version", config.version, FORMAT_VERSION.to_string()));
        }
        check_snr(&config)?;
        let format = FrameFormat::new(&config)?;
        config.n = Some(format.sent_len);
        config.frame =
            if format.is_transport_block() { FrameKind::TransportBlock } else { FrameKind::CodeBlock };
        config.base_graph = GraphChoice(format.code().map(|code| code.base_graph()));
        config.crc = CrcChoice(format.crc);
        let is_coded = format.code().is_some();
        let demapping = if is_coded { Demapping::Exact } else { Demapping::MaxLog };
        config.demapping.get_or_insert(demapping);
        check_channel(&config)?;
        check_unused(&config)?;
        check_versions(&config)?;
        check_decoder(&mut config, &format)?;
        if config.frame_errors.is_none() && config.precision.is_none() {
            config.frame_errors = Some(100);
        }
        stop_rule(&config).check().map_err(|error| renamed(error, "relative_precision", "precision"))?;
        let setup = Self { is_ebn0: config.ebn0_db.is_some(), config, format };
        // What a decoder refuses is found before the run, not in it.
        setup.decoders().map_err(|error| renamed(error, "stop: length of the checked bits", "k"))?;
        Ok(setup)
    }

    /// Information bits of a frame: payload, and CRC bits where they count.
    pub fn information_bits(&self) -> f64 {
        let crc_bits = if self.config.count_crc { self.format.crc_bits() } else { 0 };
        (self.format.payload_len + crc_bits) as f64
    }

    /// Complex channel uses of one transmission.
    pub fn uses(&self) -> usize {
        self.format.sent_len / self.config.modulation.bits_per_symbol()
    }

    /// Information bits per complex channel use of one transmission.
    pub fn rate(&self) -> f64 {
        self.information_bits() / self.uses() as f64
    }

    /// Eb/N0 less Es/N0, in dB.
    pub fn ebn0_offset_db(&self) -> f64 {
        -10.0 * self.rate().log10()
    }

    /// Es/N0 and Eb/N0 of every point in dB, in the order of the run.
    pub fn points(&self) -> Vec<(f64, f64)> {
        let offset = self.ebn0_offset_db();
        match (&self.config.esn0_db, &self.config.ebn0_db) {
            (Some(SnrList(list)), _) => list.iter().map(|esn0| (*esn0, esn0 + offset)).collect(),
            (_, Some(SnrList(list))) => list.iter().map(|ebn0| (ebn0 - offset, *ebn0)).collect(),
            _ => vec![],
        }
    }

    /// Whether the receiver may ask again.
    pub fn repeats(&self) -> bool {
        self.config.redundancy_versions.len() > 1
    }

    /// When a point has seen enough.
    pub fn stop_rule(&self) -> StopRule {
        stop_rule(&self.config)
    }

    /// Distribution of the fades.
    pub fn fading_model(&self) -> FadingModel {
        match self.config.channel {
            ChannelKind::Awgn => FadingModel::Awgn,
            ChannelKind::Rayleigh => FadingModel::Rayleigh,
            ChannelKind::Rician => {
                let k_db = self.config.rician_k_db.unwrap_or_default();
                FadingModel::Rician { k_factor: 10f64.powf(k_db / 10.0) as f32 }
            }
        }
    }

    /// What makes the fades.
    pub(super) fn fades(&self) -> FadeProcess {
        let variation = match self.config.fading {
            FadingKind::Block => Variation::Block,
            FadingKind::Symbol => Variation::PerSymbol,
        };
        FadeProcess { model: self.fading_model(), variation, phases: Phases::Shared, doppler: None }
    }

    /// The demapper.
    pub(super) fn demapper(&self) -> SoftDemapper {
        SoftDemapper::new(self.config.modulation, self.config.demapping.unwrap_or(Demapping::Exact))
    }

    /// The decoder behind each transmission, with as many rows as the versions so far reach.
    pub(super) fn decoders(&self) -> Result<Vec<FrameDecoder>> {
        let (Some(code), Some(choice)) = (self.format.code(), self.config.rule) else { return Ok(vec![]) };
        let versions = &self.config.redundancy_versions;
        let iterations = self.config.iterations;
        let stop = match (self.config.stop, self.format.block_crc()) {
            (StopKind::Never, _) => Stop::Never,
            (StopKind::Crc, Some((crc, len))) => Stop::Crc { crc, len },
            _ => Stop::Codeword,
        };
        let decoder = |sent: usize| {
            let rows = self.format.parity_rows(&versions[..sent])?;
            match (self.config.decoder, eight_bit_rule(choice)) {
                (DecoderKind::MinSum, Some(rule)) => {
                    FrameDecoder::min_sum(code, rows, DecoderConfig { iterations, rule, stop })
                }
                _ => Ok(FrameDecoder::float(code, rows, iterations, choice)),
            }
        };
        (1..=versions.len()).map(decoder).collect()
    }

    /// Frames that are sent, decoded and judged together. It depends on nothing but the configuration.
    pub(super) fn chunk_len(&self) -> u64 {
        let soft: usize = self.format.soft().parts().map(<[f32]>::len).sum();
        let most = if self.config.decoder == DecoderKind::BeliefPropagation { 8 } else { 128 };
        let fitting = (CHUNK_LLRS / soft.max(1)).clamp(1, most);
        1 << fitting.ilog2()
    }

    /// The check rule as the decoder runs it: a factor or offset on bytes is rounded.
    pub(super) fn true_rule(&self) -> Option<RuleChoice> {
        let choice = self.config.rule?;
        match (self.config.decoder, eight_bit_rule(choice)) {
            (DecoderKind::MinSum, Some(Rule::Factor(factor))) => {
                Some(RuleChoice::Normalized(f64::from(factor) / 128.0))
            }
            (DecoderKind::MinSum, Some(Rule::Offset(offset))) => {
                let nats = f64::from(offset) / f64::from(STEPS_PER_NAT);
                Some(RuleChoice::Offset((nats * 1e4).round() / 1e4))
            }
            _ => Some(choice),
        }
    }
}

fn stop_rule(config: &ErrorRateConfig) -> StopRule {
    let ErrorRateConfig { frame_errors, max_frames, precision, .. } = *config;
    StopRule { frame_errors, max_frames, relative_precision: precision }
}

fn renamed(error: BlockError, from: &str, to: &'static str) -> BlockError {
    match error {
        BlockError::InvalidParameter { name, found, allowed } if name == from => {
            BlockError::invalid(to, found, allowed)
        }
        other => other,
    }
}

fn check_snr(config: &ErrorRateConfig) -> Result<()> {
    match (&config.esn0_db, &config.ebn0_db) {
        (Some(_), Some(_)) => {
            Err(BlockError::invalid("esn0_db", "given beside ebn0_db", "one of esn0_db and ebn0_db"))
        }
        (None, None) => Err(BlockError::invalid(
            "ebn0_db",
            "nothing",
            "ebn0_db or esn0_db, such as --ebn0 1:0.25:3 or ebn0_db = [1, 2, 3]",
        )),
        _ => Ok(()),
    }
}

fn check_channel(config: &ErrorRateConfig) -> Result<()> {
    match (config.channel, config.rician_k_db) {
        (ChannelKind::Rician, None) => Err(BlockError::invalid(
            "rician_k_db",
            "nothing",
            "a number of decibels with channel = \"rician\"",
        )),
        (ChannelKind::Rician, Some(k)) if k.is_nan() || k.abs() > 100.0 => {
            Err(BlockError::invalid("rician_k_db", k, "-100 to 100 dB"))
        }
        (ChannelKind::Awgn | ChannelKind::Rayleigh, Some(k)) => {
            Err(BlockError::invalid("rician_k_db", k, "nothing but with channel = \"rician\""))
        }
        _ => Ok(()),
    }
}

/// Refuses keys that would silently change nothing.
fn check_unused(config: &ErrorRateConfig) -> Result<()> {
    let uncoded = config.decoder == DecoderKind::None;
    let without = "nothing without a code: decoder = \"none\"";
    let unused = [
        (
            "fading",
            config.fading != FadingKind::Block && config.channel == ChannelKind::Awgn,
            "nothing with awgn",
        ),
        ("stop", config.stop != StopKind::default() && uncoded, without),
        ("iterations", config.iterations != DEFAULT_ITERATIONS && uncoded, without),
        ("limited_buffer", config.limited_buffer.is_some() && uncoded, without),
    ];
    match unused.into_iter().find(|(_, is_set, _)| *is_set) {
        Some((key, _, allowed)) => Err(BlockError::invalid(key, "set", allowed)),
        None => Ok(()),
    }
}

fn check_versions(config: &ErrorRateConfig) -> Result<()> {
    let versions = &config.redundancy_versions;
    let found = format!("{versions:?}");
    if !(1..=MOST_TRANSMISSIONS).contains(&versions.len()) || versions.iter().any(|version| *version > 3) {
        let allowed = format!("1 to {MOST_TRANSMISSIONS} numbers of 0 to 3, such as 0,2,3,1");
        return Err(BlockError::invalid("redundancy_versions", found, allowed));
    }
    if config.decoder == DecoderKind::None && versions[..] != [0] {
        return Err(BlockError::invalid("redundancy_versions", found, "[0] without a code"));
    }
    Ok(())
}

fn check_decoder(config: &mut ErrorRateConfig, format: &FrameFormat) -> Result<()> {
    if !(1..=1000).contains(&config.iterations) {
        return Err(BlockError::invalid("iterations", config.iterations, "1 to 1000"));
    }
    let stop = |found, allowed: &str| Err(BlockError::invalid("stop", format!("\"{found}\""), allowed));
    match (config.decoder, config.stop) {
        (DecoderKind::BeliefPropagation, StopKind::Crc) => stop("crc", "codeword with this decoder"),
        (DecoderKind::BeliefPropagation, StopKind::Never) => stop("never", "codeword with this decoder"),
        (DecoderKind::MinSum, StopKind::Crc) if format.block_crc().is_none() => {
            stop("crc", "codeword, never, or crc together with a CRC, such as --crc 24a")
        }
        _ => Ok(()),
    }?;
    match (config.decoder, config.rule) {
        (DecoderKind::None, Some(rule)) => {
            return Err(BlockError::invalid("rule", rule, "nothing without a decoder"));
        }
        (DecoderKind::MinSum, Some(RuleChoice::SumProduct)) => {
            return Err(BlockError::invalid(
                "rule",
                "sum-product",
                "pairwise, nms:0.75 or oms:0.5 with min-sum",
            ));
        }
        (DecoderKind::BeliefPropagation, Some(RuleChoice::Pairwise)) => {
            return Err(BlockError::invalid(
                "rule",
                "pairwise",
                "sum-product, nms:0.75 or oms:0.5 with this decoder",
            ));
        }
        (DecoderKind::MinSum, None) => config.rule = Some(RuleChoice::Pairwise),
        (DecoderKind::BeliefPropagation, None) => config.rule = Some(RuleChoice::SumProduct),
        _ => {}
    }
    Ok(())
}
