//! What a frame is made of: payload, CRC, code blocks, and the bits of a transmission.

use super::config::ErrorRateConfig;
use super::words::{DecoderKind, FrameKind};
use sememe_blocks::coding::ldpc::{BaseGraph, LdpcCode};
use sememe_blocks::coding::rate_match::RateMatcher;
use sememe_blocks::coding::segmentation::{MAX_INPUT_LEN, Segmentation};
use sememe_blocks::coding::transport_block::MAX_CODED_LEN;
use sememe_blocks::coding::{CodeBlock, Crc, SoftBlocks, TransportBlock, TransportConfig};
use sememe_blocks::{BlockError, Result};

/// Sender and receiver of the frames of one run, but for the decoder.
#[derive(Clone, Debug)]
pub struct FrameFormat {
    /// Payload bits, k.
    pub payload_len: usize,
    /// Bits of one transmission, n.
    pub sent_len: usize,
    /// The CRC behind the payload.
    pub crc: Option<Crc>,
    /// The code.
    pub coding: Coding,
}

/// How bits are protected.
#[derive(Clone, Debug)]
pub enum Coding {
    /// Not at all.
    None,
    /// One code block.
    Block(Box<CodeBlock>),
    /// A transport block.
    Transport(Box<TransportBlock>),
}

/// LLRs of a frame, over all its transmissions.
#[derive(Clone, Debug)]
pub enum Soft {
    /// One part: the sent bits without a code, else the codeword.
    One(Vec<f32>),
    /// The codewords of a transport block.
    Many(SoftBlocks),
}

impl FrameFormat {
    /// Prepares what a configuration asks for.
    ///
    /// - errors: the first of k, n and their companions that is not possible, with what is
    pub fn new(config: &ErrorRateConfig) -> Result<Self> {
        let payload_len = config.k;
        if !(1..=MAX_INPUT_LEN - 24).contains(&payload_len) {
            return Err(BlockError::invalid("k", payload_len, format!("1 to {}", MAX_INPUT_LEN - 24)));
        }
        if config.decoder == DecoderKind::None {
            return Self::uncoded(config);
        }
        let Some(sent_len) = config.n else {
            let allowed = format!("a number of bits such as {}, twice k", 2 * payload_len);
            return Err(BlockError::invalid("n", "nothing", allowed));
        };
        let crc_len = config.crc.0.map_or(0, Crc::num_bits);
        let rate = payload_len as f64 / sent_len.max(1) as f64;
        let graph = config.base_graph.0.unwrap_or_else(|| BaseGraph::choose(payload_len, rate));
        let fits = payload_len + crc_len <= graph.max_block_len();
        match config.frame {
            FrameKind::TransportBlock => Self::transport_block(config, sent_len, graph),
            FrameKind::Auto if !fits => Self::transport_block(config, sent_len, graph),
            _ if !fits => {
                let allowed = format!(
                    "1 to {} in one code block of this base graph and CRC, or frame = \"transport-block\"",
                    graph.max_block_len() - crc_len
                );
                Err(BlockError::invalid("k", payload_len, allowed))
            }
            _ => Self::code_block(config, sent_len, graph),
        }
    }

    fn uncoded(config: &ErrorRateConfig) -> Result<Self> {
        let crc = config.crc.0;
        let len = config.k + crc.map_or(0, Crc::num_bits);
        let order = config.modulation.bits_per_symbol();
        let without = len - config.k;
        if config.n.is_some_and(|n| n != len) {
            let allowed = format!("{len} without a code (k and its CRC bits), or nothing");
            return Err(BlockError::invalid("n", config.n.unwrap_or_default(), allowed));
        }
        if !len.is_multiple_of(order) {
            let (below, above) = nearest_multiples(len, order);
            let mut fitting: Vec<String> =
                [below, above].iter().filter(|l| **l > without).map(|l| (l - without).to_string()).collect();
            fitting.dedup();
            let allowed = format!(
                "a number that fills symbols of {order} bits ({}) without a code, such as {}",
                config.modulation,
                fitting.join(" or ")
            );
            return Err(BlockError::invalid("k", config.k, allowed));
        }
        if config.limited_buffer.is_some() {
            let found = config.limited_buffer.unwrap_or_default();
            return Err(BlockError::invalid("limited_buffer", found, "nothing without a code"));
        }
        Ok(Self { payload_len: config.k, sent_len: len, crc, coding: Coding::None })
    }

