//! Ctrl-C: the first asks to stop and keep what is finished, the second ends at once.

use sememe::experiment::{EXIT_INTERRUPTED, RunError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that the first Ctrl-C raises.
pub fn stop_flag() -> Result<Arc<AtomicBool>, RunError> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(EXIT_INTERRUPTED));
        }
        eprintln!("\nstopping: what is finished is kept (Ctrl-C again ends at once)");
    })
    .map_err(|error| RunError::Failed(format!("cannot listen to Ctrl-C: {error}")))?;
    Ok(flag)
}
