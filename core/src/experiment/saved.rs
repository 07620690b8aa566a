//! What is kept of a run beside its record.

use super::{Doing, ExperimentError};
use crate::{
    nn::Checkpoint,
    sim::swarm::{State, Swarm},
};

/// What is needed to go on later, beside the record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Saved {
    /// What moves: one state a replica.
    pub swarms: Vec<State>,
    /// What learns: one checkpoint a network, moments included.
    pub networks: Vec<Checkpoint>,
}

impl Saved {
    /// Whether nothing is kept: the experiment begins again instead.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.swarms.is_empty() && self.networks.is_empty()
    }
}

/// A file that is worth having beside a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Its path below the folder of the run, with `/` between folders.
    pub path: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The states of all replicas of `swarm`, for [`super::Experiment::save`].
pub(super) fn save(swarm: &mut dyn Swarm) -> Doing<'_, Saved> {
    Box::pin(async move {
        let mut swarms = Vec::new();
        for replica in 0..swarm.setups().len() {
            swarms.push(swarm.state(replica).await?);
        }
        Ok(Saved { swarms, ..Saved::default() })
    })
}

/// Puts the replicas of `swarm` into those of `saved`, for [`super::Experiment::load`].
pub(super) fn load(swarm: &mut dyn Swarm, saved: &Saved) -> Result<(), ExperimentError> {
    let (wanted, found) = (swarm.setups().len(), saved.swarms.len());
    if found != wanted {
        return Err(ExperimentError::Checkpoint(format!("it holds {found} replicas, and {wanted} run here")));
    }
    for (replica, state) in saved.swarms.iter().enumerate() {
        swarm.restore(replica, state)?;
    }
    Ok(())
}
