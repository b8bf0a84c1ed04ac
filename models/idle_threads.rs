//! What waiting threads of candle do.

/// Rounds that one of candle's threads looks for work before it sleeps: a few microseconds.
const ROUNDS: &str = "3000";
const VARIABLE: &str = "CANDLE_BARRIER_POOL_SPIN_LIMIT";

/// Lets candle's threads sleep soon when they have nothing to do, unless the environment says otherwise.
///
/// candle has threads of its own for operations on single values, which by default look for work for 25,000
/// rounds; on few cores they take the time of the threads that compute products. Small DeepJSCC trains 5 to 10 % faster
/// without. For programs, at their start.
///
/// # Safety
/// No other thread may run yet: the environment belongs to all.
pub unsafe fn sleep_soon() {
    if std::env::var_os(VARIABLE).is_none() {
        // SAFETY: the caller vouches that no other thread runs.
        unsafe { std::env::set_var(VARIABLE, ROUNDS) };
    }
}
