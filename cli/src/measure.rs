//! `surprisal measure`.

mod pipe;
mod surrogates;
mod together;

use std::{collections::BTreeMap, process::ExitCode, time::Instant};

use serde_json::{Map, Value as Json};
use surprisal_core::{
    compute::Backend,
    data::{self, ByteSource, Chunk, Column, DataError, Dataset, Kind, Memory, OpenFile},
    measure::{
        self, Accepts, Chosen, Context, Entry, MeasureError, Of, Outcome, PRESETS, Preset, parse_setting, surrogate,
    },
    report::{Report, ResultRecord, pair_grid, planes, suggested, to_csv},
};

use anyhow::Context as _;

use self::pipe::Pass;
use crate::{
    Failure, Format, KindChoice, MeasureArgs, MissingChoice, backend, output, plot,
    progress::Progress,
    source::{self, FileSource},
};

/// The parameters that were set, by measure.
type Settings = BTreeMap<&'static str, Map<String, Json>>;

pub(crate) fn run(args: &MeasureArgs) -> Result<ExitCode, Failure> {
    let mut chosen = entries(&args.measure)?;
    let preset = args.preset.as_deref().map(preset).transpose()?;
    let wanted = preset.iter().flat_map(|p| p.measures).map(|id| measure::find(id)).collect::<Result<Vec<_>, _>>()?;
    let asked: Vec<&'static Entry> = wanted.iter().chain(&chosen).copied().collect();
    // Beside measures that are compared others may be asked for: their values stand, and say why they are alone.
    if args.surrogates.is_some()
        && !asked.iter().any(|e| surrogate::applies(e))
        && let Some(why) = asked.first().and_then(|e| surrogate::refusal(e, &Of::Nothing))
    {
        return Err(Failure::Usage(format!("--surrogates: {why}")));
    }
    let settings = settings(args, &asked)?;
    let progress = Progress::new();
    let mut kept = Vec::new();
    let inputs = args.files.join(", ");
    if args.files.len() > 1 && args.files.iter().any(|file| file == "-") {
        return Err(Failure::Usage("standard input (-) is read by itself; name it alone, or files only".to_owned()));
    }
    let sources: Vec<Box<dyn ByteSource>> = if inputs == "-" {
        let mut head = source::standard_input(pipe::HEAD).context("cannot read standard input")?;
        if head.len() < pipe::HEAD {
            vec![Box::new(Memory::new(source::STANDARD_INPUT, head))]
        } else {
            match pipe::pass(head, args, &asked, &settings, &progress)? {
                Pass::Done(report, notes) => return finish(args, &report, &notes),
                Pass::Whole(why, beginning) => {
                    kept.push(format!("{why}, so the pipe was kept in a temporary file"));
                    head = beginning;
                }
            }
            vec![Box::new(FileSource::spool(&head)?)]
        }
    } else {
        let open = |file: &String| Ok::<_, Failure>(Box::new(FileSource::open(file)?) as Box<dyn ByteSource>);
        args.files.iter().map(open).collect::<Result<_, _>>()?
    };
    let options = data::Options { kind: args.kind.map(Kind::from), ..data::Options::default() };
    progress.begin("reading");
    let file = pollster::block_on(data::open_several(sources, options, &progress));
    progress.end();
    let mut file = file?;
    file.dataset.notes.extend(kept);
    let Named { columns, matrices } = named(&file.dataset, &args.column)?;
    let with = Named::columns_only(named_again(&file.dataset, &args.with)?, &args.with)?;
    let named = std::mem::take(&mut chosen);
    for entry in wanted {
        // A preset is for many files: what has nothing to measure in this one is left out, and said so.
        let suited = together::suits(entry, &file, &columns, &matrices);
        if !suited {
            eprintln!("note: {}: nothing in {} that it could be asked of", entry.about.id, inputs);
        } else if !named.iter().any(|e| e.about.id == entry.about.id) {
            chosen.push(entry);
        }
    }
    chosen.extend(named);
    if preset.is_some() && chosen.is_empty() {
        return Err(Failure::Usage(format!("no measure of this preset suits {inputs}")));
    }
    if !args.with.is_empty() && !chosen.iter().any(|e| together::takes_more(e)) {
        return Err(Failure::Usage(
            "--with names a further column for a measure of several: name the measure too, for example --measure mi.ksg1"
                .to_owned(),
        ));
    }

    let longest = columns.iter().map(|&i| file.dataset.columns[i].len).max().unwrap_or(0);
    let compute = backend::choose(args.backend, longest)?;
    let context = Context::new(&*compute, &progress).with_resamples(args.resamples, args.seed);
    let mut report = Report::new(&file.dataset);
    let call = Call { settings: &settings, args, context: &context, progress: &progress };
    let run = Run { file: &file, call: &call };
    for &index in &columns {
        let described = &file.dataset.columns[index];
        let wanted = if chosen.is_empty() { suggestions(described, file.kind_of(index))? } else { chosen.clone() };
        let wanted: Vec<_> = wanted.into_iter().filter(|e| run.is_of_one(e, described, &with)).collect();
        run.measure_column(index, &wanted, &mut report)?;
    }
    let among = Chosen { with, named: !args.column.is_empty(), ..Chosen::of(&file.dataset, &columns, &matrices) };
    run.measure_together(&among, &chosen, &mut report)?;
    progress.end();
    if let Some(dir) = &args.plot {
        for results in report.results.chunk_by(|a, b| a.measure == b.measure) {
            if let Some(figure) = pair_grid(&results.iter().collect::<Vec<_>>()) {
                plot::write(dir, &plot::file_name(&[results[0].measure.as_str(), figure.id.as_str()]), &figure)?;
            }
        }
        if let Some(figure) = planes(&report.results.iter().collect::<Vec<_>>()) {
            plot::write(dir, &plot::file_name(&[figure.id.as_str()]), &figure)?;
        }
    }

    finish(args, &report, &file.dataset.notes)
}

