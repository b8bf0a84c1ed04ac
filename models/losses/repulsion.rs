//! Keeps the common features of different groups apart.
//!
//! On unit vectors g_i = c_i / ||c_i|| (the channel normalises length away), over pairs i != j of G
//! groups: mean exp(-||g_i - g_j||^2) + lambda_c ||mean g_i||^2 + mean (cos_ij + 1 / (G - 1))^2, each with a
//! weight that switches it off for ablations. Its minimum is the regular simplex, all cosines -1 / (G - 1). Source: paper A, eqs. 9 and 10.

use candle_core::{D, DType, Result, Tensor};
use serde::{Deserialize, Serialize};

/// Weights of the repulsion loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Repulsion {
    /// Weight lambda of the whole term; 0 leaves it out.
    pub weight: f64,
    /// Weight lambda_c of the centre within it.
    pub center: f64,
    /// Weight of the distances within it; 1 in the paper.
    pub euclidean: f64,
    /// Weight of the angles within it; 1 in the paper.
    pub angular: f64,
}

impl Default for Repulsion {
    fn default() -> Self {
        Self { weight: 1e-3, center: 1.0, euclidean: 1.0, angular: 1.0 }
    }
}

/// The three terms and their weighted sum, scalars.
pub struct RepulsionTerms {
    /// mean exp(-||g_i - g_j||^2).
    pub euclidean: Tensor,
    /// ||mean g_i||^2.
    pub center: Tensor,
    /// mean (cos_ij + 1 / (G - 1))^2.
    pub angular: Tensor,
    /// The three with their weights.
    pub total: Tensor,
}

impl Repulsion {
    /// The loss of common features `[G, L_c]`, G >= 2.
    ///
    /// - errors: fewer than two groups, which have nothing to be kept apart
    pub fn terms(&self, common: &Tensor) -> Result<RepulsionTerms> {
        let (groups, _) = common.dims2()?;
        if groups < 2 {
            candle_core::bail!("repulsion needs at least 2 groups, found {groups}");
        }
        let length = (common.sqr()?.sum_keepdim(D::Minus1)? + 1e-12)?.sqrt()?;
        let unit = common.broadcast_div(&length)?; // [G, L_c]
        let cosines = unit.matmul(&unit.t()?)?; // [G, G]
        let pairs = (groups * (groups - 1)) as f64;
        let others = (1.0 - Tensor::eye(groups, DType::F32, common.device())?)?;
        // ||g_i - g_j||^2 = 2 - 2 cos_ij for unit vectors.
        let euclidean = (((cosines.affine(2.0, -2.0)?.exp()? * &others)?.sum_all()?) / pairs)?;
        let center = unit.mean(0)?.sqr()?.sum_all()?;
        let target = -1.0 / (groups as f64 - 1.0);
        let angular = (((cosines - target)?.sqr()? * &others)?.sum_all()? / pairs)?;
        let weighted = [(&euclidean, self.euclidean), (&center, self.center), (&angular, self.angular)];
        let [euclidean_part, center_part, angular_part] = weighted.map(|(term, weight)| term * weight);
        let total = ((euclidean_part? + center_part?)? + angular_part?)?;
        Ok(RepulsionTerms { euclidean, center, angular, total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, noise_var};

    #[test]
    fn gradients_agree_with_finite_differences() {
        let repulsion = Repulsion::default();
        check_gradients(&[noise_var(&[4, 6], 1)], |t| repulsion.terms(&t[0])?.total.reshape(1));
    }

    #[test]
    fn free_vectors_find_the_simplex() {
        let vectors = noise_var(&[5, 12], 3);
        for _ in 0..400 {
            let total = Repulsion::default().terms(vectors.as_tensor()).unwrap().total;
            let gradient = total.backward().unwrap().remove(&vectors).unwrap();
            vectors.set(&(vectors.as_tensor() - (gradient * 3.0).unwrap()).unwrap()).unwrap();
        }
        let length = vectors.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap();
        let unit = vectors.broadcast_div(&length).unwrap();
        let cosines = unit.matmul(&unit.t().unwrap()).unwrap().to_vec2::<f32>().unwrap();
        for (i, row) in cosines.iter().enumerate() {
            for (j, cosine) in row.iter().enumerate() {
                let expected = if i == j { 1.0 } else { -0.25 };
                assert!((cosine - expected).abs() < 0.01, "cos({i}, {j}) = {cosine}");
            }
        }
    }

    #[test]
    fn each_term_is_switched_by_its_own_weight() {
        let common = noise_var(&[4, 6], 1);
        let off = Repulsion { euclidean: 0.0, center: 0.0, angular: 0.0, ..Repulsion::default() };
        let of = |repulsion: Repulsion| {
            let terms = repulsion.terms(common.as_tensor()).unwrap();
            [terms.euclidean, terms.center, terms.angular, terms.total].map(|t| t.to_scalar::<f32>().unwrap())
        };
        let [euclidean, center, angular, total] = of(Repulsion::default());
        assert!((total - (euclidean + center + angular)).abs() < 1e-6);
        assert_eq!(of(off)[3], 0.0);
        assert_eq!(of(Repulsion { euclidean: 1.0, ..off })[3], euclidean);
        assert_eq!(of(Repulsion { center: 0.5, ..off })[3], 0.5 * center);
        assert_eq!(of(Repulsion { angular: 1.0, ..off })[3], angular);
    }

    #[test]
    fn one_group_is_refused() {
        assert!(Repulsion::default().terms(noise_var(&[1, 3], 1).as_tensor()).is_err());
    }
}
