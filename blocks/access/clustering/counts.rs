//! How many groups a number of users can form.

use crate::{BlockError, Result};

/// Checks that there are as many users as groups at least, and one group at least.
///
/// - errors: otherwise, saying what is possible
pub fn check_counts(num_users: usize, num_groups: usize) -> Result<()> {
    if num_users == 0 {
        return Err(BlockError::invalid("users", 0, "at least 1"));
    }
    if num_groups == 0 || num_groups > num_users {
        let allowed = format!("1 to {num_users}, the number of users");
        return Err(BlockError::invalid("groups", num_groups, allowed));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_group_per_user_at_most() {
        assert!(check_counts(1, 1).is_ok() && check_counts(5, 5).is_ok());
        assert!(check_counts(0, 0).is_err() && check_counts(5, 0).is_err());
        let error = check_counts(5, 6).unwrap_err().to_string();
        assert_eq!(error, "groups = 6 is not possible: allowed is 1 to 5, the number of users");
    }
}
