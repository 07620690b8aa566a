//! A run from where it is to its end: steps, frames, checkpoints, and what Ctrl-C does.

use std::{
    io::Write as _,
    path::PathBuf,
    time::{Duration, Instant},
};

use futures_util::future::LocalBoxFuture;
use surprisal_core::{
    experiment::{ExperimentError, Run},
    pace::{Cancelled, Pace},
    sim::swarm::State,
};

use super::{
    Animation, animate, checkpoint, folder,
    frames::{Spool, spacing},
    results, trajectory,
};
use crate::{Failure, progress::Progress};

/// Between two looks at the clock, the bar and Ctrl-C.
const BREATH: Duration = Duration::from_millis(100);

/// A run and what is kept of it.
pub(crate) struct Session<'a> {
    pub(crate) run: Run,
    pub(crate) out: Option<PathBuf>,
    pub(crate) checkpoint_every: Option<u64>,
    progress: &'a Progress,
    checkpoint: PathBuf,
    spool: Option<Spool>,
    /// Whether the experiment can go on from a checkpoint; the others end at once on Ctrl-C.
    resumable: bool,
    /// Seconds of earlier parts.
    before: f64,
    begun: Instant,
}

/// Ends work on Ctrl-C only where there is nothing to keep: a state in the middle of a piece is no checkpoint.
struct Attending<'a> {
    progress: &'a Progress,
    ends: bool,
}

impl Pace for Attending<'_> {
    fn tick(&self, _done: u64, _total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
        let ends = self.ends && self.progress.interrupted();
        Box::pin(std::future::ready(if ends { Err(Cancelled) } else { Ok(()) }))
    }
}

impl<'a> Session<'a> {
    pub(crate) fn new(
        mut run: Run,
        progress: &'a Progress,
        out: Option<PathBuf>,
        checkpoint: PathBuf,
    ) -> Result<Self, Failure> {
        let resumable = !pollster::block_on(run.checkpoint())?.1.is_empty();
        let before = run.record().seconds;
        if let Some(out) = &out {
            folder::make(out)?;
        }
        Ok(Self {
            run,
            out,
            checkpoint_every: None,
            progress,
            checkpoint,
            spool: None,
            resumable,
            before,
            begun: Instant::now(),
        })
    }

    /// Frames every `every` steps, where something moves and a folder is given.
    pub(crate) fn begin_trajectory(&mut self, every: Option<u64>) -> Result<(), Failure> {
        let total = self.run.total();
        let measured = self.run.record().parameters.get("measure_every").and_then(serde_json::Value::as_u64);
        let Some(swarm) = self.run.swarm().filter(|_| self.out.is_some()) else { return Ok(()) };
        let Some(setup) = swarm.setups().first() else { return Ok(()) };
        let every = every.unwrap_or_else(|| spacing(total, u64::from(setup.count), measured.unwrap_or(1)));
        if swarm.setups().len() > 1 {
            self.run.record_mut().note("The trajectory is that of the first replica.");
        }
        folder::make(&self.checkpoint)?;
        let count = pollster::block_on(self.state())?.map_or(0, |s| s.positions.len());
        self.spool = Some(Spool::create(&self.checkpoint, count, every)?);
        self.frame()
    }

    /// The trajectory of the checkpoint goes on.
    pub(crate) fn continue_trajectory(&mut self) -> Result<(), Failure> {
        self.spool = Spool::reopen(&self.checkpoint, self.run.done())?;
        Ok(())
    }

    async fn state(&mut self) -> Result<Option<State>, Failure> {
        match self.run.swarm() {
            Some(swarm) => Ok(Some(swarm.state(0).await?)),
            None => Ok(None),
        }
    }

    /// Takes a frame if it is time.
    fn frame(&mut self) -> Result<(), Failure> {
        let done = self.run.done();
        if self.spool.as_ref().is_none_or(|spool| spool.next() != done) {
            return Ok(());
        }
        let state = pollster::block_on(self.state())?;
        let kept = match (&mut self.spool, &state) {
            (Some(spool), Some(state)) => spool.push(state)?,
            _ => false,
        };
        if !kept {
            self.no_trajectory();
        }
        Ok(())
    }

    fn no_trajectory(&mut self) {
        if let Some(spool) = self.spool.take() {
            spool.remove();
            self.run.record_mut().note("No trajectory is written: this experiment moves more than one swarm.");
        }
    }

