//! Balanced assignment: every group gets floor(K/G) or ceil(K/G) users, at the least total cost.
//!
//! Source: the assignment of eq. 11 of the group-splitting paper, which leaves the capacities of the
//! groups to Hungarian matching on centroids repeated once per seat ([`super::hungarian_assignment`]).
//! Here the same transportation problem is solved on a network of G + 1 nodes by successive shortest
//! paths, without a K x K matrix:
//!
//! ```text
//!   group g --(cheapest user of g to move to h: D[k,h] - D[k,g])--> group h
//!   group g --(takes one of the K mod G extra seats: 0)--> extra seats --(gives it back: 0)--> group g
//! ```
//!
//! All users start in their cheapest group, which is optimal but for the sizes. Then each user too many
//! goes along a shortest path to a free seat; a path moves one user along each of its edges. The cheapest
//! user of every edge comes from one heap per pair of groups.
//!
//! The result is exact: costs are rounded once, to 2^-40 of the largest, and everything after that is
//! integer arithmetic. Time O(K G log K) to build the heaps and O(G^2 + p G log K) per path of p edges,
//! at most K paths; memory O(K G).

use super::check_counts;
use crate::{BlockError, Result};
use ndarray::ArrayView2;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Cost of an edge that is not there.
const NO_EDGE: i64 = i64::MAX;

/// Assigns every user to a group at the least total cost, sizes floor(K/G) or ceil(K/G).
///
/// - costs: `[K, G]`, any finite values
/// - returns: the group of each user, `[K]`; of equal optima always the same one
/// - errors: no group, fewer users than groups, a cost that is not finite
pub fn balanced_assignment(costs: ArrayView2<'_, f32>) -> Result<Vec<usize>> {
    let fixed = fixed_point(costs)?;
    let (num_users, num_groups) = costs.dim();
    let mut transport = Transport::new(&fixed, num_users, num_groups);
    for group in 0..num_groups {
        while transport.surplus[group] > 0 {
            transport.relieve(group)?;
        }
    }
    Ok(transport.group_of)
}

/// Costs as integers: the largest magnitude becomes about 2^40, which leaves room for sums over any
/// path. Checks shape and values.
pub(super) fn fixed_point(costs: ArrayView2<'_, f32>) -> Result<Vec<i64>> {
    let (num_users, num_groups) = costs.dim();
    check_counts(num_users, num_groups)?;
    let mut peak = 0f32;
    for ((user, group), &cost) in costs.indexed_iter() {
        if !cost.is_finite() {
            let who = format!("user {user}");
            return Err(BlockError::NotFinite { what: "assignment cost", who, position: group, value: cost });
        }
        peak = peak.max(cost.abs());
    }
    let exponent = if peak > 0.0 { f64::from(peak).log2().ceil() } else { 0.0 };
    let scale = (40.0 - exponent).exp2();
    Ok(costs.iter().map(|&cost| (f64::from(cost) * scale).round() as i64).collect())
}

/// The state of successive shortest paths. Node `num_groups` is the pool of extra seats.
struct Transport<'a> {
    costs: &'a [i64],
    num_groups: usize,
    group_of: Vec<usize>,
    /// Users of a group beyond its floor(K/G) seats and its extra seat, if it holds one.
    surplus: Vec<i64>,
    /// Extra seats not yet taken.
    free_extra: usize,
    /// Per pair (from, to): the users of `from` by the cost of moving to `to`, stale ones included.
    movers: Vec<BinaryHeap<Reverse<(i64, usize)>>>,
    /// Cost of each edge, `[G + 1, G + 1]`.
    edges: Vec<i64>,
    /// Node potentials: edge + potential(from) - potential(to) is never negative.
    potential: Vec<i64>,
}

impl<'a> Transport<'a> {
    fn new(costs: &'a [i64], num_users: usize, num_groups: usize) -> Self {
        let num_nodes = num_groups + 1;
        let mut group_of = Vec::with_capacity(num_users);
        let mut members = vec![Vec::new(); num_groups];
        for (user, row) in costs.chunks_exact(num_groups).enumerate() {
            let (group, _) = row.iter().enumerate().min_by_key(|(_, cost)| **cost).unwrap_or((0, &0));
            group_of.push(group);
            members[group].push(user);
        }
        let seats = (num_users / num_groups) as i64;
        let mut edges = vec![NO_EDGE; num_nodes * num_nodes];
        let mut movers = Vec::with_capacity(num_groups * num_groups);
        for (from, users) in members.iter().enumerate() {
            for to in 0..num_groups {
                let costs_to_move = if from == to { &[][..] } else { &users[..] };
                let heap: BinaryHeap<_> = costs_to_move
                    .iter()
                    .map(|&user| {
                        Reverse((costs[user * num_groups + to] - costs[user * num_groups + from], user))
                    })
                    .collect();
                edges[from * num_nodes + to] = heap.peek().map_or(NO_EDGE, |Reverse((cost, _))| *cost);
                movers.push(heap);
            }
            edges[from * num_nodes + num_groups] = 0;
        }
        let surplus = members.iter().map(|users| users.len() as i64 - seats).collect();
        let free_extra = num_users % num_groups;
        let potential = vec![0; num_nodes];
        Self { costs, num_groups, group_of, surplus, free_extra, movers, edges, potential }
    }

