//! Where to look: the middle and the size of what is shown, and what a particle's colour stands for.

use surprisal_core::sim::{
    Boundary, Space,
    swarm::{Rule, Setup, State},
};

use crate::{
    camera::{Camera, dot},
    colour::BINS,
    live::{Look, Shade},
};

/// Of the way to the school, the camera goes so much in a frame.
const FOLLOW: f64 = 0.12;
/// In open water, so much of the school is to be seen.
const SEEN: f64 = 0.95;

/// Where the camera looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gaze {
    pub(super) centre: [f64; 3],
    pub(super) radius: f64,
}

impl Gaze {
    /// What the world, or in open water the school, asks for.
    pub(super) fn of(setup: &Setup, state: &State) -> Self {
        let space = &setup.space;
        let half = match space.boundary {
            Boundary::Open => return Self::school(setup, state),
            Boundary::Periodic { side } | Boundary::Walls { side } if space.is_flat() => side * 0.54,
            // The corners of a cube may touch the edge of the view.
            Boundary::Periodic { side } | Boundary::Walls { side } => side * 0.75,
            Boundary::Tank { radius, .. } if space.is_flat() => radius * 1.06,
            Boundary::Tank { radius, depth } => radius.hypot(depth / 2.0) * 0.92,
        };
        Self { centre: space.middle(), radius: half }
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of particles")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank among them")]
    fn school(setup: &Setup, state: &State) -> Self {
        let n = state.positions.len().max(1);
        let mut centre = [0.0; 3];
        for p in &state.positions {
            for (c, x) in centre.iter_mut().zip(p) {
                *c += x / n as f64;
            }
        }
        let mut far: Vec<f64> =
            state.positions.iter().map(|p| (0..3).map(|k| (p[k] - centre[k]).powi(2)).sum::<f64>().sqrt()).collect();
        far.sort_by(f64::total_cmp);
        let rank = ((n - 1) as f64 * SEEN) as usize;
        let reach = far.get(rank).copied().unwrap_or(1.0);
        Self { centre, radius: (1.3 * reach).max(3.0 * body(setup)) }
    }

    /// Goes part of the way to `to`; says whether it has arrived.
    pub(super) fn follow(&mut self, to: Self) -> bool {
        let mut apart = 0.0_f64;
        for (c, t) in self.centre.iter_mut().zip(to.centre) {
            apart = apart.max((t - *c).abs());
            *c += FOLLOW * (t - *c);
        }
        apart = apart.max((to.radius - self.radius).abs());
        self.radius += 0.5 * FOLLOW * (to.radius - self.radius);
        apart < 0.002 * to.radius
    }

    pub(super) fn camera(&self, look: &Look, space: &Space) -> Camera {
        let angles = (look.yaw, look.pitch, look.zoom);
        Camera::new(self.centre, self.radius, angles, space.is_flat(), (look.width, look.height))
    }
}

/// The length of a body.
pub(super) fn body(setup: &Setup) -> f64 {
    match &setup.rule {
        Rule::Couzin2002(z) => z.repulsion.max(0.04 * z.attraction),
        Rule::Dewi(z) => z.repulsion.max(0.04 * z.attraction),
        Rule::Vicsek(v) => 0.3 * v.radius,
        Rule::Boids(b) => b.separation_radius.max(0.1 * b.perception),
    }
}

/// The bin of each particle's colour, and what the ends of the colour bar stand for.
pub(super) fn shades(shade: Shade, setup: &Setup, state: &State, gaze: &Gaze, bins: &mut Vec<u8>) -> (f64, f64) {
    bins.clear();
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, z), x| (a.min(x), z.max(x)))
    };
    match shade {
        Shade::Heading => {
            let turn = std::f64::consts::TAU;
            bins.extend(state.headings.iter().map(|u| bin(u[1].atan2(u[0]) / turn + 0.5)));
            (-180.0, 180.0)
        }
        Shade::Speed => {
            let (low, high) = range(&mut state.speeds.iter().copied());
            bins.extend(state.speeds.iter().map(|s| bin(share(*s, low, high))));
            (low, high)
        }
        Shade::Depth => {
            let (low, high) = match setup.space.boundary {
                Boundary::Open => (gaze.centre[2] - gaze.radius, gaze.centre[2] + gaze.radius),
                Boundary::Periodic { side } | Boundary::Walls { side } => (0.0, side),
                Boundary::Tank { depth, .. } => (0.0, depth),
            };
            bins.extend(state.positions.iter().map(|p| bin(share(p[2], low, high))));
            (low, high)
        }
        Shade::Alignment => {
            let mut mean = [0.0; 3];
            for u in &state.headings {
                for (m, c) in mean.iter_mut().zip(u) {
                    *m += c;
                }
            }
            let length = dot(mean, mean).sqrt().max(1e-12);
            bins.extend(state.headings.iter().map(|u| bin((dot(mean, *u) / length + 1.0) / 2.0)));
            (-1.0, 1.0)
        }
    }
}

fn share(x: f64, low: f64, high: f64) -> f64 {
    if high - low > 1e-12 * high.abs().max(1e-12) { (x - low) / (high - low) } else { 0.5 }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "one of a few dozen bins"
)]
fn bin(t: f64) -> u8 {
    ((t.clamp(0.0, 1.0) * BINS as f64) as usize).min(BINS - 1) as u8
}
