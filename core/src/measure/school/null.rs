//! What no order looks like: the law of a binned quantity without it, and the entropy that the estimator gives of so many
//! draws from that law.

use std::{
    f64::consts::{PI, TAU},
    sync::OnceLock,
};

use super::{Dims, NEIGHBOURS, pairs::variation, real};
use crate::{
    measure::discrete::{grassberger_g, grassberger_nats},
    rng::Philox,
};

/// Γ(4/3): the mean distance to the nearest of unit density in units of the radius that holds one on average.
const GAMMA_4_3: f64 = 0.892_979_511_569_249_3;
/// Γ(3/2).
const GAMMA_3_2: f64 = 0.886_226_925_452_758;
/// Draws of the Monte Carlo law: its entropy is then known to about 2e-4.
const DRAWS: u32 = 1 << 18;
/// Seed of those draws.
const SEED: u64 = 0x5C40_0001;
/// Up to so many expected counts a bin's term is summed exactly.
const SUMMED: f64 = 64.0;

/// The probabilities of the bins.
#[derive(Clone, Debug)]
pub(super) struct Null {
    p: Vec<f64>,
    /// What fitting directions to the data costs: the entropy is lower by this over N.
    fitted: f64,
}

impl Null {
    /// From a distribution function at the inner edges of `bins` equal bins on low..high; the end bins are open.
    fn of(bins: usize, low: f64, high: f64, cdf: impl Fn(f64) -> f64) -> Self {
        let edge = |k: usize| match k {
            0 => 0.0,
            k if k == bins => 1.0,
            k => cdf(low + (high - low) * real(k) / real(bins)),
        };
        Self { p: (0..bins).map(|k| (edge(k + 1) - edge(k)).max(0.0)).collect(), fitted: 0.0 }
    }

    /// Nearest-neighbour distance over its mean among Poisson points, the distance of two that are each other's nearest
    /// counted once.
    ///
    /// With V = (Γ(1 + 1/d) s)^d, the expected number of points within the distance, a distance has density e^−V, and is mutual if
    /// the part of the other's ball outside one's own, a of its volume, is empty too: e^−aV. So the law of what is counted has
    /// density e^−V (1 − e^−aV/2) / (1 − q/2), q = 1/(1 + a) being the share of fish in mutual pairs.
    pub(super) fn cohesion(dims: Dims) -> Self {
        let outside = match dims {
            Dims::Two => 1.0 / 3.0 + 3.0_f64.sqrt() / TAU,
            Dims::Three => 11.0 / 16.0,
        };
        let mutual = 1.0 / (1.0 + outside);
        Self::of(COHESION.bins, COHESION.low, COHESION.high, |s| {
            let volume = match dims {
                Dims::Two => (GAMMA_3_2 * s).powi(2),
                Dims::Three => (GAMMA_4_3 * s).powi(3),
            };
            let below = |rate: f64| -(-rate * volume).exp_m1();
            (below(1.0) - mutual / 2.0 * below(1.0 + outside)) / (1.0 - mutual / 2.0)
        })
    }

    /// A coordinate of a uniform ball over its radius: F(t) = (2 + 3t − t³)/4.
    pub(super) fn depth() -> Self {
        Self::of(DEPTH.bins, DEPTH.low, DEPTH.high, |t| (2.0 + 3.0 * t - t * t * t) / 4.0)
    }

    /// (r̂ × u)·e of independent isotropic directions. 3-D: density acos|s|/2; 2-D: the arcsine law.
    ///
    /// In 3-D e is the direction of the mean of the very vectors that are projected: its square is on average 3 times that
    /// along a fixed axis. A law tilted by a mean a has less entropy by a²/2σ², so this choice takes (3 − 1)/2N off.
    pub(super) fn momentum(dims: Dims) -> Self {
        let half = |s: f64| (s * s.acos() - (1.0 - s * s).max(0.0).sqrt() + 1.0) / 2.0;
        let law = Self::of(MOMENTUM.bins, MOMENTUM.low, MOMENTUM.high, |s| match dims {
            Dims::Two => 0.5 + s.asin() / PI,
            Dims::Three => 0.5 + half(s.abs()).copysign(s),
        });
        Self { fitted: if dims == Dims::Three { 1.0 } else { 0.0 }, ..law }
    }

