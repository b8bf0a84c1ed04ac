//! Distances in the plane: from points to lines, rectangles and polygons.

/// A point.
pub(super) type Point = (f32, f32);
/// A line between two points.
pub(super) type Segment = [Point; 2];

/// sqrt(x^2 + y^2). Pictures have no coordinates so large that the squares overflow, which
/// `f32::hypot` guards against at five times the cost.
pub(super) fn length(x: f32, y: f32) -> f32 {
    (x * x + y * y).sqrt()
}

/// Distance from a point to a line between two points.
pub(super) fn to_segment(p: Point, [a, b]: Segment) -> f32 {
    let (along, to_p) = ((b.0 - a.0, b.1 - a.1), (p.0 - a.0, p.1 - a.1));
    let length2 = along.0 * along.0 + along.1 * along.1;
    let t = match length2 > 0.0 {
        true => ((to_p.0 * along.0 + to_p.1 * along.1) / length2).clamp(0.0, 1.0),
        false => 0.0,
    };
    length(to_p.0 - t * along.0, to_p.1 - t * along.1)
}

/// Signed distance to a rectangle around the origin with rounded corners, negative inside.
///
/// - half: half the width and height, corners included
pub(super) fn to_box((x, y): Point, half: Point, corner: f32) -> f32 {
    let (qx, qy) = (x.abs() - half.0 + corner, y.abs() - half.1 + corner);
    length(qx.max(0.0), qy.max(0.0)) + qx.max(qy).min(0.0) - corner
}

/// Signed distance to a polygon: that to the nearest edge, negative where a ray to the right
/// crosses an odd number of edges.
pub(super) fn to_polygon(p: Point, points: &[Point]) -> f32 {
    let (mut nearest, mut inside) = (f32::INFINITY, false);
    for (k, &b) in points.iter().enumerate() {
        let a = points[(k + points.len() - 1) % points.len()];
        nearest = nearest.min(to_segment(p, [a, b]));
        if (a.1 > p.1) != (b.1 > p.1) && p.0 < a.0 + (p.1 - a.1) / (b.1 - a.1) * (b.0 - a.0) {
            inside = !inside;
        }
    }
    if inside { -nearest } else { nearest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_to_a_segment() {
        let segment = [(0.0, 0.0), (2.0, 0.0)];
        assert_eq!(to_segment((1.0, 3.0), segment), 3.0);
        assert_eq!(to_segment((5.0, 4.0), segment), 5.0);
        assert_eq!(to_segment((3.0, 4.0), [(0.0, 0.0); 2]), 5.0);
    }

    #[test]
    fn a_rectangle_and_the_same_polygon_agree() {
        let points = [(-0.8, -0.4), (0.8, -0.4), (0.8, 0.4), (-0.8, 0.4)];
        for k in 0..400 {
            let p = ((k % 20) as f32 * 0.13 - 1.2, (k / 20) as f32 * 0.11 - 1.0);
            let (a, b) = (to_box(p, (0.8, 0.4), 0.0), to_polygon(p, &points));
            assert!((a - b).abs() < 1e-5, "{p:?}: {a} {b}");
        }
        assert_eq!(to_polygon((1.0, 1.0), &[]), f32::INFINITY);
    }
}
