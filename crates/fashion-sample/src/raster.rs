//! A small rasteriser: filled outlines with exact area coverage, and round strokes.
//!
//! Only `+ - * /`, `sqrt` and rounding are used, which give the same bits on every platform.

/// A point in garment coordinates: the image spans −14 to 14 both ways, y pointing down.
pub(super) type Point = (f32, f32);

/// A closed outline.
#[derive(Clone, Debug, Default)]
pub(super) struct Path {
    points: Vec<Point>,
}

impl Path {
    pub(super) fn from(start: Point) -> Self {
        let mut points = Vec::with_capacity(64);
        points.push(start);
        Self { points }
    }

    pub(super) fn polygon(points: &[Point]) -> Self {
        Self { points: points.to_vec() }
    }

    pub(super) fn line(mut self, x: f32, y: f32) -> Self {
        self.points.push((x, y));
        self
    }

    /// A quadratic Bézier curve to `(x, y)` that is drawn towards `control`.
    pub(super) fn curve(mut self, control: Point, x: f32, y: f32) -> Self {
        const STEPS: usize = 6;
        let (x0, y0) = self.points[self.points.len() - 1];
        for step in 1..=STEPS {
            let t = step as f32 / STEPS as f32;
            let (a, b, c) = ((1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t);
            self.points.push((a * x0 + b * control.0 + c * x, a * y0 + b * control.1 + c * y));
        }
        self
    }

    /// Adds the mirror image of what is there, back to the start; for outlines drawn from the middle
    /// of the top to the middle of the bottom.
    pub(super) fn mirrored(mut self) -> Self {
        for index in (0..self.points.len()).rev() {
            let (x, y) = self.points[index];
            self.points.push((-x, y));
        }
        self
    }

    /// The mirror image.
    pub(super) fn flipped(mut self) -> Self {
        for point in &mut self.points {
            point.0 = -point.0;
        }
        self
    }

    /// An ellipse, as four curves drawn close to it.
    pub(super) fn ellipse((x, y): Point, rx: f32, ry: f32) -> Self {
        // Where the tangents of an eighth of the circle meet: tan(π/8), and cos(π/4).
        let (k, d) = (0.414_213_57, 0.707_106_77);
        let octants = [
            ((1.0, k), (d, d)),
            ((k, 1.0), (0.0, 1.0)),
            ((-k, 1.0), (-d, d)),
            ((-1.0, k), (-1.0, 0.0)),
            ((-1.0, -k), (-d, -d)),
            ((-k, -1.0), (0.0, -1.0)),
            ((k, -1.0), (d, -d)),
            ((1.0, -k), (1.0, 0.0)),
        ];
        octants.iter().fold(Self::from((x + rx, y)), |path, &((cx, cy), (px, py))| {
            path.curve((x + rx * cx, y + ry * cy), x + rx * px, y + ry * py)
        })
    }
}

/// From garment coordinates to pixels, and back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pose {
    /// x = a·u + b·v + c, y = d·u + e·v + f.
    forward: [f32; 6],
    inverse: [f32; 6],
    /// How much the garment bows to the side.
    bend: f32,
}

impl Pose {
    /// Turned by the angle whose half has the tangent `half_turn`, stretched, slanted and moved, and then
    /// scaled to an image of so many rows.
    pub(super) fn new(
        half_turn: f32,
        stretch: Point,
        slant: f32,
        shift: Point,
        bend: f32,
        side: usize,
    ) -> Self {
        let scale = side as f32 / 28.0;
        let t2 = half_turn * half_turn;
        let (cos, sin) = ((1.0 - t2) / (1.0 + t2), 2.0 * half_turn / (1.0 + t2));
        let (a, b) = (cos * stretch.0 * scale, (cos * slant - sin) * stretch.1 * scale);
        let (d, e) = (sin * stretch.0 * scale, (sin * slant + cos) * stretch.1 * scale);
        let (c, f) = ((14.0 + shift.0) * scale, (14.0 + shift.1) * scale);
        let determinant = a * e - b * d;
        let (ia, ib, id, ie) =
            (e / determinant, -b / determinant, -d / determinant, a / determinant);
        let inverse = [ia, ib, -(ia * c + ib * f), id, ie, -(id * c + ie * f)];
        Self { forward: [a, b, c, d, e, f], inverse, bend }
    }

    fn apply(&self, (u, v): Point) -> Point {
        let u = u + self.bend * (v * v * (1.0 / 196.0) - 0.3);
        affine(&self.forward, u, v)
    }

    /// The point of the garment at the middle of a pixel (its bow left out).
    fn back(&self, x: usize, y: usize) -> Point {
        affine(&self.inverse, x as f32 + 0.5, y as f32 + 0.5)
    }

    fn scale(&self) -> f32 {
        let [a, b, _, d, e, _] = self.forward;
        (a * e - b * d).abs().sqrt()
    }
}

fn affine([a, b, c, d, e, f]: &[f32; 6], u: f32, v: f32) -> Point {
    (a * u + b * v + c, d * u + e * v + f)
}