/// Prints the report. Nothing but errors is a failure.
fn finish(args: &MeasureArgs, report: &Report, notes: &[String]) -> Result<ExitCode, Failure> {
    let text = match args.format {
        Format::Json => format!("{}\n", serde_json::to_string_pretty(report)?),
        Format::Csv => to_csv(&report.results),
        Format::Table => output::table(report, notes),
    };
    output::write(&text)?;
    let nothing = !report.results.is_empty() && report.results.iter().all(|r| r.value.is_null());
    Ok(if nothing { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn preset(name: &str) -> Result<&'static Preset, Failure> {
    measure::preset(name).ok_or_else(|| {
        let known = PRESETS.iter().map(|p| p.id).collect::<Vec<_>>().join(", ");
        Failure::Usage(format!("--preset {name}: there are {known}"))
    })
}

fn entries(ids: &[String]) -> Result<Vec<&'static Entry>, Failure> {
    ids.iter().map(|id| measure::find(id).map_err(|e| Failure::Usage(e.to_string()))).collect()
}

fn suggestions(column: &Column, kind: Kind) -> Result<Vec<&'static Entry>, Failure> {
    suggested(column, kind).into_iter().map(|id| Ok(measure::find(id)?)).collect()
}

/// Reads `--set` and `--missing`, and checks them before any data is read.
fn settings(args: &MeasureArgs, chosen: &[&'static Entry]) -> Result<Settings, Failure> {
    let usage = |e: &dyn std::fmt::Display| Failure::Usage(e.to_string());
    let mut settings = Settings::new();
    for text in &args.set {
        let (id, key, value) = parse_setting(text).map_err(|e| usage(&e))?;
        let entry = measure::find(id).map_err(|e| usage(&e))?;
        let about = entry.about;
        if !chosen.is_empty() && !chosen.iter().any(|c| c.about.id == about.id) {
            return Err(Failure::Usage(format!("--set {text}: {id} is not among the measures that are asked for")));
        }
        let parameter = entry.parameters().iter().find(|p| p.name == key);
        let value = parameter.map_or_else(|| Json::from(value), |p| p.parse(value));
        settings.entry(about.id).or_default().insert(key.to_owned(), value);
    }
    for (id, given) in &settings {
        let entry = measure::find(id).map_err(|e| usage(&e))?;
        entry.complete(&Json::Object(given.clone())).map_err(|e| usage(&e))?;
    }
    Ok(settings)
}

/// Columns and matrices by their places.
struct Named {
    columns: Vec<usize>,
    matrices: Vec<usize>,
}

impl Named {
    /// The columns, where nothing was named that is an array only.
    fn columns_only(self, names: &[String]) -> Result<Vec<usize>, Failure> {
        if self.columns.len() == names.len() {
            return Ok(self.columns);
        }
        Err(Failure::Usage(format!("--with takes columns, and {} names an array", names.join(", "))))
    }
}

/// The columns by name or number from 1, and the arrays by name; all of them if none is named.
fn named(dataset: &Dataset, names: &[String]) -> Result<Named, Failure> {
    if names.is_empty() {
        let all = |len: usize| (0..len).collect();
        return Ok(Named { columns: all(dataset.columns.len()), matrices: all(dataset.matrices.len()) });
    }
    named_again(dataset, names)
}

/// The same, and nothing if none is named. A name that a column and an array share stands for both.
fn named_again(dataset: &Dataset, names: &[String]) -> Result<Named, Failure> {
    let (all, arrays) = (&dataset.columns, &dataset.matrices);
    let mut found = Named { columns: Vec::new(), matrices: Vec::new() };
    for name in names {
        let by_number = || name.parse::<usize>().ok().filter(|n| (1..=all.len()).contains(n)).map(|n| n - 1);
        let column = all.iter().position(|c| c.name == *name);
        let matrix = arrays.iter().position(|m| m.name == *name);
        if column.is_some() || matrix.is_some() {
            found.columns.extend(column);
            found.matrices.extend(matrix);
        } else if let Some(column) = by_number() {
            found.columns.push(column);
        } else {
            let known = all.iter().map(|c| format!("'{}'", c.name)).collect::<Vec<_>>().join(", ");
            let arrays = arrays.iter().map(|m| format!("'{}'", m.name)).collect::<Vec<_>>().join(", ");
            let arrays = if arrays.is_empty() { arrays } else { format!(" and the arrays {arrays}") };
            return Err(Failure::Usage(format!("no column is called '{name}'; the file has {known}{arrays}")));
        }
    }
    Ok(found)
}

/// What every measurement of one call shares.
struct Call<'a> {
    settings: &'a Settings,
    args: &'a MeasureArgs,
    context: &'a Context<'a>,
    progress: &'a Progress,
}

