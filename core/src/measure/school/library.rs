//! The measures of dewi-kadita 0.0.4, to the last digit that the order of summation allows.
//!
//! With uᵢ = vᵢ/|vᵢ| (|vᵢ| < 1e-10: not divided), centre c, rᵢ = xᵢ − c, n fish in a periodic cube of side L:
//!
//! * P = |mean u|, M = |mean r̂ × u|, spread = √mean |r|², order index = max(P, M).
//! * H = −Σ p ln p / ln K over the filled ones of K equal bins; left-closed, the last one closed, what is outside dropped;
//!   ½ when nothing is left.
//! * Cohesion: nearest-neighbour distance, 25 bins on [0, L/2]; n < 2: ½.
//! * Polarization: θ = acos u_z and φ = atan2(u_y, u_x) + π in 12 × 24 bins, counts **times** sin θ of the bin's centre.
//! * Depth: z, 15 bins on [0, L].
//! * Angular momentum: |r̂ × u|, 20 bins on [0, 1]; n < 3: ½.
//! * Nearest neighbours: sd/(mean + 1e-10) of the five nearest distances, 20 bins on [0, 2]; n < 6: ½.
//! * Velocity correlation: (uᵢ·uⱼ + 1)/2 of all pairs, 20 bins on [0, 1]; n < 2: ½.
//! * Shape: eigenvalues of the covariance, at least 1e-10 each, normalised, over ln 3; n < 4: ½.
//! * OSI = 0.18, 0.28, 0.08, 0.08, 0.10, 0.18, 0.10 of the seven in this order.
//!
//! Source: Herho et al., dewi-kadita: A Python library for idealized fish schooling simulation with entropy-based
//! diagnostics, arXiv 2602.07948 (2026), and its code. What is odd about them is kept on purpose and listed in
//! `docs/SCHOOL_MEASURES.md`; [`super::corrected`] is the remedy.

use std::f64::consts::PI;

use super::{
    Axis, NEIGHBOURS, SchoolError, State,
    cosines::COSINE_BINS,
    counts,
    geometry::{self, Symmetric, Vec3, covariance, cross, dot, eigenvalues, mean, norm, second_moment, sub, sum, unit},
    pairs, real, same_length, search,
    statistics::PairStatistics,
};

/// Weights of the seven entropies in the OSI, in the order of [`Library::entropies`].
pub const WEIGHTS: [f64; 7] = [0.18, 0.28, 0.08, 0.08, 0.10, 0.18, 0.10];
/// What an entropy is when there is nothing to count.
const NOTHING: f64 = 0.5;
/// Eigenvalues are at least this.
const LEAST_EIGENVALUE: f64 = 1e-10;
/// Added to a mean distance before it divides.
const GUARD: f64 = 1e-10;
/// Bins of the polar angle.
const POLAR: usize = 12;
/// Bins of the azimuth.
const AZIMUTHAL: usize = 24;

/// Where the centre of the school is taken to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Centre {
    /// The mean of the wrapped coordinates, as in the package: a school that lies across the side of the box has its centre
    /// in empty water.
    #[default]
    Plain,
    /// The circular mean: positions are first moved so that it is the middle of the box (minimum image), and then measured in the same
    /// bins. This is the `recentred` variant.
    Recentred,
}

/// The twelve values of one state. All are dimensionless but the spread, which is a length.
///
/// This family answers as the package does: where a velocity is NaN, so are the polarization, the rotation and the order index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Library {
    /// P = |mean u|.
    pub polarization: f64,
    /// M = |mean r̂ × u|.
    pub rotation: f64,
    /// √mean |r|², in the unit of the positions.
    pub spread: f64,
    /// max(P, M).
    pub order_index: f64,
    /// Of the nearest-neighbour distances.
    pub school_cohesion_entropy: f64,
    /// Of the headings.
    pub polarization_entropy: f64,
    /// Of the depths.
    pub depth_stratification_entropy: f64,
    /// Of |r̂ × u|.
    pub angular_momentum_entropy: f64,
    /// Of the variation of the five nearest distances.
    pub nearest_neighbor_entropy: f64,
    /// Of the cosines of all pairs.
    pub velocity_correlation_entropy: f64,
    /// Of the normalised eigenvalues of the covariance.
    pub school_shape_entropy: f64,
    /// The weighted sum of the seven.
    pub oceanic_schooling_index: f64,
}

