//! How each ask is answered.

use std::rc::Rc;

use serde_json::Value as Json;
use surprisal_core::{
    compute::{Compute, Cpu},
    data::{self, ByteSource, Chunk, Column, DataError, OpenFile, Options},
    figure::Figure,
    measure::{self, Accumulator, Context, MeasureError, Of, Outcome, Subject, surrogate},
    pace::Pace,
    report::{ResultRecord, suggested, suggested_for_array},
};
use web_sys::Blob;
use web_time::Instant;

use super::{columns, heap, lab::Lab, pace::Steps, recording, source::BlobSource, tell};
use crate::protocol::{ArrayView, Ask, ColumnView, Errand, Job, Opened, Run, Tell};

/// Why an errand was not done.
pub(super) enum Failure {
    Cancelled,
    Because(String),
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        if matches!(error, DataError::Cancelled(_)) { Self::Cancelled } else { Self::Because(error.to_string()) }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Because(message)
    }
}

/// Answers one ask in full.
pub(super) async fn answer(lab: &Lab, ask: Ask, mut blobs: Vec<Blob>) {
    let steps = Steps::new(lab.begin());
    let (what, result) = match ask {
        Ask::Hello { wish } => {
            tell(&Tell::Ready(lab.badge(wish).await));
            return;
        }
        Ask::Cancel | Ask::Live { .. } => return,
        Ask::Open { file, names, table } => {
            lab.recording.borrow_mut().take();
            lab.file.borrow_mut().take();
            let recorded = if table { Ok(false) } else { recording::open(lab, file, &names, &blobs, &steps).await };
            let result = match recorded {
                Ok(true) => Ok(()),
                Ok(false) => open(lab, file, names, blobs, &steps).await,
                Err(failure) => Err(failure),
            };
            (Errand::Open(file), result)
        }
        Ask::Watch { file, parameters, wish } => {
            (Errand::Open(file), recording::watch(lab, file, parameters, wish, &steps).await)
        }
        Ask::Measure(run) => (Errand::Measure(run.run), measure(lab, &run, false, &steps).await),
        Ask::CrossCheck(run) => (Errand::CrossCheck(run.run), measure(lab, &run, true, &steps).await),
        Ask::Example { name, measure } => (Errand::Example, example(name, &measure, blobs.pop(), &steps).await),
        Ask::SelfTest => (Errand::SelfTest, self_test(lab).await),
    };
    let heap = heap();
    tell(&match result {
        Ok(()) => Tell::Done { what, heap },
        Err(Failure::Cancelled) => Tell::Failed { what, message: "cancelled".to_owned(), cancelled: true, heap },
        Err(Failure::Because(message)) => Tell::Failed { what, message, cancelled: false, heap },
    });
}

async fn open(lab: &Lab, file: u32, names: Vec<String>, blobs: Vec<Blob>, steps: &Steps) -> Result<(), Failure> {
    let began = Instant::now();
    let what = match &names[..] {
        [name] => name.clone(),
        _ => format!("{} files", names.len()),
    };
    steps.reading(format!("Reading {what}"));
    let source = |(name, blob)| Box::new(BlobSource::new(name, blob)) as Box<dyn ByteSource>;
    let sources = names.into_iter().zip(blobs).map(source).collect();
    let options = Options { columnar: Some(columns::begin), ..Options::default() };
    let opened = data::open_several(sources, options, steps).await?;
    tell(&Tell::Opened(Box::new(view(file, &opened, began.elapsed().as_secs_f64()))));
    *lab.file.borrow_mut() = Some((file, Rc::new(opened)));
    Ok(())
}

fn view(file: u32, opened: &OpenFile, seconds: f64) -> Opened {
    let dataset = &opened.dataset;
    let mut rows = opened.preview().columns.iter().cloned();
    let columns = dataset.columns.iter().enumerate().map(|(i, column)| ColumnView {
        name: column.name.clone(),
        unit: column.unit.clone(),
        ty: column.ty,
        len: column.len,
        missing: column.missing,
        resident: column.is_resident(),
        rows: rows.next().unwrap_or_default(),
        suggested: suggested(column, opened.kind_of(i)).into_iter().map(str::to_owned).collect(),
    });
    let arrays = dataset.matrices.iter().enumerate().map(|(i, m)| ArrayView {
        name: m.name.clone(),
        shape: m.values.shape().iter().map(|&n| u32::try_from(n).unwrap_or(u32::MAX)).collect(),
        suggested: suggested_for_array(m, opened.kind_of_array(i)).into_iter().map(str::to_owned).collect(),
    });
    Opened {
        file,
        provenance: dataset.provenance.clone(),
        columns: columns.collect(),
        arrays: arrays.collect(),
        notes: dataset.notes.clone(),
        seconds,
    }
}

