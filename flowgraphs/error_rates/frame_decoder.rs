//! The decoders behind one door: many code blocks in, bits and verdicts out.

use super::words::RuleChoice;
use sememe_blocks::coding::ldpc::LdpcCode;
use sememe_blocks::coding::ldpc::belief_propagation::{BeliefPropagation, CheckRule, Order};
use sememe_blocks::coding::ldpc::decoder::{DecoderConfig, LdpcDecoder, Outcome, Rule, STEPS_PER_NAT};
use sememe_blocks::{BlockError, Result};

/// A decoder of the code blocks of one format, for a number of rows.
pub enum FrameDecoder {
    /// Layered min-sum on 8-bit LLRs.
    MinSum(Box<LdpcDecoder>),
    /// Layered belief propagation in floating point.
    Float {
        /// The code.
        code: LdpcCode,
        /// Rows in use.
        rows: usize,
        /// Iterations at most.
        iterations: usize,
        /// The check node.
        rule: CheckRule,
    },
}

impl FrameDecoder {
    /// Min-sum.
    pub fn min_sum(code: &LdpcCode, rows: usize, config: DecoderConfig) -> Result<Self> {
        Ok(Self::MinSum(Box::new(LdpcDecoder::new(code, rows, config)?)))
    }

    /// Belief propagation.
    pub fn float(code: &LdpcCode, rows: usize, iterations: usize, rule: RuleChoice) -> Self {
        let rule = match rule {
            RuleChoice::Normalized(factor) => CheckRule::Normalized(factor),
            RuleChoice::Offset(offset) => CheckRule::Offset(offset),
            // The setup refuses the pairwise rule here: it approximates the exact one.
            RuleChoice::SumProduct | RuleChoice::Pairwise => CheckRule::SumProduct,
        };
        Self::Float { code: code.clone(), rows, iterations, rule }
    }

    /// Bits that it decides in each block, filler included.
    pub fn information_len(&self) -> usize {
        match self {
            Self::MinSum(decoder) => decoder.information_len(),
            Self::Float { code, .. } => code.information_len(),
        }
    }

    /// Decides on blocks.
    ///
    /// - soft: LLRs of whole codewords
    /// - bits: `[blocks, information_len]`, replaced
    pub fn decode(&mut self, soft: &[&[f32]], bits: &mut Vec<u8>) -> Result<Vec<Outcome>> {
        bits.resize(soft.len() * self.information_len(), 0);
        match self {
            Self::MinSum(decoder) => decoder.decode_many(soft, bits),
            Self::Float { code, rows, iterations, rule } => {
                let decoder = BeliefPropagation {
                    code,
                    rows: *rows,
                    iterations: *iterations,
                    rule: *rule,
                    order: Order::Layered,
                };
                let len = code.information_len();
                soft.iter()
                    .zip(bits.chunks_exact_mut(len))
                    .map(|(llrs, bits)| float(&decoder, llrs, bits))
                    .collect()
            }
        }
    }
}

/// One block through belief propagation.
fn float(decoder: &BeliefPropagation<'_>, llrs: &[f32], bits: &mut [u8]) -> Result<Outcome> {
    let code = decoder.code;
    let len = (code.base_graph().information_columns() + decoder.rows) * code.lifting_size();
    let used =
        llrs.get(..len).ok_or_else(|| BlockError::shape("LLRs", format!("at least {len}"), llrs.len()))?;
    let (posterior, outcome) = decoder.decode(&used.iter().map(|llr| f64::from(*llr)).collect::<Vec<_>>())?;
    bits.iter_mut().zip(&posterior).for_each(|(bit, llr)| *bit = u8::from(*llr < 0.0));
    Ok(outcome)
}

/// The rule of the 8-bit decoder that is nearest to a choice; `None` for one that it does not have.
pub fn eight_bit_rule(rule: RuleChoice) -> Option<Rule> {
    // Both casts saturate, and what is below the smallest step counts as that step.
    match rule {
        RuleChoice::Normalized(factor) => {
            Some(Rule::Factor((factor * 128.0).round().clamp(1.0, 127.0) as i8))
        }
        RuleChoice::Offset(offset) => Some(Rule::Offset((offset * f64::from(STEPS_PER_NAT)).round() as i8)),
        RuleChoice::Pairwise => Some(Rule::Pairwise),
        RuleChoice::SumProduct => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sememe_blocks::coding::CodeBlock;
    use sememe_blocks::coding::ldpc::BaseGraph;

    #[test]
    fn both_decoders_repair_a_few_wrong_bits() {
        let mut block = CodeBlock::new(BaseGraph::Two, 100, 1).unwrap();
        let sent: Vec<u8> = (0..100).map(|i| u8::from(i * i % 7 < 3)).collect();
        let mut coded = vec![0; 300];
        block.encode(&sent, 0, &mut coded).unwrap();
        let mut llrs: Vec<f32> = coded.iter().map(|bit| 4.0 - 8.0 * f32::from(*bit)).collect();
        [3, 90, 200].into_iter().for_each(|place| llrs[place] = -llrs[place]);
        let mut soft = block.soft_buffer();
        block.combine(&llrs, 0, &mut soft).unwrap();
        let rows = block.rate_matcher().parity_rows(300, 0).unwrap();
        let fast = FrameDecoder::min_sum(block.code(), rows, DecoderConfig::default()).unwrap();
        let float = FrameDecoder::float(block.code(), rows, 20, RuleChoice::SumProduct);
        for mut decoder in [fast, float] {
            let mut bits = vec![];
            let outcomes = decoder.decode(&[&soft, &soft], &mut bits).unwrap();
            assert!(outcomes.iter().all(|outcome| outcome.passed && outcome.iterations > 0));
            assert!(bits.chunks_exact(decoder.information_len()).all(|bits| bits[..100] == sent));
        }
    }

    #[test]
    fn rules_are_rounded_to_what_bytes_hold() {
        assert_eq!(eight_bit_rule(RuleChoice::Normalized(0.75)), Some(Rule::Factor(96)));
        assert_eq!(eight_bit_rule(RuleChoice::Normalized(0.999)), Some(Rule::Factor(127)));
        assert_eq!(eight_bit_rule(RuleChoice::Offset(1.0)), Some(Rule::Offset(STEPS_PER_NAT as i8)));
        assert_eq!(eight_bit_rule(RuleChoice::SumProduct), None);
    }
}
