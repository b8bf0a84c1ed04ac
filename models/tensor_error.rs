//! What went wrong in a tensor operation, in one line.

use candle_core::Error;

/// The error without the stack that candle adds where `RUST_BACKTRACE` is set.
pub fn in_one_line(error: &Error) -> String {
    match error {
        Error::WithBacktrace { inner, .. } => in_one_line(inner),
        plain => {
            let text = plain.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
            match text.contains("OUT_OF_MEMORY") {
                true => format!("{text}: the GPU has too little memory; fewer users or --jobs need less"),
                false => text,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_is_left_out() {
        let inner = Error::Msg("two\n lines".into());
        let error = Error::WithBacktrace {
            inner: Box::new(inner),
            backtrace: Box::new(std::backtrace::Backtrace::force_capture()),
        };
        assert_eq!(in_one_line(&error), "two lines");
    }
}