/// An image being drawn: brightness 0–1 over a black background.
pub(super) struct Canvas {
    pub(super) pose: Pose,
    /// Rows, and columns.
    side: usize,
    pub(super) pixels: Vec<f32>,
    /// How much of each pixel is covered by anything.
    pub(super) cover: Vec<f32>,
    /// Per row, the changes of coverage from each pixel to the next, in one cell more than there are
    /// pixels, which takes what falls right of the image.
    cells: Vec<f32>,
}

impl Canvas {
    pub(super) fn new(pose: Pose, side: usize) -> Self {
        let (pixels, cover) = (vec![0.0; side * side], vec![0.0; side * side]);
        Self { pose, side, pixels, cover, cells: vec![0.0; (side + 2) * side] }
    }

    /// Where the image ends.
    fn edge_of(&self) -> f32 {
        self.side as f32
    }

    /// Lays the brightness that `paint` gives at (u, v) over what is there.
    pub(super) fn fill(&mut self, path: &Path, opacity: f32, paint: impl Fn(f32, f32) -> f32) {
        self.each_covered(path, |canvas, index, coverage| {
            canvas.lay(index, coverage * opacity, &paint);
        });
    }

    /// A stroke with round ends through `points`, only where something is covered already.
    pub(super) fn seam(&mut self, points: &[Point], width: f32, opacity: f32, level: f32) {
        self.stroke(points, width, |canvas, index, coverage| {
            let coverage = coverage * opacity;
            let cover = canvas.cover[index];
            canvas.pixels[index] += (level * cover - canvas.pixels[index]) * coverage;
        });
    }

    /// A stroke with round ends through `points`, over anything.
    pub(super) fn strap(&mut self, points: &[Point], width: f32, paint: impl Fn(f32, f32) -> f32) {
        self.stroke(points, width, |canvas, index, coverage| canvas.lay(index, coverage, &paint));
    }

    /// The same seam on both sides of the garment, the given one first.
    pub(super) fn seams<const N: usize>(
        &mut self,
        points: &[Point; N],
        width: f32,
        opacity: f32,
        level: f32,
    ) {
        self.seam(points, width, opacity, level);
        self.seam(&points.map(|(u, v)| (-u, v)), width, opacity, level);
    }

    fn lay(&mut self, index: usize, opacity: f32, paint: impl Fn(f32, f32) -> f32) {
        let (u, v) = self.pose.back(index % self.side, index / self.side);
        self.pixels[index] += (paint(u, v) - self.pixels[index]) * opacity;
        self.cover[index] += (1.0 - self.cover[index]) * opacity;
    }

    fn each_covered(&mut self, path: &Path, mut visit: impl FnMut(&mut Self, usize, f32)) {
        let Some(&last) = path.points.last() else { return };
        let (side, edge) = (self.side, self.edge_of());
        let mut from = self.pose.apply(last);
        let (mut top, mut bottom) = (edge, 0.0f32);
        for &point in &path.points {
            let to = self.pose.apply(point);
            self.edge(from, to);
            (top, bottom) = (top.min(to.1), bottom.max(to.1));
            from = to;
        }
        for y in (top.max(0.0) as usize)..(bottom.min(edge).ceil() as usize) {
            let mut sum = 0.0;
            for x in 0..side {
                sum += std::mem::take(&mut self.cells[y * (side + 2) + x]);
                let coverage = sum.abs().min(1.0);
                if coverage > 1e-3 {
                    visit(self, y * side + x, coverage);
                }
            }
            self.cells[y * (side + 2) + side..(y + 1) * (side + 2)].fill(0.0);
        }
    }

    /// Adds one edge to the coverage: in each row it crosses, what lies to its right changes by the
    /// height it crosses there, and the pixels that it passes through by the area to its right.
    fn edge(&mut self, from: Point, to: Point) {
        if from.1 == to.1 {
            return;
        }
        let (sign, upper, lower) = if from.1 < to.1 { (1.0, from, to) } else { (-1.0, to, from) };
        let edge = self.edge_of();
        let slope = (lower.0 - upper.0) / (lower.1 - upper.1);
        let first = upper.1.max(0.0);
        let end = lower.1.min(edge);
        let mut x = upper.0 + (first - upper.1) * slope;
        for y in (first as usize)..(end.max(0.0).ceil() as usize) {
            let height = end.min(y as f32 + 1.0) - first.max(y as f32);
            let next = x + height * slope;
            let (left, right) = (x.min(next).clamp(0.0, edge), x.max(next).clamp(0.0, edge));
            self.row_edge(y, left, right, sign * height);
            x = next;
        }
    }

    fn row_edge(&mut self, y: usize, left: f32, right: f32, height: f32) {
        let row = &mut self.cells[y * (self.side + 2)..][..self.side + 2];
        let (start, last) = (left as usize, right as usize);
        // The height crossed within each pixel, and the part of it that counts from that pixel on.
        let share = if last > start { height / (right - left) } else { 0.0 };
        for (x, cell) in (start..).zip(0..=last - start) {
            let (x0, x1) = (left.max(x as f32), right.min(x as f32 + 1.0));
            let crossed = if last > start { share * (x1 - x0) } else { height };
            let within = crossed * (0.5 * (x0 + x1) - x as f32);
            row[start + cell] += crossed - within;
            row[start + cell + 1] += within;
        }
    }

