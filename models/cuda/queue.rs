//! What programs for a GPU are made of: memory, kernels that are launched one after the other, and matrix
//! products. A [`Queue`] carries them out: a GPU, or, in tests, the processor.

use candle_core::{Result, bail};

/// Where values stand in the memory of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(pub u64);

impl Address {
    /// No memory: kernels leave out what they would read there.
    pub const NONE: Self = Self(0);

    /// The address `values` f32 values on.
    pub fn at(self, values: usize) -> Self {
        Self(self.0 + 4 * values as u64)
    }
}

/// How values of an array are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stored {
    /// 32-bit floating point.
    #[default]
    F32,
    /// The upper half of one: 8 bits of exponent, 7 of mantissa.
    Bf16,
}

impl Stored {
    /// f32 values whose memory holds `len` values.
    pub fn room(self, len: usize) -> usize {
        match self {
            Self::F32 => len,
            Self::Bf16 => len.div_ceil(2),
        }
    }

    /// The kernel of a family that comes for each type.
    pub fn pick(self, names: [&'static str; 2]) -> &'static str {
        names[(self == Self::Bf16) as usize]
    }
}

/// An argument of a kernel.
#[derive(Clone, Copy, Debug)]
pub enum Argument {
    /// A pointer.
    Address(u64),
    /// An `int`.
    Int(i32),
    /// A `float`.
    Float(f32),
}

impl From<Address> for Argument {
    fn from(address: Address) -> Self {
        Self::Address(address.0)
    }
}

impl From<f32> for Argument {
    fn from(value: f32) -> Self {
        Self::Float(value)
    }
}

impl From<bool> for Argument {
    fn from(value: bool) -> Self {
        Self::Int(value as i32)
    }
}

/// A size as a kernel takes it.
///
/// - errors: more than 2^31 - 1, beyond what kernels count
pub fn int(size: usize) -> Result<Argument> {
    match i32::try_from(size) {
        Ok(size) => Ok(Argument::Int(size)),
        Err(_) => bail!("a size of {size} is beyond what kernels on a GPU count: allowed is 2147483647"),
    }
}

/// Blocks of a launch along each axis; every block has [`LANES`] x [`ROWS`] threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid(pub [u32; 3]);

/// Threads of a block along x: neighbouring values in memory.
pub const LANES: usize = 32;
/// Threads of a block along y.
pub const ROWS: usize = 8;
/// Most blocks along y and z; kernels stride over what is left.
const MOST_BLOCKS: usize = 65_535;

impl Grid {
    /// Enough blocks for `columns` values side by side, `rows` rows of them, `layers` times; never none.
    pub fn over(columns: usize, rows: usize, layers: usize) -> Self {
        let blocks = |count: usize, most: usize| count.clamp(1, most) as u32;
        Self([
            blocks(columns.div_ceil(LANES), i32::MAX as usize),
            blocks(rows.div_ceil(ROWS), MOST_BLOCKS),
            blocks(layers, MOST_BLOCKS),
        ])
    }

    /// Enough blocks for `len` values in one row.
    pub fn flat(len: usize) -> Self {
        Self([len.div_ceil(LANES * ROWS).clamp(1, i32::MAX as usize) as u32, 1, 1])
    }
}

/// A matrix in memory, row-major and without gaps.
#[derive(Clone, Copy, Debug)]
pub struct Matrix {
    /// Its first value.
    pub address: Address,
    /// How values are stored.
    pub stored: Stored,
    /// Whether its transpose is meant.
    pub is_transposed: bool,
}

impl Matrix {
    /// An f32 matrix.
    pub fn new(address: Address) -> Self {
        Self { address, stored: Stored::F32, is_transposed: false }
    }

    /// The same memory holding values of another type.
    pub fn stored(self, stored: Stored) -> Self {
        Self { stored, ..self }
    }

    /// The transposed view.
    pub fn transposed(self) -> Self {
        Self { is_transposed: !self.is_transposed, ..self }
    }
}

/// out = a b, or out += a b; a `[rows, inner]`, b `[inner, columns]`.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// Rows of a and of the result.
    pub rows: usize,
    /// Columns of a, rows of b.
    pub inner: usize,
    /// Columns of b and of the result.
    pub columns: usize,
    /// Whether the result is added to what stands there.
    pub adds: bool,
    /// Whether operands may be rounded to 10 bits of mantissa.
    pub may_round: bool,
}

/// Carries out launches and products in the order in which they are given.
pub trait Queue {
    /// Memory that is freed when dropped, after what was queued before.
    type Memory;

    /// Memory for `values` f32 values, with whatever stood there.
    fn reserve(&self, values: usize) -> Result<Self::Memory>;

    /// Where memory begins.
    fn address(&self, memory: &Self::Memory) -> Address;

    /// Queues a kernel.
    fn launch(&self, kernel: &'static str, grid: Grid, arguments: &[Argument]) -> Result<()>;

    /// Queues a matrix product. Both operands are of one type.
    fn product(&self, product: Product, a: Matrix, b: Matrix, out: Matrix) -> Result<()>;
}

/// out = a b in f32, the operands rounded where that is allowed.
pub fn multiply<Q: Queue>(
    queue: &Q,
    [rows, inner, columns]: [usize; 3],
    (a, b): (Matrix, Matrix),
    out: Address,
    (adds, may_round): (bool, bool),
) -> Result<()> {
    queue.product(Product { rows, inner, columns, adds, may_round }, a, b, Matrix::new(out))
}
