//! `surprisal check`: the claims of an experiment or a paper, evaluated by runs of this build.

use std::{
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use clap::Args;
use futures_util::future::LocalBoxFuture;
use surprisal_core::{
    compute::{Compute, Cpu},
    experiment::{
        self, Claim, Entry, ExperimentError, Record, Standing, Verdict,
        check::{Checked, Group, groups},
    },
    figure::number,
    pace::{Cancelled, Pace},
};

use crate::{BackendChoice, Failure, TableOrJson, backend, output::write, progress::Progress};

#[derive(Args)]
pub(crate) struct CheckArgs {
    /// An experiment's id, or a paper's: then all its experiments.
    #[arg(value_name = "ID|PAPER")]
    target: String,
    /// Run seeds 1 to N; by default as many as each claim takes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    seeds: Option<u32>,
    /// Only this claim, as CLAIM or EXPERIMENT.CLAIM; may be repeated.
    #[arg(long, value_name = "CLAIM")]
    claim: Vec<String>,
    /// What computes. On the CPU independent seeds run at the same time.
    #[arg(long, value_enum, default_value_t = BackendChoice::Cpu)]
    backend: BackendChoice,
    /// As a table or as JSON.
    #[arg(long, value_enum, default_value_t = TableOrJson::Table)]
    format: TableOrJson,
}

/// One run of a group.
struct Job {
    group: usize,
    seed: u64,
    /// Thousandths that are done.
    share: AtomicU64,
    record: Mutex<Option<Result<Record, ExperimentError>>>,
}

const WHOLE: u64 = 1000;

/// Pieces of a run between two looks at the progress.
const PIECES: u64 = 200;

pub(crate) fn run(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let entries = experiment::of_paper(&args.target);
    if entries.is_empty() {
        experiment::find(&args.target)?;
    }
    let named = |id: &str, entry: &Entry, claim: &Claim| {
        id == claim.id || id.strip_prefix(entry.about.id).and_then(|rest| rest.strip_prefix('.')) == Some(claim.id)
    };
    let known: Vec<&str> = entries.iter().flat_map(|e| e.claims()).map(|c| c.id).collect();
    let exists = |id: &str| entries.iter().any(|e| e.claims().iter().any(|c| named(id, e, c)));
    if let Some(claim) = args.claim.iter().find(|id| !exists(id)) {
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(Failure::Usage(format!("{} has no claim '{claim}'; it has {known}", args.target)));
    }
    let groups = groups(&entries, |e, claim| args.claim.is_empty() || args.claim.iter().any(|id| named(id, e, claim)));
    if groups.is_empty() {
        return Err(Failure::Usage(format!("{} makes no claim; `surprisal run` runs it", args.target)));
    }
    let seeds = |group: &Group| args.seeds.unwrap_or(group.seeds);
    let jobs: Vec<Job> = groups
        .iter()
        .enumerate()
        .flat_map(|(group, g)| (1..=u64::from(seeds(g))).map(move |seed| (group, seed)))
        .map(|(group, seed)| Job { group, seed, share: AtomicU64::new(0), record: Mutex::new(None) })
        .collect();
    let progress = Progress::new();
    work(&groups, &jobs, args.backend, &progress)?;

    let mut records: Vec<Vec<Record>> = groups.iter().map(|_| Vec::new()).collect();
    for job in jobs {
        match job.record.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Some(record) => records[job.group].push(record?),
            None => return Err(Failure::Interrupted),
        }
    }
    let verdicts: Vec<Verdict> = groups.iter().zip(&records).flat_map(|(g, r)| g.verdicts(r.iter())).collect();
    let checked = Checked::new(&args.target, groups.iter().map(seeds).max().unwrap_or(0), verdicts);
    match args.format {
        TableOrJson::Json => write(&format!("{}\n", serde_json::to_string_pretty(&checked)?))?,
        TableOrJson::Table => write(&table(&checked))?,
    }
    Ok(if checked.holds() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Runs all jobs: on the CPU as many at a time as there are cores, else one after the other on one device.
fn work(groups: &[Group], jobs: &[Job], choice: BackendChoice, progress: &Progress) -> Result<(), Failure> {
    progress.begin(format!("{} runs", jobs.len()));
    let ends = AtomicBool::new(false);
    let next = AtomicUsize::new(0);
    if choice != BackendChoice::Cpu {
        let compute = backend::choose(choice, u64::MAX)?;
        for job in jobs {
            let pace = Watching { ends: &ends, progress: Some((progress, jobs)) };
            one(groups, job, &*compute, &pace);
            if progress.interrupted() {
                return Err(Failure::Interrupted);
            }
        }
        progress.end();
        return Ok(());
    }
    let threads = thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let pace = Watching { ends: &ends, progress: None };
                    while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if ends.load(Ordering::Relaxed) {
                            return;
                        }
                        one(groups, job, &Cpu, &pace);
                    }
                })
            })
            .collect();
        while workers.iter().any(|w| !w.is_finished()) {
            show(progress, jobs);
            if progress.interrupted() {
                ends.store(true, Ordering::Relaxed);
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    progress.end();
    if progress.interrupted() { Err(Failure::Interrupted) } else { Ok(()) }
}

fn show(progress: &Progress, jobs: &[Job]) {
    progress.show(jobs.iter().map(|j| j.share.load(Ordering::Relaxed)).sum(), jobs.len() as u64 * WHOLE);
}

/// One run to its end. An error ends only this run; it is told when all have ended.
fn one(groups: &[Group], job: &Job, compute: &dyn Compute, pace: &Watching<'_>) {
    let group = &groups[job.group];
    let result = pollster::block_on(async {
        let mut run = group.entry.start(&group.parameters(job.seed), compute).await?;
        let piece = u32::try_from(run.total().div_ceil(PIECES)).unwrap_or(u32::MAX).max(1);
        while !run.is_done() {
            run.advance(piece, pace).await?;
            job.share.store(run.done() * WHOLE / run.total().max(1), Ordering::Relaxed);
        }
        Ok(run.record().clone())
    });
    job.share.store(WHOLE, Ordering::Relaxed);
    *job.record.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(result);
}

/// Ends all runs when one thread has noticed Ctrl-C; draws the bar where no other thread does.
struct Watching<'a> {
    ends: &'a AtomicBool,
    progress: Option<(&'a Progress, &'a [Job])>,
}

