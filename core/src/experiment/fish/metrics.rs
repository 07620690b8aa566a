//! Every measure of a school at one moment, in a fixed order, as the series and tables of the fish experiments have them.

use crate::{
    experiment::{ExperimentError, Record},
    measure::school::{self, Again, Ask, Counting, PairStatistics, corrected, library},
    pace::Pace,
    sim::{
        Boundary, Space,
        swarm::{Order, State, Swarm},
    },
};

/// Name and title of each column. `library.*` follows dewi-kadita's definitions to the last bin, `recentred.*` takes
/// the same bins about a centre that knows the box is periodic, `corrected.*` is bias-corrected and does not depend on
/// direction, box or number of fish (docs/SCHOOL_MEASURES.md).
pub const METRICS: [(&str, &str); 24] = [
    ("polarization", "polarization P"),
    ("rotation", "rotation M"),
    ("library.polarization", "P, library"),
    ("library.rotation", "M, library"),
    ("library.spread", "spread, library"),
    ("library.order_index", "order index, library"),
    ("library.school_cohesion_entropy", "cohesion, library"),
    ("library.polarization_entropy", "polarization entropy, library"),
    ("library.depth_stratification_entropy", "depth, library"),
    ("library.angular_momentum_entropy", "angular momentum, library"),
    ("library.nearest_neighbor_entropy", "nearest neighbours, library"),
    ("library.velocity_correlation_entropy", "velocity correlation, library"),
    ("library.school_shape_entropy", "shape, library"),
    ("library.oceanic_schooling_index", "OSI, library"),
    ("recentred.oceanic_schooling_index", "OSI, library bins about the periodic centre"),
    ("corrected.cohesion_entropy", "cohesion"),
    ("corrected.heading_entropy", "heading entropy"),
    ("corrected.depth_entropy", "depth"),
    ("corrected.angular_momentum_entropy", "angular momentum"),
    ("corrected.neighbour_entropy", "nearest neighbours"),
    ("corrected.velocity_correlation_entropy", "velocity correlation"),
    ("corrected.shape_entropy", "shape"),
    ("corrected.index", "index"),
    ("corrected.milling_signed", "signed rotation (2-D)"),
];

/// Above this many fish the CPU leaves out the angles of all pairs: so many fish have 4.5 × 10⁸, and all measures of them
/// take one core of a server about a second.
const MOST_FOR_PAIRS: usize = 30_000;
/// Pairs between two looks at the clock, a few milliseconds.
const WORK: u64 = 1 << 21;

/// The values of [`METRICS`]; NaN where one does not exist.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics(pub [f64; METRICS.len()]);

impl Metrics {
    /// All of them, of a replica of a swarm. Its back end counts the pairs if it can, else they are counted here from the state.
    ///
    /// # Errors
    /// A state that is not finite, what a back end meets, and [`ExperimentError::Cancelled`].
    pub async fn of(
        swarm: &mut dyn Swarm,
        replica: usize,
        order: Order,
        pace: &dyn Pace,
    ) -> Result<Measured, ExperimentError> {
        let state = swarm.state(replica).await?;
        let space = swarm.setups()[replica].space;
        let seen = Seen::new(&state.positions, state.velocities(), &space);
        let pairs = swarm.pairs(replica, seen.ask(true), pace).await?;
        let mut measured = match pairs {
            Some(pairs) => Measured { metrics: seen.measure(&pairs)?, note: None },
            None => seen.count(pace).await?,
        };
        measured.metrics.0[0] = order.polarization;
        measured.metrics.0[1] = order.rotation;
        Ok(measured)
    }

    /// All of them, of fish that are somewhere and move.
    ///
    /// # Errors
    /// Positions or velocities that are not finite, and [`ExperimentError::Cancelled`].
    pub async fn of_motion(
        positions: &[[f64; 3]],
        velocities: &[[f64; 3]],
        space: &Space,
        pace: &dyn Pace,
    ) -> Result<Measured, ExperimentError> {
        Seen::new(positions, velocities.to_vec(), space).count(pace).await
    }

    /// The value called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        METRICS.iter().position(|(n, _)| *n == name).map(|k| self.0[k])
    }
}

/// What was measured, and what is to be said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The values.
    pub metrics: Metrics,
    /// Which are missing, and why.
    pub note: Option<String>,
}

impl Measured {
    /// The values; the record is told what is to be said.
    pub(in crate::experiment) fn noted(self, record: &mut Record) -> Metrics {
        if let Some(note) = self.note {
            record.note(note);
        }
        self.metrics
    }
}