impl Library {
    /// The package's names of the values, in its order.
    pub const NAMES: [&'static str; 12] = [
        "polarization",
        "rotation",
        "spread",
        "order_index",
        "school_cohesion_entropy",
        "polarization_entropy",
        "depth_stratification_entropy",
        "angular_momentum_entropy",
        "nearest_neighbor_entropy",
        "velocity_correlation_entropy",
        "school_shape_entropy",
        "oceanic_schooling_index",
    ];

    /// All values under the package's names.
    #[must_use]
    pub fn values(&self) -> [(&'static str, f64); 12] {
        let [a, b, c, d, e, f, g] = self.entropies();
        let order = [self.polarization, self.rotation, self.spread, self.order_index];
        let [p, m, s, o] = order;
        let values = [p, m, s, o, a, b, c, d, e, f, g, self.oceanic_schooling_index];
        std::array::from_fn(|k| (Self::NAMES[k], values[k]))
    }

    /// The seven entropies, in the order of [`WEIGHTS`].
    #[must_use]
    pub const fn entropies(&self) -> [f64; 7] {
        [
            self.school_cohesion_entropy,
            self.polarization_entropy,
            self.depth_stratification_entropy,
            self.angular_momentum_entropy,
            self.nearest_neighbor_entropy,
            self.velocity_correlation_entropy,
            self.school_shape_entropy,
        ]
    }

    /// What the school is doing.
    #[must_use]
    pub fn state(&self) -> State {
        State::of(self.polarization, self.rotation)
    }
}

/// Measures one state in a periodic cube of side `box_size`. O(N²) time for the cosines of all pairs, O(N log N) for the rest; O(N)
/// memory.
///
/// # Errors
/// [`SchoolError`]: no fish, unequal lengths, a box without a size; and, from two fish on, what the package's k-d tree refuses:
/// a coordinate that is not finite, at or above the side, or below 0 (looked for in this order).
pub fn measure(
    positions: &[[f64; 3]],
    velocities: &[[f64; 3]],
    box_size: f64,
    centre: Centre,
) -> Result<Library, SchoolError> {
    check(positions, velocities, box_size)?;
    let moved = placed(positions, box_size, centre);
    let headings: Vec<Vec3> = velocities.iter().map(|&v| unit(v)).collect();
    let several = positions.len() >= 2;
    let near = if several { search::nearest(&moved, box_size) } else { Vec::new() };
    let cosines = if several { counts::cosines(&headings) } else { [0; COSINE_BINS] };
    Ok(of(&moved, &headings, box_size, &near, Some(&cosines)))
}

/// The same of a state whose pairs are counted, in this box or in a cube of this side. Where cosines are not counted, their entropy and
/// the index are NaN. O(N) time.
///
/// # Errors
/// As [`measure`]; [`SchoolError::OtherPairs`] where the statistics are of other fish or of another box.
pub fn measure_with(
    positions: &[[f64; 3]],
    velocities: &[[f64; 3]],
    box_size: f64,
    centre: Centre,
    pairs: &PairStatistics,
) -> Result<Library, SchoolError> {
    check(positions, velocities, box_size)?;
    let [plain, recentred] = pairs.in_box(positions.len(), box_size)?;
    let near = if centre == Centre::Plain { plain } else { recentred };
    let headings: Vec<Vec3> = velocities.iter().map(|&v| unit(v)).collect();
    Ok(of(&placed(positions, box_size, centre), &headings, box_size, &near, pairs.cosines.as_ref()))
}

/// The positions where their centre is to be.
fn placed(positions: &[Vec3], size: f64, centre: Centre) -> Vec<Vec3> {
    match centre {
        Centre::Plain => positions.to_vec(),
        Centre::Recentred => recentre(positions, size),
    }
}

/// The positions moved so that their circular mean is the middle of the box.
pub(super) fn recentre(positions: &[Vec3], size: f64) -> Vec<Vec3> {
    let centre = geometry::circular_mean(positions, size);
    positions.iter().map(|x| sub(*x, centre).map(|d| geometry::wrap(d + size / 2.0, size))).collect()
}

/// What is no school, and what the k-d tree of the package refuses, in its order.
fn check(positions: &[Vec3], velocities: &[Vec3], size: f64) -> Result<(), SchoolError> {
    same_length(positions, velocities)?;
    if !(size.is_finite() && size > 0.0) {
        return Err(SchoolError::Box(size));
    }
    if positions.len() < 2 {
        return Ok(()); // no tree is built
    }
    let find = |wrong: &dyn Fn(f64) -> bool| {
        let fish = positions.iter().position(|x| x.iter().any(|&value| wrong(value)))?;
        let (axis, value) = Axis::ALL.into_iter().zip(positions[fish]).find(|&(_, value)| wrong(value))?;
        Some((fish, axis, value))
    };
    if let Some((fish, axis, value)) = find(&|x| !x.is_finite()) {
        return Err(SchoolError::NotFinite { fish, axis, value });
    }
    if let Some((fish, axis, value)) = find(&|x| x >= size) {
        return Err(SchoolError::AboveBox { fish, axis, value, size });
    }
    match find(&|x| x < 0.0) {
        Some((fish, axis, value)) => Err(SchoolError::BelowBox { fish, axis, value, size }),
        None => Ok(()),
    }
}

fn of(
    positions: &[Vec3],
    headings: &[Vec3],
    size: f64,
    near: &[[f64; NEIGHBOURS]],
    cosines: Option<&[u64; COSINE_BINS]>,
) -> Library {
    let n = positions.len();
    let centre = mean(positions);
    let from: Vec<Vec3> = positions.iter().map(|&x| sub(x, centre)).collect();
    let momenta: Vec<Vec3> = from.iter().zip(headings).map(|(&r, &u)| cross(unit(r), u)).collect();

    let polarization = norm(mean(headings));
    let rotation = norm(mean(&momenta));
    let spread = (from.iter().map(|&r| dot(r, r)).sum::<f64>() / real(n)).sqrt();
    // A comparison with NaN keeps what is on the left, as Python's max does.
    let order_index = if rotation > polarization { rotation } else { polarization };

    let cohesion = || Bins::<25>::new(0.0, size / 2.0).entropy(near.iter().map(|d| d[0]));
    let neighbours = || Bins::<20>::new(0.0, 2.0).entropy(near.iter().map(|d| pairs::variation(d, GUARD)));
    let correlation = || cosines.map_or(f64::NAN, |counts| entropy(counts));
    let from_size = |least: usize, value: &dyn Fn() -> f64| if n < least { NOTHING } else { value() };

    let entropies = [
        from_size(2, &cohesion),
        heading_entropy(headings),
        Bins::<15>::new(0.0, size).entropy(positions.iter().map(|x| x[2])),
        from_size(3, &|| Bins::<20>::new(0.0, 1.0).entropy(momenta.iter().map(|&l| norm(l)))),
        from_size(NEIGHBOURS + 1, &neighbours),
        from_size(2, &correlation),
        from_size(4, &|| shape_entropy(&from)),
    ];
    let [a, b, c, d, e, f, g] = entropies;
    Library {
        polarization,
        rotation,
        spread,
        order_index,
        school_cohesion_entropy: a,
        polarization_entropy: b,
        depth_stratification_entropy: c,
        angular_momentum_entropy: d,
        nearest_neighbor_entropy: e,
        velocity_correlation_entropy: f,
        school_shape_entropy: g,
        oceanic_schooling_index: WEIGHTS.iter().zip(entropies).map(|(w, h)| w * h).sum(),
    }
}

/// `K` equal bins with the edges of `numpy.linspace(low, high, K + 1)`.
struct Bins<const K: usize> {
    low: f64,
    high: f64,
    step: f64,
}

impl<const K: usize> Bins<K> {
    fn new(low: f64, high: f64) -> Self {
        Self { low, high, step: (high - low) / real(K) }
    }

