//! The questions of the [library](super::library) asked so that answers can be compared: 1 is what no order gives at the
//! same number of fish, 0 is perfect order, whatever the direction of the school, the box, and N.
//!
//! uᵢ headings, rᵢ displacements from the centre: the mean in open water; in a periodic box the centre of mass of the minimum
//! images about the circular mean. Ĥ is Grassberger's estimator of 2003, E₀Ĥ its expected value for as many independent
//! draws of the null law (see the module `null`), so that a short sample is compared with short samples.
//!
//! * Heading: nearest-neighbour entropy of the directions at a resolution θ₀. cᵢ is the chord to the fifth nearest heading,
//!   c₀ = 2 sin(θ₀/2), A the area (2-D: length) of the cap of this chord:
//!   H = ψ(N) + ⟨ln A(cᵢ) − ψ(5) if cᵢ > c₀, else ln A(c₀) − ψ(nᵢ + 1)⟩, nᵢ other headings within c₀;
//!   value (H − ln A(c₀)) / (ln 4π − ln A(c₀)), 2-D ln 2π. Where the headings are locally uniform either branch is unbiased given the rule that
//!   chooses it (differentiate the expectation of the mixture by the expected count in the cap: it is 0), so isotropic
//!   headings give 1 at every N, equal ones 0, and no direction is special. It cannot fall below 0; noise may lift it above 1.
//! * Cohesion: nearest-neighbour distances over their mean, 25 bins on [0, 4), the last open. Two fish that are each other's
//!   nearest have one distance, which is counted once. The null is a Poisson process: F(s) = 1 − exp(−(Γ(1+1/d)s)^d), thinned by the
//!   mutual ones.
//! * Depth (3-D): z from the centre over R = R_g √(5/3), 15 bins on [−1, 1], ends open; the null is a uniform ball. It asks about the
//!   vertical and so, unlike the others, depends on where up is.
//! * Angular momentum: s = (r̂ × u)·e, e the direction of its mean (2-D: the signed z component), 20 bins on [−1, 1].
//! * Neighbours: coefficient of variation of the five nearest distances, 20 bins on [0, 2]; the null is a Poisson process.
//! * Velocity correlation: cosines of all pairs (2-D: angles) in K bins that isotropic headings fill equally, the first one the cap of half-angle θ₀:
//!   K = round(2/(1 − cos θ₀)), 2-D round(π/θ₀).
//! * Shape: H of the normalised eigenvalues of the covariance over ln 3 − 25/(21(N−1)) (2-D: ln 2 − 2/(3(N−1))), the
//!   expectation for a uniform ball (disc) to first order: half of (d−1)(d+2)/(d(N−1)), times its kurtosis factor 5/7 (2/3).
//! * Index: the weights of the library. In 2-D depth is void; the other weights are scaled to sum to 1, and
//!   [`Corrected::partial`] says so.
//!
//! **Standard errors** are those of a jackknife over 20 contiguous groups of fish (fewer fish: one each). What a fish
//! contributes (its bin, its cap, its pairs) is left out with it, while the neighbours of the others are not searched again and
//! the centre stays: the error says how much the value hangs on single fish, not how the value varies from one moment to
//! the next. Of schools without order it is 0.6 to 1.2 times the scatter between realisations for the neighbour and heading
//! entropies, 1 to 2 times for the others, and 2 to 4 times for the velocity correlation, whose pairs share fish.

use std::f64::consts::{FRAC_PI_4, PI, TAU};

use statrs::function::gamma::digamma;

use super::{
    Axis, Dims, NEIGHBOURS, NO_DIRECTION, SchoolError, Space, State,
    geometry::{self, Symmetric, Vec3, add, covariance, cross, dot, eigenvalues, norm, scale, second_moment, unit},
    library::WEIGHTS,
    null::{COHESION, DEPTH, Grid, MOMENTUM, Null, VARIATION},
    pairs, real, same_length,
    search::alike,
    statistics::{Again, Alike, Angles, Ask, Counting, Near, PairStatistics, groups},
};

/// Fewer groups give no standard error.
const FEWEST_GROUPS: usize = 4;

/// What can be chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Angles below this, in radians, are not told apart.
    pub resolution: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { resolution: 0.1 }
    }
}

/// A value with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Its jackknife standard error; `None` for fewer than four fish.
    pub standard_error: Option<f64>,
}