/// Columns by their places, each loaded once.
struct Loaded {
    places: Vec<usize>,
    columns: Vec<Column>,
}

impl Loaded {
    fn all(&self, places: &[usize]) -> Vec<&Column> {
        let place = |i: &usize| self.columns.get(self.places.iter().position(|p| p == i)?);
        places.iter().filter_map(place).collect()
    }
}

/// Measures every job, column by column. A column that is not in memory passes by once for all measures that
/// can take it so, and is held for the others: one such column at a time.
async fn measure(lab: &Lab, run: &Run, check: bool, steps: &Steps) -> Result<(), Failure> {
    let open = lab.file.borrow().clone();
    let (_, file) =
        open.filter(|(file, _)| *file == run.file).ok_or_else(|| "the file is no longer open".to_owned())?;
    let compute: Result<Box<dyn Compute>, String> = if check { Ok(Box::new(Cpu)) } else { lab.compute(run.wish).await };
    let bench = Bench { lab, run, check, steps, file: &file, compute: &compute };
    let mut finished = 0;
    for jobs in run.jobs.chunk_by(|a, b| a.of == b.of || (a.of.is_of_several() && b.of.is_of_several())) {
        let Some(of) = jobs.first().map(|job| &job.of) else { continue };
        if of.is_of_several() {
            bench.together(jobs, &mut finished).await?;
            continue;
        }
        let index = if let Of::Column(i) = of { Some(*i) } else { None };
        match index.and_then(|i| Some((i, file.dataset.columns.get(i)?))) {
            Some((_, column)) if column.is_resident() => bench.held(jobs, Some(column), &mut finished).await?,
            Some((index, column)) => bench.in_file(jobs, index, column, &mut finished).await?,
            None => bench.held(jobs, None, &mut finished).await?,
        }
    }
    Ok(())
}

/// One run on one file.
struct Bench<'a> {
    lab: &'a Lab,
    run: &'a Run,
    check: bool,
    steps: &'a Steps,
    file: &'a OpenFile,
    compute: &'a Result<Box<dyn Compute>, String>,
}