    fn edge(&self, k: usize) -> f64 {
        if k == K { self.high } else { real(k) * self.step + self.low }
    }

    /// Where `numpy.histogram` puts `x`: a guess by division, moved by one bin if the edges say so; `None` outside.
    fn find(&self, x: f64) -> Option<usize> {
        if !(x >= self.low && x <= self.high) {
            return None;
        }
        let guess = (x - self.low) / (self.high - self.low) * real(K);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=K")]
        let mut k = (guess as usize).min(K - 1);
        if x < self.edge(k) {
            k -= 1;
        } else if k + 1 < K && x >= self.edge(k + 1) {
            k += 1;
        }
        Some(k)
    }

    fn entropy(&self, values: impl Iterator<Item = f64>) -> f64 {
        let mut counts = [0_u64; K];
        for k in values.filter_map(|x| self.find(x)) {
            counts[k] += 1;
        }
        entropy(&counts)
    }
}

/// −Σ p ln p / ln K; ½ for no counts at all.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn entropy(counts: &[u64]) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    if total == 0.0 {
        return NOTHING;
    }
    let terms = counts.iter().filter(|&&c| c > 0).map(|&c| c as f64 / total);
    -terms.map(|p| p * p.ln()).sum::<f64>() / real(counts.len()).ln()
}

