//! What a garment lies on: a colour that changes slowly from place to place, seen along the picture's edges.

use std::collections::VecDeque;

use super::oklab::Lab;

/// A picture small enough to be looked at pixel by pixel.
pub(super) struct Scene {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) colours: Vec<Lab>,
    /// The level of the grey picture, 0–1.
    pub(super) grey: Vec<f32>,
}

/// Of the colour, and of the grey level.
const VALUES: usize = 4;

/// A polynomial of the second degree in the place: 1, x, y, x², xy, y².
const TERMS: usize = 6;

/// How often the weights of a fit are found anew.
const ROUNDS: usize = 10;

/// The most pixels that a fit goes by.
const MOST_POINTS: usize = 1024;

/// The distances in Oklab between which that lies up to which a pixel is the ground's.
const TOLERANCE: [f32; 2] = [0.022, 0.1];

/// The least share of the picture's edges that must be the ground's.
const LEAST_EDGE: f32 = 0.4;

/// Of a ground with so much colour, twice as much more or less light is borne as of a grey one: who has its
/// very hue lighter or darker is hardly a garment.
const FAINT: f32 = 0.03;

/// How much darker a pixel is in the deepest shadow, as a share of its lightness.
const DEEPEST: f32 = 0.55;

/// By how much the lightness of a shadow changes from pixel to pixel at most.
const SLOPE: f32 = 0.012;

/// How many tolerances a mixture of ground and garment may be off their line: noise, and the coarser colours of JPEG.
const MIXED: f32 = 3.0;

/// The ground of a scene.
pub(super) struct Ground {
    /// Its colour and grey level behind each pixel.
    behind: Vec<[f32; VALUES]>,
    /// How far the colour of each pixel is from it, in Oklab; in the direction of more or less light, which
    /// scales all three values of Oklab alike, less so where the ground has a colour.
    distances: Vec<f32>,
    /// Up to which distance a pixel is the ground's.
    tolerance: f32,
    /// Whether too few of the picture's edges are the ground's, or they vary too much.
    pub(super) uneven: bool,
}

impl Scene {
    pub(super) fn len(&self) -> usize {
        self.width * self.height
    }

    pub(super) fn is_edge(&self, at: usize, depth: usize) -> bool {
        let (x, y) = (at % self.width, at / self.width);
        x.min(y) < depth || x + depth >= self.width || y + depth >= self.height
    }

    fn values(&self, at: usize) -> [f64; VALUES] {
        let [l, a, b] = self.colours[at];
        [l, a, b, self.grey[at]].map(f64::from)
    }

    fn terms(&self, at: usize) -> [f64; TERMS] {
        let place = |at: usize, edge: usize| 2.0 * (at as f64 + 0.5) / edge as f64 - 1.0;
        let (x, y) = (place(at % self.width, self.width), place(at / self.width, self.height));
        [1.0, x, y, x * x, x * y, y * y]
    }

    /// The pixels beside one.
    pub(super) fn neighbours(&self, at: usize) -> impl Iterator<Item = usize> + use<> {
        let (x, y, width, height) = (at % self.width, at / self.width, self.width, self.height);
        let left = (x > 0).then(|| at - 1);
        let right = (x + 1 < width).then(|| at + 1);
        let above = (y > 0).then(|| at - width);
        let below = (y + 1 < height).then(|| at + width);
        [left, right, above, below].into_iter().flatten()
    }
}

impl Ground {
    /// The ground, and which pixels are its, in reach of the picture's edges.
    pub(super) fn of(scene: &Scene) -> (Ground, Vec<bool>) {
        let depth = (scene.width.min(scene.height) / 32).max(1);
        let edge: Vec<usize> = (0..scene.len()).filter(|&at| scene.is_edge(at, depth)).collect();
        let mut ground = Self::fitted(scene, &edge);
        let near = edge.iter().filter(|&&at| ground.is_near(at)).count();
        let seen = near as f32 / edge.len() as f32;
        let flooded = ground.flooded(scene, 1.0);
        let all: Vec<usize> = (0..scene.len()).filter(|&at| flooded[at]).collect();
        if all.len() > edge.len() {
            let uneven = ground.uneven;
            ground = Self::fitted(scene, &all);
            ground.uneven |= uneven;
        }
        ground.uneven |= seen < LEAST_EDGE;
        let flooded = ground.flooded(scene, 1.0);
        (ground, flooded)
    }

