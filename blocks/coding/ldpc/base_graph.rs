//! The two base graphs and the choice between them.

/// Base graph of the LDPC code: one for long blocks at high rates, the other for short blocks and low rates.
/// Source: 3GPP TS 38.212, section 5.3.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BaseGraph {
    /// Base graph 1: 46 rows, 68 columns, 22 of them information; mother code rate 1/3.
    One,
    /// Base graph 2: 42 rows, 52 columns, 10 of them information; mother code rate 1/5.
    Two,
}

impl BaseGraph {
    /// Both of them.
    pub const ALL: [BaseGraph; 2] = [BaseGraph::One, BaseGraph::Two];

    /// The base graph of a transport block of `payload_bits` bits (without its CRC) at a target code rate.
    /// Source: 3GPP TS 38.212, section 7.2.2 (downlink) and 6.2.2 (uplink).
    pub fn choose(payload_bits: usize, rate: f64) -> Self {
        if payload_bits <= 292 || (payload_bits <= 3824 && rate <= 0.67) || rate <= 0.25 {
            BaseGraph::Two
        } else {
            BaseGraph::One
        }
    }

    /// Rows, each a check on every lane.
    pub const fn num_rows(self) -> usize {
        match self {
            BaseGraph::One => 46,
            BaseGraph::Two => 42,
        }
    }

    /// Columns: information, then parity.
    pub const fn num_columns(self) -> usize {
        self.information_columns() + self.num_rows()
    }

    /// Columns that hold information; the first two of them are never sent.
    pub const fn information_columns(self) -> usize {
        match self {
            BaseGraph::One => 22,
            BaseGraph::Two => 10,
        }
    }

    /// Most bits of one code block, its CRC included. Source: 3GPP TS 38.212, section 5.2.2.
    pub const fn max_block_len(self) -> usize {
        self.information_columns() * 384
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_turns_at_the_limits_of_the_standard() {
        for (payload_bits, rate, base_graph) in [
            (292, 0.95, BaseGraph::Two),
            (293, 0.95, BaseGraph::One),
            (3824, 0.67, BaseGraph::Two),
            (3824, 0.671, BaseGraph::One),
            (3825, 0.67, BaseGraph::One),
            (100_000, 0.25, BaseGraph::Two),
            (100_000, 0.251, BaseGraph::One),
        ] {
            assert_eq!(BaseGraph::choose(payload_bits, rate), base_graph, "{payload_bits} at {rate}");
        }
    }

    #[test]
    fn dimensions_are_those_of_the_standard() {
        assert_eq!(BaseGraph::ALL.map(BaseGraph::num_rows), [46, 42]);
        assert_eq!(BaseGraph::ALL.map(BaseGraph::num_columns), [68, 52]);
        assert_eq!(BaseGraph::ALL.map(BaseGraph::max_block_len), [8448, 3840]);
    }
}
