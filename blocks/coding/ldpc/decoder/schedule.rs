//! Where the layers of one code find the lanes they need: rotations worked out in advance.
//!
//! The posterior LLRs of a column stand rotated as the last layer left them, once in each of two buffers
//! that layers read from and write to in turn, so that a layer reads registers at any offset, writes them
//! aligned, and never meets what it has just written. A buffer repeats its first register behind its last
//! lane: a register that begins at any lane is one load, and lanes beyond the lifting size are copies.

use crate::coding::ldpc::LdpcCode;

/// Where an edge's lanes stand in one layer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Step {
    /// Of the first register to be written.
    pub to: u32,
    /// Of the repetition behind the last lane.
    pub repeat: u32,
}

/// One row of the base graph.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Edges of a check.
    pub degree: usize,
    /// First register of its messages.
    pub messages: usize,
    /// First of its steps, and of its sources (`degree` for each register of lanes).
    pub first_edge: usize,
}

/// The layout of one code for registers of `lanes` bytes.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// All layers in order.
    pub layers: Vec<Layer>,
    /// Registers of a column.
    pub registers: usize,
    /// By parity of the iteration, for each edge in order.
    pub steps: [Vec<Step>; 2],
    /// By parity of the iteration, layer, register and edge: where to read.
    pub sources: [Vec<u32>; 2],
    /// The same for reading all columns between iterations, for the check of the whole word: by parity of
    /// the number of iterations done.
    pub audit: [Vec<u32>; 2],
    /// Lifting size.
    pub size: usize,
    /// Columns that hold information, the first ones.
    pub information_columns: usize,
    /// Of each column: rotation between iterations, and its buffer by parity of the iterations done.
    pub columns: Vec<Resting>,
    /// Bytes of all buffers.
    pub len: usize,
    /// Registers of messages.
    pub num_messages: usize,
}

/// A column between iterations.
#[derive(Clone, Copy, Debug)]
pub struct Resting {
    /// Lane i holds bit (i + rotation) mod Z.
    pub rotation: usize,
    /// Where its buffer begins, by parity of the iterations done.
    pub start: [usize; 2],
}

impl Schedule {
    /// Lays out the rows of a code in this order: some permutation of the first ones.
    pub fn new(code: &LdpcCode, order: &[usize], lanes: usize) -> Self {
        let rows = order.len();
        let size = code.lifting_size();
        let registers = size.div_ceil(lanes);
        let num_columns = code.base_graph().information_columns() + rows;
        let stride = (size + lanes).max(registers * lanes).next_multiple_of(lanes);
        let buffer = |column: usize, side: usize| (2 * column + side) * stride;

        let mut columns = vec![Resting { rotation: 0, start: [0, 0] }; num_columns];
        let mut visits = vec![0usize; num_columns];
        for entry in order.iter().flat_map(|row| code.row(*row)) {
            columns[usize::from(entry.column)].rotation = usize::from(entry.shift);
            visits[usize::from(entry.column)] += 1;
        }
        for (column, resting) in columns.iter_mut().enumerate() {
            resting.start = [buffer(column, 0), buffer(column, visits[column] % 2)];
        }

        let (mut layers, mut num_messages, mut first_edge) = (Vec::new(), 0, 0);
        for row in order {
            let degree = code.row(*row).len();
            layers.push(Layer { degree, messages: num_messages, first_edge });
            num_messages += degree * registers;
            first_edge += degree;
        }

        let mut state: Vec<(usize, usize)> = columns.iter().map(|column| (column.rotation, 0)).collect();
        let (mut steps, mut sources, mut audit) = ([vec![], vec![]], [vec![], vec![]], [vec![], vec![]]);
        let offset = |(rotation, side): (usize, usize), column: usize, shift: usize, register: usize| {
            let lane = (shift + size - rotation + register * lanes) % size;
            (buffer(column, side) + lane) as u32
        };
        for parity in 0..2 {
            for row in order {
                for register in 0..registers {
                    for entry in code.row(*row) {
                        let (column, shift) = (usize::from(entry.column), usize::from(entry.shift));
                        sources[parity].push(offset(state[column], column, shift, register));
                        let resting = (columns[column].rotation, (parity * visits[column]) % 2);
                        audit[parity].push(offset(resting, column, shift, register));
                    }
                }
                for entry in code.row(*row) {
                    let column = usize::from(entry.column);
                    state[column] = (usize::from(entry.shift), 1 - state[column].1);
                    let to = buffer(column, state[column].1);
                    steps[parity].push(Step { to: to as u32, repeat: (to + size) as u32 });
                }
            }
        }
        Self {
            layers,
            registers,
            steps,
            sources,
            audit,
            size,
            information_columns: code.base_graph().information_columns(),
            columns,
            len: 2 * num_columns * stride,
            num_messages,
        }
    }
}