/// Why a quantity has no value although the input is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Void {
    /// The definition needs more fish.
    #[error("{n} fish, and at least {needed} are needed")]
    TooFew {
        /// How many there are.
        n: usize,
        /// How many there should be.
        needed: usize,
    },
    /// A fish that stands still.
    #[error("fish {fish} does not move and has no heading")]
    NoHeading {
        /// Which one, from 0.
        fish: usize,
    },
    /// All fish in one place.
    #[error("all fish are in one place")]
    NoExtent,
    /// The angular momenta cancel.
    #[error("the mean angular momentum is 0 and has no direction")]
    NoAxis,
    /// A quantity of three dimensions.
    #[error("not defined in a plane")]
    Flat,
    /// A quantity of the plane.
    #[error("defined in a plane only")]
    NotFlat,
    /// The pairs were left out of what was counted.
    #[error("the angles of all pairs were not counted")]
    NotCounted,
    /// A part of the index is void.
    #[error("its part {0} is not defined")]
    Part(&'static str),
}

/// A value, or why there is none.
pub type Quantity = Result<Estimate, Void>;

/// All quantities of one state. Dimensionless but the radius of gyration, which is a length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corrected {
    /// P = |mean u|.
    pub polarization: Quantity,
    /// M = |mean r̂ × u|.
    pub milling: Quantity,
    /// mean (r̂ × u)_z in a plane: positive when the school turns from x to y.
    pub signed_milling: Quantity,
    /// R_g = √mean |r|², in the unit of the positions.
    pub radius_of_gyration: Quantity,
    /// Of nearest-neighbour distances.
    pub cohesion_entropy: Quantity,
    /// Of headings.
    pub heading_entropy: Quantity,
    /// Of depths.
    pub depth_entropy: Quantity,
    /// Of angular momenta about their mean axis.
    pub angular_momentum_entropy: Quantity,
    /// Of the variation of neighbour distances.
    pub neighbour_entropy: Quantity,
    /// Of the angles between headings.
    pub velocity_correlation_entropy: Quantity,
    /// Of the extents along the principal axes.
    pub shape_entropy: Quantity,
    /// The weighted sum of the seven.
    pub index: Quantity,
    /// The index is without depth, because the school is in a plane.
    pub partial: bool,
}

/// Names of the seven entropies, in the order of the weights.
const PARTS: [&str; 7] = [
    "cohesion_entropy",
    "heading_entropy",
    "depth_entropy",
    "angular_momentum_entropy",
    "neighbour_entropy",
    "velocity_correlation_entropy",
    "shape_entropy",
];

