//! Gamma variates, for Dirichlet rows.

use crate::rng::Philox;

/// A draw from the gamma law of the given shape and scale 1. Marsaglia & Tsang, ACM Trans. Math. Softw. 26, 363 (2000);
/// below shape 1 by their boost, Γ(a) = Γ(a + 1) U^{1/a}.
pub(super) fn gamma(shape: f64, rng: &mut Philox) -> f64 {
    let boosted = shape < 1.0;
    let d = if boosted { shape + 1.0 } else { shape } - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    let draw = loop {
        let x = rng.normal();
        let v = (1.0 + c * x).powi(3);
        // 1 − U is in (0, 1].
        if v > 0.0 && (1.0 - rng.uniform()).ln() < 0.5 * x * x + d * (1.0 - v + v.ln()) {
            break d * v;
        }
    };
    if boosted { draw * (1.0 - rng.uniform()).powf(1.0 / shape) } else { draw }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_variance_are_the_shape() {
        for shape in [0.3, 1.0, 4.5] {
            let mut rng = Philox::new(11, 0);
            let n = 40_000;
            let draws: Vec<f64> = (0..n).map(|_| gamma(shape, &mut rng)).collect();
            let mean = draws.iter().sum::<f64>() / f64::from(n);
            let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
            // Standard errors: sqrt(a/n), and sqrt((2a² + 6a)/n) of the variance.
            assert!((mean - shape).abs() < 5.0 * (shape / f64::from(n)).sqrt(), "{shape}: {mean}");
            let error = ((2.0 * shape * shape + 6.0 * shape) / f64::from(n)).sqrt();
            assert!((variance - shape).abs() < 5.0 * error, "{shape}: {variance}");
        }
    }
}
