//! How long balanced clustering takes, on one core.
//!
//! Bars: K = 50 users in 10 groups with 1,664 features under 1 ms, its assignment under 0.1 ms;
//! K = 10,000 users in 100 groups with 64 features under 2 s. A table of growth over K follows the bars.
//!
//! Run with `cargo bench -p sememe-blocks --bench clustering`.

use criterion::Criterion;
use ndarray::Array2;
use sememe_blocks::access::clustering::{
    balanced_assignment, balanced_clusters, hungarian_assignment, kmeans, unit_rows,
};
use sememe_blocks::rng::{KeyedRng, Purpose, RngKey, normal};
use std::hint::black_box;
use std::time::{Duration, Instant};

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

/// Prints the time of each step for growing K, features independent, 64 of them; the Hungarian oracle as
/// far as it goes.
fn growth() {
    println!("\n|      K |   G | k-means and costs, ms | assignment, ms | Algorithm 1, ms | Hungarian, ms |");
    println!("|-------:|----:|----------------------:|---------------:|----------------:|--------------:|");
    let sizes = [(100, 10), (200, 10), (500, 10), (1000, 10), (2000, 10), (5000, 10), (10_000, 10)];
    let hundreds = [(1000, 100), (2000, 100), (5000, 100), (10_000, 100)];
    for (num_users, num_groups) in sizes.into_iter().chain(hundreds) {
        let features = independent(num_users, 64);
        let costs_table = costs(&features, num_groups);
        let to_costs = milliseconds(|| drop(black_box(costs(&features, num_groups))));
        let assignment = milliseconds(|| drop(black_box(balanced_assignment(costs_table.view()))));
        let whole =
            milliseconds(|| drop(black_box(balanced_clusters(features.view(), num_groups, &mut rng()))));
        let hungarian = match num_users {
            ..=1000 => {
                format!("{:.2}", milliseconds(|| drop(black_box(hungarian_assignment(costs_table.view())))))
            }
            _ => "-".into(),
        };
        println!(
            "| {num_users:>6} | {num_groups:>3} | {to_costs:>21.2} | {assignment:>14.2} | {whole:>15.2} | {hungarian:>13} |"
        );
    }
}

/// The least time of a few runs: the rest is the machine's.
fn milliseconds(mut run: impl FnMut()) -> f64 {
    let mut least = f64::INFINITY;
    let begin = Instant::now();
    for repeat in 0..20 {
        let start = Instant::now();
        run();
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
        if repeat >= 2 && begin.elapsed() > Duration::from_secs(1) {
            break;
        }
    }
    least
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    bars(&mut criterion);
    criterion.final_summary();
    // Under `cargo test` benches only prove that they run.
    if !std::env::args().any(|argument| argument == "--test") {
        growth();
    }
}
