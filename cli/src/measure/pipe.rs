//! Standard input that is too long to be kept: measures that count take it as it passes by.

use std::{
    io::{self, Read as _},
    time::Instant,
};

use serde_json::Value as Json;
use surprisal_core::{
    data::{self, Chunk, DataError, Kind, Passing},
    measure::{self, Accumulator, Context, Entry, MeasureError},
    report::Report,
};

use super::{Call, Named, Settings, named, suggestions};
use crate::{Failure, MeasureArgs, backend, progress::Progress, source::STANDARD_INPUT};

/// What is looked at twice, to find out what a pipe is. A shorter one is kept in memory, and measured like any file.
pub(super) const HEAD: usize = 32 << 20;
/// Bytes that are read at a time.
const CHUNK: usize = 1 << 20;

/// What became of a pipe.
pub(super) enum Pass {
    /// It has passed by: the results, and notes.
    Done(Report, Vec<String>),
    /// All of it is needed at once, for a reason: the beginning, after which nothing has been read.
    Whole(String, Vec<u8>),
}

/// One measure of one column.
struct Job {
    entry: &'static Entry,
    column: usize,
    /// The column's place among those that are read.
    slot: usize,
    /// Gone with an error.
    counts: Result<Box<dyn Accumulator>, DataError>,
}

/// Measures what begins with `head`, if its kind and all measures allow it in constant memory.
pub(super) fn pass(
    mut head: Vec<u8>,
    args: &MeasureArgs,
    chosen: &[&'static Entry],
    settings: &Settings,
    progress: &Progress,
) -> Result<Pass, Failure> {
    if args.surrogates.is_some() {
        return Ok(Pass::Whole("surrogates need all values at once".to_owned(), head));
    }
    if !args.with.is_empty() {
        return Ok(Pass::Whole("measures of several columns need all values at once".to_owned(), head));
    }
    let options = data::Options { kind: args.kind.map(Kind::from), ..data::Options::default() };
    progress.begin("reading");
    let Some(passing) = pollster::block_on(Passing::begin(STANDARD_INPUT, &mut head, &options, progress))? else {
        return Ok(Pass::Whole("this kind of file needs all bytes at once".to_owned(), head));
    };
    let Named { columns, .. } = named(passing.dataset(), &args.column)?;
    let compute = backend::choose(args.backend, 0)?;
    let context = Context::new(&*compute, progress).with_resamples(args.resamples, args.seed);
    let call = Call { settings, args, context: &context, progress };

    let (mut jobs, mut wanted) = (Vec::new(), Vec::new());
    for column in columns {
        let described = &passing.dataset().columns[column];
        let entries = if chosen.is_empty() {
            suggestions(described, passing.dataset().provenance.kind)?
        } else {
            chosen.to_vec()
        };
        for entry in entries {
            let params = Json::Object(call.given(entry.about.id));
            let one = entry.about.accepts.is_of_one_column();
            let Some(counts) = (if one { entry.accumulator(&params, described)? } else { None }) else {
                return Ok(Pass::Whole(format!("{} needs all values at once", entry.about.id), passing.into_head()));
            };
            let slot = wanted.iter().position(|&w| w == column).unwrap_or_else(|| {
                wanted.push(column);
                wanted.len() - 1
            });
            jobs.push(Job { entry, column, slot, counts: Ok(counts) });
        }
    }

    let started = Instant::now();
    progress.begin("a pipe passes by");
    let mut more = || {
        let mut bytes = Vec::with_capacity(CHUNK);
        let read = io::stdin().lock().take(CHUNK as u64).read_to_end(&mut bytes);
        read.map(|_| bytes).map_err(|e| DataError::Read(format!("{STANDARD_INPUT}: {e}")))
    };
    let mut sink = |slot: usize, chunk: Chunk<'_>| {
        for job in jobs.iter_mut().filter(|job| job.slot == slot) {
            // What one measure cannot count is no reason to stop the others.
            if let Ok(counts) = &mut job.counts
                && let Err(error) = counts.push(chunk)
            {
                job.counts = Err(error);
            }
        }
        Ok(())
    };
    let dataset = pollster::block_on(passing.pass(&wanted, &mut more, &mut sink, progress))?;
    let mut report = Report::new(&dataset);
    for Job { entry, column, counts, .. } in jobs {
        let given = call.given(entry.about.id);
        let computed = match counts {
            Ok(counts) => pollster::block_on(measure::stream::finish(counts, &context)),
            Err(error) => Err(MeasureError::Passing(error.to_string())),
        };
        let name = dataset.columns[column].name.as_str();
        call.record(entry, Some(name), Vec::new(), &given, computed, started, &mut report)?;
    }
    Ok(Pass::Done(report, dataset.notes))
}
