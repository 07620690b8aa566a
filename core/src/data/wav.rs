//! Sampled sound: frames in file order, dealt out to channels, full scale at ±1.

use super::{
    DataError,
    chunk::{Chunk, Decode, Out},
};
use hound::{SampleFormat, WavReader, WavSpec};
use std::io::{Cursor, Read};

/// More channels than this are not sound.
const MOST_CHANNELS: u16 = 64;
const WHAT: &str = "WAV file";

/// All that is needed to read a sound again.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// The file's bytes before the first sample: with them, hound decodes any run of whole frames.
    head: Vec<u8>,
    spec: WavSpec,
    /// Bytes of one frame.
    frame: usize,
    /// Frames in the file.
    pub(super) frames: u64,
}

impl Layout {
    /// Reads the header of a file that begins with `head`.
    pub(super) fn parse(head: &[u8]) -> Result<Self, DataError> {
        let mut cursor = Cursor::new(head);
        let reader = WavReader::new(&mut cursor).map_err(|e| refuse(e, head))?;
        let (spec, samples) = (reader.spec(), reader.len());
        let start = usize::try_from(cursor.position()).unwrap_or(head.len()).min(head.len());
        if spec.channels > MOST_CHANNELS {
            let what = format!("a WAV file of {} channels", spec.channels);
            return Err(DataError::Unsupported { what, instead: "up to 64 channels can" });
        }
        let data = u32_at(head, start.saturating_sub(4));
        let frames = u64::from(samples) / u64::from(spec.channels.max(1));
        let frame = match frames {
            0 => {
                return Err(DataError::Empty { name: "the WAV file".to_owned(), what: "it has no sample" });
            }
            n => usize::try_from(u64::from(data) / n).unwrap_or(1).max(1),
        };
        Ok(Self { head: head[..start].to_vec(), spec, frame, frames })
    }

    /// The number of columns.
    pub(super) fn channels(&self) -> usize {
        usize::from(self.spec.channels)
    }

    /// The names of the channels.
    pub(super) fn names(&self) -> Vec<String> {
        match self.channels() {
            1 => vec!["sound".to_owned()],
            2 => vec!["left".to_owned(), "right".to_owned()],
            n => (1..=n).map(|k| format!("channel {k}")).collect(),
        }
    }

    /// `WAV sound, 2 channels of 16-bit integers at 44100 Hz`.
    pub(super) fn describe(&self) -> String {
        let WavSpec { channels, sample_rate, bits_per_sample, sample_format } = self.spec;
        let sort = if sample_format == SampleFormat::Float { "floats" } else { "integers" };
        let plural = if channels == 1 { "" } else { "s" };
        format!("WAV sound, {channels} channel{plural} of {bits_per_sample}-bit {sort} at {sample_rate} Hz")
    }

    /// The largest value of integer samples; beyond it, floats are out of range.
    pub(super) fn full_scale(&self) -> f64 {
        1.0 - match self.spec.sample_format {
            SampleFormat::Int => 2_f64.powi(1 - i32::from(self.spec.bits_per_sample)),
            SampleFormat::Float => 0.0,
        }
    }

    /// The sample rate and the duration, in words.
    pub(super) fn note(&self) -> String {
        let seconds = self.frames as f64 / f64::from(self.spec.sample_rate.max(1));
        format!("sample rate {} Hz, {seconds:.3} s; full scale is 1", self.spec.sample_rate)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

fn refuse(error: hound::Error, head: &[u8]) -> DataError {
    let have = head.len() as u64;
    match error {
        hound::Error::IoError(_) => {
            DataError::Truncated { what: "the WAV header", offset: 0, needed: have.max(43) + 1, have }
        }
        hound::Error::Unsupported => DataError::Unsupported {
            what: "a WAV file with this encoding".to_owned(),
            instead: "PCM of 8, 16, 24 or 32 bits and 32-bit floats can",
        },
        e => DataError::Malformed { what: WHAT, offset: 0, why: e.to_string() },
    }
}

/// Reads the wanted channels.
pub(super) struct Reader<'a> {
    layout: &'a Layout,
    wanted: Vec<usize>,
    slots: Vec<Vec<f64>>,
    skip: usize,
    carry: Vec<u8>,
    done: u64,
    seen: u64,
}

impl<'a> Reader<'a> {
    /// `wanted`: channels, each below their number.
    pub(super) fn new(layout: &'a Layout, wanted: &[usize]) -> Self {
        let slots = wanted.iter().map(|_| Vec::new()).collect();
        Self { layout, wanted: wanted.to_vec(), slots, skip: layout.head.len(), carry: Vec::new(), done: 0, seen: 0 }
    }

    /// Whole frames.
    fn frames(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), DataError> {
        let Layout { head, spec, frame, .. } = self.layout;
        let offset = head.len() as u64 + self.done * *frame as u64;
        let refuse = |e: hound::Error| match e {
            hound::Error::Unsupported => refuse(e, head),
            e => DataError::Malformed { what: WHAT, offset, why: e.to_string() },
        };
        let mut reader = WavReader::new(head.chain(bytes)).map_err(refuse)?;
        let channels = self.layout.channels();
        let samples = bytes.len() / frame * channels;
        let mut values = Vec::with_capacity(samples);
        if spec.sample_format == SampleFormat::Float {
            for s in reader.samples::<f32>().take(samples) {
                values.push(f64::from(s.map_err(refuse)?));
            }
        } else {
            let scale = 2_f64.powi(1 - i32::from(spec.bits_per_sample));
            for s in reader.samples::<i32>().take(samples) {
                values.push(f64::from(s.map_err(refuse)?) * scale);
            }
        }
        self.done += (bytes.len() / frame) as u64;
        for (i, (&c, slot)) in self.wanted.iter().zip(&mut self.slots).enumerate() {
            slot.clear();
            slot.extend(values.iter().skip(c).step_by(channels.max(1)));
            out(i, Chunk::Real(slot))?;
        }
        Ok(())
    }
}

impl Decode for Reader<'_> {
    fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), DataError> {
        const PIECE: usize = 64 << 10;
        self.seen += bytes.len() as u64;
        let skipped = self.skip.min(bytes.len());
        self.skip -= skipped;
        let mut rest = &bytes[skipped..];
        let frame = self.layout.frame;
        while !rest.is_empty() && self.done < self.layout.frames {
            if !self.carry.is_empty() || rest.len() < frame {
                let missing = (frame - self.carry.len()).min(rest.len());
                self.carry.extend_from_slice(&rest[..missing]);
                rest = &rest[missing..];
                if self.carry.len() == frame {
                    let cut = std::mem::take(&mut self.carry);
                    self.frames(&cut, out)?;
                }
                continue;
            }
            let left = usize::try_from(self.layout.frames - self.done).unwrap_or(usize::MAX);
            let n = (rest.len().min(PIECE.max(frame)) / frame).min(left) * frame;
            self.frames(&rest[..n], out)?;
            rest = &rest[n..];
        }
        Ok(())
    }

    fn finish(&mut self, _out: &mut Out<'_>) -> Result<(), DataError> {
        if self.done == self.layout.frames {
            return Ok(());
        }
        let offset = self.layout.head.len() as u64;
        let needed = self.layout.frames * self.layout.frame as u64;
        Err(DataError::Truncated { what: "the WAV data chunk", offset, needed, have: self.seen.saturating_sub(offset) })
    }
}