    fn code_block(config: &ErrorRateConfig, sent_len: usize, graph: BaseGraph) -> Result<Self> {
        let block_len = config.k + config.crc.0.map_or(0, Crc::num_bits);
        let order = config.modulation.bits_per_symbol();
        check_sent_len(config, sent_len, block_len)?;
        let whole = CodeBlock::new(graph, block_len, order)?;
        let block = match config.limited_buffer {
            None => whole,
            Some(limit) => {
                CodeBlock::with_code(whole.code(), block_len, order, Some(limit)).map_err(limit_refused)?
            }
        };
        let coding = Coding::Block(Box::new(block));
        Ok(Self { payload_len: config.k, sent_len, crc: config.crc.0, coding })
    }

    fn transport_block(config: &ErrorRateConfig, sent_len: usize, graph: BaseGraph) -> Result<Self> {
        let payload_len = config.k;
        // The target rate of a transport block has no other use than to choose the base graph.
        let code_rate =
            [0.2, 0.5, 0.9].into_iter().find(|rate| BaseGraph::choose(payload_len, *rate) == graph);
        let Some(code_rate) = code_rate else {
            return Err(BlockError::invalid(
                "base_graph",
                1,
                "2 or auto for a transport block of so few bits",
            ));
        };
        let transport = TransportConfig {
            payload_len,
            coded_len: sent_len,
            code_rate,
            modulation_order: config.modulation.bits_per_symbol(),
            num_layers: 1,
            limited_buffer: config.limited_buffer,
            scrambling: None,
        };
        let crc = transport.crc();
        if config.crc.0.is_some_and(|chosen| chosen != crc) {
            let name = super::words::CrcChoice(Some(crc));
            let allowed =
                format!("{name} or none for a transport block of this length, which has its own CRC");
            return Err(BlockError::invalid("crc", config.crc, allowed));
        }
        let with_crc = payload_len + crc.num_bits();
        let Ok(split) = Segmentation::new(graph, with_crc) else {
            let fits = |len: &usize| Segmentation::new(graph, len + crc.num_bits()).is_ok();
            let lens = [(1..payload_len).rev().find(fits), (payload_len..MAX_INPUT_LEN - 24).find(fits)];
            let lens: Vec<String> = lens.iter().flatten().map(usize::to_string).collect();
            let allowed =
                format!("a payload that splits into equal code blocks, such as {}", lens.join(" or "));
            return Err(BlockError::invalid("k", payload_len, allowed));
        };
        check_sent_len(config, sent_len, split.num_blocks() * split.block_len())?;
        let coding = Coding::Transport(Box::new(TransportBlock::new(transport).map_err(limit_refused)?));
        Ok(Self { payload_len, sent_len, crc: Some(crc), coding })
    }

    /// The LDPC code, if any.
    pub fn code(&self) -> Option<&LdpcCode> {
        match &self.coding {
            Coding::None => None,
            Coding::Block(block) => Some(block.code()),
            Coding::Transport(block) => Some(block.code()),
        }
    }

    /// Whether a frame is a transport block.
    pub fn is_transport_block(&self) -> bool {
        matches!(self.coding, Coding::Transport(_))
    }

    /// Code blocks of a frame; 1 without a code.
    pub fn num_blocks(&self) -> usize {
        match &self.coding {
            Coding::Transport(block) => block.segmentation().num_blocks(),
            _ => 1,
        }
    }

