//! How k-means meets its data: by inner products only, computed in one of two ways.
//!
//! k-means on rows x with centroids c needs nothing but x . c and |c|^2. With few rows of many
//! features one matrix of all pairwise products replaces every later pass over the features; with
//! many rows the products with the centroids are computed anew in each iteration.

use ndarray::{Array2, ArrayView1, ArrayViewMut1, CowArray, Ix1, linalg::general_mat_mul};

/// Products of K rows with G centroids, as k-means moves the centroids.
#[derive(Clone, Debug)]
pub(super) struct Products {
    /// x_k . c_g, `[K, G]`.
    pub of_rows: Array2<f32>,
    /// |c_g|^2, `[G]`.
    pub squared_norms: Vec<f32>,
}

/// A set of rows that k-means can run on.
pub(super) trait Geometry {
    /// x_k . x_row for every k.
    fn products_with(&self, row: usize) -> CowArray<'_, f32, Ix1>;
    /// Puts one centroid on each of the given rows.
    fn start(&mut self, seeds: &[usize]) -> Products;
    /// Moves each centroid to the mean of its members; one without members stays where it is.
    fn recenter(&mut self, nearest: &[usize], sizes: &[usize], products: &mut Products);
}

/// All pairwise products at once: K^2 L operations, then K^2 per iteration whatever L is.
pub(super) struct Gram {
    products: Array2<f32>,
}

impl Gram {
    /// - rows: `[K, L]`
    pub fn new(rows: &Array2<f32>) -> Self {
        Self { products: rows.dot(&rows.t()) }
    }
}

impl Geometry for Gram {
    fn products_with(&self, row: usize) -> CowArray<'_, f32, Ix1> {
        self.products.row(row).into()
    }

    fn start(&mut self, seeds: &[usize]) -> Products {
        let of_rows = Array2::from_shape_fn((self.products.nrows(), seeds.len()), |(row, group)| {
            self.products[[row, seeds[group]]]
        });
        let squared_norms = seeds.iter().map(|&seed| self.products[[seed, seed]]).collect();
        Products { of_rows, squared_norms }
    }

    fn recenter(&mut self, nearest: &[usize], sizes: &[usize], products: &mut Products) {
        let mut sums = vec![0f32; sizes.len()];
        for (with_rows, mut with_centroids) in
            self.products.rows().into_iter().zip(products.of_rows.rows_mut())
        {
            sums.fill(0.0);
            for (product, &group) in with_rows.iter().zip(nearest) {
                sums[group] += product;
            }
            store_means(&sums, sizes, &mut with_centroids);
        }
        // |c|^2 = c . mean of members = mean of the members' products with c.
        let mut means = vec![0f32; sizes.len()];
        for (row, &group) in nearest.iter().enumerate() {
            means[group] += products.of_rows[[row, group]];
        }
        store_means(&means, sizes, &mut ArrayViewMut1::from(&mut products.squared_norms[..]));
    }
}

/// Products computed from the features in every iteration: K G L operations each.
pub(super) struct Direct<'a> {
    rows: &'a Array2<f32>,
    centroids: Array2<f32>,
}

impl<'a> Direct<'a> {
    /// - rows: `[K, L]`
    pub fn new(rows: &'a Array2<f32>) -> Self {
        Self { rows, centroids: Array2::zeros((0, rows.ncols())) }
    }

    fn project(&self, products: &mut Products) {
        general_mat_mul(1.0, self.rows, &self.centroids.t(), 0.0, &mut products.of_rows);
        for (norm, centroid) in products.squared_norms.iter_mut().zip(self.centroids.rows()) {
            *norm = centroid.dot(&centroid);
        }
    }
}

impl Geometry for Direct<'_> {
    fn products_with(&self, row: usize) -> CowArray<'_, f32, Ix1> {
        self.rows.dot(&self.rows.row(row)).into()
    }

    fn start(&mut self, seeds: &[usize]) -> Products {
        self.centroids = self.rows.select(ndarray::Axis(0), seeds);
        let mut products = Products {
            of_rows: Array2::zeros((self.rows.nrows(), seeds.len())),
            squared_norms: vec![0.0; seeds.len()],
        };
        self.project(&mut products);
        products
    }

    fn recenter(&mut self, nearest: &[usize], sizes: &[usize], products: &mut Products) {
        let mut sums = Array2::<f32>::zeros(self.centroids.dim());
        for (row, &group) in self.rows.rows().into_iter().zip(nearest) {
            add(&row, sums.row_mut(group));
        }
        for ((mut centroid, sum), &size) in self.centroids.rows_mut().into_iter().zip(sums.rows()).zip(sizes)
        {
            if size > 0 {
                centroid.assign(&sum);
                centroid /= size as f32;
            }
        }
        self.project(products);
    }
}

fn add(row: &ArrayView1<'_, f32>, mut sum: ArrayViewMut1<'_, f32>) {
    sum += row;
}

/// Divides sums by the number of members; groups without members keep what they had.
fn store_means(sums: &[f32], sizes: &[usize], means: &mut ArrayViewMut1<'_, f32>) {
    for ((mean, sum), &size) in means.iter_mut().zip(sums).zip(sizes) {
        if size > 0 {
            *mean = sum / size as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn both_geometries_agree_and_an_empty_group_keeps_its_centroid() {
        let rows = array![[1.0, 0.0, 2.0], [0.5, -1.0, 0.0], [0.0, 3.0, 1.0], [2.0, 2.0, -1.0]];
        let (nearest, sizes) = (vec![0, 2, 0, 2], vec![2, 0, 2]);
        let mut gram = Gram::new(&rows);
        let mut direct = Direct::new(&rows);
        assert_eq!(gram.products_with(2), direct.products_with(2));
        let (mut from_gram, mut from_direct) = (gram.start(&[0, 3, 1]), direct.start(&[0, 3, 1]));
        gram.recenter(&nearest, &sizes, &mut from_gram);
        direct.recenter(&nearest, &sizes, &mut from_direct);

        let centroids = array![[0.5, 1.5, 1.5], [2.0, 2.0, -1.0], [1.25, 0.5, -0.5]];
        let expected: Array2<f32> = rows.dot(&centroids.t());
        for found in [from_gram, from_direct] {
            assert!((&found.of_rows - &expected).iter().all(|error| error.abs() < 1e-5));
            for (norm, centroid) in found.squared_norms.iter().zip(centroids.rows()) {
                assert!((norm - centroid.dot(&centroid)).abs() < 1e-5);
            }
        }
    }
}
