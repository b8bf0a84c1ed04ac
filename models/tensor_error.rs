//! What went wrong in a tensor operation, in one line.

use candle_core::Error;

/// The error without the stack that candle adds where `RUST_BACKTRACE` is set.
pub fn in_one_line(error: &Error) -> String {
    match error {
        Error::WithBacktrace { inner, .. } => in_one_line(inner),
        plain => plain.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
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
