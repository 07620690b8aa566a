//! Everything that a replica's motion depends on, and whether it makes sense.

use serde::{Deserialize, Serialize};

use super::{Rule, Start, SwarmError};
use crate::sim::{Boundary, Space};

/// One replica. Equal setups and equal states move alike on one back end, bit for bit in reproducible mode.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// The world.
    pub space: Space,
    /// Particles, at least 1.
    pub count: u32,
    /// How they begin.
    pub start: Start,
    /// What they obey.
    pub rule: Rule,
    /// Time of one step.
    pub time_step: f64,
    /// Mean speed.
    pub speed: f64,
    /// Standard deviation of the speed among particles, each constant in time; drawn normal, kept above speed / 10.
    pub speed_deviation: f64,
    /// Particles 0..leaders know a goal.
    pub leaders: u32,
    /// What leaders know (used where `leaders` > 0).
    pub goal: Goal,
    /// Somebody to flee from.
    pub predator: Option<Predator>,
    /// Spheres (discs) that are steered around.
    pub obstacles: Vec<Obstacle>,
    /// The key of all random numbers.
    pub seed: u64,
    /// The number of the replica under that seed.
    pub replica: u32,
    /// Neighbours are summed in ascending order of particle, so that a run repeats bit for bit.
    pub reproducible: bool,
}

/// Leaders' desired direction is normalize(d + weight × direction), d the desired direction of the rule (Couzin,
/// Krause, Franks, Levin 2005, Nature 433:513).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Goal {
    /// A unit vector.
    pub direction: [f64; 3],
    /// ω ≥ 0.
    pub weight: f64,
}

/// Particles within `radius` of it flee straight away: their desired direction becomes
/// normalize((1 - s) d + s away), s = (1 - r / radius)^(1/2), before noise and turn. At r = 0 away is
/// ahead.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predator {
    /// How far it frightens.
    pub radius: f64,
    /// An agent hunts the centre of the particles within 4 radii (of all, if there are none) at this speed, turning at
    /// most `turning_rate × time_step` (where that is exactly behind: about the first vector of its heading's frame, in
    /// 2-D counter-clockwise); without, it stays where it is put (the pointer).
    pub hunts: Option<Hunt>,
    /// Where it begins, or is put.
    pub position: [f64; 3],
}

/// How an agent hunts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hunt {
    /// Length per unit of time.
    pub speed: f64,
    /// Radians per unit of time.
    pub turning_rate: f64,
}

/// A sphere that is steered around: within `2 radius` of its centre the component of the desired direction towards the
/// centre is removed in proportion to s = clamp(2 - r / radius, 0, 1), and the outward normal is added s². Within the
/// sphere a particle that has moved is put onto its surface, its heading kept; the world's edge comes after.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Obstacle {
    /// Its centre.
    pub centre: [f64; 3],
    /// Its radius.
    pub radius: f64,
}

