//! The shift values of both base graphs.

mod one;
mod two;

use super::BaseGraph;

/// One edge of a base graph: row, column, shift under each of the eight set indices, not yet modulo the
/// lifting size.
pub(super) type Edge = (u8, u8, [u16; 8]);

/// All edges of a base graph, ascending by row, then by column.
pub(super) fn edges(base_graph: BaseGraph) -> &'static [Edge] {
    match base_graph {
        BaseGraph::One => &one::EDGES,
        BaseGraph::Two => &two::EDGES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coding::ldpc::lifting::LIFTING_SIZES;

    #[test]
    fn edges_ascend_and_end_in_the_last_row_and_column() {
        for base_graph in BaseGraph::ALL {
            let edges = edges(base_graph);
            assert!(edges.windows(2).all(|pair| (pair[0].0, pair[0].1) < (pair[1].0, pair[1].1)));
            let last = edges[edges.len() - 1];
            assert_eq!((usize::from(last.0) + 1, usize::from(last.1) + 1), {
                (base_graph.num_rows(), base_graph.num_columns())
            });
        }
    }

    #[test]
    fn shifts_stay_below_the_largest_lifting_size_of_their_set() {
        for (_, _, shifts) in BaseGraph::ALL.iter().flat_map(|base_graph| edges(*base_graph)) {
            for (set, shift) in shifts.iter().enumerate() {
                let odd = if set == 0 { 2 } else { 2 * set + 1 };
                let of_set = |size: &&usize| size.is_multiple_of(odd) && (**size / odd).is_power_of_two();
                assert!(usize::from(*shift) < *LIFTING_SIZES.iter().rfind(of_set).unwrap());
            }
        }
    }

    #[test]
    fn parity_columns_after_the_fourth_have_one_edge_without_shift() {
        for base_graph in BaseGraph::ALL {
            for row in 4..base_graph.num_rows() {
                let column = base_graph.information_columns() + row;
                let own: Vec<_> =
                    edges(base_graph).iter().filter(|edge| usize::from(edge.1) == column).collect();
                assert_eq!(own.len(), 1);
                assert_eq!((usize::from(own[0].0), own[0].2), (row, [0; 8]));
            }
        }
    }
}
