//! What is known in closed form: error rates without coding, capacities, bounds at finite length.

mod bit_error_rate;
mod capacity;
mod finite_blocklength;
mod outage;

pub use bit_error_rate::{bit_error_rate, bit_error_rates};
pub use capacity::{bicm_capacity, constellation_capacity, shannon_capacity};
pub use finite_blocklength::{
    channel_dispersion, gaussian_tail, inverse_gaussian_tail, normal_approximation_error,
    normal_approximation_rate,
};
pub use outage::{outage_capacity, outage_probability};
