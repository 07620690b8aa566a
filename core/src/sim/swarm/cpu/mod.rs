//! The CPU reference: f64, one thread, the same bits on every machine.

mod edge;
mod grid;
mod hunt;
mod lanes;
mod order;
mod pairs;
mod step;
mod turn;
mod vector;

use super::{Moving, Order, Setup, State, Swarm, SwarmError, begin};
use crate::{compute::Ran, pace::Pace};
pub use step::Search;
use step::{Meter, Workspace, step};

/// The f64 reference.
#[derive(Clone, Debug)]
pub struct CpuSwarm {
    setups: Vec<Setup>,
    states: Vec<State>,
    /// Where the next step is written; it counts only once every replica has it.
    next: Vec<State>,
    work: Workspace,
    search: Search,
}

/// Bytes of a particle in its two states.
const BYTES_PER_PARTICLE: u64 = 2 * 56;

/// Bytes of a particle in what the replicas share.
const BYTES_SHARED: u64 = 96;

/// More than this is refused: half of what a browser's memory can address, or 16 GiB.
const LIMIT: u64 = if usize::BITS == 32 { 2 << 30 } else { 16 << 30 };

impl CpuSwarm {
    /// The replicas at their beginning.
    ///
    /// # Errors
    /// As [`Setup::check`]; [`SwarmError::Batch`] where counts differ or there is no replica;
    /// [`SwarmError::TooLarge`] where the states would not fit into memory.
    pub fn new(setups: Vec<Setup>) -> Result<Self, SwarmError> {
        let count = u64::from(Setup::check_batch(&setups)?);
        let bytes =
            (count * BYTES_PER_PARTICLE).saturating_mul(setups.len() as u64).saturating_add(count * BYTES_SHARED);
        if bytes > LIMIT {
            let what = format!("{} swarms of {count} particles", setups.len());
            return Err(SwarmError::TooLarge { what, bytes, limit: LIMIT });
        }
        let states: Vec<State> = setups.iter().map(begin).collect();
        let next = vec![State::default(); states.len()];
        Ok(Self { setups, states, next, work: Workspace::default(), search: Search::Auto })
    }

    /// The same with neighbours found as `search` says.
    #[must_use]
    pub const fn searching(mut self, search: Search) -> Self {
        self.search = search;
        self
    }

    fn replica(&self, replica: usize) -> Result<usize, SwarmError> {
        if replica < self.states.len() {
            return Ok(replica);
        }
        Err(SwarmError::State(format!("there is no replica {replica}; the batch has {}", self.states.len())))
    }
}

impl Swarm for CpuSwarm {
    fn setups(&self) -> &[Setup] {
        &self.setups
    }

    fn advance<'a>(&'a mut self, steps: u32, pace: &'a dyn Pace) -> Moving<'a, ()> {
        Box::pin(async move {
            let mut meter = Meter { pace, pairs: 0, done: 0, total: u64::from(steps) };
            for _ in 0..steps {
                for ((setup, now), next) in self.setups.iter().zip(&self.states).zip(&mut self.next) {
                    step(setup, self.search, now, next, &mut self.work, &mut meter).await?;
                }
                std::mem::swap(&mut self.states, &mut self.next);
                meter.done += 1;
            }
            Ok(pace.tick(meter.done, meter.total).await?)
        })
    }

    fn state(&mut self, replica: usize) -> Moving<'_, State> {
        let state = self.replica(replica).map(|i| self.states[i].clone());
        Box::pin(std::future::ready(state))
    }

    fn order(&mut self) -> Moving<'_, Vec<Order>> {
        let order = self.setups.iter().zip(&self.states).map(|(setup, state)| state.order(&setup.space)).collect();
        Box::pin(std::future::ready(Ok(order)))
    }

    fn restore(&mut self, replica: usize, state: &State) -> Result<(), SwarmError> {
        let i = self.replica(replica)?;
        self.states[i] = state.fitted(&self.setups[i])?;
        Ok(())
    }

    fn change(&mut self, replica: usize, setup: Setup) -> Result<(), SwarmError> {
        let i = self.replica(replica)?;
        setup.check()?;
        if setup.count != self.setups[i].count {
            let message = format!("{} particles instead of {}", setup.count, self.setups[i].count);
            return Err(SwarmError::State(message));
        }
        self.states[i].adapt(&self.setups[i], &setup);
        self.setups[i] = setup;
        Ok(())
    }

    fn ran(&self) -> Ran {
        Ran::cpu()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
