//! Recordings of animals: recognised, read, and measured as schools.

use std::rc::Rc;

use gloo_file::futures::read_as_bytes;
use serde_json::{Map, Value as Json};
use surprisal_core::{
    data::{
        ByteSource,
        trajectory::{self, TrajectoryError, TrajectoryOptions},
    },
    experiment::{ExperimentError, real},
};
use web_sys::Blob;
use web_time::Instant;

use super::{
    lab::{Lab, Recording},
    pace::Steps,
    source::BlobSource,
    tell,
    work::Failure,
};
use crate::protocol::{Recorded, Tell, Wish};

/// So much of each file says what it is.
const HEAD: u64 = 64 << 10;
/// Frames between two looks at what else there is to do.
const SLICE: usize = 16;

impl From<TrajectoryError> for Failure {
    fn from(error: TrajectoryError) -> Self {
        if matches!(error, TrajectoryError::Cancelled(_)) { Self::Cancelled } else { Self::Because(error.to_string()) }
    }
}

impl From<ExperimentError> for Failure {
    fn from(error: ExperimentError) -> Self {
        if matches!(error, ExperimentError::Cancelled(_)) { Self::Cancelled } else { Self::Because(error.to_string()) }
    }
}

/// Reads and measures the files if they are a recording; says whether they are.
pub(super) async fn open(
    lab: &Lab,
    file: u32,
    names: &[String],
    blobs: &[Blob],
    steps: &Steps,
) -> Result<bool, Failure> {
    let mut heads = Vec::new();
    for (name, blob) in names.iter().zip(blobs) {
        let blob = gloo_file::Blob::from(blob.clone());
        let head = read_as_bytes(&blob.slice(0, HEAD.min(blob.size()))).await.map_err(|e| e.to_string())?;
        heads.push((name.as_str(), head));
    }
    let known: Vec<(&str, &[u8])> = heads.iter().map(|(name, head)| (*name, &head[..])).collect();
    if trajectory::detect(&known).is_none() {
        return Ok(false);
    }
    steps.reading(format!("Reading {}", names.join(", ")));
    let sources = names.iter().zip(blobs);
    let sources =
        sources.map(|(name, blob)| Box::new(BlobSource::new(name.clone(), blob.clone())) as Box<dyn ByteSource>);
    let trajectories = match trajectory::open(sources.collect(), TrajectoryOptions::default(), steps).await {
        Ok(trajectories) => trajectories,
        // HDF5 and NetCDF hold anything: without paths in it, the file is a table.
        Err(TrajectoryError::Unrecognised { .. }) if names.len() == 1 => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    *lab.recording.borrow_mut() = Some(Recording { file, names: names.to_vec(), paths: Rc::new(trajectories) });
    watch(lab, file, Map::new(), Wish::Auto, steps).await?;
    Ok(true)
}

/// Measures the open recording.
pub(super) async fn watch(
    lab: &Lab,
    file: u32,
    parameters: Map<String, Json>,
    wish: Wish,
    steps: &Steps,
) -> Result<(), Failure> {
    let open = lab.recording.borrow().clone().filter(|recording| recording.file == file);
    let Recording { names, paths, .. } = open.ok_or_else(|| "the recording is no longer open".to_owned())?;
    let began = Instant::now();
    let mut watch = real::Watch::new((*paths).clone(), &Json::Object(parameters))?;
    steps.job("Measuring the frames".to_owned(), 0, 2);
    while !watch.is_done() {
        watch.advance(SLICE, steps).await?;
    }
    steps.job("Simulating schools to compare with".to_owned(), 1, 2);
    let compute = lab.compute(wish).await?;
    watch.compare(&*compute, steps).await?;
    watch.record_mut().seconds = began.elapsed().as_secs_f64();
    let record = watch.record();
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    tell(&Tell::Recorded(Box::new(Recorded {
        file,
        names,
        format: paths.source.title().to_owned(),
        size: (count(paths.animals.len()), count(paths.frames)),
        frame_rate: watch.frame_rate(),
        unknown: watch.unknown().iter().map(|&name| name.to_owned()).collect(),
        record: serde_json::to_string(record).map_err(|e| e.to_string())?,
        seen: real::seen(record),
        figures: real::figures(record),
    })));
    Ok(())
}
