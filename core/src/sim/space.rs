//! Where particles move: the number of dimensions and what happens at the edge.

use serde::{Deserialize, Serialize};

/// The edge of the world.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Boundary {
    /// Open water: there is no edge.
    Open,
    /// A periodic square or cube [0, side)^d; distances by the minimum image, d - side round(d / side).
    Periodic {
        /// Its edge.
        side: f64,
    },
    /// A closed square or cube [0, side]^d. A particle that would leave is put back by mirror reflection, position
    /// and heading component alike.
    Walls {
        /// Its edge.
        side: f64,
    },
    /// A closed round tank: a disc of this radius about the origin in x and y; in 3-D its floor and surface are
    /// z = 0 and z = depth. Mirror reflection at the wall's normal: r becomes 2 radius - r (0 if
    /// that is below), and a heading outwards loses twice its normal component.
    Tank {
        /// Radius of the disc.
        radius: f64,
        /// Depth of the water; unused in 2-D.
        depth: f64,
    },
}

/// A world.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Space {
    /// 2 or 3. In 2-D the third component of every vector is 0.
    pub dimensions: u32,
    /// Its edge.
    pub boundary: Boundary,
}

impl Space {
    /// Whether the world is flat.
    #[must_use]
    pub const fn is_flat(&self) -> bool {
        self.dimensions == 2
    }

    /// The edge of a periodic world.
    #[must_use]
    pub const fn period(&self) -> Option<f64> {
        match self.boundary {
            Boundary::Periodic { side } => Some(side),
            _ => None,
        }
    }

    /// Its middle; the origin in open water.
    #[must_use]
    pub const fn middle(&self) -> [f64; 3] {
        let height = match self.boundary {
            Boundary::Open => return [0.0; 3],
            Boundary::Periodic { side } | Boundary::Walls { side } => side / 2.0,
            Boundary::Tank { depth, .. } => depth / 2.0,
        };
        let z = if self.is_flat() { 0.0 } else { height };
        match self.boundary {
            Boundary::Periodic { side } | Boundary::Walls { side } => [side / 2.0, side / 2.0, z],
            Boundary::Open | Boundary::Tank { .. } => [0.0, 0.0, z],
        }
    }

    /// The shortest vector from `a` to `b`.
    #[must_use]
    pub fn between(&self, a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
        let mut d = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
        if let Some(side) = self.period() {
            for c in &mut d {
                *c -= side * (*c / side).round_ties_even();
            }
        }
        d
    }
}