impl Corrected {
    /// All quantities by name.
    pub const fn values(&self) -> [(&'static str, Quantity); 12] {
        let [a, b, c, d, e, f, g] = PARTS;
        [
            ("polarization", self.polarization),
            ("milling", self.milling),
            ("signed_milling", self.signed_milling),
            ("radius_of_gyration", self.radius_of_gyration),
            (a, self.cohesion_entropy),
            (b, self.heading_entropy),
            (c, self.depth_entropy),
            (d, self.angular_momentum_entropy),
            (e, self.neighbour_entropy),
            (f, self.velocity_correlation_entropy),
            (g, self.shape_entropy),
            ("index", self.index),
        ]
    }

    /// What the school is doing, if polarization and milling are defined.
    #[must_use]
    pub fn state(&self) -> Option<State> {
        Some(State::of(self.polarization.ok()?.value, self.milling.ok()?.value))
    }
}

/// Measures one state. O(N²) time for the angles of all pairs, O(N log N) for the rest; O(N + K) memory.
///
/// # Errors
/// [`SchoolError`]: no fish, unequal lengths, something that is not finite, a box without a size, a resolution outside (0, π/4]. Positions
/// outside a periodic box are wrapped.
pub fn measure(
    positions: &[[f64; 3]],
    velocities: &[[f64; 3]],
    space: Space,
    options: Options,
) -> Result<Corrected, SchoolError> {
    same_length(positions, velocities)?;
    check(options.resolution)?;
    let positions = space.place(positions)?;
    let (headings, still) = headings(velocities, space.dims)?;
    let ask = Ask { space, resolution: options.resolution, again: Again::Nowhere, counts: true };
    let pairs = Counting::of(&positions, &headings, ask, false)?.whole();
    Ok(School::new(&positions, &headings, space, options.resolution).measure(still, &pairs))
}

/// The same of a state whose pairs are counted. Where the angles are not, what needs them is [`Void::NotCounted`]. O(N) time.
///
/// # Errors
/// As [`measure`]; [`SchoolError::OtherPairs`] where the statistics are of other fish, another space or resolution.
pub fn measure_with(
    positions: &[[f64; 3]],
    velocities: &[[f64; 3]],
    space: Space,
    options: Options,
    pairs: &PairStatistics,
) -> Result<Corrected, SchoolError> {
    same_length(positions, velocities)?;
    check(options.resolution)?;
    pairs.check(positions.len())?;
    if (pairs.asked.space, pairs.asked.resolution) != (space, options.resolution) {
        let wanted = format!("{space:?} at {} rad", options.resolution);
        return Err(SchoolError::OtherPairs { counted: format!("{:?}", pairs.asked), wanted });
    }
    let positions = space.place(positions)?;
    let (headings, still) = headings(velocities, space.dims)?;
    Ok(School::new(&positions, &headings, space, options.resolution).measure(still, pairs))
}

/// The heading entropy alone, as [`measure`] has it. O(N log N) for headings that are not all within the resolution of each other's
/// border, O(N^1.5) at worst.
///
/// # Errors
/// As [`measure`].
pub fn heading_entropy(velocities: &[[f64; 3]], dims: Dims, options: Options) -> Result<Quantity, SchoolError> {
    same_length(velocities, velocities)?;
    check(options.resolution)?;
    let (headings, still) = headings(velocities, dims)?;
    if let Some(void) = still {
        return Ok(Err(void));
    }
    let space = Space { dims, ..Space::OPEN };
    let school = School { space, resolution: options.resolution, ..School::empty(&headings) };
    Ok(school.heading(&alike(&headings, options.resolution)).map(|sample| sample.estimate()))
}

/// Whether a resolution is one.
pub(super) fn check(resolution: f64) -> Result<(), SchoolError> {
    if resolution > 0.0 && resolution <= FRAC_PI_4 { Ok(()) } else { Err(SchoolError::Resolution(resolution)) }
}

/// Headings of unit length, and the first fish that has none.
pub(super) fn headings(velocities: &[[f64; 3]], dims: Dims) -> Result<(Vec<Vec3>, Option<Void>), SchoolError> {
    let flat = dims == Dims::Two;
    let mut headings = Vec::with_capacity(velocities.len());
    let mut still = None;
    for (fish, v) in velocities.iter().enumerate() {
        let v = if flat { [v[0], v[1], 0.0] } else { *v };
        if let Some((axis, value)) = Axis::ALL.into_iter().zip(v).find(|(_, value)| !value.is_finite()) {
            return Err(SchoolError::VelocityNotFinite { fish, axis, value });
        }
        if norm(v) < NO_DIRECTION {
            still = still.or(Some(Void::NoHeading { fish }));
        }
        headings.push(unit(v));
    }
    Ok((headings, still))
}

/// A value, and the values without each of the groups.
struct Sample {
    value: f64,
    left: Vec<f64>,
}

impl Sample {
    /// The delete-a-group jackknife: √((g−1)/g Σ (θ_i − θ̄)²).
    fn estimate(&self) -> Estimate {
        let g = real(self.left.len());
        let mean = self.left.iter().sum::<f64>() / g;
        let error = ((g - 1.0) / g * self.left.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>()).sqrt();
        let known = self.left.len() >= FEWEST_GROUPS && error.is_finite();
        Estimate { value: self.value, standard_error: known.then_some(error) }
    }
}

type Sampled = Result<Sample, Void>;

struct School<'a> {
    space: Space,
    resolution: f64,
    headings: &'a [Vec3],
    /// Displacements from the centre.
    from: Vec<Vec3>,
    /// Where each group of fish begins, with the end appended.
    groups: Vec<usize>,
}

impl<'a> School<'a> {
    fn new(positions: &[Vec3], headings: &'a [Vec3], space: Space, resolution: f64) -> Self {
        let from = geometry::about_centre(positions, space.size());
        Self { space, resolution, from, ..Self::empty(headings) }
    }

    /// Headings without a place.
    fn empty(headings: &'a [Vec3]) -> Self {
        let groups = groups(headings.len());
        Self { space: Space::OPEN, resolution: 0.0, headings, from: Vec::new(), groups }
    }

    fn flat(&self) -> bool {
        self.space.dims == Dims::Two
    }

    fn at_least(&self, needed: usize) -> Result<(), Void> {
        let n = self.headings.len();
        if n < needed { Err(Void::TooFew { n, needed }) } else { Ok(()) }
    }

