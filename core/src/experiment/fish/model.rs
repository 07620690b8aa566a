//! What the fish experiments have in common: parameters of the model, and the setup that they stand for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::sim::{
    Boundary, Space,
    swarm::{Dewi, Rule, Setup, Start, Zones},
};

/// Which model the fish obey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mode {
    /// Couzin et al. 2002: noise before the turn, exact rotation, repulsion all around.
    #[default]
    Couzin2002,
    /// The library dewi-kadita 0.0.4, verbatim.
    Dewi,
}

/// What is at the edge of the water.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Water {
    /// Open water.
    #[default]
    Open,
    /// A periodic box.
    Periodic,
    /// A box with walls.
    Walls,
    /// A round tank.
    Tank,
}

/// The zones and the motion of one fish. Angles in degrees, as in the literature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fish {
    pub(super) mode: Mode,
    pub(super) zone_of_repulsion: f64,
    pub(super) orientation_width: f64,
    pub(super) attraction_width: f64,
    pub(super) field_of_view: f64,
    pub(super) turning_rate: f64,
    pub(super) noise: f64,
    pub(super) orientation_weight: f64,
    pub(super) time_step: f64,
}

impl Fish {
    /// The rule. Widths become radii: r_o = r_r + Δr_o, r_a = r_o + Δr_a. The blind half-angle of `dewi` is
    /// (360° - field of view) / 2, its turn per step is the turning rate times the time step.
    pub(super) fn rule(&self) -> Rule {
        let repulsion = self.zone_of_repulsion;
        let orientation = repulsion + self.orientation_width;
        let attraction = orientation + self.attraction_width;
        match self.mode {
            Mode::Couzin2002 => Rule::Couzin2002(Zones {
                repulsion,
                orientation,
                attraction,
                field_of_view: self.field_of_view.to_radians(),
                turning_rate: self.turning_rate.to_radians(),
                noise: self.noise,
                orientation_weight: self.orientation_weight,
            }),
            Mode::Dewi => Rule::Dewi(Dewi {
                repulsion,
                orientation,
                attraction,
                blind: ((360.0 - self.field_of_view) / 2.0).to_radians(),
                max_turn: self.turning_rate.to_radians() * self.time_step,
                noise: self.noise,
                orientation_weight: self.orientation_weight,
            }),
        }
    }
}

/// The edge of the water: `size` is the side of a box or the diameter of a tank, which is half as deep.
pub(super) const fn space(dimensions: u32, water: Water, size: f64) -> Space {
    let boundary = match water {
        Water::Open => Boundary::Open,
        Water::Periodic => Boundary::Periodic { side: size },
        Water::Walls => Boundary::Walls { side: size },
        Water::Tank => Boundary::Tank { radius: size / 2.0, depth: size / 2.0 },
    };
    Space { dimensions, boundary }
}

/// A school in open water that begins in a ball of radius 5, as the studies do: Couzin's defaults but for the zones.
pub(in crate::experiment) fn open_water(
    count: u32,
    orientation_width: f64,
    attraction_width: f64,
    seed: u64,
    replica: u32,
) -> Setup {
    let fish = Fish {
        mode: Mode::Couzin2002,
        zone_of_repulsion: 1.0,
        orientation_width,
        attraction_width,
        field_of_view: 270.0,
        turning_rate: 40.0,
        noise: 0.05,
        orientation_weight: 1.0,
        time_step: 0.1,
    };
    Setup {
        space: space(3, Water::Open, 0.0),
        count,
        start: Start::Ball { radius: 5.0 },
        rule: fish.rule(),
        time_step: fish.time_step,
        speed: 3.0,
        speed_deviation: 0.0,
        leaders: 0,
        goal: crate::sim::swarm::Goal { direction: [1.0, 0.0, 0.0], weight: 0.0 },
        predator: None,
        obstacles: Vec::new(),
        seed,
        replica,
        reproducible: true,
    }
}
