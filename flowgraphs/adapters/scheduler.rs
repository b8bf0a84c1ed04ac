//! The one scheduler of the process, and the settings under which experiments run.

use futuresdr::runtime::Runtime;
use futuresdr::runtime::config;
use futuresdr::runtime::scheduler::SmolScheduler;
use std::sync::OnceLock;

/// A runtime for one run. Its worker threads are shared by all runs of the process, one for each
/// core. The control port stays closed and the runtime's own log is off (`FUTURESDR_LOG` turns it
/// on): what goes wrong is returned, not printed.
pub(super) fn runtime() -> Runtime<SmolScheduler> {
    static SCHEDULER: OnceLock<SmolScheduler> = OnceLock::new();
    let scheduler = SCHEDULER.get_or_init(|| {
        config::set("ctrlport_enable", false);
        config::set("log_level", "off");
        SmolScheduler::default()
    });
    Runtime::with_scheduler(scheduler.clone())
}
