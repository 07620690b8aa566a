//! The sums over neighbours: a block of particles against a run of others, one other at a time.
//!
//! Lanes are those who look, so that each sums its neighbours in the order of the run: where runs ascend, a sum has the
//! same bits whether the run holds everybody or the neighbourhood alone, because whoever is out of reach adds a zero.
//! There is no branch in a lane, and no fused multiply-add, whose bits would be the machine's.

use multiversion::multiversion;

use super::{
    super::Rule,
    lanes::{Block, LANES, Others, Sums},
};
use crate::sim::Space;

/// A rule, as its sums need it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Law {
    kind: Kind,
    /// The three radii; Vicsek's, and boids' of separation and perception, are the first and the last.
    radii: [f64; 3],
    /// Closer ones are not there (the particle itself is at 0).
    nearest: f64,
    /// Seen iff u·d > this × r; one for the first radius, one beyond.
    cosine: [f64; 2],
    /// The edge of a periodic box.
    side: f64,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Zones {
        periodic: bool,
    },
    /// The same, with one cosine for all zones.
    Cone {
        periodic: bool,
    },
    Vicsek {
        periodic: bool,
    },
    Boids {
        periodic: bool,
    },
}

/// Below every cosine: everything is seen.
const ALL_ROUND: f64 = -2.0;

/// The cosine of half an opening, of which a full turn has no blind direction at all.
fn cosine(opening: f64) -> f64 {
    if opening >= std::f64::consts::TAU { ALL_ROUND } else { (opening / 2.0).cos() }
}

impl Law {
    pub(super) fn new(rule: &Rule, space: &Space) -> Self {
        let side = space.period().unwrap_or(0.0);
        let periodic = space.period().is_some();
        match rule {
            Rule::Couzin2002(z) => Self {
                kind: Kind::Zones { periodic },
                radii: [z.repulsion, z.orientation, z.attraction],
                nearest: f64::MIN_POSITIVE,
                cosine: [ALL_ROUND, cosine(z.field_of_view)],
                side,
            },
            Rule::Dewi(z) => {
                let seen = if z.blind <= 0.0 { ALL_ROUND } else { -z.blind.cos() };
                Self {
                    kind: Kind::Cone { periodic },
                    radii: [z.repulsion, z.orientation, z.attraction],
                    nearest: 1e-10,
                    cosine: [seen, seen],
                    side,
                }
            }
            Rule::Vicsek(v) => Self {
                kind: Kind::Vicsek { periodic },
                radii: [v.radius; 3],
                nearest: 0.0,
                cosine: [ALL_ROUND; 2],
                side,
            },
            Rule::Boids(b) => Self {
                kind: Kind::Boids { periodic },
                radii: [b.separation_radius, b.separation_radius, b.perception],
                nearest: f64::MIN_POSITIVE,
                cosine: [cosine(b.field_of_view); 2],
                side,
            },
        }
    }

    /// Adds what `block` sees of `others` to its sums, in their order.
    pub(super) fn gather(&self, block: &Block, others: Others<'_>, sums: &mut Sums) {
        match self.kind {
            Kind::Zones { periodic: true } => zones_periodic(self, block, others, sums),
            Kind::Zones { periodic: false } => zones_bounded(self, block, others, sums),
            Kind::Cone { periodic: true } => cone_periodic(self, block, others, sums),
            Kind::Cone { periodic: false } => cone_bounded(self, block, others, sums),
            Kind::Vicsek { periodic: true } => vicsek_periodic(self, block, others, sums),
            Kind::Vicsek { periodic: false } => vicsek_bounded(self, block, others, sums),
            Kind::Boids { periodic: true } => boids_periodic(self, block, others, sums),
            Kind::Boids { periodic: false } => boids_bounded(self, block, others, sums),
        }
    }
}

/// One compiled body per instruction set, rule and space.
macro_rules! kernels {
    ($($name:ident = $body:ident, $($option:literal),+;)*) => {$(
        #[multiversion(targets("x86_64+avx512f+avx512dq+avx512vl", "x86_64+avx2", "x86_64+sse4.2"))]
        fn $name(law: &Law, block: &Block, others: Others<'_>, sums: &mut Sums) {
            $body::<$($option),+>(law, block, others, sums);
        }
    )*};
}

kernels! {
    zones_periodic = zones, true, false;
    zones_bounded = zones, false, false;
    cone_periodic = zones, true, true;
    cone_bounded = zones, false, true;
    vicsek_periodic = vicsek, true;
    vicsek_bounded = vicsek, false;
    boids_periodic = boids, true;
    boids_bounded = boids, false;
}

/// d - side round(d / side) for |d| < 3/2 side, which positions in [0, side) keep: half a side stays (half to even is
/// 0).
#[inline(always)]
fn image<const PERIODIC: bool>(d: f64, side: f64) -> f64 {
    if PERIODIC {
        let half = 0.5 * side;
        let shift = if d > half { side } else { 0.0 };
        let back = if d < -half { side } else { 0.0 };
        d - shift + back
    } else {
        d
    }
}

