//! Whether a state fits a setup, and how it is made to.

use super::{Rule, Setup, State, SwarmError, begin, start::inside};

/// A heading's length may differ from 1 by this much before it is made a unit vector again.
const UNIT: f64 = 1e-6;

impl State {
    /// This state as `setup` takes it: a copy, with headings of length 1 and positions within the space. What came out
    /// of a run under the same setup is unchanged to the bit.
    ///
    /// # Errors
    /// [`SwarmError::State`], which names the particle: another number of particles, a number that is not finite, a
    /// heading of length 0, a third component in a flat world.
    pub fn fitted(&self, setup: &Setup) -> Result<Self, SwarmError> {
        let wrong = |message: String| Err(SwarmError::State(message));
        let n = setup.count as usize;
        let found = [self.positions.len(), self.headings.len(), self.speeds.len()];
        if found != [n; 3] {
            let [x, u, s] = found;
            return wrong(format!("{x} positions, {u} headings and {s} speeds for {n} particles"));
        }
        let mut state = self.clone();
        for (i, x) in state.positions.iter_mut().enumerate() {
            if !x.iter().all(|c| c.is_finite()) {
                return wrong(format!("particle {i} is at {x:?}"));
            }
            if setup.space.is_flat() && x[2] != 0.0 {
                return wrong(format!("particle {i} is at z = {}; a flat world has z = 0", x[2]));
            }
            *x = inside(&setup.space, *x);
        }
        for (i, u) in state.headings.iter_mut().enumerate() {
            if setup.space.is_flat() && u[2] != 0.0 {
                return wrong(format!("particle {i} heads to z = {}; a flat world has z = 0", u[2]));
            }
            match unit(*u) {
                Some(v) => *u = v,
                None => return wrong(format!("particle {i} heads to {u:?}")),
            }
        }
        for (i, s) in state.speeds.iter().enumerate() {
            if !(s.is_finite() && *s >= 0.0) {
                return wrong(format!("particle {i} has a speed of {s}"));
            }
        }
        state.predator = match (setup.predator, self.predator) {
            (None, _) => None,
            (Some(predator), None) => Some([predator.position, [1.0, 0.0, 0.0]]),
            (Some(_), Some([x, u])) => match unit(u) {
                Some(u) if x.iter().all(|c| c.is_finite()) => Some([x, u]),
                _ => return wrong(format!("the predator is at {x:?} and heads to {u:?}")),
            },
        };
        state.flatten_predator(setup);
        Ok(state)
    }

    /// What a change of setup does to a state: positions are brought into the new space, speeds are drawn anew where
    /// their law changed (boids keep theirs), the predator is put where it was moved to.
    pub fn adapt(&mut self, old: &Setup, new: &Setup) {
        if old.space != new.space {
            for x in &mut self.positions {
                *x = inside(&new.space, *x);
            }
            if new.space.is_flat() {
                for u in &mut self.headings {
                    *u = flat(*u);
                }
            }
        }
        let boids = matches!((old.rule, new.rule), (Rule::Boids(_), Rule::Boids(_)));
        if !boids && (law(old) != law(new) || matches!(old.rule, Rule::Boids(_))) {
            self.speeds = begin(new).speeds;
        }
        self.predator = match (new.predator, self.predator) {
            (None, _) => None,
            (Some(predator), Some(agent)) if old.predator.is_some_and(|p| p.position == predator.position) => {
                Some(agent)
            }
            (Some(predator), agent) => Some([predator.position, agent.map_or([1.0, 0.0, 0.0], |a| a[1])]),
        };
        self.flatten_predator(new);
    }

    fn flatten_predator(&mut self, setup: &Setup) {
        if let Some([x, u]) = &mut self.predator
            && setup.space.is_flat()
            && (x[2] != 0.0 || u[2] != 0.0)
        {
            x[2] = 0.0;
            *u = flat(*u);
        }
    }
}

/// A heading projected onto the plane; across it, along x.
fn flat(u: [f64; 3]) -> [f64; 3] {
    let length = u[0].hypot(u[1]);
    if length > 1e-10 { [u[0] / length, u[1] / length, 0.0] } else { [1.0, 0.0, 0.0] }
}

/// The law of speeds.
const fn law(setup: &Setup) -> (f64, f64) {
    (setup.speed, setup.speed_deviation)
}

/// `u` as it is where its length is 1 but for rounding, else made a unit vector.
fn unit(u: [f64; 3]) -> Option<[f64; 3]> {
    let length = (u[0] * u[0] + u[1] * u[1] + u[2] * u[2]).sqrt();
    if !(length.is_finite() && length > 1e-10) {
        None
    } else if (length - 1.0).abs() <= UNIT {
        Some(u)
    } else {
        Some(u.map(|c| c / length))
    }
}