/// A school as the measures see it.
struct Seen<'a> {
    positions: &'a [[f64; 3]],
    velocities: Vec<[f64; 3]>,
    water: school::Space,
    /// The school in a box of its own where the water has none.
    boxed: Option<(Vec<[f64; 3]>, f64)>,
}

impl<'a> Seen<'a> {
    fn new(positions: &'a [[f64; 3]], velocities: Vec<[f64; 3]>, space: &Space) -> Self {
        let boxed = !space.is_flat() && space.period().is_none();
        Self { positions, velocities, water: water(space), boxed: boxed.then(|| school::bounding_cube(positions)) }
    }

    fn ask(&self, counts: bool) -> Ask {
        let resolution = corrected::Options::default().resolution;
        let again = match (&self.boxed, self.water.dims) {
            (Some((_, side)), _) => Again::Cube(*side),
            (None, school::Dims::Three) => Again::Recentred,
            (None, school::Dims::Two) => Again::Nowhere,
        };
        Ask { space: self.water, resolution, again, counts }
    }

    /// Counts on the CPU.
    async fn count(&self, pace: &dyn Pace) -> Result<Measured, ExperimentError> {
        let n = self.positions.len();
        let counts = n <= MOST_FOR_PAIRS;
        let mut counting = Counting::new(self.positions, &self.velocities, self.ask(counts))?;
        while !counting.is_done() {
            counting.advance(WORK);
            let (done, total) = counting.progress();
            pace.tick(done, total).await?;
        }
        let note = (!counts).then(|| {
            format!(
                "More than {MOST_FOR_PAIRS} fish, measured on the CPU: the velocity correlation entropies and the indices, which \
                 contain them, are left out, since {n} fish have {:.1e} pairs. All other measures are there.",
                0.5 * f64::from(u32::try_from(n).unwrap_or(u32::MAX)).powi(2)
            )
        });
        Ok(Measured { metrics: self.measure(&counting.finish())?, note })
    }

    /// The O(N) rest.
    fn measure(&self, pairs: &PairStatistics) -> Result<Metrics, ExperimentError> {
        let (positions, velocities) = (self.positions, &self.velocities);
        let corrected =
            corrected::measure_with(positions, velocities, self.water, corrected::Options::default(), pairs)?;
        let mut metrics = Metrics([f64::NAN; METRICS.len()]);
        let values = &mut metrics.0;
        let value = |quantity: corrected::Quantity| quantity.map_or(f64::NAN, |estimate| estimate.value);
        values[0] = value(corrected.polarization);
        values[1] = value(corrected.milling);
        let rest = [
            corrected.cohesion_entropy,
            corrected.heading_entropy,
            corrected.depth_entropy,
            corrected.angular_momentum_entropy,
            corrected.neighbour_entropy,
            corrected.velocity_correlation_entropy,
            corrected.shape_entropy,
            corrected.index,
            corrected.signed_milling,
        ];
        for (place, quantity) in values[15..].iter_mut().zip(rest) {
            *place = value(quantity);
        }
        // The library's definitions are three-dimensional; a flat school has none of them.
        let (positions, side) = match (&self.boxed, self.water) {
            (Some((positions, side)), _) => (&positions[..], *side),
            (None, school::Space { dims: school::Dims::Three, boundary: school::Boundary::Periodic(side) }) => {
                (positions, side)
            }
            (None, _) => return Ok(metrics),
        };
        let plain = library::measure_with(positions, velocities, side, library::Centre::Plain, pairs)?;
        for (place, (_, x)) in values[2..14].iter_mut().zip(plain.values()) {
            *place = x;
        }
        values[14] = if self.boxed.is_none() {
            library::measure_with(positions, velocities, side, library::Centre::Recentred, pairs)?
                .oceanic_schooling_index
        } else {
            plain.oceanic_schooling_index
        };
        Ok(metrics)
    }
}

/// The entropy of headings of a swarm, corrected, in its own space; `None` where it does not exist.
pub(in crate::experiment) fn heading_entropy(state: &State, space: &Space) -> Result<Option<f64>, ExperimentError> {
    let entropy = corrected::heading_entropy(&state.velocities(), water(space).dims, corrected::Options::default())?;
    Ok(entropy.ok().map(|e| e.value))
}

/// The space in the words of the measures: walls are an open space to them.
pub(super) const fn water(space: &Space) -> school::Space {
    let boundary = match space.boundary {
        Boundary::Periodic { side } => school::Boundary::Periodic(side),
        Boundary::Open | Boundary::Walls { .. } | Boundary::Tank { .. } => school::Boundary::Open,
    };
    let dims = if space.is_flat() { school::Dims::Two } else { school::Dims::Three };
    school::Space { dims, boundary }
}
