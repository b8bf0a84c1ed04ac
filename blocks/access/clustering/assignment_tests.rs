//! Balanced assignment against brute force, Hungarian matching and a proof of optimality.

use super::super::hungarian_assignment;
use super::*;
use crate::rng::{Purpose, RngKey};
use ndarray::{Array2, array};
use rand::RngExt;

fn random_costs(num_users: usize, num_groups: usize, seed: u64) -> Array2<f32> {
    let mut rng = RngKey::new(seed).stream(Purpose::Clustering, 0, 0);
    Array2::from_shape_fn((num_users, num_groups), |_| rng.random_range(0.0..2.0))
}

/// Few distinct values, so that ties abound.
fn coarse_costs(num_users: usize, num_groups: usize, seed: u64) -> Array2<f32> {
    random_costs(num_users, num_groups, seed).mapv(|cost| (cost * 2.0).floor())
}

/// Everyone prefers the low groups, user by user a little differently.
fn crowded_costs(num_users: usize, num_groups: usize, seed: u64) -> Array2<f32> {
    let mut costs = random_costs(num_users, num_groups, seed);
    costs.indexed_iter_mut().for_each(|((_, group), cost)| *cost = 0.2 * *cost + group as f32);
    costs
}

fn total(costs: &Array2<f32>, groups: &[usize]) -> i64 {
    let fixed = fixed_point(costs.view()).unwrap();
    groups.iter().enumerate().map(|(user, group)| fixed[user * costs.ncols() + group]).sum()
}

fn sizes(groups: &[usize], num_groups: usize) -> Vec<usize> {
    let mut sizes = vec![0; num_groups];
    groups.iter().for_each(|&group| sizes[group] += 1);
    sizes
}

fn check_sizes(groups: &[usize], num_groups: usize) {
    let floor = groups.len() / num_groups;
    let sizes = sizes(groups, num_groups);
    assert!(sizes.iter().all(|size| *size == floor || *size == floor + 1), "{sizes:?}");
    let extra = sizes.iter().filter(|size| **size == floor + 1).count();
    assert_eq!(extra, groups.len() % num_groups, "{sizes:?}");
}

/// Tries all G^K assignments.
fn brute_force(costs: &Array2<f32>) -> i64 {
    let (num_users, num_groups) = costs.dim();
    let floor = num_users / num_groups;
    let ceil = num_users.div_ceil(num_groups);
    let mut groups = vec![0; num_users];
    let mut best = i64::MAX;
    loop {
        if sizes(&groups, num_groups).iter().all(|size| (floor..=ceil).contains(size)) {
            best = best.min(total(costs, &groups));
        }
        let Some(digit) = groups.iter().position(|group| group + 1 < num_groups) else { return best };
        groups[..digit].fill(0);
        groups[digit] += 1;
    }
}

/// Whether no rotation of users between groups, extra seats included, lowers the cost: the residual
/// network has no negative cycle, which is equivalent to optimality. Bellman-Ford from all nodes.
fn cannot_be_improved(costs: &Array2<f32>, groups: &[usize]) -> bool {
    let (num_users, num_groups) = costs.dim();
    let fixed = fixed_point(costs.view()).unwrap();
    let floor = num_users / num_groups;
    let sizes = sizes(groups, num_groups);
    let mut edges = vec![];
    for from in 0..num_groups {
        let users: Vec<usize> = (0..num_users).filter(|user| groups[*user] == from).collect();
        for to in (0..num_groups).filter(|to| *to != from) {
            let gain = users.iter().map(|u| fixed[u * num_groups + to] - fixed[u * num_groups + from]).min();
            edges.extend(gain.map(|gain| (from, to, gain)));
        }
        let holds_extra = sizes[from] > floor;
        edges.push(if holds_extra { (num_groups, from, 0) } else { (from, num_groups, 0) });
    }
    let mut distance = vec![0i64; num_groups + 1];
    for _ in 0..=num_groups + 1 {
        let mut shorter = false;
        for &(from, to, cost) in &edges {
            if distance[from] + cost < distance[to] {
                distance[to] = distance[from] + cost;
                shorter = true;
            }
        }
        if !shorter {
            return true;
        }
    }
    false
}