/// What leaves a sum as it is: to add it, and to subtract it. Sums begin at +0 and never become -0, so that either zero does;
/// the negative one lets a masked instruction take its place, and where there is none (wasm), all bits zero are a mask alone.
const NOTHING: f64 = if cfg!(target_arch = "wasm32") { 0.0 } else { -0.0 };
const NOTHING_LESS: f64 = 0.0;

#[inline(always)]
fn zones<const PERIODIC: bool, const ONE: bool>(law: &Law, block: &Block, others: Others<'_>, sums: &mut Sums) {
    let Law { radii: [repulsion, orientation, attraction], nearest, cosine, side, .. } = *law;
    let n = others.len();
    let [xs, ys, zs] = others.x.map(|c| &c[..n]);
    let [us, vs, ws] = others.w.map(|c| &c[..n]);
    let Sums { mut a, mut b, mut c, mut close } = *sums;
    for j in 0..n {
        let (x, y, z, u, v, w) = (xs[j], ys[j], zs[j], us[j], vs[j], ws[j]);
        for l in 0..LANES {
            let dx = image::<PERIODIC>(x - block.x[0][l], side);
            let dy = image::<PERIODIC>(y - block.x[1][l], side);
            let dz = image::<PERIODIC>(z - block.x[2][l], side);
            let r = (dx * dx + dy * dy + dz * dz).sqrt();
            let ahead = block.u[0][l] * dx + block.u[1][l] * dy + block.u[2][l] * dz;
            let inverse = 1.0 / r;
            let there = r >= nearest;
            let seen = there & (ahead > cosine[1] * r);
            let felt = if ONE { seen } else { there & (ahead > cosine[0] * r) };
            let near = felt & (r < repulsion);
            let aligned = seen & (r >= repulsion) & (r < orientation);
            let drawn = seen & (r >= orientation) & (r < attraction);
            let (ex, ey, ez) = (dx * inverse, dy * inverse, dz * inverse);
            a[0][l] -= if near { ex } else { NOTHING_LESS };
            a[1][l] -= if near { ey } else { NOTHING_LESS };
            a[2][l] -= if near { ez } else { NOTHING_LESS };
            b[0][l] += if aligned { u } else { NOTHING };
            b[1][l] += if aligned { v } else { NOTHING };
            b[2][l] += if aligned { w } else { NOTHING };
            c[0][l] += if drawn { ex } else { NOTHING };
            c[1][l] += if drawn { ey } else { NOTHING };
            c[2][l] += if drawn { ez } else { NOTHING };
            close[l] += if near { 1.0 } else { NOTHING };
        }
    }
    *sums = Sums { a, b, c, close };
}

#[inline(always)]
#[expect(clippy::needless_range_loop, reason = "lanes, as in the other bodies")]
fn vicsek<const PERIODIC: bool>(law: &Law, block: &Block, others: Others<'_>, sums: &mut Sums) {
    let (limit, side) = (law.radii[0] * law.radii[0], law.side);
    let n = others.len();
    let [xs, ys, _] = others.x.map(|c| &c[..n]);
    let [us, vs, _] = others.w.map(|c| &c[..n]);
    let mut a = sums.a;
    for j in 0..n {
        let (x, y, u, v) = (xs[j], ys[j], us[j], vs[j]);
        for l in 0..LANES {
            let dx = image::<PERIODIC>(x - block.x[0][l], side);
            let dy = image::<PERIODIC>(y - block.x[1][l], side);
            let within = dx * dx + dy * dy < limit;
            a[0][l] += if within { u } else { 0.0 };
            a[1][l] += if within { v } else { 0.0 };
        }
    }
    sums.a = a;
}

#[inline(always)]
fn boids<const PERIODIC: bool>(law: &Law, block: &Block, others: Others<'_>, sums: &mut Sums) {
    let Law { radii: [separation, _, perception], nearest, cosine, side, .. } = *law;
    let n = others.len();
    let [xs, ys, zs] = others.x.map(|c| &c[..n]);
    let [us, vs, ws] = others.w.map(|c| &c[..n]);
    let Sums { mut a, mut b, mut c, close } = *sums;
    for j in 0..n {
        let (x, y, z, u, v, w) = (xs[j], ys[j], zs[j], us[j], vs[j], ws[j]);
        for l in 0..LANES {
            let dx = image::<PERIODIC>(x - block.x[0][l], side);
            let dy = image::<PERIODIC>(y - block.x[1][l], side);
            let dz = image::<PERIODIC>(z - block.x[2][l], side);
            let square = dx * dx + dy * dy + dz * dz;
            let r = square.sqrt();
            let ahead = block.u[0][l] * dx + block.u[1][l] * dy + block.u[2][l] * dz;
            let seen = (r >= nearest) & (r < perception) & (ahead > cosine[0] * r);
            let away = if seen & (r < separation) { 1.0 / square } else { 0.0 };
            let one = if seen { 1.0 } else { 0.0 };
            a[0][l] -= dx * away;
            a[1][l] -= dy * away;
            a[2][l] -= dz * away;
            b[0][l] += u * one;
            b[1][l] += v * one;
            b[2][l] += w * one;
            c[0][l] += dx * one;
            c[1][l] += dy * one;
            c[2][l] += dz * one;
        }
    }
    *sums = Sums { a, b, c, close };
}