/// Entropy of the headings in bins of equal angles, the counts multiplied by sin θ.
fn heading_entropy(headings: &[Vec3]) -> f64 {
    let (polar, azimuthal) = (Bins::<POLAR>::new(0.0, PI), Bins::<AZIMUTHAL>::new(0.0, 2.0 * PI));
    let mut counts = [[0_u32; AZIMUTHAL]; POLAR];
    for u in headings {
        let theta = u[2].clamp(-1.0, 1.0).acos();
        let phi = f64::atan2(u[1], u[0]) + PI;
        if let (Some(t), Some(p)) = (polar.find(theta), azimuthal.find(phi)) {
            counts[t][p] += 1;
        }
    }
    let weight = |t: usize| ((polar.edge(t) + polar.edge(t + 1)) / 2.0).sin();
    let weighted = || {
        let rows = counts.iter().enumerate();
        rows.flat_map(|(t, row)| row.iter().filter(|&&c| c > 0).map(move |&c| f64::from(c) * weight(t)))
    };
    let total: f64 = weighted().sum();
    if total == 0.0 {
        return NOTHING;
    }
    let terms = weighted().map(|w| w / total);
    -terms.map(|p| p * p.ln()).sum::<f64>() / real(POLAR * AZIMUTHAL).ln()
}

/// Entropy of the normalised eigenvalues of the covariance of `from`, whose mean is 0 up to rounding.
fn shape_entropy(from: &[Vec3]) -> f64 {
    let moments = from.iter().fold([0.0; 6], |sum: Symmetric, &r| {
        let m = second_moment(r);
        std::array::from_fn(|k| sum[k] + m[k])
    });
    let values = eigenvalues(covariance(moments, sum(from.iter().copied()), real(from.len())));
    let values = values.map(|e| e.max(LEAST_EIGENVALUE));
    let total: f64 = values.iter().sum();
    -values.map(|e| e / total).iter().map(|p| p * p.ln()).sum::<f64>() / 3.0_f64.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_left_closed_and_the_last_is_closed() {
        let bins = Bins::<10>::new(0.0, 1.0);
        assert_eq!(bins.find(0.0), Some(0));
        // numpy: 3 · 0.1 = 0.30000000000000004 is the edge, so 0.3 is below it
        assert_eq!(bins.find(0.3), Some(2));
        assert_eq!(bins.find(0.1 * 3.0), Some(3));
        assert_eq!(bins.find(1.0), Some(9));
        assert_eq!(bins.find(1.0 + f64::EPSILON), None);
        assert_eq!(bins.find(-f64::MIN_POSITIVE), None);
        assert_eq!(bins.find(f64::NAN), None);
    }

    #[test]
    fn the_weights_sum_to_one() {
        assert!((WEIGHTS.iter().sum::<f64>() - 1.0).abs() < 1e-15);
    }
}