    /// Runs to the end. On Ctrl-C a checkpoint is written and it is told how to go on.
    pub(crate) fn drive(&mut self) -> Result<(), Failure> {
        let pace = Attending { progress: self.progress, ends: !self.resumable };
        self.progress.begin_steps(self.run.entry().about.id);
        let mut piece = 1_u32;
        while !self.run.is_done() {
            if self.progress.interrupted() {
                return Err(self.interrupted());
            }
            let done = self.run.done();
            let multiple = |every: u64| (done / every + 1) * every;
            let mut until = done + u64::from(piece);
            until = until.min(self.spool.as_ref().map_or(u64::MAX, Spool::next).max(done + 1));
            until = until.min(self.checkpoint_every.map_or(u64::MAX, multiple));
            let steps = u32::try_from(until - done).unwrap_or(u32::MAX);
            let begun = Instant::now();
            let advanced = pollster::block_on(self.run.advance(steps, &pace));
            self.stamp();
            if let Err(error) = advanced {
                if matches!(error, ExperimentError::Diverged { .. }) && self.keep()? {
                    self.progress.end();
                    let dir = self.out.as_ref().unwrap_or(&self.checkpoint).display();
                    eprintln!("go on with another learning rate: surprisal run --resume {dir} --set rate=…");
                    return Err(error.into());
                }
                if !checkpoint::exists(&self.checkpoint) {
                    self.no_trajectory();
                    checkpoint::remove(&self.checkpoint);
                }
                return Err(error.into());
            }
            let took = begun.elapsed();
            if took < BREATH / 2 && steps == piece {
                piece = piece.saturating_mul(2);
            } else if took > BREATH * 2 {
                piece = (steps / 2).max(1);
            }
            self.frame()?;
            self.progress.say(self.run.now());
            self.progress.show(self.run.done(), self.run.total());
            if self.checkpoint_every.is_some_and(|every| self.run.done().is_multiple_of(every)) && !self.run.is_done() {
                self.keep()?;
            }
        }
        self.progress.end();
        Ok(())
    }

    fn stamp(&mut self) {
        self.run.record_mut().seconds = self.before + self.begun.elapsed().as_secs_f64();
    }

    /// Writes a checkpoint; says whether this experiment has any.
    fn keep(&mut self) -> Result<bool, Failure> {
        if !self.resumable {
            return Ok(false);
        }
        if let Some(spool) = &mut self.spool {
            spool.flush()?;
        }
        let (record, saved) = pollster::block_on(self.run.checkpoint())?;
        checkpoint::write(&self.checkpoint, &record, &saved)?;
        Ok(true)
    }

    fn interrupted(&mut self) -> Failure {
        self.progress.end();
        let kept = match self.keep() {
            Ok(kept) => kept,
            Err(failure) => return failure,
        };
        let (done, total) = (self.run.done(), self.run.total());
        if kept {
            let dir = self.out.as_ref().unwrap_or(&self.checkpoint).display();
            eprintln!("stopped after {done} of {total} steps; go on with: surprisal run --resume {dir}");
        } else {
            self.no_trajectory();
            checkpoint::remove(&self.checkpoint);
            eprintln!("stopped after {done} of {total} steps; this experiment begins again");
        }
        Failure::Interrupted
    }

    /// Writes the files of a run that is at its end; gives back their names.
    pub(crate) fn finish(&mut self, animation: Option<Animation>) -> Result<Vec<String>, Failure> {
        let mut files = Vec::new();
        if let Some(out) = self.out.clone() {
            let title = self.run.entry().about.title;
            files = results::write(&out, &results::Shown::from(&self.run))?;
            for artifact in pollster::block_on(self.run.artifacts())? {
                let (dir, name) = artifact.path.rsplit_once('/').unwrap_or(("", &artifact.path));
                let dir = out.join(dir);
                folder::make(&dir)?;
                folder::put(&dir, name, |file| Ok(file.write_all(&artifact.bytes)?))?;
                files.push(artifact.path);
            }
            let last = pollster::block_on(self.state())?;
            files.extend(results::library(&out, self.run.record(), last.as_ref())?);
            let setup = self.run.swarm().and_then(|s| s.setups().first().cloned());
            if let (Some(mut spool), Some(setup)) = (self.spool.take(), setup) {
                spool.flush()?;
                files.push(trajectory::netcdf(&out, &spool, self.run.record(), title, &setup)?);
                files.extend(trajectory::arrays(&out, &spool)?);
                if let Some(kind) = animation {
                    let id = self.run.entry().about.id;
                    files.push(animate::write(&out, id, &spool, setup.space, kind)?);
                }
                spool.remove();
            }
        }
        checkpoint::remove(&self.checkpoint);
        Ok(files)
    }
}
