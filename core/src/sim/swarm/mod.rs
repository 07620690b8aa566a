//! Swarms: particles that move at their own speed and turn by what their neighbours do.
//!
//! One state (positions, headings, speeds), one neighbour search, several [`Rule`]s: the zones of Couzin et al.
//! 2002, the library dewi-kadita's variant of them, Vicsek's alignment and Reynolds' boids. A [`Swarm`] is a batch of
//! independent replicas with the same number of particles, so that a phase map is one batch and a single school a
//! batch of one.
//!
//! A step is synchronous: everyone reads time t. For each particle: gather over neighbours → desired direction →
//! leaders' goal, predator and obstacles blended in, in this order → noise and turn as the rule says → move by speed ×
//! time step → out of obstacles → the edge. A hunting predator reads time t too. Random numbers: one Philox block per
//! particle and step, counter = (step, particle, 0, replica), key = seed (see [`noise`]).

mod bytes;
mod cpu;
mod error;
mod fit;
mod noise;
mod rule;
mod setup;
mod start;

pub use cpu::{CpuSwarm, Search};
pub use error::SwarmError;
pub use noise::{Block, frame, noise};
pub use rule::{Boids, Dewi, Rule, Vicsek, Zones};
pub use setup::{Goal, Hunt, Obstacle, Predator, Setup};
pub use start::{Start, begin};

use futures_util::future::LocalBoxFuture;
use serde::{Deserialize, Serialize};

use crate::{
    compute::Ran,
    measure::school::{Ask, PairStatistics},
    pace::Pace,
};

/// The state of one replica. All vectors have one entry a particle, in the particles' own order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Steps behind; time is `step * time_step`.
    pub step: u64,
    /// Positions.
    pub positions: Vec<[f64; 3]>,
    /// Unit vectors.
    pub headings: Vec<[f64; 3]>,
    /// Length per unit of time.
    pub speeds: Vec<f64>,
    /// Position and heading of the predator, where there is an agent.
    pub predator: Option<[[f64; 3]; 2]>,
}

impl State {
    /// Heading times speed.
    #[must_use]
    pub fn velocities(&self) -> Vec<[f64; 3]> {
        self.headings.iter().zip(&self.speeds).map(|(u, s)| u.map(|c| c * s)).collect()
    }
}

/// The order parameters of one replica, about the centre that suits the space (circular mean in a periodic one).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    /// P = |mean u|, in [0, 1].
    pub polarization: f64,
    /// M = |mean(r̂ × u)|, in [0, 1].
    pub rotation: f64,
}

/// The future of a swarm's work.
pub type Moving<'a, T> = LocalBoxFuture<'a, Result<T, SwarmError>>;

/// A batch of replicas on some back end.
pub trait Swarm {
    /// What the replicas are, in force now.
    fn setups(&self) -> &[Setup];

    /// Advances every replica by `steps` steps.
    fn advance<'a>(&'a mut self, steps: u32, pace: &'a dyn Pace) -> Moving<'a, ()>;

    /// The state of one replica, as f64.
    fn state(&mut self, replica: usize) -> Moving<'_, State>;

    /// The order parameters of every replica now.
    fn order(&mut self) -> Moving<'_, Vec<Order>>;

    /// What the pairs of a replica's fish say now, for [`crate::measure::school`], where this back end counts them itself and it is
    /// worth it. `None`: count them from the state.
    ///
    /// # Errors
    /// What a back end meets, and [`SwarmError::Cancelled`].
    fn pairs<'a>(&'a mut self, _replica: usize, _ask: Ask, _pace: &'a dyn Pace) -> Moving<'a, Option<PairStatistics>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Puts a replica into `state` (a checkpoint, or the end of another run).
    ///
    /// # Errors
    /// [`SwarmError::State`] where the number of particles differs or a number is not finite.
    fn restore(&mut self, replica: usize, state: &State) -> Result<(), SwarmError>;

    /// Changes what a replica obeys from the next step on: rule, space, predator, … The number of particles stays;
    /// the state follows as [`State::adapt`] says.
    ///
    /// # Errors
    /// As [`Setup::check`]; [`SwarmError::State`] where the number of particles differs.
    fn change(&mut self, replica: usize, setup: Setup) -> Result<(), SwarmError>;

    /// Where it runs.
    fn ran(&self) -> Ran;

    /// The concrete back end, for a door that draws straight from its memory.
    fn as_any(&self) -> &dyn std::any::Any;
}