    fn stroke(
        &mut self,
        points: &[Point],
        width: f32,
        mut visit: impl FnMut(&mut Self, usize, f32),
    ) {
        let (side, edge) = (self.side, self.edge_of());
        let radius = 0.5 * width * self.pose.scale();
        let reach = radius + 0.5;
        let placed: Vec<Point> = points.iter().map(|&point| self.pose.apply(point)).collect();
        let low = |axis: fn(&Point) -> f32| {
            let least = placed.iter().map(axis).fold(edge, f32::min);
            (least - reach).clamp(0.0, edge) as usize
        };
        let high = |axis: fn(&Point) -> f32| {
            let most = placed.iter().map(axis).fold(0.0, f32::max);
            (most + reach).clamp(0.0, edge).ceil() as usize
        };
        let (left, right, top, bottom) = (low(|p| p.0), high(|p| p.0), low(|p| p.1), high(|p| p.1));
        for y in top..bottom {
            for x in left..right {
                let centre = (x as f32 + 0.5, y as f32 + 0.5);
                let nearest = placed
                    .windows(2)
                    .map(|ends| squared_distance(centre, ends[0], ends[1]))
                    .fold(f32::INFINITY, f32::min);
                if nearest >= reach * reach {
                    continue;
                }
                // A stroke thinner than a pixel covers part of it, wherever it runs.
                let coverage = (reach - nearest.sqrt()).min(1.0).min(2.0 * radius);
                visit(self, y * side + x, coverage);
            }
        }
    }
}

fn squared_distance(point: Point, from: Point, to: Point) -> f32 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (px, py) = (point.0 - from.0, point.1 - from.1);
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 { ((px * dx + py * dy) / length).clamp(0.0, 1.0) } else { 0.0 };
    let (ex, ey) = (px - along * dx, py - along * dy);
    ex * ex + ey * ey
}

#[cfg(test)]
mod tests {
    use super::*;

    fn still() -> Pose {
        Pose::new(0.0, (1.0, 1.0), 0.0, (0.0, 0.0), 0.0, 28)
    }

    fn area(canvas: &Canvas) -> f32 {
        canvas.pixels.iter().sum()
    }

    #[test]
    fn coverage_is_the_exact_area() {
        let mut canvas = Canvas::new(still(), 28);
        canvas.fill(
            &Path::polygon(&[(-3.25, -2.5), (4.5, -2.5), (4.5, 1.75), (-3.25, 1.75)]),
            1.0,
            |_, _| 1.0,
        );
        assert!((area(&canvas) - 7.75 * 4.25).abs() < 1e-4, "{}", area(&canvas));
        assert!((canvas.pixels[11 * 28 + 10] - 0.25 * 0.5).abs() < 1e-6);

        let mut canvas = Canvas::new(still(), 28);
        canvas.fill(&Path::polygon(&[(-9.3, 7.1), (0.7, -8.2), (10.9, 3.3)]), 1.0, |_, _| 1.0);
        let triangle = 0.5f32 * ((0.7 + 9.3) * (3.3 - 7.1) - (10.9 + 9.3) * (-8.2 - 7.1));
        assert!((area(&canvas) - triangle.abs()).abs() < 1e-3, "{} {triangle}", area(&canvas));
        assert!(canvas.cells.iter().all(|&cell| cell == 0.0));
    }

    #[test]
    fn what_lies_outside_is_clipped() {
        let mut canvas = Canvas::new(still(), 28);
        canvas.fill(
            &Path::polygon(&[(-40.0, -40.0), (40.0, -40.0), (40.0, 40.0), (-40.0, 40.0)]),
            1.0,
            |_, _| 1.0,
        );
        assert!(canvas.pixels.iter().all(|&level| (level - 1.0).abs() < 1e-5));
        let mut canvas = Canvas::new(still(), 28);
        canvas.fill(&Path::polygon(&[(0.0, -30.0), (60.0, 0.0), (0.0, 30.0)]), 1.0, |_, _| 1.0);
        assert!(
            canvas.pixels.iter().enumerate().all(|(i, &level)| level == f32::from(i % 28 >= 14))
        );
    }

    #[test]
    fn an_ellipse_is_round() {
        let mut canvas = Canvas::new(still(), 28);
        canvas.fill(&Path::ellipse((1.0, -2.0), 9.0, 5.0), 1.0, |_, _| 1.0);
        assert!((area(&canvas) / (std::f32::consts::PI * 45.0) - 1.0).abs() < 0.01);
    }

    #[test]
    fn poses_can_be_undone() {
        let pose = Pose::new(0.1, (0.9, 1.1), 0.05, (1.0, -2.0), 0.0, 28);
        for (x, y) in [(0, 0), (27, 3), (14, 20)] {
            let (px, py) = pose.apply(pose.back(x, y));
            assert!((px - x as f32 - 0.5).abs() < 1e-4 && (py - y as f32 - 0.5).abs() < 1e-4);
        }
    }
}