    /// Takes one user too many from `source` along a shortest path to a free seat.
    fn relieve(&mut self, source: usize) -> Result<()> {
        let path = self.shortest_path(source)?;
        let pool = self.num_groups;
        let mut moves = Vec::with_capacity(path.len());
        for pair in path.windows(2) {
            let (from, to) = (pair[0], pair[1]);
            if to == pool {
                self.set_extra(from, true);
            } else if from == pool {
                self.set_extra(to, false);
            } else if let Some(Reverse((_, user))) = self.movers[from * pool + to].peek() {
                moves.push((*user, to));
            }
        }
        for &(user, to) in &moves {
            self.enter(user, to);
        }
        for &node in path.iter().filter(|node| **node != pool) {
            self.refresh(node);
        }
        self.surplus[source] -= 1;
        match path.last() {
            Some(&last) if last == pool => self.free_extra -= 1,
            Some(&last) => self.surplus[last] += 1,
            None => {}
        }
        Ok(())
    }

    /// Dijkstra over the nodes from `source` to the nearest free seat; updates the potentials.
    fn shortest_path(&mut self, source: usize) -> Result<Vec<usize>> {
        let num_nodes = self.num_groups + 1;
        let mut distance = vec![NO_EDGE; num_nodes];
        let mut parent = vec![source; num_nodes];
        let mut settled = vec![false; num_nodes];
        distance[source] = 0;
        let target = loop {
            let open = (0..num_nodes).filter(|node| !settled[*node] && distance[*node] < NO_EDGE);
            let Some(node) = open.min_by_key(|node| distance[*node]) else {
                return Err(BlockError::Kernel("balanced assignment found no free seat".into()));
            };
            if self.has_free_seat(node) {
                break node;
            }
            settled[node] = true;
            let base = distance[node] + self.potential[node];
            let row = &self.edges[node * num_nodes..][..num_nodes];
            for next in 0..num_nodes {
                if row[next] != NO_EDGE && !settled[next] {
                    let through = base + row[next] - self.potential[next];
                    if through < distance[next] {
                        distance[next] = through;
                        parent[next] = node;
                    }
                }
            }
        };
        for node in (0..num_nodes).filter(|node| settled[*node]) {
            self.potential[node] += distance[node] - distance[target];
        }
        let mut path = vec![target];
        let mut node = target;
        while node != source {
            node = parent[node];
            path.push(node);
        }
        path.reverse();
        Ok(path)
    }

    fn has_free_seat(&self, node: usize) -> bool {
        if node == self.num_groups { self.free_extra > 0 } else { self.surplus[node] < 0 }
    }

    fn set_extra(&mut self, group: usize, taken: bool) {
        let num_nodes = self.num_groups + 1;
        self.edges[group * num_nodes + self.num_groups] = if taken { NO_EDGE } else { 0 };
        self.edges[self.num_groups * num_nodes + group] = if taken { 0 } else { NO_EDGE };
    }

    fn enter(&mut self, user: usize, group: usize) {
        self.group_of[user] = group;
        let row = &self.costs[user * self.num_groups..][..self.num_groups];
        for to in (0..self.num_groups).filter(|to| *to != group) {
            self.movers[group * self.num_groups + to].push(Reverse((row[to] - row[group], user)));
        }
    }

    /// Drops users who left `group` from the tops of its heaps and renews its edges.
    fn refresh(&mut self, group: usize) {
        for to in (0..self.num_groups).filter(|to| *to != group) {
            let heap = &mut self.movers[group * self.num_groups + to];
            while heap.peek().is_some_and(|Reverse((_, user))| self.group_of[*user] != group) {
                heap.pop();
            }
            let cost = heap.peek().map_or(NO_EDGE, |Reverse((cost, _))| *cost);
            self.edges[group * (self.num_groups + 1) + to] = cost;
        }
    }
}

#[cfg(test)]
#[path = "assignment_tests.rs"]
mod tests;