    fn fitted(scene: &Scene, places: &[usize]) -> Ground {
        let points: Vec<_> = places
            .iter()
            .step_by(places.len().div_ceil(MOST_POINTS))
            .map(|&at| (scene.terms(at), scene.values(at)))
            .collect();
        let behind = Surface::fitted(&points).behind(scene);
        let pairs = behind.iter().zip(&scene.colours);
        let distances: Vec<f32> = pairs
            .map(|(&[l, a, b, _], &[own_l, own_a, own_b])| {
                let off = [own_l - l, own_a - a, own_b - b];
                let size = (l * l + a * a + b * b).max(1e-6);
                let light = off[0] * l + off[1] * a + off[2] * b;
                let light = light * light / size;
                let hue = off.iter().map(|off| off * off).sum::<f32>() - light;
                // How surely more or less light can be told from another colour.
                let share = FAINT / (FAINT + (a * a + b * b).sqrt());
                (hue.max(0.0) + share * share * light).sqrt()
            })
            .collect();
        let mut off: Vec<f32> = places.iter().map(|&at| distances[at]).collect();
        let most = off.len() * 3 / 4;
        let (_, &mut noise, _) = off.select_nth_unstable_by(most, f32::total_cmp);
        let tolerance = 0.01 + 2.2 * noise;
        let [least, most] = TOLERANCE;
        let uneven = tolerance > 1.5 * most;
        Ground { behind, distances, tolerance: tolerance.clamp(least, most), uneven }
    }

    /// Whether a pixel has the ground's colour.
    pub(super) fn is_near(&self, at: usize) -> bool {
        self.distances[at] <= self.tolerance
    }

    /// The ground's grey level behind a pixel, 0–1.
    pub(super) fn grey(&self, at: usize) -> f32 {
        self.behind[at][VALUES - 1].clamp(0.0, 1.0)
    }

    /// How much of a pixel something covers that has this colour and grey level, 0–1; nearly all if that is
    /// hardly another than the ground's, and all if the pixel is no mixture of both. Grey levels count, not
    /// lightness: pixels mix levels.
    pub(super) fn cover(&self, scene: &Scene, at: usize, [_, a, b, grey]: [f32; VALUES]) -> f32 {
        let [_, ground_a, ground_b, ground_grey] = self.behind[at];
        let [_, own_a, own_b] = scene.colours[at];
        let mixed = [own_a - ground_a, own_b - ground_b, scene.grey[at] - ground_grey];
        let full = [a - ground_a, b - ground_b, grey - ground_grey];
        let dot = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let noise = self.tolerance * self.tolerance;
        let cover = ((dot(mixed, full) + noise) / (dot(full, full) + noise)).clamp(0.0, 1.0);
        let off = [0, 1, 2].map(|axis| mixed[axis] - cover * full[axis]);
        if dot(off, off) > MIXED * MIXED * noise { 1.0 } else { cover }
    }

    /// What is reached from the picture's edges over pixels of the ground's colour, up to so many times the
    /// usual tolerance, or its colour in a shadow whose edge is soft.
    pub(super) fn flooded(&self, scene: &Scene, factor: f32) -> Vec<bool> {
        let near: Vec<bool> =
            self.distances.iter().map(|&distance| distance <= factor * self.tolerance).collect();
        let mut flooded = vec![false; scene.len()];
        let mut queue = VecDeque::new();
        for at in (0..scene.len()).filter(|&at| near[at] && scene.is_edge(at, 1)) {
            flooded[at] = true;
            queue.push_back(at);
        }
        while let Some(from) = queue.pop_front() {
            for at in scene.neighbours(from) {
                let step = (scene.colours[at][0] - scene.colours[from][0]).abs();
                if !flooded[at] && (near[at] || (step <= SLOPE && self.is_shadow(scene, at))) {
                    flooded[at] = true;
                    queue.push_back(at);
                }
            }
        }
        flooded
    }

