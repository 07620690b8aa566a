//! Every measure of a school at one moment, in a fixed order, as the series and tables of the fish experiments have them.

use crate::{
    experiment::ExperimentError,
    measure::school::{self, corrected, library},
    sim::{
        Boundary, Space,
        swarm::{Order, State},
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

/// Above this many fish the measures of all pairs are left out: 20,000 fish have 2 × 10⁸ pairs a snapshot.
pub(crate) const MOST_FOR_PAIRS: usize = 20_000;

/// The values of [`METRICS`]; NaN where one does not exist.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics(pub [f64; METRICS.len()]);

impl Metrics {
    /// Only the order parameters.
    #[must_use]
    pub fn of_order(order: Order) -> Self {
        let mut values = [f64::NAN; METRICS.len()];
        values[0] = order.polarization;
        values[1] = order.rotation;
        Self(values)
    }

    /// All of them.
    ///
    /// # Errors
    /// A state that is not finite.
    pub fn of(state: &State, space: &Space, order: Order) -> Result<Self, ExperimentError> {
        if state.positions.len() > MOST_FOR_PAIRS {
            return Ok(Self::of_order(order));
        }
        let mut metrics = Self::of_motion(&state.positions, &state.velocities(), space)?;
        metrics.0[0] = order.polarization;
        metrics.0[1] = order.rotation;
        Ok(metrics)
    }

    /// All of them, of fish that are somewhere and move.
    ///
    /// # Errors
    /// Positions or velocities that are not finite.
    pub fn of_motion(positions: &[[f64; 3]], velocities: &[[f64; 3]], space: &Space) -> Result<Self, ExperimentError> {
        let corrected = corrected::measure(positions, velocities, water(space), corrected::Options::default())?;
        let mut metrics = Self([f64::NAN; METRICS.len()]);
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
        if !space.is_flat() {
            let (positions, side) = boxed(positions, space);
            let centre = library::Centre::Plain;
            let plain = library::measure(&positions, velocities, side, centre)?;
            for (place, (_, x)) in values[2..14].iter_mut().zip(plain.values()) {
                *place = x;
            }
            values[14] = if space.period().is_some() {
                library::measure(&positions, velocities, side, library::Centre::Recentred)?.oceanic_schooling_index
            } else {
                plain.oceanic_schooling_index
            };
        }
        Ok(metrics)
    }

    /// The value called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        METRICS.iter().position(|(n, _)| *n == name).map(|k| self.0[k])
    }
}

/// The entropy of headings of a swarm, corrected, in its own space; `None` where it does not exist.
pub(in crate::experiment) fn heading_entropy(state: &State, space: &Space) -> Result<Option<f64>, ExperimentError> {
    let corrected =
        corrected::measure(&state.positions, &state.velocities(), water(space), corrected::Options::default())?;
    Ok(corrected.heading_entropy.ok().map(|e| e.value))
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

/// Positions in a box [0, L): the periodic box itself, or the bounding cube of the school, since the library needs a box
/// and its cohesion and depth depend on it.
fn boxed(positions: &[[f64; 3]], space: &Space) -> (Vec<[f64; 3]>, f64) {
    if let Some(side) = space.period() {
        return (positions.to_vec(), side);
    }
    let mut low = [f64::INFINITY; 3];
    let mut high = [f64::NEG_INFINITY; 3];
    for x in positions {
        for k in 0..3 {
            low[k] = low[k].min(x[k]);
            high[k] = high[k].max(x[k]);
        }
    }
    let extent = (0..3).map(|k| high[k] - low[k]).fold(0.0, f64::max);
    // Above the largest coordinate, since the library's box is open at its far side.
    let side = if extent > 0.0 { extent * (1.0 + 1e-9) } else { 1.0 };
    let moved = positions.iter().map(|x| [0, 1, 2].map(|k| x[k] - low[k]));
    (moved.collect(), side)
}
