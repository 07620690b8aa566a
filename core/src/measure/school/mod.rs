//! Order and entropy of a school of fish: who is where, and heading which way, at one time.
//!
//! Two families answer the same questions and are meant to be shown side by side:
//!
//! * [`library`]: polarization, rotation, spread, the seven entropies and the OSI exactly as the package dewi-kadita
//!   0.0.4 computes them (Herho et al., arXiv 2602.07948, 2026), bins, edge rules and failures included.
//! * [`corrected`]: the same questions asked so that the answer depends neither on the direction the school swims, nor on
//!   the box, nor on the number of fish: 1 is what no order at the same number gives, 0 is perfect order.
//!
//! `docs/SCHOOL_MEASURES.md` has the equations of both. Positions are in any one unit of length, velocities in any unit
//! of speed (only their direction counts), entropies are in nats divided by nats: every value but
//! [`library::Library::spread`] is dimensionless.
//!
//! What both need of all pairs is [`PairStatistics`]: counted here once for both, or by a back end that holds the school.

pub mod corrected;
pub mod library;

mod cosines;
mod counts;
mod geometry;
mod null;
mod pairs;
mod search;
mod statistics;
mod tree;

use std::fmt;

pub use cosines::COSINE_BINS;
use pairs::Lanes;
pub use statistics::{Again, Alike, Angles, Ask, Counting, GROUPS, Near, PairStatistics, angle_bins, groups};

/// Below this a vector has no direction and stays as it is: the threshold of the reference package.
const NO_DIRECTION: f64 = 1e-10;
/// The neighbours whose distances describe the surroundings of a fish.
pub const NEIGHBOURS: usize = 5;

/// A coordinate axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// The first.
    X,
    /// The second.
    Y,
    /// The third: depth.
    Z,
}

impl Axis {
    const ALL: [Self; 3] = [Self::X, Self::Y, Self::Z];
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::X => "x",
            Self::Y => "y",
            Self::Z => "z",
        })
    }
}

/// Why a school cannot be measured at all. Fish are counted from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SchoolError {
    /// No fish.
    #[error("there is no fish: at least one position and one velocity are needed")]
    Empty,
    /// Positions and velocities of different schools.
    #[error("{positions} positions and {velocities} velocities: every fish needs one of each")]
    Lengths {
        /// How many positions there are.
        positions: usize,
        /// How many velocities there are.
        velocities: usize,
    },
    /// A box that is none.
    #[error("the box has size {0}: it must be finite and above 0")]
    Box(f64),
    /// A radius that is none.
    #[error("the radius is {0}: it must be at least 0")]
    Radius(f64),
    /// A resolution that is none.
    #[error("the angular resolution is {0} rad: it must be above 0 and at most π/4")]
    Resolution(f64),
    /// NaN or an infinity where a position should be.
    #[error("the {axis} position of fish {fish} is {value}: positions must be finite; leave a missing fish out")]
    NotFinite {
        /// Which fish.
        fish: usize,
        /// Which coordinate.
        axis: Axis,
        /// The coordinate.
        value: f64,
    },
    /// NaN or an infinity where a velocity should be.
    #[error("the {axis} velocity of fish {fish} is {value}: velocities must be finite; leave a missing fish out")]
    VelocityNotFinite {
        /// Which fish.
        fish: usize,
        /// Which coordinate.
        axis: Axis,
        /// The coordinate.
        value: f64,
    },
    /// Pair statistics of something else.
    #[error(
        "the pairs were counted for {counted}, and {wanted} is measured: both must be of one state and one question"
    )]
    OtherPairs {
        /// What was counted.
        counted: String,
        /// What is measured.
        wanted: String,
    },
    /// At or above the upper side of the box.
    #[error(
        "the {axis} position of fish {fish} is {value}, and the box ends at {size}: wrap it into 0 <= {axis} < {size}"
    )]
    AboveBox {
        /// Which fish.
        fish: usize,
        /// Which coordinate.
        axis: Axis,
        /// The coordinate.
        value: f64,
        /// The side of the box.
        size: f64,
    },
    /// Below the lower side of the box.
    #[error(
        "the {axis} position of fish {fish} is {value}, and the box begins at 0: wrap it into 0 <= {axis} < {size}"
    )]
    BelowBox {
        /// Which fish.
        fish: usize,
        /// Which coordinate.
        axis: Axis,
        /// The coordinate.
        value: f64,
        /// The side of the box.
        size: f64,
    },
}

/// In how many dimensions the fish swim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dims {
    /// In a plane: the third coordinate is not looked at.
    Two,
    /// In a volume.
    #[default]
    Three,
}

/// What is at the end of the water.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Boundary {
    /// Nothing.
    #[default]
    Open,
    /// The other side: a periodic box with this side on every axis.
    Periodic(f64),
}

/// The water.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Space {
    /// Its dimensions.
    pub dims: Dims,
    /// Its ends.
    pub boundary: Boundary,
}

impl Space {
    /// Open water in three dimensions.
    pub const OPEN: Self = Self { dims: Dims::Three, boundary: Boundary::Open };

    /// A periodic cube.
    #[must_use]
    pub const fn periodic(size: f64) -> Self {
        Self { dims: Dims::Three, boundary: Boundary::Periodic(size) }
    }