    /// Equal bins.
    pub(super) fn uniform(bins: u32) -> Self {
        Self { p: vec![1.0 / f64::from(bins); bins as usize], fitted: 0.0 }
    }

    /// Coefficient of variation of the distances of the nearest neighbours of a Poisson process: the volumes that the
    /// distances enclose are sums of exponential variables. By Monte Carlo, once.
    pub(super) fn variation(dims: Dims) -> &'static Self {
        static LAWS: [OnceLock<Null>; 2] = [OnceLock::new(), OnceLock::new()];
        let (cell, stream) = match dims {
            Dims::Two => (&LAWS[0], 2),
            Dims::Three => (&LAWS[1], 3),
        };
        cell.get_or_init(|| {
            let mut rng = Philox::new(SEED, stream);
            let mut counts = vec![0_u32; VARIATION.bins];
            for _ in 0..DRAWS {
                let mut volume = 0.0;
                let distances: [f64; NEIGHBOURS] = std::array::from_fn(|_| {
                    volume -= (1.0 - rng.uniform()).ln();
                    if dims == Dims::Two { f64::sqrt(volume) } else { f64::cbrt(volume) }
                });
                counts[VARIATION.find(variation(&distances, 0.0))] += 1;
            }
            Null { p: counts.into_iter().map(|c| f64::from(c) / f64::from(DRAWS)).collect(), fitted: 0.0 }
        })
    }

    /// The expected value of Grassberger's estimator for `n` independent draws, in nats.
    ///
    /// E Ĥ = ln n − (1/n) Σ_k E[m G(m)], m ~ Bin(n, p_k); a bin with more than 64 expected is np ln np − p/2, whose
    /// remainder is of order 1/np.
    pub(super) fn entropy(&self, n: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
        let size = n as f64;
        let of_bin = |p: f64| {
            let expected = size * p;
            if expected > SUMMED { expected * expected.ln() - p / 2.0 } else { binomial_mean(size, p) }
        };
        // Of equal bins there is one term.
        let mut last = (f64::NAN, 0.0);
        let mut term = |&p: &f64| {
            if p.to_bits() != last.0.to_bits() {
                last = (p, of_bin(p));
            }
            last.1
        };
        size.ln() - self.p.iter().map(&mut term).sum::<f64>() / size - self.fitted / size
    }

    /// Grassberger's estimate of the entropy of `counts` in units of what the law gives for as many.
    pub(super) fn ratio(&self, counts: &[u64]) -> f64 {
        grassberger_nats(counts, g) / self.entropy(counts.iter().sum())
    }
}

/// E[m G(m)] for m ~ Bin(n, p) with np at most 64.
fn binomial_mean(n: f64, p: f64) -> f64 {
    let mut mass = (n * (-p).ln_1p()).exp();
    let odds = p / (1.0 - p);
    let mut sum = 0.0;
    // Beyond this the tail is below 1e-16.
    let last = n.min(n * p + 12.0 * (n * p).sqrt() + 40.0);
    let mut m = 0.0;
    let mut count = 0_u64;
    while m < last {
        mass *= (n - m) / (m + 1.0) * odds;
        m += 1.0;
        count += 1;
        sum += mass * m * g(count);
    }
    sum
}

/// G(n) of Grassberger, the small ones from a table.
fn g(n: u64) -> f64 {
    static TABLE: OnceLock<Vec<f64>> = OnceLock::new();
    let table = TABLE.get_or_init(|| (0..512).map(|n| if n == 0 { 0.0 } else { grassberger_g(n) }).collect());
    usize::try_from(n).ok().and_then(|n| table.get(n)).copied().unwrap_or_else(|| grassberger_g(n))
}

