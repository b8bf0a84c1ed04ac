//! Snapshots as tables and as one picture.

use super::Snapshot;
use crate::experiment::plot::{Panel, Panels};
use std::fmt::Write;

/// Name of the table of places.
pub const PLACES: &str = "places.csv";
/// Name of the table of cosines.
pub const COSINES: &str = "cosines.csv";
/// Name of the picture, without ending.
pub const PICTURE: &str = "feature-space";

/// The two tables, by name.
pub fn tables(snapshots: &[Snapshot]) -> [(&'static str, String); 2] {
    let mut places = "model,frame,group,x,y\n".to_owned();
    let mut cosines = "model,group,other_group,cosine\n".to_owned();
    for Snapshot { name, places: of_model, cosines: matrix, .. } in snapshots {
        // Writing to a string cannot fail.
        for (frame, group, [x, y]) in of_model {
            let _ = writeln!(places, "{name},{frame},{group},{x:.4},{y:.4}");
        }
        for ((row, column), cosine) in matrix.indexed_iter() {
            let _ = writeln!(cosines, "{name},{row},{column},{cosine:.6}");
        }
    }
    [(PLACES, places), (COSINES, cosines)]
}

/// The picture: for each model its layout, and below it the cosines of the first frame.
pub fn panels(snapshots: &[Snapshot], subtitle: &str) -> Panels {
    let panel = |snapshot: &Snapshot| Panel {
        title: snapshot.name.clone(),
        points: snapshot.places.iter().map(|(_, group, at)| (*at, *group)).collect(),
        cosines: snapshot.cosines.rows().into_iter().map(|row| row.to_vec()).collect(),
        caption: format!("mean cosine {:.3}, goal {:.3}", snapshot.mean_cosine, snapshot.target),
    };
    Panels {
        title: "Common features of all groups (t-SNE)".into(),
        subtitle: subtitle.to_owned(),
        panels: snapshots.iter().map(panel).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_line_for_every_place_and_cosine() {
        let snapshot = Snapshot {
            name: "epoch 1".into(),
            places: vec![(0, 1, [0.5, -2.0])],
            cosines: array![[1.0, -0.25], [-0.25, 1.0]],
            mean_cosine: -0.25,
            target: -1.0,
        };
        let [(_, places), (_, cosines)] = tables(std::slice::from_ref(&snapshot));
        assert_eq!(places.lines().nth(1), Some("epoch 1,0,1,0.5000,-2.0000"));
        assert_eq!(cosines.lines().nth(2), Some("epoch 1,0,1,-0.250000"));
        let panels = panels(&[snapshot], "scenes");
        assert_eq!(panels.panels[0].caption, "mean cosine -0.250, goal -1.000");
    }
}