    fn measure(&self, still: Option<Void>, pairs: &PairStatistics) -> Corrected {
        let moving = |value: &dyn Fn() -> Sampled| still.map_or_else(value, Err);
        let momenta: Vec<Vec3> = self.from.iter().zip(self.headings).map(|(&r, &u)| cross(unit(r), u)).collect();
        let near = &pairs.near;

        let parts = [
            self.cohesion(near),
            moving(&|| self.heading(&pairs.alike)),
            self.depth(),
            moving(&|| self.momentum(&momenta)),
            self.variation(near),
            moving(&|| self.correlation(pairs.angles.as_ref())),
            self.shape(),
        ];
        let index = self.index(&parts);
        let estimate = |sample: &Sampled| sample.as_ref().map(Sample::estimate).map_err(|&void| void);
        let [a, b, c, d, e, f, g] = parts.each_ref().map(estimate);
        let extended =
            |value: &dyn Fn() -> Sampled| if self.gyration(None) > 0.0 { value() } else { Err(Void::NoExtent) };
        let signed = || if self.flat() { Ok(self.mean(&momenta, |m| m[2])) } else { Err(Void::NotFlat) };
        Corrected {
            polarization: estimate(&moving(&|| Ok(self.mean(self.headings, norm)))),
            milling: estimate(&moving(&|| extended(&|| Ok(self.mean(&momenta, norm))))),
            signed_milling: estimate(&moving(&|| extended(&signed))),
            radius_of_gyration: estimate(&Ok(self.over_groups(|without| self.gyration(without)))),
            cohesion_entropy: a,
            heading_entropy: b,
            depth_entropy: c,
            angular_momentum_entropy: d,
            neighbour_entropy: e,
            velocity_correlation_entropy: f,
            shape_entropy: g,
            index: estimate(&index),
            partial: self.flat(),
        }
    }

    /// `value` of all fish, and without each group.
    fn over_groups(&self, value: impl Fn(Option<usize>) -> f64) -> Sample {
        Sample { value: value(None), left: (0..self.groups.len() - 1).map(|g| value(Some(g))).collect() }
    }

    /// The fish that are left without a group.
    fn left(&self, without: Option<usize>) -> impl Iterator<Item = usize> {
        let gap = without.map_or(0..0, |g| self.groups[g]..self.groups[g + 1]);
        (0..gap.start).chain(gap.end..self.headings.len())
    }

    /// A function of the mean of vectors.
    fn mean(&self, vectors: &[Vec3], of: impl Fn(Vec3) -> f64) -> Sample {
        self.over_groups(|without| {
            let (n, sum) = self.left(without).fold((0.0, [0.0; 3]), |(n, sum), i| (n + 1.0, add(sum, vectors[i])));
            of(if n > 0.0 { scale(sum, 1.0 / n) } else { sum })
        })
    }

    fn gyration(&self, without: Option<usize>) -> f64 {
        let sum = |(n, sum): (f64, f64), i: usize| (n + 1.0, sum + dot(self.from[i], self.from[i]));
        let (n, sum) = self.left(without).fold((0.0, 0.0), sum);
        if n > 0.0 { (sum / n).sqrt() } else { 0.0 }
    }

    /// Entropy of the bins of fish over what the law gives for as many; fish without a bin are not counted.
    fn binned(&self, bins: &[Option<usize>], grid: Grid, law: &Null) -> Sample {
        let count = |without: Option<usize>| {
            let mut counts = vec![0_u64; grid.bins];
            self.left(without).filter_map(|i| bins[i]).for_each(|k| counts[k] += 1);
            law.ratio(&counts)
        };
        self.over_groups(count)
    }

    fn cohesion(&self, near: &[Near]) -> Sampled {
        self.at_least(3)?;
        let mean = near.iter().map(|near| near.distances[0]).sum::<f64>() / real(near.len());
        if mean <= 0.0 {
            return Err(Void::NoExtent);
        }
        let bin = |(i, here): (usize, &Near)| {
            let j = here.first as usize;
            let twice = j < i && near[j].first as usize == i;
            (!twice).then(|| COHESION.find(here.distances[0] / mean))
        };
        let bins: Vec<Option<usize>> = near.iter().enumerate().map(bin).collect();
        Ok(self.binned(&bins, COHESION, &Null::cohesion(self.space.dims)))
    }

    fn variation(&self, near: &[Near]) -> Sampled {
        self.at_least(NEIGHBOURS + 1)?;
        if near.iter().any(|near| near.distances[NEIGHBOURS - 1] <= 0.0) {
            return Err(Void::NoExtent);
        }
        let bin = |near: &Near| Some(VARIATION.find(pairs::variation(&near.distances, 0.0)));
        let bins: Vec<_> = near.iter().map(bin).collect();
        Ok(self.binned(&bins, VARIATION, Null::variation(self.space.dims)))
    }

    fn depth(&self) -> Sampled {
        if self.flat() {
            return Err(Void::Flat);
        }
        self.at_least(3)?;
        let radius = self.gyration(None) * (5.0_f64 / 3.0).sqrt();
        if radius <= 0.0 {
            return Err(Void::NoExtent);
        }
        let bins: Vec<_> = self.from.iter().map(|r| Some(DEPTH.find(r[2] / radius))).collect();
        Ok(self.binned(&bins, DEPTH, &Null::depth()))
    }

