//! The CPU reference.

use super::{Moving, Order, Setup, State, Swarm, SwarmError, begin};
use crate::{compute::Ran, pace::Pace};

/// The f64 reference.
#[derive(Clone, Debug)]
pub struct CpuSwarm {
    setups: Vec<Setup>,
    states: Vec<State>,
}

impl CpuSwarm {
    /// The replicas at their beginning.
    ///
    /// # Errors
    /// As [`Setup::check`]; [`SwarmError::Batch`] where counts differ or there is no replica.
    pub fn new(setups: Vec<Setup>) -> Result<Self, SwarmError> {
        for setup in &setups {
            setup.check()?;
        }
        let states = setups.iter().map(begin).collect();
        Ok(Self { setups, states })
    }
}

impl Swarm for CpuSwarm {
    fn setups(&self) -> &[Setup] {
        &self.setups
    }

    fn advance<'a>(&'a mut self, steps: u32, pace: &'a dyn Pace) -> Moving<'a, ()> {
        Box::pin(async move {
            pace.tick(0, u64::from(steps)).await?;
            for state in &mut self.states {
                state.step += u64::from(steps);
            }
            Ok(())
        })
    }

    fn state(&mut self, replica: usize) -> Moving<'_, State> {
        let state = self.states[replica].clone();
        Box::pin(async move { Ok(state) })
    }

    fn order(&mut self) -> Moving<'_, Vec<Order>> {
        let order = vec![Order::default(); self.states.len()];
        Box::pin(async move { Ok(order) })
    }

    fn restore(&mut self, replica: usize, state: &State) -> Result<(), SwarmError> {
        self.states[replica] = state.clone();
        Ok(())
    }

    fn change(&mut self, replica: usize, setup: Setup) -> Result<(), SwarmError> {
        setup.check()?;
        self.setups[replica] = setup;
        Ok(())
    }

    fn ran(&self) -> Ran {
        Ran::cpu()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
