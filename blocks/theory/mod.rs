//! What is known in closed form: error rates without coding, capacities, bounds at finite length, SNRs that stand for
//! several.

mod bit_error_rate;
mod capacity;
mod effective_snr;
mod finite_blocklength;
mod outage;

pub use bit_error_rate::{bit_error_rate, bit_error_rates};
pub use capacity::{bicm_capacity, constellation_capacity, shannon_capacity};
pub use effective_snr::effective_snr_db;
pub use finite_blocklength::{
    channel_dispersion, gaussian_tail, inverse_gaussian_tail, normal_approximation_error,
    normal_approximation_rate, normal_approximation_rate_over,
};
pub use outage::{outage_capacity, outage_probability};
