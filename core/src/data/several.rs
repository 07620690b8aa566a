//! Several files beside each other: their columns as those of one, so that everything that is done with columns compares
//! files.

use sha2::{Digest, Sha256};

use super::{
    ByteSource, DataError, Dataset, Kind, OpenFile, Options, Preview, Provenance,
    csv_header::unique,
    open,
    open::{prefixed, stem},
    pipe::hex,
};
use crate::pace::Pace;

/// Names of files that their name together has.
const TOLD: usize = 3;

/// Opens every file as [`open`] does and lays their columns side by side, each named after its file: `sunspots count`.
/// One file alone is opened as it is.
///
/// [`Options::resident_limit`] holds for all files together: those that come first stay in memory.
///
/// # Errors
/// [`DataError::Empty`] for no file; otherwise as [`open`], inside [`DataError::Member`], which says which file it was.
pub async fn open_several(
    sources: Vec<Box<dyn ByteSource>>,
    options: Options,
    pace: &dyn Pace,
) -> Result<OpenFile, DataError> {
    let alone = sources.len() < 2;
    let mut files: Vec<OpenFile> = Vec::with_capacity(sources.len());
    let mut room = options.resident_limit;
    for source in sources {
        let name = source.name().to_owned();
        let opened = open(source, Options { resident_limit: room, ..options.clone() }, pace).await;
        let file = opened.map_err(|error| if alone { error } else { of_file(&name, error) })?;
        room = room.saturating_sub(file.resident_bytes());
        files.push(file);
    }
    if alone {
        return files
            .pop()
            .ok_or_else(|| DataError::Empty { name: "the list of files".to_owned(), what: "there is none" });
    }
    Ok(join(files, options))
}

/// An error of one file among several.
pub(super) fn of_file(name: &str, error: DataError) -> DataError {
    match error {
        DataError::Cancelled(_) => error,
        _ => DataError::Member { name: name.to_owned(), error: Box::new(error) },
    }
}

fn join(files: Vec<OpenFile>, options: Options) -> OpenFile {
    let provenance = provenance(files.iter().map(|file| file.dataset.provenance.clone()).collect());
    let mut all = OpenFile {
        dataset: Dataset { provenance, columns: Vec::new(), matrices: Vec::new(), notes: Vec::new() },
        sources: Vec::new(),
        options,
        preview: Preview { columns: Vec::new() },
        parts: Vec::new(),
        origins: Vec::new(),
        places: Vec::new(),
        homes: Vec::new(),
    };
    for mut file in files {
        let (source, part) = (all.sources.len(), all.parts.len());
        let Dataset { provenance, columns, matrices, notes } = file.dataset;
        let stem = stem(&provenance.name);
        for mut column in columns {
            column.name = prefixed(stem, &column.name);
            all.dataset.columns.push(column);
        }
        for mut matrix in matrices {
            matrix.name = prefixed(stem, &matrix.name);
            all.dataset.matrices.push(matrix);
        }
        all.dataset.notes.extend(notes.into_iter().map(|note| format!("{}: {note}", provenance.name)));
        all.preview.columns.append(&mut file.preview.columns);
        all.sources.append(&mut file.sources);
        all.parts.append(&mut file.parts);
        all.origins.extend(file.origins.iter().map(|origin| source + origin));
        all.places.extend(file.places.iter().map(|(p, i)| (part + p, *i)));
        all.homes.extend(file.homes.iter().map(|home| part + home));
    }
    let mut names: Vec<String> = all.dataset.columns.iter().map(|c| c.name.clone()).collect();
    unique(&mut names);
    all.dataset.columns.iter_mut().zip(names).for_each(|(column, name)| column.name = name);
    let mut names: Vec<String> = all.dataset.matrices.iter().map(|m| m.name.clone()).collect();
    unique(&mut names);
    all.dataset.matrices.iter_mut().zip(names).for_each(|(matrix, name)| matrix.name = name);
    all
}

fn provenance(files: Vec<Provenance>) -> Provenance {
    let mut hasher = Sha256::new();
    for file in &files {
        hasher.update(format!("{}  {}\n", file.sha256, file.name));
    }
    let mut names: Vec<String> = files.iter().take(TOLD).map(|file| file.name.clone()).collect();
    if files.len() > TOLD {
        names.push(format!("{} more", files.len() - TOLD));
    }
    Provenance {
        name: names.join(", "),
        size: files.iter().map(|file| file.size).sum(),
        sha256: hex(&hasher.finalize()),
        kind: Kind::Several,
        read_as: format!("{} files side by side", files.len()),
        files,
    }
}
