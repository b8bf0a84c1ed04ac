//! A queue on the processor: kernels run thread by thread, products by their definition. Slow, for tests.
//!
//! What it finds: wrong results, reads of memory that nothing wrote (memory starts as NaN), barriers that are
//! missing or that not all threads meet. What it cannot: what depends on a GPU's own arithmetic or timing.

mod library;

use super::queue::{Address, Argument, Grid, Matrix, Product, Queue, Stored};
use crate::ops::buffers::to_vec;
use crate::ops::testing::noise;
use candle_core::{Error, Result, Tensor, Var};
use library::Library;
use std::cell::{Cell, UnsafeCell};

/// The queue.
pub struct Emulator {
    library: &'static Library,
    backwards: Cell<bool>,
}

/// Values in its memory.
pub struct Memory(Box<[UnsafeCell<f32>]>);

impl Memory {
    fn new(values: impl IntoIterator<Item = f32>) -> Self {
        Self(values.into_iter().map(UnsafeCell::new).collect())
    }

    /// Where the values stand.
    pub fn address(&self) -> Address {
        Address(self.0.as_ptr() as u64)
    }

    /// The values.
    pub fn values(&self) -> Vec<f32> {
        // SAFETY: nothing runs while the queue is not called.
        self.0.iter().map(|value| unsafe { *value.get() }).collect()
    }
}

impl Emulator {
    /// The queue, or nothing, said on the terminal, where no C++ compiler is found.
    pub fn shared() -> Option<Self> {
        match Library::shared() {
            Ok(library) => Some(Self { library, backwards: Cell::new(false) }),
            Err(reason) => {
                eprintln!("skipped: kernels cannot be compiled for the processor: {reason}");
                None
            }
        }
    }

    /// A tensor's values in the queue's memory.
    pub fn upload(&self, tensor: &Tensor) -> Memory {
        Memory::new(to_vec(tensor).unwrap())
    }

    /// What a program leaves in `len` values; must be the same for both orders of threads.
    pub fn run(&self, len: usize, mut program: impl FnMut(&Self, Address) -> Result<()>) -> Vec<f32> {
        let mut once = |backwards: bool| {
            self.backwards.set(backwards);
            let out = Memory::new(std::iter::repeat_n(f32::NAN, len));
            program(self, out.address()).unwrap();
            out.values()
        };
        let (forwards, backwards) = (once(false), once(true));
        let same = forwards.iter().zip(&backwards).all(|(a, b)| a.to_bits() == b.to_bits());
        assert!(same, "the order of threads changes the result: a barrier is missing");
        forwards
    }
}

/// Reads and writes values of either type.
struct Values(Matrix);

impl Values {
    fn get(&self, at: usize) -> f32 {
        let base = self.0.address.0;
        // SAFETY: the sizes of a product cover the memory behind its matrices.
        unsafe {
            match self.0.stored {
                Stored::F32 => *(base as *const f32).add(at),
                Stored::Bf16 => f32::from_bits(u32::from(*(base as *const u16).add(at)) << 16),
            }
        }
    }

    fn set(&self, at: usize, value: f32) {
        let base = self.0.address.0;
        // SAFETY: as above, and nothing else runs.
        unsafe {
            match self.0.stored {
                Stored::F32 => *(base as *mut f32).add(at) = value,
                Stored::Bf16 => *(base as *mut u16).add(at) = half::bf16::from_f32(value).to_bits(),
            }
        }
    }
}

impl Queue for Emulator {
    type Memory = Memory;

    fn reserve(&self, values: usize) -> Result<Memory> {
        Ok(Memory::new(std::iter::repeat_n(f32::NAN, values)))
    }

    fn address(&self, memory: &Memory) -> Address {
        memory.address()
    }

    fn launch(&self, kernel: &'static str, grid: Grid, arguments: &[Argument]) -> Result<()> {
        self.library.launch(kernel, grid, arguments, self.backwards.get()).map_err(Error::Msg)
    }

    fn product(&self, p: Product, a: Matrix, b: Matrix, out: Matrix) -> Result<()> {
        assert_eq!(a.stored, b.stored, "operands of one type");
        let (x, y, z) = (Values(a), Values(b), Values(out));
        for (row, column) in (0..p.rows).flat_map(|row| (0..p.columns).map(move |column| (row, column))) {
            let mut sum = if p.adds { f64::from(z.get(row * p.columns + column)) } else { 0.0 };
            for inner in 0..p.inner {
                let at_a = if a.is_transposed { inner * p.rows + row } else { row * p.inner + inner };
                let at_b =
                    if b.is_transposed { column * p.inner + inner } else { inner * p.columns + column };
                sum += f64::from(x.get(at_a)) * f64::from(y.get(at_b));
            }
            z.set(row * p.columns + column, sum as f32);
        }
        Ok(())
    }
}

/// Compares values with a tensor's, to a part of its largest.
pub fn agree_within(found: &[f32], expected: &Tensor, part: f32) {
    let expected = to_vec(expected).unwrap();
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
    for (at, (a, b)) in found.iter().zip(&expected).enumerate() {
        assert!((a - b).abs() <= part * scale, "value {at}: {a}, expected {b}, largest {scale}");
    }
}

/// Compares values with a tensor's, to a hundred-thousandth of its largest.
pub fn agree(found: &[f32], expected: &Tensor) {
    agree_within(found, expected, 2e-5);
}

/// A gradient of noise for a result, and those of the variables behind it.
pub fn gradients_of(y: &Tensor, variables: &[&Var]) -> (Tensor, Vec<Tensor>) {
    let g = Tensor::from_vec(noise(y.elem_count(), 99), y.shape(), y.device()).unwrap();
    let gradients = y.mul(&g).unwrap().sum_all().unwrap().backward().unwrap();
    (g, variables.iter().map(|variable| gradients.get(variable).unwrap().clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cuda::queue::int;

    #[test]
    fn bf16_is_rounded_to_the_nearest() {
        let Some(emulator) = Emulator::shared() else { return };
        let values: Vec<f32> =
            noise(300, 1).into_iter().chain([0.0, -0.0, f32::INFINITY, 1e-40, 3e38]).collect();
        let from = Memory::new(values.iter().copied());
        let to = emulator.reserve(values.len()).unwrap();
        let arguments = [from.address().into(), to.address().into(), int(values.len()).unwrap()];
        emulator.launch("to_bf16", Grid::flat(values.len()), &arguments).unwrap();
        let found = Values(Matrix::new(to.address()).stored(Stored::Bf16));
        for (at, value) in values.iter().enumerate() {
            assert_eq!(found.get(at), half::bf16::from_f32(*value).to_f32());
        }
    }

    #[test]
    fn unknown_kernels_and_wrong_arguments_are_refused() {
        let Some(emulator) = Emulator::shared() else { return };
        let launch = |name, arguments: &[Argument]| {
            emulator.launch(name, Grid::flat(1), arguments).unwrap_err().to_string()
        };
        assert!(launch("nothing", &[]).contains("no kernel nothing"));
        assert!(launch("to_bf16", &[]).contains("another number of arguments"));
    }
}
