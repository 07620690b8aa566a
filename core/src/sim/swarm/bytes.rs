//! A state as bytes, for checkpoints.
//!
//! Little endian: `SWST`, version (u16, 1), flags (u16; bit 0: there is a predator), step (u64), count (u64), then f64:
//! positions (3 count), headings (3 count), speeds (count), and the predator's position and heading (6) where there is
//! one. Every number keeps its bits. Whether they make sense is the business of [`State::fitted`].

use super::{State, SwarmError};

const MAGIC: &[u8; 4] = b"SWST";
const VERSION: u16 = 1;
const PREDATOR: u16 = 1;
const HEADER: usize = 24;
const PER_PARTICLE: usize = 56;
const PER_PREDATOR: usize = 48;

impl State {
    /// The state as bytes.
    ///
    /// # Errors
    /// [`SwarmError::State`] where positions, headings and speeds differ in number.
    pub fn to_bytes(&self) -> Result<Vec<u8>, SwarmError> {
        let n = self.positions.len();
        if self.headings.len() != n || self.speeds.len() != n {
            let (u, s) = (self.headings.len(), self.speeds.len());
            return Err(SwarmError::State(format!("{n} positions, {u} headings and {s} speeds")));
        }
        let mut bytes = Vec::with_capacity(HEADER + n * PER_PARTICLE + PER_PREDATOR);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(if self.predator.is_some() { PREDATOR } else { 0 }.to_le_bytes());
        bytes.extend(self.step.to_le_bytes());
        bytes.extend((n as u64).to_le_bytes());
        let vectors = self.positions.iter().chain(&self.headings).flatten().chain(&self.speeds);
        for value in vectors.chain(self.predator.iter().flatten().flatten()) {
            bytes.extend(value.to_le_bytes());
        }
        Ok(bytes)
    }

    /// The state of [`State::to_bytes`].
    ///
    /// # Errors
    /// [`SwarmError::State`] where these are no such bytes, another version's, or too few or too many.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SwarmError> {
        let wrong = |message: String| SwarmError::State(message);
        let Some((head, rest)) = bytes.split_first_chunk::<HEADER>() else {
            return Err(wrong(format!("{} bytes; a checkpoint has at least {HEADER}", bytes.len())));
        };
        let [m0, m1, m2, m3, v0, v1, f0, f1, numbers @ ..] = *head;
        if [m0, m1, m2, m3] != *MAGIC {
            return Err(wrong("these bytes are no swarm's checkpoint: it begins with SWST".to_owned()));
        }
        let (version, flags) = (u16::from_le_bytes([v0, v1]), u16::from_le_bytes([f0, f1]));
        if version != VERSION || flags & !PREDATOR != 0 {
            let message = format!("a checkpoint of version {version} with flags {flags}; this build reads {VERSION}");
            return Err(wrong(message));
        }
        let (words, _) = numbers.as_chunks::<8>();
        let [step, count] = [words[0], words[1]].map(u64::from_le_bytes);
        let hunted = flags & PREDATOR != 0;
        let expected = count
            .checked_mul(PER_PARTICLE as u64)
            .and_then(|b| b.checked_add(if hunted { PER_PREDATOR as u64 } else { 0 }));
        if expected != Some(rest.len() as u64) {
            let message = format!("{count} particles{}", if hunted { " and a predator" } else { "" });
            return Err(wrong(format!("{} bytes behind the header do not hold {message}", rest.len())));
        }
        // The length agrees, so the count is at most that of the bytes at hand.
        let n = rest.len() / PER_PARTICLE;
        let (words, _) = rest.as_chunks::<8>();
        let mut values = words.iter().map(|w| f64::from_le_bytes(*w));
        let mut next = || values.next().unwrap_or(f64::NAN);
        let mut vectors = || (0..n).map(|_| [next(), next(), next()]).collect();
        let (positions, headings) = (vectors(), vectors());
        let speeds = (0..n).map(|_| next()).collect();
        let predator = hunted.then(|| [[next(), next(), next()], [next(), next(), next()]]);
        Ok(Self { step, positions, headings, speeds, predator })
    }
}