/// A call on a file.
struct Run<'a> {
    file: &'a OpenFile,
    call: &'a Call<'a>,
}

impl Call<'_> {
    /// The parameters that were set for a measure.
    fn given(&self, id: &str) -> Map<String, Json> {
        let mut given = self.settings.get(id).cloned().unwrap_or_default();
        if let Some(missing) = self.args.missing {
            let word = match missing {
                MissingChoice::Error => "error",
                MissingChoice::Omit => "omit",
            };
            given.entry("missing").or_insert_with(|| Json::from(word));
        }
        given
    }

    #[expect(clippy::too_many_arguments, reason = "what a record is made of")]
    fn record(
        &self,
        entry: &'static Entry,
        name: Option<&str>,
        with: Vec<String>,
        given: &Map<String, Json>,
        computed: Result<Outcome, MeasureError>,
        started: Instant,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let seconds = started.elapsed().as_secs_f64();
        self.progress.end();
        let computed = match computed {
            Err(cancelled @ MeasureError::Cancelled(_)) => return Err(cancelled.into()),
            other => other,
        };
        let id = entry.about.id;
        if let (Some(dir), Ok(outcome)) = (&self.args.plot, &computed) {
            for figure in &outcome.figures {
                let named = name.unwrap_or_default();
                let parts: Vec<&str> = std::iter::once(named)
                    .chain(with.iter().map(String::as_str))
                    .chain([id, figure.id.as_str()])
                    .filter(|part| !part.is_empty())
                    .collect();
                plot::write(dir, &plot::file_name(&parts), figure)?;
            }
        }
        let information = self.args.unit.map(Into::into).unwrap_or_default();
        report.results.push(ResultRecord::new(id, name, given, computed, information, seconds).with(with));
        Ok(())
    }
}

