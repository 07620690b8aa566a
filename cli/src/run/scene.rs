//! Particles as oriented darts, projected orthographically, in pictures of few colours.

use std::f64::consts::TAU;

use surprisal_core::{
    figure::{Rgb, Theme, palette},
    sim::{Boundary, Space},
};

use super::frames::Frame;

/// Pixels of a side.
pub(crate) const SIDE: u16 = 640;

/// Directions that have a colour of their own.
const HUES: usize = 24;
/// Shades of each, from near to far.
const SHADES: usize = 3;
const BACKGROUND: u8 = 0;
const LINE: u8 = 1;

/// What is seen: a world that turns with nothing, looked at from above one corner; in flat worlds from above.
pub(crate) struct Scene {
    space: Space,
    /// Length that half the picture shows.
    reach: f64,
    pixels: Vec<u8>,
}

/// Where something is in the picture, and how far behind the middle.
#[derive(Clone, Copy)]
struct Seen {
    x: f64,
    y: f64,
    depth: f64,
}

impl Scene {
    /// For a world; open water is followed and shows as much as the widest of `spreads`.
    pub(crate) fn new(space: Space, spreads: impl Iterator<Item = f64>) -> Self {
        let flat = space.is_flat();
        let reach = match space.boundary {
            Boundary::Periodic { side } | Boundary::Walls { side } => side * if flat { 0.5 } else { 0.8 },
            Boundary::Tank { radius, .. } => radius,
            Boundary::Open => spreads.fold(1.0, f64::max) * 1.25,
        };
        Self { space, reach: reach * 1.08, pixels: vec![BACKGROUND; usize::from(SIDE) * usize::from(SIDE)] }
    }

    /// Red, green and blue of each colour number.
    pub(crate) fn palette() -> Vec<u8> {
        let colours = palette(Theme::Light);
        let mut bytes = Vec::new();
        let mut push = |Rgb(r, g, b): Rgb| bytes.extend([r, g, b]);
        push(colours.surface);
        push(colours.line);
        for shade in 0..SHADES {
            for hue in 0..HUES {
                push(hue_colour(index(hue) / index(HUES), [0.0, 0.2, 0.45][shade], colours.surface));
            }
        }
        bytes
    }

    /// The picture of a frame, one colour number a pixel; `progress` in [0, 1] is a line at the lower edge.
    pub(crate) fn draw(&mut self, frame: &Frame, progress: f64) -> &[u8] {
        self.pixels.fill(BACKGROUND);
        let centre = match self.space.boundary {
            Boundary::Open => mean(&frame.positions),
            _ => self.space.middle(),
        };
        self.frame_of_the_world(centre);
        let (positions, _) = frame.positions.as_chunks::<3>();
        let (velocities, _) = frame.velocities.as_chunks::<3>();
        let mut order: Vec<(Seen, usize)> = positions.iter().map(|x| self.project(*x, centre)).zip(0..).collect();
        order.sort_by(|a, b| b.0.depth.total_cmp(&a.0.depth));
        let size = match positions.len() {
            0..=500 => 12.0,
            501..=4000 => 7.0,
            _ => 4.0,
        };
        for (at, k) in order {
            let v = velocities[k];
            let speed = v.iter().map(|c| c * c).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
            let ahead = self.turned(v.map(|c| c / speed));
            let hue = bucket((v[1].atan2(v[0]) / TAU).rem_euclid(1.0), HUES);
            let shade = if self.space.is_flat() { 0 } else { bucket((at.depth / self.reach + 1.0) / 2.0, SHADES) };
            self.dart(at, ahead, size, number(2 + shade * HUES + hue));
        }
        let row = usize::from(SIDE) * (usize::from(SIDE) - 2);
        let done = bucket(progress, usize::from(SIDE)) + 1;
        self.pixels[row..row + done].fill(LINE);
        &self.pixels
    }

    /// Rotated into the picture's axes: right, up, away.
    fn turned(&self, v: [f64; 3]) -> [f64; 3] {
        if self.space.is_flat() {
            return [v[0], v[1], 0.0];
        }
        let (sin, cos) = 35_f64.to_radians().sin_cos();
        let (tilt, level) = 25_f64.to_radians().sin_cos();
        let away = v[0] * cos + v[1] * sin;
        [v[1] * cos - v[0] * sin, v[2] * level + away * tilt, away * level - v[2] * tilt]
    }

    fn project(&self, x: [f64; 3], centre: [f64; 3]) -> Seen {
        let [right, up, depth] = self.turned([0, 1, 2].map(|k| x[k] - centre[k]));
        let half = f64::from(SIDE) / 2.0;
        Seen { x: half + right / self.reach * half, y: half - up / self.reach * half, depth }
    }