    /// Whether a pixel is as the ground with less light, which scales all three values of Oklab alike.
    fn is_shadow(&self, scene: &Scene, at: usize) -> bool {
        let [l, a, b, _] = self.behind[at];
        let [own_l, own_a, own_b] = scene.colours[at];
        let light = own_l / l.max(0.01);
        let (a, b) = (own_a - light * a, own_b - light * b);
        (DEEPEST..1.0).contains(&light) && a * a + b * b <= (self.tolerance / 2.0).powi(2)
    }
}

/// A colour and a grey level that change slowly with the place.
struct Surface([[f64; TERMS]; VALUES]);

impl Surface {
    /// The one with the least sum of distances to the points (not of their squares, so that what lies on the
    /// ground counts little), by weighted least squares in rounds (Weiszfeld's way).
    fn fitted(points: &[([f64; TERMS], [f64; VALUES])]) -> Surface {
        let mut surface = Surface([[0.0; TERMS]; VALUES]);
        for round in 0..ROUNDS {
            let mut products = [[0.0; TERMS]; TERMS];
            let mut sums = [[0.0; TERMS]; VALUES];
            for (terms, values) in points {
                let weight =
                    if round == 0 { 1.0 } else { 1.0 / surface.off(terms, values).max(1e-3) };
                for (row, &term) in terms.iter().enumerate() {
                    let weighted = weight * term;
                    products[row].iter_mut().zip(terms).for_each(|(sum, x)| *sum += weighted * x);
                    for (sums, value) in sums.iter_mut().zip(values) {
                        sums[row] += weighted * value;
                    }
                }
            }
            surface = Surface(solved(products, sums));
        }
        surface
    }

    fn at(&self, terms: &[f64; TERMS]) -> [f64; VALUES] {
        self.0.map(|factors| factors.iter().zip(terms).map(|(factor, x)| factor * x).sum())
    }

    /// Its values at each pixel of a scene. In a row of them only x changes.
    fn behind(&self, scene: &Scene) -> Vec<[f32; VALUES]> {
        let mut behind = Vec::with_capacity(scene.len());
        for row in 0..scene.height {
            let [_, _, y, _, _, yy] = scene.terms(row * scene.width);
            let in_x = self.0.map(|[one, x, by_y, xx, xy, by_yy]| {
                [one + by_y * y + by_yy * yy, x + xy * y, xx].map(|factor| factor as f32)
            });
            for at in 0..scene.width {
                let x = scene.terms(at)[1] as f32;
                behind.push(in_x.map(|[one, by_x, by_xx]| one + x * (by_x + x * by_xx)));
            }
        }
        behind
    }

    fn off(&self, terms: &[f64; TERMS], values: &[f64; VALUES]) -> f64 {
        let there = self.at(terms);
        let colour = there.iter().zip(values).take(VALUES - 1);
        colour.map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    }
}

/// The factors by which the equations' left sides, which are symmetric, give the right ones (Cholesky). A
/// little is added to the diagonal for pictures of so few pixels that they have no one solution.
fn solved(
    mut left: [[f64; TERMS]; TERMS],
    right: [[f64; TERMS]; VALUES],
) -> [[f64; TERMS]; VALUES] {
    let size = left[0][0];
    for row in 0..TERMS {
        left[row][row] += 1e-9 * size;
        for column in 0..=row {
            let known: f64 = (0..column).map(|k| left[row][k] * left[column][k]).sum();
            let rest = left[row][column] - known;
            left[row][column] =
                if row == column { rest.max(1e-30).sqrt() } else { rest / left[column][column] };
        }
    }
    right.map(|mut values| {
        for row in 0..TERMS {
            let known: f64 = (0..row).map(|k| left[row][k] * values[k]).sum();
            values[row] = (values[row] - known) / left[row][row];
        }
        for row in (0..TERMS).rev() {
            let known: f64 = (row + 1..TERMS).map(|k| left[k][row] * values[k]).sum();
            values[row] = (values[row] - known) / left[row][row];
        }
        values
    })
}
