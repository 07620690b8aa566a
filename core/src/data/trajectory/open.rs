//! Opening files: what they are together, and the reader for that.

use super::{
    Format, Trajectories, TrajectoryError, TrajectoryOptions, arrays,
    detect::{HDF5, best, is_attributes, is_companion, one},
    dlc,
    hdf5::H5,
    idtracker,
    load::{Body, Item, load},
    netcdf::{self, Container},
    pandas, plain, shiners, sleap, trex,
};
use crate::data::{ByteSource, npy_header};
use crate::pace::Pace;

/// What is read, for messages.
pub(super) const KNOWN: &str = "idtracker.ai, TRex, SLEAP, DeepLabCut, tables with frame, id, x, y or time, x1, y1, …, NumPy arrays \
                     (frames, animals, 2 or 3), NetCDF with positions can be read";

/// Reads trajectories from one file or from several that belong together (TRex: one per animal;
/// idtracker.ai: a table and its attributes), gzipped or in a zip archive too.
///
/// Positions stay in the file's unit unless [`TrajectoryOptions::scale`] is given. Progress goes to `pace` in bytes.
///
/// # Errors
/// Any [`TrajectoryError`] but `Needs`: the files are malformed, cut off, too large, no trajectories, or do
/// not belong together, or the work was cancelled.
pub async fn open(
    files: Vec<Box<dyn ByteSource>>,
    options: TrajectoryOptions,
    pace: &dyn Pace,
) -> Result<Trajectories, TrajectoryError> {
    let (items, provenance) = load(&files, &options, pace).await?;
    drop(files);
    let mut made = read(items, &options, pace).await?;
    made.provenance = provenance;
    finish(made, &options)
}

/// What the caller knows better.
fn finish(mut made: Trajectories, options: &TrajectoryOptions) -> Result<Trajectories, TrajectoryError> {
    made.y_down = options.y_down.unwrap_or(made.y_down);
    if let Some(rate) = options.frame_rate {
        made = made.with_frame_rate(rate)?;
    }
    if let Some(scale) = options.scale {
        made = made.with_scale(scale, options.length_unit.as_deref().unwrap_or("unit"))?;
    } else if options.length_unit.is_some() {
        made.length_unit.clone_from(&options.length_unit);
    }
    Ok(made)
}

/// What a decoded file is.
fn format_of(item: &Item) -> Option<Format> {
    match &item.body {
        Body::Bytes(bytes) => one(&item.name, &bytes[..bytes.len().min(128 << 10)]),
        Body::Arrays(arrays) => {
            let has = |n: &str| arrays.iter().any(|(name, _)| name == n);
            let suffixed = arrays.iter().any(|(n, _)| n.starts_with("X#"));
            if has("frame") && (suffixed || has("X")) {
                return Some(Format::Trex);
            }
            let path = |npy: &[u8]| npy_header::parse(npy).is_ok_and(|h| matches!(h.shape[..], [_, _, 2 | 3]));
            arrays.iter().any(|(_, npy)| path(npy)).then_some(Format::Numpy)
        }
    }
}

