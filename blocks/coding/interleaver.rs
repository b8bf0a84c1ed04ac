//! Bit interleaving of a code block: its first bits go to the most reliable places of the symbols.
//!
//! Bits are written row by row into as many rows as a symbol has bits and read column by column.
//! Source: 3GPP TS 38.212, section 5.4.2.2.

use crate::{BlockError, Result};

/// Bits per symbol that NR knows: pi/2-BPSK, QPSK, 16-, 64-, 256- and 1024-QAM.
pub const MODULATION_ORDERS: [usize; 6] = [1, 2, 4, 6, 8, 10];

/// Interleaves a rate-matched block: `output[i + j Q] = input[i E / Q + j]` for Q bits per symbol, length E.
///
/// - errors: bits per symbol other than [`MODULATION_ORDERS`], a length that is no multiple of them, two
///   lengths that differ
pub fn interleave<T: Copy>(input: &[T], modulation_order: usize, output: &mut [T]) -> Result<()> {
    check(input.len(), modulation_order, output.len())?;
    match modulation_order {
        2 => to_symbols::<2, T>(input, output),
        4 => to_symbols::<4, T>(input, output),
        6 => to_symbols::<6, T>(input, output),
        8 => to_symbols::<8, T>(input, output),
        10 => to_symbols::<10, T>(input, output),
        _ => output.copy_from_slice(input),
    }
    Ok(())
}

/// Undoes [`interleave`], under the same conditions; for the LLRs of a receiver.
///
/// - errors: as for [`interleave`]
pub fn deinterleave<T: Copy>(input: &[T], modulation_order: usize, output: &mut [T]) -> Result<()> {
    check(input.len(), modulation_order, output.len())?;
    match modulation_order {
        2 => from_symbols::<2, T>(input, output),
        4 => from_symbols::<4, T>(input, output),
        6 => from_symbols::<6, T>(input, output),
        8 => from_symbols::<8, T>(input, output),
        10 => from_symbols::<10, T>(input, output),
        _ => output.copy_from_slice(input),
    }
    Ok(())
}

/// Whether NR knows a number of bits per symbol.
pub(super) fn check_modulation_order(modulation_order: usize) -> Result<()> {
    if !MODULATION_ORDERS.contains(&modulation_order) {
        return Err(BlockError::invalid("bits per symbol", modulation_order, "1, 2, 4, 6, 8 or 10"));
    }
    Ok(())
}

fn check(input_len: usize, modulation_order: usize, output_len: usize) -> Result<()> {
    check_modulation_order(modulation_order)?;
    if !input_len.is_multiple_of(modulation_order) {
        let allowed = format!("a multiple of {modulation_order} bits per symbol");
        return Err(BlockError::invalid("length of a rate-matched block", input_len, allowed));
    }
    if input_len != output_len {
        return Err(BlockError::shape("interleaved block", input_len, output_len));
    }
    Ok(())
}

fn to_symbols<const ORDER: usize, T: Copy>(input: &[T], output: &mut [T]) {
    let num_symbols = input.len() / ORDER;
    let rows: [&[T]; ORDER] = std::array::from_fn(|row| &input[row * num_symbols..][..num_symbols]);
    for (column, symbol) in output.as_chunks_mut::<ORDER>().0.iter_mut().enumerate() {
        *symbol = std::array::from_fn(|row| rows[row][column]);
    }
}

fn from_symbols<const ORDER: usize, T: Copy>(input: &[T], output: &mut [T]) {
    let num_symbols = input.len() / ORDER;
    let symbols = input.as_chunks::<ORDER>().0;
    for row in 0..ORDER {
        let places = &mut output[row * num_symbols..][..num_symbols];
        places.iter_mut().zip(symbols).for_each(|(place, symbol)| *place = symbol[row]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_formula_and_is_undone() {
        for order in MODULATION_ORDERS {
            for num_symbols in [0, 1, 7, 33] {
                let input: Vec<usize> = (0..order * num_symbols).collect();
                let mut output = vec![usize::MAX; input.len()];
                interleave(&input, order, &mut output).unwrap();
                for (i, j) in (0..order).flat_map(|i| (0..num_symbols).map(move |j| (i, j))) {
                    assert_eq!(output[i + j * order], input[i * num_symbols + j]);
                }
                let mut back = vec![usize::MAX; input.len()];
                deinterleave(&output, order, &mut back).unwrap();
                assert_eq!(back, input);
            }
        }
    }

    #[test]
    fn unknown_orders_and_lengths_are_refused() {
        let message = |order, len| interleave(&[0; 12], order, &mut vec![0; len]).unwrap_err().to_string();
        assert!(message(3, 12).contains("1, 2, 4, 6, 8 or 10"));
        assert!(message(8, 12).contains("a multiple of 8"));
        assert!(message(6, 11).contains("expected 12, found 11"));
        assert!(deinterleave(&[0.0; 12], 0, &mut [0.0; 12]).is_err());
    }
}