impl Setup {
    /// Whether every number is finite, zones are in order, and the box holds the zones it needs to.
    ///
    /// # Errors
    /// [`SwarmError::Parameter`], which names the parameter and says what would be right.
    pub fn check(&self) -> Result<(), SwarmError> {
        let wrong = |name: &'static str, found: String, right: &str| {
            Err(SwarmError::Parameter { name, found, right: right.to_owned() })
        };
        if self.count == 0 {
            return wrong("count", "0".to_owned(), "at least 1 particle");
        }
        if !matches!(self.space.dimensions, 2 | 3) {
            return wrong("dimensions", self.space.dimensions.to_string(), "2 or 3");
        }
        if !(self.time_step.is_finite() && self.time_step > 0.0) {
            return wrong("time_step", self.time_step.to_string(), "a number above 0");
        }
        if !(self.speed.is_finite() && self.speed >= 0.0) {
            return wrong("speed", self.speed.to_string(), "a number of at least 0");
        }
        for (name, value, least) in self.numbers() {
            if !(value.is_finite() && value >= least) {
                let right = if least == 0.0 { "a number of at least 0" } else { "a finite number" };
                return wrong(name, value.to_string(), right);
            }
        }
        if self.leaders > self.count {
            return wrong("leaders", self.leaders.to_string(), &format!("at most the count, {}", self.count));
        }
        let zones = match self.rule {
            Rule::Couzin2002(z) => Some((z.repulsion, z.orientation, z.attraction)),
            Rule::Dewi(z) => Some((z.repulsion, z.orientation, z.attraction)),
            Rule::Vicsek(_) | Rule::Boids(_) => None,
        };
        if let Some((r, o, a)) = zones {
            if !(r >= 0.0 && r.is_finite()) {
                return wrong("zone_of_repulsion", r.to_string(), "a radius of at least 0");
            }
            if !(o >= r && o.is_finite()) {
                return wrong(
                    "zone_of_orientation",
                    o.to_string(),
                    &format!("a radius of at least that of repulsion, {r}"),
                );
            }
            if !(a >= o && a.is_finite()) {
                return wrong(
                    "zone_of_attraction",
                    a.to_string(),
                    &format!("a radius of at least that of orientation, {o}"),
                );
            }
        }
        if let Rule::Boids(b) = self.rule {
            if b.separation_radius > b.perception {
                let right = format!("at most the perception, {}", b.perception);
                return wrong("separation_radius", b.separation_radius.to_string(), &right);
            }
            if b.max_speed < b.min_speed {
                return wrong("max_speed", b.max_speed.to_string(), &format!("at least the slowest, {}", b.min_speed));
            }
        }
        if self.leaders > 0 {
            let length = self.goal.direction.iter().map(|c| c * c).sum::<f64>().sqrt();
            if (length - 1.0).abs() > 1e-6 {
                return wrong("goal_direction", format!("{:?}", self.goal.direction), "a vector of length 1");
            }
        }
        if let Rule::Vicsek(_) = self.rule
            && self.space.dimensions != 2
        {
            return wrong("dimensions", self.space.dimensions.to_string(), "2: Vicsek's model is flat");
        }
        match self.space.boundary {
            Boundary::Open => {}
            Boundary::Periodic { side } | Boundary::Walls { side } => {
                // A zone wider than the box would wrap onto itself; half the box is the minimum image's own limit,
                // which the published cases exceed, and which therefore is a note and not an error.
                let least = self.rule.reach();
                let closest = zones.map_or(least, |(r, _, _)| r);
                if !(side.is_finite() && side > closest.max(0.0)) {
                    return wrong("box_size", side.to_string(), &format!("more than the innermost zone, {closest}"));
                }
                if self.space.period().is_some() && side < least {
                    return wrong(
                        "box_size",
                        side.to_string(),
                        &format!("at least {least}, the reach of the outermost zone, in a periodic box"),
                    );
                }
            }
            Boundary::Tank { radius, depth } => {
                if !(radius.is_finite() && radius > 0.0) {
                    return wrong("tank_radius", radius.to_string(), "a number above 0");
                }
                if self.space.dimensions == 3 && !(depth.is_finite() && depth > 0.0) {
                    return wrong("tank_depth", depth.to_string(), "a number above 0");
                }
            }
        }
        Ok(())
    }

    /// Whether these setups are one batch: at least one, each in order, all of the same count, which is returned.
    ///
    /// # Errors
    /// As [`Setup::check`]; [`SwarmError::Batch`] where counts differ or there is no replica.
    pub fn check_batch(setups: &[Self]) -> Result<u32, SwarmError> {
        let Some(first) = setups.first() else { return Err(SwarmError::Batch("there is none".to_owned())) };
        for (i, setup) in setups.iter().enumerate() {
            setup.check()?;
            if setup.count != first.count {
                let message = format!("replica {i} has {} particles, the first has {}", setup.count, first.count);
                return Err(SwarmError::Batch(message));
            }
        }
        Ok(first.count)
    }

    /// The numbers whose range stands for itself: name, value, the least it may be.
    fn numbers(&self) -> Vec<(&'static str, f64, f64)> {
        let any = f64::NEG_INFINITY;
        let mut list = vec![("speed_deviation", self.speed_deviation, 0.0)];
        match self.rule {
            Rule::Couzin2002(z) => list.extend([
                ("field_of_view", z.field_of_view, 0.0),
                ("turning_rate", z.turning_rate, 0.0),
                ("noise", z.noise, 0.0),
                ("orientation_weight", z.orientation_weight, any),
            ]),
            Rule::Dewi(z) => list.extend([
                ("blind", z.blind, any),
                ("max_turn", z.max_turn, 0.0),
                ("noise", z.noise, 0.0),
                ("orientation_weight", z.orientation_weight, any),
            ]),
            Rule::Vicsek(v) => list.extend([("radius", v.radius, 0.0), ("noise", v.noise, 0.0)]),
            Rule::Boids(b) => list.extend([
                ("perception", b.perception, 0.0),
                ("separation_radius", b.separation_radius, 0.0),
                ("separation", b.separation, any),
                ("alignment", b.alignment, any),
                ("cohesion", b.cohesion, any),
                ("field_of_view", b.field_of_view, 0.0),
                ("max_force", b.max_force, 0.0),
                ("min_speed", b.min_speed, 0.0),
                ("max_speed", b.max_speed, 0.0),
                ("noise", b.noise, 0.0),
            ]),
        }
        list.push(("goal_weight", self.goal.weight, 0.0));
        if let Some(predator) = &self.predator {
            list.push(("predator_radius", predator.radius, 0.0));
            list.extend(predator.position.map(|c| ("predator_position", c, any)));
            if let Some(hunts) = &predator.hunts {
                list.push(("predator_speed", hunts.speed, 0.0));
                list.push(("predator_turning_rate", hunts.turning_rate, 0.0));
            }
        }
        for obstacle in &self.obstacles {
            list.push(("obstacle_radius", obstacle.radius, 0.0));
            list.extend(obstacle.centre.map(|c| ("obstacle_centre", c, any)));
        }
        list
    }
}
