//! The predator as an agent.

use super::{
    super::{Predator, Setup, State, frame},
    edge::settle,
    turn::towards,
    vector::{norm, unit},
};

/// Where it is and looks after the step that begins at `now`.
pub(super) fn hunt(setup: &Setup, predator: &Predator, now: &State) -> Option<[[f64; 3]; 2]> {
    let [position, heading] = now.predator?;
    let Some(hunts) = &predator.hunts else { return now.predator };
    let space = &setup.space;
    let (mut near, mut all, mut frightened) = ([0.0; 3], [0.0; 3], false);
    for x in &now.positions {
        let offset = space.between(position, *x);
        let close = norm(offset) < 4.0 * predator.radius;
        frightened |= close;
        for k in 0..3 {
            near[k] += if close { offset[k] } else { 0.0 };
            all[k] += offset[k];
        }
    }
    let target = unit(if frightened { near } else { all }).unwrap_or(heading);
    // Exactly behind: any side will do, the same on every back end.
    let axis = if space.is_flat() { [0.0, 0.0, 1.0] } else { frame(heading)[0] };
    let u = towards(heading, target, hunts.turning_rate * setup.time_step, axis);
    let moved = [0, 1, 2].map(|k| position[k] + u[k] * hunts.speed * setup.time_step);
    let (x, u) = settle(space, moved, u);
    Some([x, u])
}