    /// The edges of a box, or the rims of a tank.
    fn frame_of_the_world(&mut self, centre: [f64; 3]) {
        let flat = self.space.is_flat();
        match self.space.boundary {
            Boundary::Open => {}
            Boundary::Periodic { side } | Boundary::Walls { side } => {
                let corner = |k: u32| [0, 1, 2].map(|axis| if k >> axis & 1 == 1 { side } else { 0.0 });
                for (a, axis) in (0..8_u32).flat_map(|a| (0..3).map(move |axis| (a, axis))) {
                    if a >> axis & 1 == 0 && !(flat && (a > 3 || axis == 2)) {
                        self.line(corner(a), corner(a | 1 << axis), centre);
                    }
                }
            }
            Boundary::Tank { radius, depth } => {
                let rim = |k: u32, z: f64| {
                    let (sin, cos) = (TAU * f64::from(k) / 96.0).sin_cos();
                    [radius * cos, radius * sin, z]
                };
                for z in if flat { vec![0.0] } else { vec![0.0, depth] } {
                    (0..96).for_each(|k| self.line(rim(k, z), rim(k + 1, z), centre));
                }
            }
        }
    }

    fn line(&mut self, a: [f64; 3], b: [f64; 3], centre: [f64; 3]) {
        let (a, b) = (self.project(a, centre), self.project(b, centre));
        let steps = f64::from(SIDE) * 2.0;
        let mut t = 0.0;
        while t <= steps {
            let share = t / steps;
            self.point(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share, LINE);
            t += 1.0;
        }
    }

    /// A triangle that points ahead; one that swims away or nearer is short.
    fn dart(&mut self, at: Seen, ahead: [f64; 3], size: f64, colour: u8) {
        let (dx, dy) = (ahead[0] * size, -ahead[1] * size);
        let length = dx.hypot(dy).max(1e-9);
        let (nx, ny) = (-dy / length * size * 0.38, dx / length * size * 0.38);
        let corners = [
            (at.x + dx, at.y + dy),
            (at.x - dx * 0.6 + nx, at.y - dy * 0.6 + ny),
            (at.x - dx * 0.6 - nx, at.y - dy * 0.6 - ny),
        ];
        let side = |a: (f64, f64), b: (f64, f64), p: (f64, f64)| (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0);
        let reach = size * 1.5;
        let mut y = (at.y - reach).floor() + 0.5;
        while y < at.y + reach {
            let mut x = (at.x - reach).floor() + 0.5;
            while x < at.x + reach {
                let sides = [0, 1, 2].map(|k| side(corners[k], corners[(k + 1) % 3], (x, y)));
                if sides.iter().all(|s| *s >= 0.0) || sides.iter().all(|s| *s <= 0.0) {
                    self.point(x, y, colour);
                }
                x += 1.0;
            }
            y += 1.0;
        }
        self.point(at.x, at.y, colour);
    }

    fn point(&mut self, x: f64, y: f64, colour: u8) {
        let side = f64::from(SIDE);
        if (0.0..side).contains(&x) && (0.0..side).contains(&y) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the picture")]
            let place = y as usize * usize::from(SIDE) + x as usize;
            self.pixels[place] = colour;
        }
    }
}

/// Within which distance of the middle 95 % of the particles are.
pub(crate) fn spread(frame: &Frame) -> f64 {
    let centre = mean(&frame.positions);
    let (positions, _) = frame.positions.as_chunks::<3>();
    let far = |x: &[f64; 3]| (0..3).map(|k| (x[k] - centre[k]).powi(2)).sum::<f64>().sqrt();
    let mut distances: Vec<f64> = positions.iter().map(far).collect();
    distances.sort_by(f64::total_cmp);
    distances.get(distances.len().saturating_sub(1) * 19 / 20).copied().unwrap_or(1.0)
}

fn mean(positions: &[f64]) -> [f64; 3] {
    let (positions, _) = positions.as_chunks::<3>();
    let n = index(positions.len().max(1));
    [0, 1, 2].map(|k| positions.iter().map(|x| x[k]).sum::<f64>() / n)
}

/// A colour of the circle at equal lightness (OKLCH 0.62, 0.15), mixed with the background.
fn hue_colour(hue: f64, fade: f64, background: Rgb) -> Rgb {
    let (b, a) = (TAU * hue + 0.5).sin_cos();
    let (a, b) = (0.15 * a, 0.15 * b);
    let cube = |x: f64| x * x * x;
    let l = cube(0.62 + 0.396_337_777_4 * a + 0.215_803_757_3 * b);
    let m = cube(0.62 - 0.105_561_345_8 * a - 0.063_854_172_8 * b);
    let s = cube(0.62 - 0.089_484_177_5 * a - 1.291_485_548 * b);
    let linear = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s,
    ];
    let encoded = linear.map(|c| 1.055 * c.clamp(0.003_130_8, 1.0).powf(1.0 / 2.4) - 0.055);
    let Rgb(red, green, blue) = background;
    let mixed = |c: f64, behind: u8| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 255")]
        let byte = (255.0 * c * (1.0 - fade) + f64::from(behind) * fade).round() as u8;
        byte
    };
    Rgb(mixed(encoded[0], red), mixed(encoded[1], green), mixed(encoded[2], blue))
}

/// Which of `n` equal parts of [0, 1] a share is in.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the parts that there are")]
fn bucket(share: f64, n: usize) -> usize {
    ((share.clamp(0.0, 1.0) * index(n)) as usize).min(n - 1)
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn index(n: usize) -> f64 {
    n as f64
}

fn number(colour: usize) -> u8 {
    u8::try_from(colour).unwrap_or(LINE)
}