    /// CRC bits of a frame, those of code blocks included.
    pub fn crc_bits(&self) -> usize {
        let of_blocks = if self.num_blocks() > 1 { self.num_blocks() * Crc::Crc24B.num_bits() } else { 0 };
        self.crc.map_or(0, Crc::num_bits) + of_blocks
    }

    /// The CRC that ends each code block, and the bits of a code block with it.
    pub fn block_crc(&self) -> Option<(Crc, usize)> {
        let block_len = (self.payload_len + self.crc_bits()) / self.num_blocks();
        let crc = if self.num_blocks() > 1 { Some(Crc::Crc24B) } else { self.crc };
        crc.map(|crc| (crc, block_len))
    }

    /// Rows of the base graph that the bits of these redundancy versions reach.
    ///
    /// - errors: a version above 3
    pub fn parity_rows(&self, versions: &[u8]) -> Result<usize> {
        let rows = |version: &u8| match &self.coding {
            Coding::None => Ok(0),
            Coding::Block(block) => block.rate_matcher().parity_rows(self.sent_len, *version),
            Coding::Transport(block) => {
                let longest = block.sent_lens().iter().max().copied().unwrap_or(0);
                let (block_len, limit) = (block.segmentation().block_len(), block.config().limited_buffer);
                RateMatcher::new(block.code(), block_len, limit)?.parity_rows(longest, *version)
            }
        };
        versions.iter().map(rows).try_fold(0, |most, rows| Ok(most.max(rows?)))
    }

    /// A soft buffer before anything is received.
    pub fn soft(&self) -> Soft {
        match &self.coding {
            Coding::None => Soft::One(vec![0.0; self.sent_len]),
            Coding::Block(block) => Soft::One(block.soft_buffer()),
            Coding::Transport(block) => Soft::Many(block.soft_blocks()),
        }
    }
}

impl Soft {
    /// The LLRs of each code block.
    pub fn parts(&self) -> impl Iterator<Item = &[f32]> {
        let (one, many) = match self {
            Soft::One(llrs) => (Some(llrs.as_slice()), None),
            Soft::Many(blocks) => (None, Some(blocks.blocks())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    /// Takes over what another buffer of the same format holds.
    pub fn copy_from(&mut self, other: &Soft) {
        match (self, other) {
            (Soft::One(to), Soft::One(from)) => to.copy_from_slice(from),
            (Soft::Many(to), Soft::Many(from)) => {
                to.blocks_mut().zip(from.blocks()).for_each(|(to, from)| to.copy_from_slice(from));
            }
            (to, from) => *to = from.clone(),
        }
    }
}

fn check_sent_len(config: &ErrorRateConfig, sent_len: usize, least: usize) -> Result<()> {
    let order = config.modulation.bits_per_symbol();
    let least = least.next_multiple_of(order);
    if sent_len.is_multiple_of(order) && (least..=MAX_CODED_LEN).contains(&sent_len) {
        return Ok(());
    }
    let (below, above) = nearest_multiples(sent_len.min(MAX_CODED_LEN), order);
    let near = [below, above].map(|len| len.max(least).min(MAX_CODED_LEN / order * order));
    let near = if near[0] == near[1] { near[0].to_string() } else { format!("{} or {}", near[0], near[1]) };
    let allowed = format!(
        "a multiple of {order} (bits per symbol of {}) from {least} (rate 1: k with its CRC bits) to \
         {MAX_CODED_LEN}, such as {near}",
        config.modulation
    );
    Err(BlockError::invalid("n", sent_len, allowed))
}

fn nearest_multiples(len: usize, order: usize) -> (usize, usize) {
    (len / order * order, len.next_multiple_of(order))
}

/// Names the option where the block speaks of its own parameter.
fn limit_refused(error: BlockError) -> BlockError {
    match error {
        BlockError::InvalidParameter { name: "limited buffer", found, allowed } => {
            BlockError::invalid("limited_buffer", found, allowed)
        }
        other => other,
    }
}