impl Bench<'_> {
    /// Says what is done next, gives way, and ends a cancelled run.
    async fn next(&self, job: &Job, name: Option<&str>, finished: u32) -> Result<(), Failure> {
        let title = measure::find(&job.measure).map_or(job.measure.as_str(), |entry| entry.about.title);
        let of = name.map(|name| format!(" of {name}")).unwrap_or_default();
        self.begin(format!("{title}{of}"), finished);
        self.steps.tick(0, 0).await.map_err(|_| Failure::Cancelled)
    }

    /// Says what is done after `finished` jobs.
    fn begin(&self, label: String, finished: u32) {
        self.steps.job(label, finished, u32::try_from(self.run.jobs.len()).unwrap_or(u32::MAX));
    }

    /// After the failure of a back end the next ask gets a new device.
    fn forget_failed(&self, error: &MeasureError) {
        if matches!(error, MeasureError::Backend { .. }) {
            self.lab.forget_gpu();
        }
    }

    /// The context of a computation, or why there is no back end.
    fn context(&self) -> Result<Context<'_>, MeasureError> {
        // A cross-check compares values; their uncertainty needs no second computation.
        let resamples = if self.check { 0 } else { self.run.resamples };
        match self.compute {
            Ok(compute) => Ok(Context::new(&**compute, self.steps).with_resamples(resamples, self.run.seed)),
            Err(why) => Err(MeasureError::Backend { backend: "the GPU".to_owned(), message: why.clone() }),
        }
    }

    /// Measures a column in memory, or nothing at all.
    async fn held(&self, jobs: &[Job], column: Option<&Column>, finished: &mut u32) -> Result<(), Failure> {
        let nothing = Column::real("", Vec::new());
        for job in jobs {
            let name = column.map(|c| c.name.as_str());
            self.next(job, name, *finished).await?;
            let began = Instant::now();
            let computed = match self.run(job, column.unwrap_or(&nothing)).await {
                Ok(outcome) => self.among_surrogates(job, column, outcome, *finished).await,
                refused => refused,
            };
            self.report(job, name, Vec::new(), computed, began.elapsed().as_secs_f64())?;
            *finished += 1;
        }
        Ok(())
    }

    async fn run<'s>(&self, job: &Job, subject: impl Into<Subject<'s>>) -> Result<Outcome, MeasureError> {
        let context = self.context()?;
        measure::find(&job.measure)?.run(&Json::Object(job.parameters.clone()), subject, &context).await
    }

    /// The outcome with its place among surrogates of the column, where that was asked for, or why it has none.
    async fn among_surrogates(
        &self,
        job: &Job,
        column: Option<&Column>,
        outcome: Outcome,
        finished: u32,
    ) -> Result<Outcome, MeasureError> {
        // A cross-check compares values; where they lie among others needs no second computation.
        let Some(plan) = job.surrogates.filter(|_| !self.check) else { return Ok(outcome) };
        let entry = measure::find(&job.measure)?;
        if let Some(why) = surrogate::refusal(entry, &job.of) {
            return Ok(surrogate::not_compared(outcome, why));
        }
        let Some(column) = column else { return Ok(outcome) };
        let (count, kind, name, title) = (plan.count, plan.kind.title(), &column.name, entry.about.title);
        self.begin(format!("{count} {kind} surrogates of {name}, {title}"), finished);
        self.steps.tick(0, u64::from(count)).await?;
        let context = self.context()?;
        let parameters = Json::Object(job.parameters.clone());
        let placed = match surrogate::Test::new(entry, &parameters, column, plan, self.run.seed) {
            Ok(test) => surrogate::compare(&test, outcome.clone(), &context).await,
            Err(error) => Err(error),
        };
        match placed {
            Err(error @ MeasureError::Cancelled(_)) => Err(error),
            // The value of the data stands without them.
            Err(error) => {
                self.forget_failed(&error);
                Ok(surrogate::not_compared(outcome, error))
            }
            placed => placed,
        }
    }

    /// Measures columns beside each other, and arrays. Every column that is needed is read once.
    async fn together(&self, jobs: &[Job], finished: &mut u32) -> Result<(), Failure> {
        let mut places: Vec<usize> = jobs.iter().flat_map(|job| job.of.columns()).collect();
        places.sort_unstable();
        places.dedup();
        if !places.is_empty() {
            self.steps.reading("Reading the columns".to_owned());
        }
        let loaded = match self.file.columns(&places, self.steps).await {
            Ok(columns) => Loaded { places, columns },
            Err(DataError::Cancelled(_)) => return Err(Failure::Cancelled),
            Err(error) => {
                for job in jobs {
                    let (name, with) = self.names(&job.of);
                    let absent = Err(MeasureError::NotResident(name.clone()));
                    let mut record = self.record(job, Some(&name), with, absent, 0.0);
                    record.why = Some(error.to_string());
                    self.tell(job, &record, Vec::new())?;
                    *finished += 1;
                }
                return Ok(());
            }
        };
        for job in jobs {
            let (name, with) = self.names(&job.of);
            let words = if with.is_empty() { name.clone() } else { format!("{name} with {}", with.join(", ")) };
            self.next(job, Some(&words), *finished).await?;
            let began = Instant::now();
            let (columns, beside) = (loaded.all(job.of.own()), loaded.all(job.of.with()));
            let array = job.of.array().and_then(|i| self.file.dataset.matrices.get(i));
            let subject = array.map_or_else(|| Subject::from(columns.as_slice()), Subject::from);
            let computed = match self.run(job, subject.with(&beside)).await {
                Ok(outcome) => self.among_surrogates(job, None, outcome, *finished).await,
                refused => refused,
            };
            self.report(job, Some(&name), with, computed, began.elapsed().as_secs_f64())?;
            *finished += 1;
        }
        Ok(())
    }

    /// The name of the first column or of the array, and of the columns that are with it.
    fn names(&self, of: &Of) -> (String, Vec<String>) {
        let dataset = &self.file.dataset;
        let column = |i: usize| dataset.columns.get(i).map(|c| c.name.clone());
        let mut names = of.columns().filter_map(column);
        let array = of.array().and_then(|i| dataset.matrices.get(i));
        let first = array.map(|m| m.name.clone()).or_else(|| names.next()).unwrap_or_default();
        (first, names.collect())
    }

    /// Measures a column that is still in the file.
    async fn in_file(&self, jobs: &[Job], index: usize, column: &Column, finished: &mut u32) -> Result<(), Failure> {
        let mut passing: Vec<(&Job, Box<dyn Accumulator>)> = Vec::new();
        let mut rest = Vec::new();
        for job in jobs {
            // Surrogates need all values at once.
            if job.surrogates.is_some() {
                rest.push(job.clone());
                continue;
            }
            let given = Json::Object(job.parameters.clone());
            match measure::find(&job.measure).and_then(|entry| entry.accumulator(&given, column)) {
                Ok(Some(accumulator)) => passing.push((job, accumulator)),
                Ok(None) => rest.push(job.clone()),
                Err(error) => {
                    self.report(job, Some(&column.name), Vec::new(), Err(error), 0.0)?;
                    *finished += 1;
                }
            }
        }
        if !passing.is_empty() {
            let began = Instant::now();
            self.steps.reading(format!("Counting column {}", column.name));
            let mut sink =
                |chunk: Chunk<'_>| passing.iter_mut().try_for_each(|(_, accumulator)| accumulator.push(chunk));
            if let Err(error) = self.file.stream(index, &mut sink, self.steps).await {
                let jobs: Vec<&Job> = passing.iter().map(|(job, _)| *job).collect();
                *finished += self.refuse(&jobs, column, error)?;
                passing.clear();
            }
            let pass = began.elapsed().as_secs_f64();
            for (job, accumulator) in passing {
                self.next(job, Some(&column.name), *finished).await?;
                let began = Instant::now();
                let computed = match self.context() {
                    Ok(context) => measure::stream::finish(accumulator, &context).await,
                    Err(error) => Err(error),
                };
                self.report(job, Some(&column.name), Vec::new(), computed, pass + began.elapsed().as_secs_f64())?;
                *finished += 1;
            }
        }
        if !rest.is_empty() {
            self.steps.reading(format!("Reading column {}", column.name));
            match self.file.column(index, self.steps).await {
                Ok(column) => self.held(&rest, Some(&column), finished).await?,
                Err(error) => *finished += self.refuse(&rest.iter().collect::<Vec<_>>(), column, error)?,
            }
        }
        Ok(())
    }

    /// A column that cannot be read is told at each of its measures; the others go on.
    fn refuse(&self, jobs: &[&Job], column: &Column, error: DataError) -> Result<u32, Failure> {
        if matches!(error, DataError::Cancelled(_)) {
            return Err(Failure::Cancelled);
        }
        for job in jobs {
            let absent = Err(MeasureError::NotResident(column.name.clone()));
            let mut record = self.record(job, Some(&column.name), Vec::new(), absent, 0.0);
            record.why = Some(error.to_string());
            self.tell(job, &record, Vec::new())?;
        }
        Ok(u32::try_from(jobs.len()).unwrap_or(u32::MAX))
    }

    /// Tells the page what became of a job.
    fn report(
        &self,
        job: &Job,
        name: Option<&str>,
        with: Vec<String>,
        mut computed: Result<Outcome, MeasureError>,
        seconds: f64,
    ) -> Result<(), Failure> {
        match &computed {
            Err(MeasureError::Cancelled(_)) => return Err(Failure::Cancelled),
            Err(error) => self.forget_failed(error),
            Ok(_) => {}
        }
        let figures = computed.as_mut().map(|outcome| std::mem::take(&mut outcome.figures)).unwrap_or_default();
        let record = self.record(job, name, with, computed, seconds);
        self.tell(job, &record, figures)?;
        if self.steps.stopped() { Err(Failure::Cancelled) } else { Ok(()) }
    }

    fn record(
        &self,
        job: &Job,
        name: Option<&str>,
        with: Vec<String>,
        computed: Result<Outcome, MeasureError>,
        seconds: f64,
    ) -> ResultRecord {
        let (measure, given, information) = (&job.measure, &job.parameters, self.run.information);
        ResultRecord::new(measure, name, given, computed, information, seconds).with(with)
    }

    fn tell(&self, job: &Job, record: &ResultRecord, figures: Vec<Figure>) -> Result<(), Failure> {
        let record = serde_json::to_string(record).map_err(|e| e.to_string())?;
        let key = job.key.clone();
        tell(&if self.check {
            Tell::Checked { run: self.run.run, key, record }
        } else {
            Tell::Measured { run: self.run.run, key, record, figures }
        });
        Ok(())
    }
}

