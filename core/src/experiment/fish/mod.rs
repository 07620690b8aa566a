//! Fish schools: the zones of Couzin et al. 2002 and of dewi-kadita, watched with entropies.
//!
//! | experiment | what it does |
//! |---|---|
//! | `fish-schooling` | one school, live, with every measure over time |
//! | `fish-phase-map` | a map over the widths of the zones of orientation and attraction |
//! | `fish-hysteresis` | the zone of orientation widened and narrowed again, state carried over |
//! | `fish-cases` | the reference library's four canonical cases beside its numbers |
//! | `fish-residence` | how long a school stays in each state |
//! | `fish-rotation` | one aligned school turned as a rigid body: which entropies notice |

mod cases;
mod hysteresis;
mod metrics;
mod model;
mod phase_map;
mod plots;
mod residence;
mod rotation;
mod school;

pub use metrics::{METRICS, Measured, Metrics};
pub(super) use {
    cases::Cases, hysteresis::Hysteresis, phase_map::PhaseMap, residence::Residence, rotation::Rotation, school::School,
};
pub(super) use {
    metrics::heading_entropy,
    model::open_water,
    plots::{late, school as school_figures, seen as school_seen, series},
};
