//! Bringing the users of each group together, groups of equal size in one batch.

use candle_core::{DType, Result, Tensor};
use sememe_blocks::Grouping;
use std::collections::BTreeMap;

/// Applies `f` to the members of every group and returns one row per group, in group order.
///
/// - x `[K, ..]`; `f` takes `[g, n, ..]` (g groups of n users each) to `[g, ..]`
/// - returns `[G, ..]`; rows of empty groups are zero
pub fn per_group(x: &Tensor, grouping: &Grouping, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    let mut by_size: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let members = grouping.members();
    for (group, users) in members.iter().enumerate() {
        by_size.entry(users.len()).or_default().push(group);
    }
    let empty = by_size.remove(&0).unwrap_or_default();
    let mut parts = Vec::new();
    let mut order = Vec::new();
    for (size, groups) in by_size {
        let users: Vec<u32> = groups.iter().flat_map(|g| members[*g].iter().map(|u| *u as u32)).collect();
        let users = Tensor::new(users.as_slice(), x.device())?;
        let mut shape = x.dims().to_vec();
        shape.splice(0..1, [groups.len(), size]);
        parts.push(f(&x.index_select(&users, 0)?.reshape(shape)?)?);
        order.extend(groups);
    }
    if parts.is_empty() {
        candle_core::bail!("no group has a member");
    }
    if !empty.is_empty() {
        let mut shape = parts[0].dims().to_vec();
        shape[0] = empty.len();
        parts.push(Tensor::zeros(shape, DType::F32, x.device())?);
        order.extend(empty);
    }
    if parts.len() == 1 {
        // One size only: rows are in group order already.
        return Ok(parts.remove(0));
    }
    let mut row_of_group = vec![0u32; order.len()];
    for (row, group) in order.iter().enumerate() {
        row_of_group[*group] = row as u32;
    }
    Tensor::cat(&parts, 0)?.index_select(&Tensor::new(row_of_group.as_slice(), x.device())?, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn rows_stand_in_group_order_whatever_the_sizes() {
        let x = Tensor::new(&[[1f32], [2.0], [4.0], [8.0]], &Device::Cpu).unwrap();
        for (of_user, expected) in [(vec![2, 0, 2, 2], [2.0, 0.0, 13.0]), (vec![1, 0, 0, 2], [6.0, 1.0, 8.0])]
        {
            let grouping = Grouping::new(of_user, 3).unwrap();
            let sums = per_group(&x, &grouping, |members| members.sum(1)).unwrap();
            assert_eq!(sums.flatten_all().unwrap().to_vec1::<f32>().unwrap(), expected);
        }
    }
}