#[test]
fn equals_brute_force() {
    for (num_users, num_groups) in [(1, 1), (4, 4), (5, 2), (6, 3), (7, 3), (8, 3), (7, 4), (6, 5), (9, 2)] {
        for seed in 0..12 {
            for make in [random_costs, coarse_costs, crowded_costs] {
                let costs = make(num_users, num_groups, seed);
                let groups = balanced_assignment(costs.view()).unwrap();
                check_sizes(&groups, num_groups);
                assert_eq!(total(&costs, &groups), brute_force(&costs), "{num_users} {num_groups} {seed}");
            }
        }
    }
}

#[test]
fn equals_hungarian_matching_up_to_200_users() {
    for (num_users, num_groups) in [(50, 10), (50, 7), (200, 20), (200, 13)] {
        for make in [random_costs, coarse_costs, crowded_costs] {
            let costs = make(num_users, num_groups, 3);
            let groups = balanced_assignment(costs.view()).unwrap();
            check_sizes(&groups, num_groups);
            let hungarian = hungarian_assignment(costs.view()).unwrap();
            assert_eq!(total(&costs, &groups), total(&costs, &hungarian), "{num_users} {num_groups}");
        }
    }
}

#[test]
fn is_provably_optimal_for_many_users() {
    for (num_users, num_groups) in [(2000, 50), (2017, 40), (3000, 7)] {
        for make in [random_costs, coarse_costs, crowded_costs] {
            let costs = make(num_users, num_groups, 8);
            let mut groups = balanced_assignment(costs.view()).unwrap();
            check_sizes(&groups, num_groups);
            assert!(cannot_be_improved(&costs, &groups), "{num_users} {num_groups}");
            // The proof notices a swap that costs something.
            let other = (1..num_users)
                .find(|user| {
                    let swap = |g: usize, u: usize| costs[[u, g]];
                    let (a, b) = (groups[0], groups[*user]);
                    swap(b, 0) + swap(a, *user) > swap(a, 0) + swap(b, *user)
                })
                .unwrap();
            groups.swap(0, other);
            assert!(!cannot_be_improved(&costs, &groups));
        }
    }
}

#[test]
fn all_costs_equal_or_negative_or_huge() {
    check_sizes(&balanced_assignment(Array2::zeros((11, 4)).view()).unwrap(), 4);
    check_sizes(&balanced_assignment(Array2::ones((1000, 30)).view()).unwrap(), 30);
    assert_eq!(balanced_assignment(array![[-3e38, 3e38], [-3e38, 3e38]].view()).unwrap().len(), 2);
    let tiny = array![[1e-44, 0.0], [0.0, 1e-44]];
    assert_eq!(balanced_assignment(tiny.view()).unwrap(), [1, 0]);
}

#[test]
fn the_extra_seat_goes_where_it_saves_most() {
    // Both want group 1 strongly but for user 0: sizes 1 and 2.
    let costs = array![[0.0, 0.5], [2.0, 0.0], [1.0, 0.0]];
    assert_eq!(balanced_assignment(costs.view()).unwrap(), [0, 1, 1]);
}

#[test]
fn impossible_input_is_named() {
    let error = |costs: Array2<f32>| balanced_assignment(costs.view()).unwrap_err().to_string();
    assert!(error(Array2::zeros((3, 0))).contains("groups = 0"));
    assert!(
        error(Array2::zeros((3, 4))).contains("groups = 4")
            && error(Array2::zeros((3, 4))).contains("1 to 3")
    );
    assert!(error(array![[0.0], [f32::NAN]]).contains("user 1"));
}
