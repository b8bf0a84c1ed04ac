//! What the adapters promise of any kernel: order, back-pressure, ends, named failures, no stalls.

mod ends;
mod failures;
mod flow;
mod kernels;
mod streams;
mod watchdog;
mod wiring;
