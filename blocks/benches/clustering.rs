//! How long balanced clustering takes, on one core.
//!
//! Bars: K = 50 users in 10 groups with 1,664 features under 1 ms, its assignment under 0.1 ms;
//! K = 10,000 users in 100 groups with 64 features under 2 s. Growth over K is drawn by the
//! bench `clustering_growth` of the whole program.
//!
//! Run with `cargo bench -p sememe-blocks --bench clustering`.

use criterion::Criterion;
use ndarray::Array2;
use sememe_blocks::access::clustering::{balanced_assignment, balanced_clusters, kmeans, unit_rows};
use sememe_blocks::rng::{KeyedRng, Purpose, RngKey, normal};
use std::hint::black_box;
use std::time::Duration;

/// Features of users who share content in `num_groups` groups: half a shared vector, half their own.
fn features(num_users: usize, num_groups: usize, len: usize) -> Array2<f32> {
    let mut rng = RngKey::new(1).stream(Purpose::Scene, 0, 0);
    let shared = Array2::from_shape_fn((num_groups, len), |_| normal(&mut rng));
    Array2::from_shape_fn((num_users, len), |(user, place)| {
        shared[[user % num_groups, place]] + normal(&mut rng)
    })
}

/// Features of users who share nothing: the hard case for k-means and for the assignment.
fn independent(num_users: usize, len: usize) -> Array2<f32> {
    let mut rng = RngKey::new(2).stream(Purpose::Scene, 0, 0);
    Array2::from_shape_fn((num_users, len), |_| normal(&mut rng))
}

fn rng() -> KeyedRng {
    RngKey::new(3).stream(Purpose::Clustering, 0, 0)
}

fn costs(features: &Array2<f32>, num_groups: usize) -> Array2<f32> {
    let rows = unit_rows(features.view()).expect("normal samples are finite");
    kmeans(&rows, num_groups, &mut rng()).expect("fewer groups than users").cosine_costs()
}

fn bars(criterion: &mut Criterion) {
    for (name, features) in [("shared", features(50, 10, 1664)), ("independent", independent(50, 1664))] {
        let costs = costs(&features, 10);
        criterion.bench_function(&format!("algorithm 1, K 50, G 10, 1664 features, {name}"), |bencher| {
            bencher.iter(|| balanced_clusters(black_box(features.view()), 10, &mut rng()));
        });
        criterion.bench_function(&format!("assignment, K 50, G 10, {name}"), |bencher| {
            bencher.iter(|| balanced_assignment(black_box(costs.view())));
        });
    }
    let mut group = criterion.benchmark_group("K 10000, G 100, 64 features");
    group.sample_size(10).measurement_time(Duration::from_secs(10));
    for (name, features) in [("shared", features(10_000, 100, 64)), ("independent", independent(10_000, 64))]
    {
        group.bench_function(format!("algorithm 1, {name}"), |bencher| {
            bencher.iter(|| balanced_clusters(black_box(features.view()), 100, &mut rng()));
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    bars(&mut criterion);
    criterion.final_summary();
}
