//! Which user belongs to which group.

use crate::{BlockError, Result};

/// A partition of K users into G groups, some of which may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    of_user: Vec<usize>,
    num_groups: usize,
}

impl Grouping {
    /// Builds a grouping from the group of each user.
    ///
    /// - errors: no group at all, or a user whose group is not below `num_groups`
    pub fn new(of_user: Vec<usize>, num_groups: usize) -> Result<Self> {
        if num_groups == 0 {
            return Err(BlockError::invalid("groups", 0, "at least 1"));
        }
        if let Some((user, group)) = of_user.iter().enumerate().find(|(_, g)| **g >= num_groups) {
            return Err(BlockError::invalid(
                "group",
                format!("{group} (of user {user})"),
                format!("0 to {}", num_groups - 1),
            ));
        }
        Ok(Self { of_user, num_groups })
    }

    /// Every user alone in a group of its own.
    pub fn singletons(num_users: usize) -> Self {
        Self { of_user: (0..num_users).collect(), num_groups: num_users.max(1) }
    }

    /// Number of users K.
    pub fn num_users(&self) -> usize {
        self.of_user.len()
    }

    /// Number of groups G, empty ones included.
    pub fn num_groups(&self) -> usize {
        self.num_groups
    }

    /// The group of a user. Panics where `user` is not below K.
    pub fn group_of(&self, user: usize) -> usize {
        self.of_user[user]
    }

    /// The group of each user.
    pub fn as_slice(&self) -> &[usize] {
        &self.of_user
    }

    /// The users of each group, in ascending order.
    pub fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.num_groups];
        for (user, &group) in self.of_user.iter().enumerate() {
            members[group].push(user);
        }
        members
    }

    /// The number of users in each group.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.num_groups];
        for &group in &self.of_user {
            sizes[group] += 1;
        }
        sizes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_sizes() {
        let grouping = Grouping::new(vec![1, 0, 1, 1], 3).unwrap();
        assert_eq!(grouping.members(), vec![vec![1], vec![0, 2, 3], vec![]]);
        assert_eq!(grouping.sizes(), vec![1, 3, 0]);
    }

    #[test]
    fn a_group_out_of_range_is_named() {
        let error = Grouping::new(vec![0, 5], 2).unwrap_err().to_string();
        assert!(error.contains("5 (of user 1)") && error.contains("0 to 1"), "{error}");
        assert!(Grouping::new(vec![], 0).is_err());
    }
}
