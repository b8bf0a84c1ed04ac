//! Hungarian matching on seats: Algorithm 1 of the group-splitting paper to the letter. Slow, and the
//! oracle of [`super::balanced_assignment`].

use super::assignment::fixed_point;
use crate::Result;
use ndarray::ArrayView2;
use pathfinding::kuhn_munkres::{Weights, kuhn_munkres_min};

/// Assigns every user to a group at the least total cost by matching users with seats.
///
/// Each group has ceil(K/G) seats. Where G does not divide K, phantom users fill the last seats of as
/// many groups as must do without one, so that sizes are floor(K/G) or ceil(K/G).
/// - costs: `[K, G]`, any finite values
/// - time: O(K^3)
/// - errors: as [`super::balanced_assignment`]
pub fn hungarian_assignment(costs: ArrayView2<'_, f32>) -> Result<Vec<usize>> {
    let fixed = fixed_point(costs)?;
    let (num_users, num_groups) = costs.dim();
    let seats = Seats { costs: &fixed, num_users, num_groups, sign: 1 };
    let (_, seat_of) = kuhn_munkres_min(&seats);
    Ok(seat_of[..num_users].iter().map(|seat| seat % num_groups).collect())
}

/// Cost of every seat for every user and phantom; seat s is of group s mod G.
struct Seats<'a> {
    costs: &'a [i64],
    num_users: usize,
    num_groups: usize,
    sign: i64,
}

/// What a phantom pays for any seat but a last one: more than all users together could save.
const NEVER: i64 = 1 << 56;

impl Weights<i64> for Seats<'_> {
    fn rows(&self) -> usize {
        self.columns()
    }

    fn columns(&self) -> usize {
        self.num_users.div_ceil(self.num_groups) * self.num_groups
    }

    fn at(&self, row: usize, seat: usize) -> i64 {
        let is_last_seat = seat + self.num_groups >= self.columns();
        self.sign
            * match row < self.num_users {
                true => self.costs[row * self.num_groups + seat % self.num_groups],
                false if is_last_seat => 0,
                false => NEVER,
            }
    }

    fn neg(&self) -> Self {
        Self { sign: -self.sign, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn seats_are_filled_at_the_least_cost() {
        let even = array![[0.0, 1.0], [0.0, 0.1], [0.0, 0.2], [0.0, 2.0]];
        assert_eq!(hungarian_assignment(even.view()).unwrap(), [0, 1, 1, 0]);
        let odd = array![[0.0, 1.0], [0.0, 0.1], [0.0, 0.2]];
        assert_eq!(hungarian_assignment(odd.view()).unwrap(), [0, 1, 0]);
        assert!(hungarian_assignment(array![[0.0, 1.0]].view()).is_err());
    }
}