/// Measures the last column of a sample for the home page.
async fn example(name: String, id: &str, blob: Option<Blob>, steps: &Steps) -> Result<(), Failure> {
    let blob = blob.ok_or_else(|| "no sample came with the request".to_owned())?;
    let opened = data::open(Box::new(BlobSource::new(name, blob)), Options::default(), steps).await?;
    let index = opened.dataset.columns.len().saturating_sub(1);
    let column = opened.column(index, steps).await?;
    let context = Context::new(&Cpu, steps);
    let outcome = measure::run(id, &Json::Null, &column, &context).await.map_err(|e| e.to_string())?;
    tell(&Tell::Example { figures: outcome.figures });
    Ok(())
}

async fn self_test(lab: &Lab) -> Result<(), Failure> {
    let gpu = lab.gpu().await?;
    tell(&Tell::Line(format!("adapter: {}", gpu.info().name)));
    let checks = surprisal_gpu::selftest::selftest(&gpu, |(name, result)| {
        tell(&Tell::Line(match result {
            Ok(()) => format!("ok {name}"),
            Err(why) => format!("FAILED {name}: {why}"),
        }));
    })
    .await;
    let failed = checks.iter().filter(|(_, result)| result.is_err()).count();
    tell(&Tell::Line(format!("{} checks, {failed} failed", checks.len())));
    Ok(())
}
