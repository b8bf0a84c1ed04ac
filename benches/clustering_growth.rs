//! How the time of balanced clustering grows with the number of users, as a table and a figure.
//!
//! 64 features per user that share nothing, the hard case; the least time of a few runs, which take one thread, and
//! the Hungarian method on the same costs as far as it goes.
//!
//! Run with `cargo bench --bench clustering_growth`; the files are in out/.

use ndarray::Array2;
use sememe::experiment::plot::{Axis, Figure, Line, to_png, to_svg};
use sememe_blocks::access::clustering::{balanced_clusters, hungarian_assignment, kmeans, unit_rows};
use sememe_blocks::rng::{KeyedRng, Purpose, RngKey, normal};
use std::fmt::Write;
use std::hint::black_box;
use std::time::{Duration, Instant};

const FEATURES: usize = 64;
const USERS: [usize; 8] = [50, 100, 200, 500, 1000, 2000, 5000, 10_000];
/// Most users that the cubic oracle is asked to assign.
const MOST_FOR_HUNGARIAN: usize = 1000;

fn rng() -> KeyedRng {
    RngKey::new(3).stream(Purpose::Clustering, 0, 0)
}

fn independent(users: usize) -> Array2<f32> {
    let mut rng = RngKey::new(2).stream(Purpose::Scene, 0, 0);
    Array2::from_shape_fn((users, FEATURES), |_| normal(&mut rng))
}

/// The least time of a few runs in milliseconds: the rest is the machine's.
fn milliseconds(mut run: impl FnMut()) -> f64 {
    let (begin, mut least) = (Instant::now(), f64::INFINITY);
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

fn clustering(users: usize, groups: usize) -> f64 {
    let features = independent(users);
    milliseconds(|| drop(black_box(balanced_clusters(features.view(), groups, &mut rng()))))
}

/// Assignment alone, on the costs of k-means.
fn hungarian(users: usize, groups: usize) -> f64 {
    let rows = unit_rows(independent(users).view()).expect("normal samples are finite");
    let costs = kmeans(&rows, groups, &mut rng()).expect("fewer groups than users").cosine_costs();
    milliseconds(|| drop(black_box(hungarian_assignment(costs.view()))))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Under `cargo test` benches only prove that they run.
    let testing = !std::env::args().any(|argument| argument == "--bench");
    let users: Vec<usize> = USERS.into_iter().filter(|users| !testing || *users <= 200).collect();
    let line = |name: &str, points: Vec<(usize, f64)>| Line {
        name: name.into(),
        points: points.into_iter().map(|(users, time)| (users as f64, time)).collect(),
        error: vec![],
        ..Line::default()
    };
    let mut lines = Vec::new();
    for groups in [10, 100] {
        let allowed = users.iter().filter(|users| **users >= 2 * groups);
        let points = allowed.map(|users| (*users, clustering(*users, groups))).collect();
        lines.push(line(&format!("Algorithm 1, {groups} groups"), points));
    }
    let few = users.iter().filter(|users| **users <= MOST_FOR_HUNGARIAN);
    lines
        .push(line("Hungarian alone, 10 groups", few.map(|users| (*users, hungarian(*users, 10))).collect()));

    let mut table = String::from("line,users,milliseconds\n");
    for line in &lines {
        for (users, time) in &line.points {
            writeln!(table, "{},{users},{time:.4}", line.name.replace(',', ""))?;
        }
    }
    print!("{table}");
    if testing {
        return Ok(());
    }
    let figure = Figure {
        title: "Balanced clustering".into(),
        subtitle: format!("{FEATURES} features per user, users share nothing, one thread, exact assignment"),
        x_label: "users".into(),
        y_label: "time (ms)".into(),
        axes: [Axis::Logarithmic; 2],
        lines,
    };
    std::fs::create_dir_all("out")?;
    std::fs::write("out/clustering-growth.csv", table)?;
    std::fs::write("out/clustering-growth.svg", to_svg(&figure)?)?;
    std::fs::write("out/clustering-growth.png", to_png(&figure)?)?;
    println!("out/clustering-growth.{{csv,svg,png}}");
    Ok(())
}