async fn read(items: Vec<Item>, options: &TrajectoryOptions, pace: &dyn Pace) -> Result<Trajectories, TrajectoryError> {
    let attributed = items.iter().any(|i| is_attributes(&i.name));
    let formats: Vec<Option<Format>> = items
        .iter()
        .map(|item| match format_of(item).filter(|_| !is_companion(&item.name)) {
            Some(Format::WideCsv) if attributed => Some(Format::IdtrackerCsv),
            found => found,
        })
        .collect();
    let names = || items.iter().map(|i| i.name.clone()).collect::<Vec<_>>().join(", ");
    let unrecognised = || TrajectoryError::Unrecognised { names: names(), instead: KNOWN };
    let format = options.format.or_else(|| best(formats.iter().copied().flatten())).ok_or_else(unrecognised)?;
    // A chosen format takes what is recognised as that, or else whatever is there.
    let mut chosen: Vec<usize> = (0..items.len()).filter(|&i| formats[i] == Some(format)).collect();
    if chosen.is_empty() {
        chosen = (0..items.len()).filter(|&i| !is_companion(&items[i].name)).collect();
    }
    let Some(&first) = chosen.first() else { return Err(unrecognised()) };
    let several = matches!(format, Format::Trex | Format::Numpy);
    if let Some(&stray) = chosen.get(1).filter(|_| !several) {
        let why = format!("{} is read from one file at a time", format.title());
        return Err(TrajectoryError::Stray { name: items[stray].name.clone(), why });
    }
    let wanted = if format == Format::IdtrackerTidy { "attributes_tidy.json" } else { "attributes.json" };
    let attributes = items.iter().find(|i| i.name == wanted);
    let left: Vec<String> = (0..items.len())
        .filter(|i| !chosen.contains(i) && !is_companion(&items[*i].name))
        .map(|i| items[i].name.clone())
        .collect();
    let item = &items[first];
    let picked = || chosen.iter().map(|&i| &items[i]).collect::<Vec<_>>();
    let mut made = match format {
        Format::IdtrackerCsv | Format::IdtrackerTidy => idtracker::csv(item, attributes, format, options, pace).await?,
        Format::Trex => trex::read(&picked(), options, pace).await?,
        Format::SleapCsv => sleap::csv(item, options, pace).await?,
        Format::DeepLabCutCsv => dlc::csv(item, options, pace).await?,
        Format::LongCsv => plain::long(item, options, pace).await?,
        Format::WideCsv => plain::wide(item, options, pace).await?,
        Format::FinalState => plain::final_state(item, options, pace).await?,
        Format::Numpy => arrays::read(&picked(), options)?,
        Format::Shiners => shiners::read(item, options)?,
        Format::Pickled | Format::Parquet => return Err(instead(&item.name, format)),
        Format::IdtrackerHdf5 | Format::SleapHdf5 | Format::DeepLabCutHdf5 | Format::NetCdf | Format::Hdf5 => {
            let Item { name, body } = items.into_iter().nth(first).ok_or_else(|| instead("", format))?;
            let bytes = if let Body::Bytes(bytes) = body { bytes } else { Vec::new() };
            scientific(&name, bytes, options)?
        }
    };
    if !left.is_empty() {
        made.notes.push(format!("not read: {}", left.join(", ")));
    }
    Ok(made)
}

/// HDF5 and NetCDF: the datasets decide.
fn scientific(name: &str, bytes: Vec<u8>, options: &TrajectoryOptions) -> Result<Trajectories, TrajectoryError> {
    if !bytes.starts_with(HDF5) {
        return netcdf::read(&Container::classic(name, bytes)?, options);
    }
    let h5 = H5::open(name, bytes, options.max_bytes)?;
    if h5.has("track_occupancy") {
        return sleap::hdf5(&h5, options);
    }
    if h5.has("trajectories") {
        return idtracker::hdf5(&h5, options);
    }
    if h5.has("positions") || (h5.has("x") && h5.has("y")) {
        return netcdf::read(&Container::Hdf5(Box::new(h5)), options);
    }
    if let Some(group) = pandas::group(&h5) {
        return dlc::hdf5(&h5, &group, options);
    }
    let (groups, datasets) = h5.members();
    let names = format!("{name} (HDF5 with {})", [groups, datasets].concat().join(", "));
    Err(TrajectoryError::Unrecognised { names, instead: KNOWN })
}

fn instead(name: &str, format: Format) -> TrajectoryError {
    let (what, instead) = match format {
        Format::Parquet => ("a Parquet table", "open trajectories.h5, or trajectories_csv with its attributes.json"),
        _ => (
            "a pickled Python dictionary",
            "open trajectories.h5, or trajectories.csv with its attributes.json, from the same folder",
        ),
    };
    TrajectoryError::Unsupported { name: name.to_owned(), what, instead }
}
