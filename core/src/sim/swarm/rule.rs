//! The rules that a swarm can obey.

use serde::{Deserialize, Serialize};

/// What a particle does about its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Rule {
    /// Couzin, Krause, James, Ruxton, Franks 2002.
    Couzin2002(Zones),
    /// dewi-kadita 0.0.4, verbatim.
    Dewi(Dewi),
    /// Vicsek, Czirók, Ben-Jacob, Cohen, Shochet 1995.
    Vicsek(Vicsek),
    /// Reynolds 1987.
    Boids(Boids),
}

/// The zones of Couzin et al. 2002 (J. Theor. Biol. 218:1-11). With d_ij = x_j - x_i, r = |d_ij|, the zone of repulsion
/// r < r_r is a full sphere; zones of orientation r_r ≤ r < r_o and attraction r_o ≤ r < r_a are seen only within the
/// field of view: cos(angle(u_i, d_ij)) > cos(field_of_view / 2), a full turn having no blind direction. j ≠ i; two
/// particles at one point (r = 0), which have no direction to each other, do not notice each other.
///
/// Desired direction: any neighbour in the zone of repulsion: -Σ d/r over that zone alone. Else w Σ u_j over the zone
/// of orientation + Σ d/r over the zone of attraction. A zero sum (length < 1e-10) keeps the heading. Then the desired
/// direction is rotated by an angle N(0, noise²) about a random axis perpendicular to it (in 2-D: within the plane),
/// and the heading turns towards it by an exact rotation of at most `turning_rate × time_step`; for an exactly opposite
/// target (|a × b| < 1e-10) about a random perpendicular axis. Angles by atan2(|a × b|, a · b).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Zones {
    /// r_r, a radius.
    pub repulsion: f64,
    /// r_o, a radius, ≥ r_r.
    pub orientation: f64,
    /// r_a, a radius, ≥ r_o.
    pub attraction: f64,
    /// Full opening of the field of view, in radians, up to 2π.
    pub field_of_view: f64,
    /// In radians per unit of time.
    pub turning_rate: f64,
    /// Standard deviation of the angle, in radians.
    pub noise: f64,
    /// The weight w of Σ u_j against Σ d/r; 1 in the paper.
    pub orientation_weight: f64,
}

/// dewi-kadita 0.0.4 verbatim (specification: section 2 of the fish sheet): pairs closer than 1e-10 are skipped; the
/// field of view holds for all three zones; the turn is a normalised linear interpolation with t = max_turn / angle;
/// the noise normalize(u + noise g), g ~ N(0, I), comes after the turn. Verbatim means that an exactly opposite target
/// leaves the heading as it is while t < 1/2.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dewi {
    /// r_r.
    pub repulsion: f64,
    /// r_o > r_r.
    pub orientation: f64,
    /// r_a ≥ r_o.
    pub attraction: f64,
    /// Half-angle of the blind cone behind, in radians: seen iff cos(angle) > -cos(blind); ≤ 0: everything is seen.
    pub blind: f64,
    /// In radians per step.
    pub max_turn: f64,
    /// σ of each component.
    pub noise: f64,
    /// w in [0, 1], of the sum over the zone of orientation.
    pub orientation_weight: f64,
}

/// Vicsek et al. 1995 (Phys. Rev. Lett. 75:1226), 2-D: θ_i(t+1) = arg Σ_{|d_ij| < radius, i included} e^{iθ_j} + Δ, Δ
/// uniform in (-noise/2, noise/2). A zero sum keeps the heading. Positions move by the new heading, as in most later
/// work (in 1995 by the old one).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vicsek {
    /// Neighbours are closer than this.
    pub radius: f64,
    /// η in radians, 0 to 2π.
    pub noise: f64,
}

/// Reynolds' boids (SIGGRAPH 1987; in the form of "Steering behaviors", GDC 1999). Over neighbours within `perception`
/// (separation: within `separation_radius`) in the field of view: separation -Σ d/r², alignment = mean velocity,
/// cohesion = mean position - own position. Each desire is scaled to `max_speed`, the own velocity is subtracted, the
/// length is limited to `max_force`, and it is weighted; v += Σ × time_step; |v| is kept within [min_speed, max_speed].
/// A zero sum (length < 1e-10) is no desire. The direction of v takes up goal, predator and obstacles at its own
/// length; then the noise: each component of the force gets N(0, noise²). j ≠ i, and two particles at one point do not
/// notice each other.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Boids {
    /// Neighbours are closer than this.
    pub perception: f64,
    /// Separation acts within this radius, ≤ perception.
    pub separation_radius: f64,
    /// Weight of separation.
    pub separation: f64,
    /// Weight of alignment.
    pub alignment: f64,
    /// Weight of cohesion.
    pub cohesion: f64,
    /// Full opening of the field of view, in radians.
    pub field_of_view: f64,
    /// The largest steering force (acceleration).
    pub max_force: f64,
    /// The slowest speed.
    pub min_speed: f64,
    /// The fastest speed.
    pub max_speed: f64,
    /// Standard deviation of each component of the force.
    pub noise: f64,
}

impl Rule {
    /// The distance beyond which nobody is noticed.
    #[must_use]
    pub const fn reach(&self) -> f64 {
        match self {
            Self::Couzin2002(zones) => zones.attraction,
            Self::Dewi(dewi) => dewi.attraction,
            Self::Vicsek(vicsek) => vicsek.radius,
            Self::Boids(boids) => boids.perception,
        }
    }
}