impl Pace for Watching<'_> {
    fn tick(&self, _done: u64, _total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
        if let Some((progress, jobs)) = self.progress {
            show(progress, jobs);
            if progress.interrupted() {
                self.ends.store(true, Ordering::Relaxed);
            }
        }
        let ends = self.ends.load(Ordering::Relaxed);
        Box::pin(std::future::ready(if ends { Err(Cancelled) } else { Ok(()) }))
    }
}

fn table(checked: &Checked) -> String {
    let mut text = String::new();
    for v in &checked.claims {
        let mean = match (v.mean, v.standard_error) {
            (Some(mean), Some(error)) => format!("{} ± {} (s.e.)", number(mean), number(error)),
            (Some(mean), None) => number(mean),
            _ => "no value".to_owned(),
        };
        let values: Vec<String> = v.values.iter().copied().map(number).collect();
        let mark = match v.standing {
            Standing::Reproduced => "reproduced",
            Standing::NotReproduced => "NOT REPRODUCED",
            Standing::NotEnoughRuns => "not enough runs",
        };
        text.push_str(&format!("{mark}: {}.{}\n  {}\n", v.experiment, v.claim, v.statement));
        text.push_str(&format!("  {} {}: mean {mean}\n", v.scalar, v.comparison));
        let (holding, found, needed) = (v.holding, v.values.len(), v.needed);
        text.push_str(&format!("  {holding} of {found} seeds hold: {}\n", values.join(", ")));
        if v.standing == Standing::NotEnoughRuns {
            text.push_str(&format!("  it takes {needed} seeds\n"));
        }
        if let Some(what) = v.afterwards {
            text.push_str(&format!("  fixed afterwards: {what}\n"));
        }
        text.push_str(&format!("  {}\n\n", v.source));
    }
    let (all, held, not) = (checked.claims.len(), checked.reproduced, checked.not_reproduced);
    let open = all - held - not;
    text.push_str(&format!("{held} of {all} claims reproduced, {not} not reproduced"));
    text.push_str(&if open > 0 { format!(", {open} without enough runs\n") } else { "\n".to_owned() });
    text
}