impl Run<'_> {
    /// Measures one column: what counts takes it in one pass, if it is still in its file; the rest in memory.
    fn measure_column(&self, index: usize, wanted: &[&'static Entry], report: &mut Report) -> Result<(), Failure> {
        let described = &self.file.dataset.columns[index];
        let passing = Instant::now();
        let mut counted = self.counted(index, wanted)?;
        let mut resident = None;
        for (place, entry) in wanted.iter().enumerate() {
            let id = entry.about.id;
            let given = self.call.given(id);
            self.call.progress.begin(format!("{id} of {}", described.name));
            let mut started = Instant::now();
            let computed = match counted.remove(&place) {
                Some(counts) => {
                    started = passing;
                    pollster::block_on(measure::stream::finish(counts, self.call.context))
                }
                None => self.in_memory(index, entry, &Json::Object(given.clone()), &mut resident)?,
            };
            let name = (entry.about.accepts != Accepts::Nothing).then_some(described.name.as_str());
            self.call.record(entry, name, Vec::new(), &given, computed, started, report)?;
        }
        Ok(())
    }

    /// The measures that a column in its file passed by, by their places. Those that could not count it are not among
    /// them: there may be more different values than are counted one by one, and in memory they can be sorted.
    fn counted(
        &self,
        index: usize,
        wanted: &[&'static Entry],
    ) -> Result<BTreeMap<usize, Box<dyn measure::Accumulator>>, Failure> {
        let described = &self.file.dataset.columns[index];
        let mut counting = BTreeMap::new();
        if described.is_resident() || self.call.args.surrogates.is_some() {
            return Ok(counting);
        }
        for (place, entry) in wanted.iter().enumerate() {
            let params = Json::Object(self.call.given(entry.about.id));
            if let Some(counts) = entry.accumulator(&params, described)? {
                counting.insert(place, counts);
            }
        }
        if counting.is_empty() {
            return Ok(counting);
        }
        let ids: Vec<&str> = counting.keys().map(|&place| wanted[place].about.id).collect();
        self.call.progress.begin(format!("{} of {}", ids.join(", "), described.name));
        let mut sink = |chunk: Chunk<'_>| {
            counting.retain(|_, counts| counts.push(chunk).is_ok());
            Ok(())
        };
        pollster::block_on(self.file.stream(index, &mut sink, self.call.progress))?;
        Ok(counting)
    }

    /// Measures a column with all of its values, loading them where nobody has yet.
    fn in_memory(
        &self,
        index: usize,
        entry: &'static Entry,
        params: &Json,
        resident: &mut Option<Column>,
    ) -> Result<Result<Outcome, MeasureError>, Failure> {
        let described = &self.file.dataset.columns[index];
        if resident.is_none() && described.values.is_none() && entry.about.accepts != Accepts::Nothing {
            *resident = Some(match pollster::block_on(self.file.column(index, self.call.progress)) {
                Ok(column) => column,
                // The other measures can do without.
                Err(DataError::TooLarge { what, needed, limit }) => {
                    let what = format!("{} needs all values at once: {what}", entry.about.id);
                    return Ok(Err(MeasureError::TooLarge { what, bytes: needed, limit }));
                }
                Err(error) => return Err(error.into()),
            });
        }
        let column = resident.as_ref().unwrap_or(described);
        Ok(pollster::block_on(entry.run(params, column, self.call.context))
            .and_then(|outcome| self.among_surrogates(entry, params, (index, column), outcome)))
    }

    /// The outcome with its place among surrogates, where that was asked for.
    fn among_surrogates(
        &self,
        entry: &'static Entry,
        params: &Json,
        (index, column): (usize, &Column),
        outcome: Outcome,
    ) -> Result<Outcome, MeasureError> {
        let Some(plan) = self.call.args.surrogates.filter(|_| entry.about.accepts != Accepts::Nothing) else {
            return Ok(outcome);
        };
        if let Some(why) = surrogate::refusal(entry, &Of::Column(index)) {
            return Ok(surrogate::not_compared(outcome, why));
        }
        let label = format!("{} surrogates of {}, {}", plan.count, column.name, entry.about.id);
        self.call.progress.begin(label);
        let threads = outcome.ran.backend == Backend::Cpu;
        let placed = surrogate::Test::new(entry, params, column, plan, self.call.args.seed)
            .and_then(|test| surrogates::place(&test, outcome.clone(), threads, self.call.context, self.call.progress));
        match placed {
            Err(error @ MeasureError::Cancelled(_)) => Err(error),
            // The value of the data stands without them.
            Err(error) => Ok(surrogate::not_compared(outcome, error)),
            placed => placed,
        }
    }
}

impl From<KindChoice> for Kind {
    fn from(choice: KindChoice) -> Self {
        match choice {
            KindChoice::Bytes => Self::Bytes,
            KindChoice::Text => Self::Text,
            KindChoice::Csv => Self::Csv,
            KindChoice::Npy => Self::Npy,
            KindChoice::Npz => Self::Npz,
            KindChoice::Safetensors => Self::Safetensors,
            KindChoice::Json => Self::Json,
            KindChoice::Fasta => Self::Fasta,
            KindChoice::Fastq => Self::Fastq,
            KindChoice::Hdf5 => Self::Hdf5,
            KindChoice::Netcdf => Self::NetCdf,
            KindChoice::Mat => Self::Mat,
            KindChoice::Xlsx => Self::Xlsx,
            KindChoice::Parquet => Self::Parquet,
            KindChoice::Arrow => Self::Arrow,
            KindChoice::Wav => Self::Wav,
            KindChoice::Image => Self::Image,
        }
    }
}
