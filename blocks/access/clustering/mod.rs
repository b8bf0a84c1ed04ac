//! Clustering: which users share a common feature.
//!
//! | file | what stands there |
//! |---|---|
//! | `strategy` | the block, and the four strategies it chooses from |
//! | `balanced` | Algorithm 1: k-means, cosine costs, balanced assignment |
//! | `unit_rows`, `kmeans`, `geometry` | centroids of features |
//! | `assignment` | optimal groups of near-equal size, exact for 10,000 users and more |
//! | `hungarian` | the same by matching with seats: the slow oracle |

mod assignment;
mod balanced;
mod counts;
mod geometry;
mod hungarian;
mod kmeans;
mod strategy;
mod unit_rows;

pub use assignment::balanced_assignment;
pub use balanced::balanced_clusters;
pub use counts::check_counts;
pub use hungarian::hungarian_assignment;
pub use kmeans::{Clusters, MAX_ITERATIONS, MAX_SEEDINGS, kmeans};
pub use strategy::{Clusterer, Strategy};
pub use unit_rows::unit_rows;