    /// The same water seen in a plane.
    #[must_use]
    pub const fn flat(self) -> Self {
        Self { dims: Dims::Two, ..self }
    }

    /// The side of the box, or infinity: the minimum image of a distance d is then min(d, size − d) in both cases.
    const fn size(&self) -> f64 {
        match self.boundary {
            Boundary::Open => f64::INFINITY,
            Boundary::Periodic(size) => size,
        }
    }

    /// Whether positions that are finite lie in a periodic box with a size.
    fn holds(&self, positions: &[[f64; 3]]) -> Result<(), SchoolError> {
        let size = self.size();
        if !(size.is_finite() && size > 0.0) {
            return Err(SchoolError::Box(size));
        }
        for (fish, x) in positions.iter().enumerate() {
            for (axis, &value) in Axis::ALL.into_iter().zip(x) {
                if value >= size {
                    return Err(SchoolError::AboveBox { fish, axis, value, size });
                }
            }
        }
        Ok(())
    }

    /// The positions as this space sees them: wrapped into the box, without the third coordinate in a plane.
    fn place(&self, positions: &[[f64; 3]]) -> Result<Vec<[f64; 3]>, SchoolError> {
        let size = self.size();
        if size.is_nan() || size <= 0.0 || (size.is_infinite() && self.boundary != Boundary::Open) {
            return Err(SchoolError::Box(size));
        }
        let flat = self.dims == Dims::Two;
        let mut placed = Vec::with_capacity(positions.len());
        for (fish, at) in positions.iter().enumerate() {
            let mut x = if flat { [at[0], at[1], 0.0] } else { *at };
            for (axis, value) in Axis::ALL.into_iter().zip(&mut x) {
                if !value.is_finite() {
                    return Err(SchoolError::NotFinite { fish, axis, value: *value });
                }
                if self.boundary != Boundary::Open {
                    *value = geometry::wrap(*value, size);
                }
            }
            placed.push(x);
        }
        Ok(placed)
    }
}

/// A cube that holds a school in open water, for the library, which knows only a periodic box: the positions from their lowest
/// coordinates, and the side, a billionth more than the largest extent, or 1 where there is none.
#[must_use]
pub fn bounding_cube(positions: &[[f64; 3]]) -> (Vec<[f64; 3]>, f64) {
    let moved = statistics::in_corner(positions);
    let extent = moved.iter().flatten().copied().fold(0.0, f64::max);
    // Above the largest coordinate, since the library's box is open at its far side.
    let side = if extent > 0.0 { extent * (1.0 + 1e-9) } else { 1.0 };
    (moved, side)
}

/// What a school is doing, by the rule of the reference package's command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// P > 0.9.
    HighlyParallel,
    /// P > 0.7.
    DynamicParallel,
    /// M > 0.5.
    Milling,
    /// P > 0.4 or M > 0.3.
    Transitional,
    /// None of these.
    Swarm,
}

impl State {
    /// The state at polarization `p` and rotation `m`: the first of the rules that holds. NaN is a swarm, as there.
    #[must_use]
    pub fn of(p: f64, m: f64) -> Self {
        if p > 0.9 {
            Self::HighlyParallel
        } else if p > 0.7 {
            Self::DynamicParallel
        } else if m > 0.5 {
            Self::Milling
        } else if p > 0.4 || m > 0.3 {
            Self::Transitional
        } else {
            Self::Swarm
        }
    }

    /// The name that the reference package prints.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::HighlyParallel => "Highly Parallel",
            Self::DynamicParallel => "Dynamic Parallel",
            Self::Milling => "Torus/Milling",
            Self::Transitional => "Transitional",
            Self::Swarm => "Swarm",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// Into how many groups the school falls when fish at most `radius` apart belong together: the connected components of
/// that graph. O(N²).
///
/// # Errors
/// A position that is not finite, a box without a size, a radius below 0 or NaN.
pub fn components(positions: &[[f64; 3]], space: Space, radius: f64) -> Result<usize, SchoolError> {
    if radius.is_nan() || radius < 0.0 {
        return Err(SchoolError::Radius(radius));
    }
    let placed = space.place(positions)?;
    // One group is grown at a time from the fish that are in none yet, so every fish is asked for its neighbours once.
    let (mut free, mut edge, mut groups) = (placed, Vec::new(), 0);
    let mut squares = Vec::new();
    while let Some(first) = free.pop() {
        groups += 1;
        edge.push(first);
        while let Some(from) = edge.pop() {
            let lanes = Lanes::of(&free);
            squares.resize(free.len(), 0.0);
            pairs::squares(lanes.all(), from, space.size(), &mut squares);
            let mut k = 0;
            free.retain(|&at| {
                let near = squares[k] <= radius * radius;
                k += 1;
                if near {
                    edge.push(at);
                }
                !near
            });
        }
    }
    Ok(groups)
}

fn same_length(positions: &[[f64; 3]], velocities: &[[f64; 3]]) -> Result<(), SchoolError> {
    match (positions.len(), velocities.len()) {
        (p, v) if p != v => Err(SchoolError::Lengths { positions: p, velocities: v }),
        (0, _) => Err(SchoolError::Empty),
        _ => Ok(()),
    }
}

/// A count as a number.
#[expect(clippy::cast_precision_loss, reason = "fish, pairs and bins are far below 2^53")]
const fn real(n: usize) -> f64 {
    n as f64
}
