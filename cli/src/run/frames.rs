//! The trajectory of a run, spooled to disk while it runs: the result files are made from it at the end, and a run that
//! was interrupted goes on behind it.
//!
//! Little endian: `SWFR`, version (u32, 1), particles (u64), steps between frames (u64); then frames of one size: step
//! (u64), positions (3 f64 each), velocities (3 f64 each).

use std::{
    fs::{self, File, OpenOptions},
    io::{BufReader, BufWriter, Read as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
use surprisal_core::sim::swarm::State;

const MAGIC: &[u8; 8] = b"SWFR\x01\0\0\0";
const HEADER: u64 = 24;
const NAME: &str = "frames.bin";

/// At most so many frames by default.
const MOST_FRAMES: u64 = 1000;
/// At most so many bytes of the largest file by default; it holds every vector twice.
const MOST_BYTES: u64 = 256 << 20;

/// One moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Frame {
    pub(crate) step: u64,
    pub(crate) positions: Vec<f64>,
    pub(crate) velocities: Vec<f64>,
}

/// The frames on disk.
pub(crate) struct Spool {
    path: PathBuf,
    out: BufWriter<File>,
    count: u64,
    every: u64,
    frames: u64,
}

/// Steps between frames for a run of `total` steps of `count` particles: few enough frames, at moments that are
/// measured where that is possible.
pub(crate) fn spacing(total: u64, count: u64, measured: u64) -> u64 {
    let fit = (MOST_BYTES / (count.max(1) * 96)).clamp(2, MOST_FRAMES);
    total.div_ceil(fit - 1).max(1).next_multiple_of(measured.max(1))
}

impl Spool {
    /// Begins an empty spool in `dir`.
    pub(crate) fn create(dir: &Path, count: usize, every: u64) -> anyhow::Result<Self> {
        let path = dir.join(NAME);
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut out = BufWriter::new(file);
        let count = count as u64;
        out.write_all(MAGIC)?;
        out.write_all(&count.to_le_bytes())?;
        out.write_all(&every.to_le_bytes())?;
        Ok(Self { path, out, count, every, frames: 0 })
    }

    /// Takes up the spool in `dir`, where there is one, behind the frame of `step` or the last one before it.
    pub(crate) fn reopen(dir: &Path, step: u64) -> anyhow::Result<Option<Self>> {
        let path = dir.join(NAME);
        if !path.exists() {
            return Ok(None);
        }
        let mut file = OpenOptions::new().read(true).write(true).open(&path)?;
        let mut head = [0; 24];
        file.read_exact(&mut head).with_context(|| format!("{} is too short", path.display()))?;
        let (words, _) = head.as_chunks::<8>();
        ensure!(words[0] == *MAGIC, "{} is no trajectory of a checkpoint", path.display());
        let (count, every) = (u64::from_le_bytes(words[1]), u64::from_le_bytes(words[2]));
        ensure!(every > 0 && count < 1 << 40, "{} is damaged", path.display());
        let frames = step / every + 1;
        let end = HEADER + frames * size(count);
        ensure!(file.metadata()?.len() >= end, "{} ends before step {step}", path.display());
        file.set_len(end)?;
        std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(end))?;
        Ok(Some(Self { path, out: BufWriter::new(file), count, every, frames }))
    }

    /// The step of the next frame.
    pub(crate) const fn next(&self) -> u64 {
        self.frames * self.every
    }

    pub(crate) const fn every(&self) -> u64 {
        self.every
    }

    pub(crate) const fn frames(&self) -> u64 {
        self.frames
    }

    pub(crate) const fn count(&self) -> u64 {
        self.count
    }

    /// Adds a frame; says whether the state is one of this trajectory.
    pub(crate) fn push(&mut self, state: &State) -> anyhow::Result<bool> {
        if state.positions.len() as u64 != self.count || state.step != self.next() {
            return Ok(false);
        }
        self.out.write_all(&state.step.to_le_bytes())?;
        for value in state.positions.iter().chain(&state.velocities()).flatten() {
            self.out.write_all(&value.to_le_bytes())?;
        }
        self.frames += 1;
        Ok(true)
    }

    /// Everything so far is with the operating system.
    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }

    /// Calls `each` with every `stride`-th frame, one in memory at a time.
    pub(crate) fn each(&self, stride: u64, mut each: impl FnMut(&Frame) -> anyhow::Result<()>) -> anyhow::Result<()> {
        let mut file = BufReader::with_capacity(1 << 16, File::open(&self.path)?);
        file.seek_relative(i64::try_from(HEADER)?)?;
        let size = usize::try_from(size(self.count))?;
        let mut bytes = vec![0; size];
        let mut frame = Frame::default();
        for number in 0..self.frames {
            file.read_exact(&mut bytes)?;
            if !number.is_multiple_of(stride.max(1)) {
                continue;
            }
            let (words, _) = bytes.as_chunks::<8>();
            frame.step = u64::from_le_bytes(words[0]);
            let (positions, velocities) = words[1..].split_at((words.len() - 1) / 2);
            frame.positions.clear();
            frame.positions.extend(positions.iter().map(|w| f64::from_le_bytes(*w)));
            frame.velocities.clear();
            frame.velocities.extend(velocities.iter().map(|w| f64::from_le_bytes(*w)));
            each(&frame)?;
        }
        Ok(())
    }

    /// The spool has served.
    pub(crate) fn remove(self) {
        drop(self.out);
        let _ = fs::remove_file(&self.path);
    }
}

const fn size(count: u64) -> u64 {
    8 + count * 48
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot write its file has failed")]
mod tests {
    use super::*;

    fn state(step: u64) -> State {
        let x = |k: u64| [0.0, 1.0, 2.0].map(|c| c + f64::from(u32::try_from(step + k).unwrap()));
        State { step, positions: vec![x(0), x(10)], headings: vec![x(20), x(30)], speeds: vec![2.0; 2], predator: None }
    }

    #[test]
    fn a_spool_goes_on_behind_a_step() {
        let dir = tempfile::tempdir().unwrap();
        let mut spool = Spool::create(dir.path(), 2, 5).unwrap();
        for step in [0, 5, 10, 15] {
            assert!(spool.push(&state(step)).unwrap());
        }
        assert!(!spool.push(&state(21)).unwrap());
        drop(spool);
        let mut spool = Spool::reopen(dir.path(), 12).unwrap().unwrap();
        assert_eq!(spool.next(), 15);
        assert!(spool.push(&state(15)).unwrap());
        spool.flush().unwrap();
        let mut steps = Vec::new();
        spool
            .each(1, |frame| {
                assert_eq!(frame.velocities[0], 2.0 * f64::from(u32::try_from(frame.step + 20)?));
                steps.push(frame.step);
                Ok(())
            })
            .unwrap();
        assert_eq!(steps, [0, 5, 10, 15]);
        assert!(Spool::reopen(dir.path(), 40).is_err());
    }

    #[test]
    fn frames_are_few_enough_and_measured() {
        assert_eq!(spacing(5000, 100, 10), 10);
        assert_eq!(spacing(100, 100, 7), 7);
        assert_eq!(spacing(10_000, 1_000_000, 1), 10_000);
    }
}