/// Equal bins whose end ones are open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grid {
    pub(super) bins: usize,
    low: f64,
    high: f64,
}

/// Nearest-neighbour distance over the mean one.
pub(super) const COHESION: Grid = Grid { bins: 25, low: 0.0, high: 4.0 };
/// Depth from the centre over the radius of the ball with the same radius of gyration.
pub(super) const DEPTH: Grid = Grid { bins: 15, low: -1.0, high: 1.0 };
/// Angular momentum about the axis.
pub(super) const MOMENTUM: Grid = Grid { bins: 20, low: -1.0, high: 1.0 };
/// Coefficient of variation of neighbour distances.
pub(super) const VARIATION: Grid = Grid { bins: 20, low: 0.0, high: 2.0 };

impl Grid {
    pub(super) fn find(&self, x: f64) -> usize {
        let at = (x - self.low) / (self.high - self.low) * real(self.bins);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of reals saturate")]
        let k = at as usize;
        k.min(self.bins - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shannon(p: &[f64]) -> f64 {
        -p.iter().filter(|p| **p > 0.0).map(|p| p * p.ln()).sum::<f64>()
    }

    #[test]
    fn laws_are_normalised() {
        let laws = [
            Null::cohesion(Dims::Two),
            Null::cohesion(Dims::Three),
            Null::depth(),
            Null::momentum(Dims::Two),
            Null::momentum(Dims::Three),
            Null::uniform(400),
            Null::variation(Dims::Two).clone(),
            Null::variation(Dims::Three).clone(),
        ];
        for law in laws {
            assert!((law.p.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{law:?}");
        }
    }

    #[test]
    fn laws_are_those_of_draws() {
        // 100 000 draws, so a bin with probability p is known to sqrt(p / 1e5): five of them.
        let mut rng = Philox::new(1, 1);
        let direction = |rng: &mut Philox| {
            let v: [f64; 3] = std::array::from_fn(|_| rng.normal());
            crate::measure::school::geometry::unit(v)
        };
        let (mut momentum, mut depth) = ([0_u32; 20], [0_u32; 15]);
        for _ in 0..100_000 {
            let (r, u) = (direction(&mut rng), direction(&mut rng));
            momentum[MOMENTUM.find(r[0] * u[1] - r[1] * u[0])] += 1;
            depth[DEPTH.find(r[2] * rng.uniform().cbrt())] += 1;
        }
        for (law, counts) in [(Null::momentum(Dims::Three), &momentum[..]), (Null::depth(), &depth[..])] {
            for (p, c) in law.p.iter().zip(counts) {
                let got = f64::from(*c) / 1e5;
                assert!((got - p).abs() < 5.0 * (p / 1e5).sqrt() + 1e-6, "{p} {got}");
            }
        }
    }

    #[test]
    fn the_expected_estimate_is_the_mean_of_estimates() {
        let law = Null::cohesion(Dims::Three);
        for n in [20_u64, 200] {
            let mut rng = Philox::new(9, n);
            let mut sum = 0.0;
            let rounds = 4000;
            for _ in 0..rounds {
                let mut counts = vec![0_u64; 25];
                for _ in 0..n {
                    let mut u = rng.uniform();
                    let k = law.p.iter().position(|p| {
                        u -= p;
                        u < 0.0
                    });
                    counts[k.unwrap_or(0)] += 1;
                }
                sum += grassberger_nats(&counts, g);
            }
            let mean = sum / f64::from(rounds);
            // The spread of one estimate is about 0.7/sqrt(n): four standard errors.
            let error = 4.0 * 0.7 / (n as f64).sqrt() / f64::from(rounds).sqrt();
            assert!((mean - law.entropy(n)).abs() < error, "{n}: {mean} {}", law.entropy(n));
        }
        // Many draws leave the entropy itself, and ln N is above ψ(N) by 1/2N.
        assert!((law.entropy(1_000_000) - shannon(&law.p)).abs() < 1e-5);
    }
}
