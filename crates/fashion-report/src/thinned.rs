//! Curves of thousands of points, with no more of them than can be seen.

/// A part of a pixel, and the smallest step of a figure's shapes.
const UNSEEN: f64 = 0.25;

/// A few of the places, both ends among them, so that the line through them stays within a quarter
/// of a pixel of all the others: the algorithm of D. H. Douglas and T. K. Peucker, "Algorithms for the
/// reduction of the number of points required to represent a digitized line", Cartographica 10 (1973).
pub(crate) fn thinned(places: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let Some(last) = places.len().checked_sub(1) else { return Vec::new() };
    let mut kept = vec![false; places.len()];
    (kept[0], kept[last]) = (true, true);
    let mut parts = vec![(0, last)];
    while let Some((from, to)) = parts.pop() {
        let far = |at: &usize| distance(places[*at], places[from], places[to]);
        let farthest = (from + 1..to).max_by(|a, b| far(a).total_cmp(&far(b)));
        if let Some(at) = farthest.filter(|at| far(at) > UNSEEN) {
            kept[at] = true;
            parts.extend([(from, at), (at, to)]);
        }
    }
    places.iter().zip(kept).filter_map(|(&place, kept)| kept.then_some(place)).collect()
}

/// From a place to the straight line between two others.
fn distance(place: (f64, f64), a: (f64, f64), b: (f64, f64)) -> f64 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let along = (place.0 - a.0) * dx + (place.1 - a.1) * dy;
    let t = (along / (dx * dx + dy * dy)).clamp(0.0, 1.0);
    // Of two equal ends no t is a number.
    let t = if t.is_nan() { 0.0 } else { t };
    libm::hypot(place.0 - a.0 - t * dx, place.1 - a.1 - t * dy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_places_stand_for_all_and_none_is_far_from_their_line() {
        // A staircase of 20,000 steps, with noise, over 364 pixels.
        let step = |i: u32| {
            let t = f64::from(i) / 20_000.0;
            (364.0 * t, 364.0 * t.sqrt() + 0.1 * f64::from(i * 7 % 3))
        };
        let places: Vec<_> = (0..20_000).map(step).collect();
        let few = thinned(&places);
        assert!(few.len() < 200, "{} places", few.len());
        assert_eq!((few[0], few[few.len() - 1]), (places[0], places[19_999]));
        for &place in &places {
            let nearest = few.windows(2).map(|ends| distance(place, ends[0], ends[1]));
            assert!(nearest.fold(f64::INFINITY, f64::min) <= UNSEEN, "{place:?}");
        }
    }

    #[test]
    fn corners_stay_and_what_lies_between_goes() {
        assert_eq!(thinned(&[]), []);
        assert_eq!(thinned(&[(1.0, 2.0)]), [(1.0, 2.0)]);
        let corner = [(0.0, 0.0), (0.0, 5.0), (0.0, 9.0), (4.0, 9.0), (9.0, 9.0)];
        assert_eq!(thinned(&corner), [(0.0, 0.0), (0.0, 9.0), (9.0, 9.0)]);
        // There and back again.
        let spike = [(0.0, 0.0), (0.0, 5.0), (0.0, 0.0)];
        assert_eq!(thinned(&spike), spike);
    }
}