    fn momentum(&self, momenta: &[Vec3]) -> Sampled {
        self.at_least(3)?;
        if self.gyration(None) <= 0.0 {
            return Err(Void::NoExtent);
        }
        let axis = if self.flat() { [0.0, 0.0, 1.0] } else { geometry::mean(momenta) };
        if norm(axis) < NO_DIRECTION {
            return Err(Void::NoAxis);
        }
        let axis = unit(axis);
        let bins: Vec<_> = momenta.iter().map(|&m| Some(MOMENTUM.find(dot(m, axis)))).collect();
        Ok(self.binned(&bins, MOMENTUM, &Null::momentum(self.space.dims)))
    }

    fn heading(&self, alike: &[Alike]) -> Sampled {
        self.at_least(NEIGHBOURS + 1)?;
        let n = real(self.headings.len());
        let chord = 2.0 * (self.resolution / 2.0).sin();
        // ln of the area of the cap of a chord, π c²; in a plane of the length of the arc.
        let area = |square: f64| {
            if self.flat() { (4.0 * (square.sqrt() / 2.0).min(1.0).asin()).ln() } else { (PI * square).ln() }
        };
        let smallest = area(chord * chord);
        let of_five = digamma(real(NEIGHBOURS));
        let term = |alike: &Alike| {
            if alike.fifth > chord * chord {
                area(alike.fifth) - of_five
            } else {
                smallest - digamma(real(alike.within as usize + 1))
            }
        };
        let terms: Vec<f64> = alike.iter().map(term).collect();
        let whole = (if self.flat() { TAU } else { 2.0 * TAU }).ln();
        Ok(self.over_groups(|without| {
            let (count, sum) = self.left(without).fold((0.0, 0.0), |(c, s), i| (c + 1.0, s + terms[i]));
            (digamma(n) + sum / count - smallest) / (whole - smallest)
        }))
    }

    fn correlation(&self, angles: Option<&Angles>) -> Sampled {
        self.at_least(3)?;
        let Angles { all, with } = angles.ok_or(Void::NotCounted)?;
        let law = Null::uniform(u32::try_from(all.len()).unwrap_or(u32::MAX));
        let left = |with: &Vec<u64>| law.ratio(&all.iter().zip(with).map(|(a, w)| a - w).collect::<Vec<_>>());
        Ok(Sample { value: law.ratio(all), left: with.iter().map(left).collect() })
    }

    fn shape(&self) -> Sampled {
        let (needed, most, first_order) =
            if self.flat() { (4, 2.0_f64.ln(), 2.0 / 3.0) } else { (5, 3.0_f64.ln(), 25.0 / 21.0) };
        self.at_least(needed)?;
        if self.gyration(None) <= 0.0 {
            return Err(Void::NoExtent);
        }
        Ok(self.over_groups(|without| {
            let start = (0.0, [0.0; 3], [0.0; 6]);
            let (n, total, moments): (f64, Vec3, Symmetric) =
                self.left(without).fold(start, |(n, total, moments), i| {
                    let m = second_moment(self.from[i]);
                    (n + 1.0, add(total, self.from[i]), std::array::from_fn(|k| moments[k] + m[k]))
                });
            let values = eigenvalues(covariance(moments, total, n)).map(|e| e.max(0.0));
            let sum: f64 = values.iter().sum();
            let terms = values.iter().map(|e| e / sum).filter(|&p| p > 0.0);
            -terms.map(|p| p * p.ln()).sum::<f64>() / (most - first_order / (n - 1.0))
        }))
    }

    /// The weighted sum; in a plane without depth.
    fn index(&self, parts: &[Sampled; 7]) -> Sampled {
        let mut used = Vec::with_capacity(parts.len());
        for ((part, name), weight) in parts.iter().zip(PARTS).zip(WEIGHTS) {
            match part {
                Ok(sample) => used.push((weight, sample)),
                Err(Void::Flat) => {}
                Err(_) => return Err(Void::Part(name)),
            }
        }
        let total: f64 = used.iter().map(|(weight, _)| weight).sum();
        let sum = |of: &dyn Fn(&Sample) -> f64| used.iter().map(|(weight, s)| weight * of(s)).sum::<f64>() / total;
        let left = (0..self.groups.len() - 1).map(|g| sum(&|s| s.left[g])).collect();
        Ok(Sample { value: sum(&|s| s.value), left })
    }
}
