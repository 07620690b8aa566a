//! Counter-based random numbers: Philox4x32-10.
//!
//! A draw is a pure function of (seed, stream, counter), so the same integers come out on the CPU,
//! in WGSL and in wasm, in any order and with any number of threads.
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: u32 = 10;

/// One block of four independent 32-bit draws for a 128-bit `counter` and a 64-bit `key`.
#[must_use]
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let mut c = counter;
    let mut k = key;
    for round in 0..ROUNDS {
        if round > 0 {
            k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
        }
        let (high0, low0) = multiply(MULTIPLIERS[0], c[0]);
        let (high1, low1) = multiply(MULTIPLIERS[1], c[2]);
        c = [high1 ^ c[1] ^ k[0], low1, high0 ^ c[3] ^ k[1], low0];
    }
    c
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of a 64-bit product")]
const fn multiply(a: u32, b: u32) -> (u32, u32) {
    let product = (a as u64) * (b as u64);
    ((product >> 32) as u32, product as u32)
}

/// A sequential reader of one stream: `counter = (position, 0, stream)`, `key = seed`.
#[derive(Clone, Debug)]
pub struct Philox {
    key: [u32; 2],
    stream: u64,
    block: u64,
    buffer: [u32; 4],
    used: usize,
}

impl Philox {
    /// The stream numbered `stream` under `seed`, from its beginning.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        Self { key: split(seed), stream, block: 0, buffer: [0; 4], used: 4 }
    }

    /// The next 32 random bits.
    pub fn next_u32(&mut self) -> u32 {
        if self.used == 4 {
            let (b, s) = (split(self.block), split(self.stream));
            self.buffer = philox4x32([b[0], b[1], s[0], s[1]], self.key);
            self.block += 1;
            self.used = 0;
        }
        self.used += 1;
        self.buffer[self.used - 1]
    }

    /// Uniform in [0, 1) on the 2^53 multiples of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        let high = u64::from(self.next_u32() >> 5);
        let low = u64::from(self.next_u32() >> 6);
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let bits = ((high << 26) | low) as f64;
        bits / 9_007_199_254_740_992.0
    }

    /// Standard normal, by Box and Muller's transform.
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Uniform in `0..bound` (Lemire's multiply-shift; its bias of at most `bound`/2^32 is below any
    /// resampling error). `bound` of 0 gives 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        multiply(self.next_u32(), bound).0
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of 64 bits")]
const fn split(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers published with Random123 (kat_vectors, philox4x32 10 rounds).
    #[test]
    fn published_known_answers() {
        let cases = [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ];
        for (counter, key, expected) in cases {
            assert_eq!(philox4x32(counter, key), expected);
        }
    }

    #[test]
    fn uniform_has_the_mean_and_variance_of_the_uniform_law() {
        let mut rng = Philox::new(7, 1);
        let n = 100_000;
        let draws: Vec<f64> = (0..n).map(|_| rng.uniform()).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        // standard error of the mean: sqrt(1/12/n); five of them
        assert!((mean - 0.5).abs() < 5.0 * (1.0 / 12.0 / f64::from(n)).sqrt());
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)));
    }
}
