//! Opening a file: what it is, what is in it, and its columns when they are asked for.

use super::{
    ByteSource, Chunk, Column, DataError, Dataset, Kind, Options, Preview, Provenance, Values, archive,
    chunk::replay,
    csv_header::unique,
    detect::{Found, Head, extension, is_zip, recognise},
    part::Part,
    pipe::{Pipe, Route},
    several::of_file,
    stage::Layer,
    xlsx,
};
use crate::pace::Pace;

/// Decoded bytes that are looked at to recognise a file.
const HEAD: usize = 128 << 10;
/// gzip inside gzip inside gzip, and no deeper.
const DEEPEST: usize = 3;

/// A file that has been read once: its table of columns, and the way back to their values.
///
/// Columns that fit [`Options::resident_limit`] together are in memory; otherwise
/// [`OpenFile::column`] reads one again, and [`OpenFile::stream`] passes it by in constant memory.
///
/// Several files that are compared are one of these too: see [`super::open_several`].
pub struct OpenFile {
    /// Names, types, lengths, provenance, notes, and the values where they are in memory.
    pub dataset: Dataset,
    pub(super) sources: Vec<Box<dyn ByteSource>>,
    pub(super) options: Options,
    pub(super) preview: Preview,
    pub(super) parts: Vec<Part>,
    /// Which source a part is from.
    pub(super) origins: Vec<usize>,
    /// Which part a column belongs to, and its place there.
    pub(super) places: Vec<(usize, usize)>,
    /// Which part an array belongs to.
    pub(super) homes: Vec<usize>,
}

impl std::fmt::Debug for OpenFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenFile").field("dataset", &self.dataset).finish_non_exhaustive()
    }
}

/// Reads `source` once from end to end: recognises it, infers its columns' types from all of their
/// values, computes its SHA-256, and keeps the columns if they are small enough.
///
/// Memory: a few MiB and what is kept. Progress goes to `pace` in bytes, about every MiB.
///
/// # Errors
/// Any [`DataError`] but `NoColumn`: the file is empty, malformed, cut off, of an unsupported sort,
/// unpacks beyond the limits, or the work was cancelled.
pub async fn open(source: Box<dyn ByteSource>, options: Options, pace: &dyn Pace) -> Result<OpenFile, DataError> {
    let (name, len) = (source.name().to_owned(), source.len());
    if len == 0 {
        return Err(DataError::Empty { name, what: "it has no byte" });
    }
    let opener = Opener { source: &*source, options: &options, pace };
    let root = Route { name: name.clone(), start: 0, end: len, layers: Vec::new() };
    let Opened { mut parts, sha256, packing, mut notes } = opener.open(root).await?;

    let several = parts.len() > 1;
    let mut read_as: Vec<String> = parts.iter().map(|p| p.read_as.clone()).collect();
    if read_as.len() > 4 {
        let rest = read_as.len() - 3;
        read_as.truncate(3);
        read_as.push(format!("{rest} more"));
    }
    let kinds: Vec<Kind> = parts.iter().map(|p| p.kind).collect();
    let kind = match kinds[..] {
        [] => Kind::Bytes,
        [first, ..] if first == Kind::Npy && extension(&name) == "npz" => Kind::Npz,
        [first, ref rest @ ..] if first == Kind::Npy && !rest.is_empty() => Kind::Npz,
        [first, ..] => first,
    };
    let total = parts.iter().fold(0_u64, |sum, p| sum.saturating_add(p.resident_bytes));
    let resident = total <= options.resident_limit;
    let archived = kind == Kind::Npz || several;
    let (mut columns, mut matrices, mut previews) = (Vec::new(), Vec::new(), Vec::new());
    let (mut places, mut homes) = (Vec::new(), Vec::new());
    for (p, part) in parts.iter_mut().enumerate() {
        let all: Vec<usize> = (0..part.columns.len()).collect();
        if resident {
            let of = |error| member(archived, &part.route.name, error);
            if part.columns.iter().any(|c| c.values.is_none()) {
                let way = part.way(&all);
                let mut pipe = Pipe::new(&*source, &way, &options, pace);
                match part.load(&all, &mut pipe, options.column_limit).await {
                    Ok(values) => part.columns.iter_mut().zip(values).for_each(|(c, v)| c.values = Some(v)),
                    // Too many labels: the column stays in the file, and the note says so.
                    Err(DataError::TooLarge { .. }) => {}
                    Err(e) => return Err(of(e)),
                }
            }
            if part.has_matrix() {
                let mut pipe = Pipe::new(&*source, &part.route, &options, pace);
                let matrices =
                    part.load_matrices(&mut pipe).await.map_err(|e| member(archived, &part.route.name, e))?;
                part.matrices.extend(matrices);
            }
        } else if part.has_matrix() {
            notes.push("too large to be kept as a matrix; the columns are read when asked for".to_owned());
        }
        let stem = stem(&part.route.name);
        for (i, mut column) in std::mem::take(&mut part.columns).into_iter().enumerate() {
            // What reading it again needs stays behind.
            part.columns.push(head_of(&column));
            if archived {
                column.name = prefixed(stem, &column.name);
            }
            columns.push(column);
            places.push((p, i));
        }
        previews.append(&mut part.preview);
        for mut matrix in std::mem::take(&mut part.matrices) {
            if archived {
                matrix.name = prefixed(stem, &matrix.name);
            }
            matrices.push(matrix);
            homes.push(p);
        }
        for note in std::mem::take(&mut part.notes) {
            notes.push(if archived { format!("{}: {note}", part.route.name) } else { note });
        }
    }
    let mut names: Vec<String> = columns.iter().map(|c| c.name.clone()).collect();
    unique(&mut names);
    columns.iter_mut().zip(names).for_each(|(column, name)| column.name = name);
    let read_as = format!("{}{packing}", read_as.join("; "));
    let provenance = Provenance { name, size: len, sha256, kind, read_as, files: Vec::new() };
    let dataset = Dataset { provenance, columns, matrices, notes };
    let origins = vec![0; parts.len()];
    let preview = Preview { columns: previews };
    Ok(OpenFile { dataset, sources: vec![source], options, preview, parts, origins, places, homes })
}

/// A column without its values.
fn head_of(column: &Column) -> Column {
    let Column { name, unit, ty, len, missing, .. } = column;
    Column { name: name.clone(), unit: unit.clone(), ty: *ty, len: *len, missing: *missing, values: None }
}

/// The name of a file without its folder and extension.
pub(super) fn stem(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// A column's name after the name of the file it is from.
pub(super) fn prefixed(stem: &str, name: &str) -> String {
    if matches!(name, "values" | "bytes" | "sound") { stem.to_owned() } else { format!("{stem} {name}") }
}

pub(super) fn member(archived: bool, name: &str, error: DataError) -> DataError {
    match error {
        DataError::Cancelled(_) | DataError::Bomb { .. } | DataError::Read(_) | DataError::Sheet { .. } => error,
        _ if archived => DataError::Member { name: name.to_owned(), error: Box::new(error) },
        _ => error,
    }
}

/// What the first pass found.
struct Opened {
    parts: Vec<Part>,
    sha256: String,
    /// `, inside gzip`.
    packing: String,
    notes: Vec<String>,
}

#[derive(Clone, Copy)]
struct Opener<'a> {
    source: &'a dyn ByteSource,
    options: &'a Options,
    pace: &'a dyn Pace,
}

impl Opener<'_> {
    async fn open(&self, root: Route) -> Result<Opened, DataError> {
        if self.options.kind == Some(Kind::Bytes) {
            let head = Head { bytes: Vec::new(), whole: false };
            let (part, sha256) = self.scan(root, head, Found { kind: Kind::Bytes, guess: None }, true).await?;
            return Ok(Opened { parts: vec![part], sha256, packing: String::new(), notes: Vec::new() });
        }
        let first = self.peek(&root).await?;
        if is_zip(&first.bytes) {
            return self.open_zip(root, &first.bytes).await;
        }
        let (route, head) = self.unpack(root, first).await?;
        let packing = route.packing();
        let found = match recognise(&route.name, &head, self.options.kind) {
            Ok(found) => found,
            Err(e) => return Err(self.bomb_or(e, &route).await),
        };
        let (part, sha256) = self.scan(route, head, found, true).await?;
        Ok(Opened { parts: vec![part], sha256, packing, notes: Vec::new() })
    }

    /// Follows the packing inwards.
    async fn unpack(&self, mut route: Route, mut head: Head) -> Result<(Route, Head), DataError> {
        for _ in 0..DEEPEST {
            let Some(layer) = Layer::of(&head.bytes) else { break };
            route.layers.push(layer);
            let ending = extension(&route.name);
            if layer.extensions().contains(&&ending[..]) {
                route.name.truncate(route.name.len() - 1 - ending.len());
            }
            head = self.peek(&route).await?;
            if head.bytes.is_empty() {
                let what = match layer {
                    Layer::Zstd => "nothing is inside the zstd",
                    Layer::Lz4 => "nothing is inside the LZ4",
                    Layer::Utf16(_) => "nothing follows the byte order mark",
                    Layer::Gzip | Layer::Deflated(_) | Layer::Stored(_) => "nothing is inside the gzip",
                };
                return Err(DataError::Empty { name: route.name, what });
            }
        }
        if let Some(layer) = Layer::of(&head.bytes) {
            let what = format!("{} nested deeper than three times", layer.title());
            return Err(DataError::Unsupported { what, instead: "unpack it first" });
        }
        if is_zip(&head.bytes) && !route.layers.is_empty() {
            let what = format!("the zip archive inside {}", self.source.name());
            return Err(DataError::Unsupported { what, instead: "unpack it once first" });
        }
        Ok((route, head))
    }

    async fn open_zip(&self, root: Route, head: &[u8]) -> Result<Opened, DataError> {
        let sha256 = Pipe::new(self.source, &root, self.options, self.pace).hashing().digest().await?;
        let routes = archive::members(self.source).await?;
        let names: Vec<String> = routes.iter().map(|r| r.name.clone()).collect();
        if routes.is_empty() {
            return Err(DataError::Empty { name: root.name, what: "the archive has no file" });
        }
        let wanted = self.options.kind;
        if matches!(wanted, None | Some(Kind::Xlsx)) && xlsx::is_workbook(head, &names, wanted.is_some())? {
            let part = xlsx::read(self.source, root, &routes, self.options, self.pace).await?;
            return Ok(Opened { parts: vec![part], sha256, packing: String::new(), notes: Vec::new() });
        }
        let arrays = routes.iter().any(|r| extension(&r.name) == "npy");
        let single = routes.len() == 1;
        let forced = self.options.kind.filter(|&k| k != Kind::Npz);
        let (mut parts, mut skipped, mut total) = (Vec::new(), Vec::new(), 0_u64);
        for route in routes {
            let name = route.name.clone();
            let of = |error| member(!single || arrays, &name, error);
            let first = self.peek(&route).await.map_err(of)?;
            if first.bytes.is_empty() {
                skipped.push(name);
                continue;
            }
            let (route, head) = self.unpack(route, first).await.map_err(of)?;
            let found = match recognise(&route.name, &head, forced) {
                // One column of bytes of every stray file in an archive is no data set.
                Ok(found) if single || !matches!(found.kind, Kind::Text | Kind::Bytes) => found,
                Err(e) if single => return Err(of(self.bomb_or(e, &route).await)),
                _ => {
                    skipped.push(name);
                    continue;
                }
            };
            let (part, _) = self.scan(route, head, found, false).await.map_err(of)?;
            // The guard holds for all files of the archive together.
            total = total.saturating_add(part.resident_bytes);
            if total > self.options.decoded_limit {
                let limit = format!("{} bytes", self.options.decoded_limit);
                return Err(DataError::Bomb { name: root.name, packed: self.source.len(), unpacked: total, limit });
            }
            parts.push(part);
        }
        if parts.is_empty() {
            let list = names.iter().take(8).cloned().collect::<Vec<_>>().join(", ");
            let more = if names.len() > 8 { ", …" } else { "" };
            let what = format!("a zip archive of {} files ({list}{more})", names.len());
            let instead = "pack one file, or several of the kinds CSV, NPY, WAV and image";
            return Err(DataError::Unsupported { what, instead });
        }
        let mut notes = Vec::new();
        if !skipped.is_empty() {
            notes.push(format!("not read: {}", skipped.join(", ")));
        }
        let packing = if arrays { ", in an NPZ archive" } else { ", inside zip" }.to_owned();
        Ok(Opened { parts, sha256, packing, notes })
    }

    /// A file that is not what its name says may be a bomb, and then that is what matters.
    async fn bomb_or(&self, error: DataError, route: &Route) -> DataError {
        const LOOK: u64 = 80 << 20;
        let mut pipe = Pipe::new(self.source, route, self.options, self.pace);
        let mut seen = 0;
        while !route.layers.is_empty() && seen < LOOK {
            match pipe.next().await {
                Ok(Some(bytes)) => seen += bytes.len() as u64,
                Err(bomb @ DataError::Bomb { .. }) => return bomb,
                _ => break,
            }
        }
        error
    }

    /// The first pass over one file.
    async fn scan(&self, route: Route, head: Head, found: Found, hashing: bool) -> Result<(Part, String), DataError> {
        let way = route.clone();
        let mut pipe = Pipe::new(self.source, &way, self.options, self.pace);
        if hashing {
            pipe = pipe.hashing();
        }
        let part = Part::scan(route, head, found, &mut pipe, self.options).await?;
        Ok((part, pipe.digest().await?))
    }

    /// The beginning of the decoded bytes.
    async fn peek(&self, route: &Route) -> Result<Head, DataError> {
        let mut pipe = Pipe::new(self.source, route, self.options, self.pace);
        let mut bytes = Vec::new();
        while bytes.len() < HEAD {
            match pipe.next().await? {
                Some(more) => bytes.extend_from_slice(&more),
                None => return Ok(Head { bytes, whole: true }),
            }
        }
        bytes.truncate(HEAD);
        Ok(Head { bytes, whole: false })
    }
}

impl OpenFile {
    /// The dataset and the one part of a file that is no archive, without the source.
    pub(super) fn into_only_part(mut self) -> Option<(Dataset, Part)> {
        let part = self.parts.pop()?;
        self.parts.is_empty().then_some((self.dataset, part))
    }

    /// The first rows of every column as text, for a table to look at.
    #[must_use]
    pub const fn preview(&self) -> &Preview {
        &self.preview
    }

    /// Column `index` with its values: a copy of what is in memory, or read again in one pass.
    ///
    /// # Errors
    /// [`DataError::NoColumn`]; [`DataError::TooLarge`] beyond [`Options::column_limit`]; any error of
    /// reading; [`DataError::Changed`] when the file is no longer the same.
    pub async fn column(&self, index: usize, pace: &dyn Pace) -> Result<Column, DataError> {
        let mut columns = self.columns(&[index], pace).await?;
        columns.pop().ok_or(DataError::NoColumn { index, count: self.dataset.columns.len() })
    }

    /// Several columns, in the order asked for, in one pass per file.
    ///
    /// # Errors
    /// As [`OpenFile::column`]; the limit holds for each column.
    pub async fn columns(&self, indices: &[usize], pace: &dyn Pace) -> Result<Vec<Column>, DataError> {
        let mut found = Vec::with_capacity(indices.len());
        for &index in indices {
            found.push(self.head(index)?.clone());
        }
        for (p, part) in self.parts.iter().enumerate() {
            let wanted: Vec<usize> =
                (0..found.len()).filter(|&k| found[k].values.is_none() && self.places[indices[k]].0 == p).collect();
            if wanted.is_empty() {
                continue;
            }
            let places: Vec<usize> = wanted.iter().map(|&k| self.places[indices[k]].1).collect();
            let way = part.way(&places);
            let mut pipe = Pipe::new(self.source_of(p), &way, &self.options, pace);
            let values = part.load(&places, &mut pipe, self.options.column_limit).await;
            let values = values.map_err(|error| self.told(p, error))?;
            for (k, values) in wanted.into_iter().zip(values) {
                found[k].values = Some(values);
            }
        }
        Ok(found)
    }

    /// Passes column `index` by in chunks of consecutive values, in constant memory (but for the
    /// dictionary of a column of symbols). Returns the labels of the codes; empty for other types.
    ///
    /// An array of three or four axes in Fortran order is the exception: it is read whole first.
    ///
    /// # Errors
    /// As [`OpenFile::column`], and whatever `sink` returns.
    pub async fn stream(
        &self,
        index: usize,
        sink: &mut dyn FnMut(Chunk<'_>) -> Result<(), DataError>,
        pace: &dyn Pace,
    ) -> Result<Vec<String>, DataError> {
        let column = self.head(index)?;
        let (p, place) = self.places[index];
        let part = &self.parts[p];
        let again = match &column.values {
            Some(_) => None,
            None if part.transposes() => Some(self.column(index, pace).await?),
            None => None,
        };
        if let Some(values) = again.as_ref().unwrap_or(column).values.as_ref() {
            replay(values, sink)?;
            return Ok(if let Values::Symbols(s) = values { s.labels.clone() } else { Vec::new() });
        }
        let Some(mut reader) = part.reader(&[place]) else {
            return Ok(Vec::new());
        };
        let way = part.way(&[place]);
        let mut pipe = Pipe::new(self.source_of(p), &way, &self.options, pace);
        let mut out = |_: usize, chunk: Chunk<'_>| if chunk.is_empty() { Ok(()) } else { sink(chunk) };
        let told = |error| self.told(p, error);
        while let Some(bytes) = pipe.next().await.map_err(told)? {
            reader.push(&bytes, &mut out).map_err(told)?;
        }
        reader.finish(&mut out).map_err(told)?;
        Ok(reader.take_labels(0))
    }

    /// The dataset with all of its columns in memory.
    ///
    /// # Errors
    /// As [`OpenFile::column`].
    pub async fn into_dataset(mut self, pace: &dyn Pace) -> Result<Dataset, DataError> {
        if self.dataset.columns.iter().any(|c| c.values.is_none()) {
            let all: Vec<usize> = (0..self.dataset.columns.len()).collect();
            self.dataset.columns = self.columns(&all, pace).await?;
        }
        Ok(self.dataset)
    }

    /// What the file of column `index` was recognised as, where several are open or an archive has many.
    #[must_use]
    pub fn kind_of(&self, index: usize) -> Kind {
        self.places.get(index).map_or(self.dataset.provenance.kind, |(part, _)| self.parts[*part].kind)
    }

    /// The same for array `index`.
    #[must_use]
    pub fn kind_of_array(&self, index: usize) -> Kind {
        self.homes.get(index).map_or(self.dataset.provenance.kind, |part| self.parts[*part].kind)
    }

    /// Bytes of the parts that are in memory.
    pub(super) fn resident_bytes(&self) -> u64 {
        let mut held = vec![false; self.parts.len()];
        for ((part, _), column) in self.places.iter().zip(&self.dataset.columns) {
            held[*part] |= column.is_resident();
        }
        let parts = self.parts.iter().zip(held).filter(|(_, held)| *held);
        parts.fold(0, |sum: u64, (part, _)| sum.saturating_add(part.resident_bytes))
    }

    /// An error says which file it is about where there are several.
    fn told(&self, part: usize, error: DataError) -> DataError {
        if self.sources.len() > 1 { of_file(self.source_of(part).name(), error) } else { error }
    }

    fn source_of(&self, part: usize) -> &dyn ByteSource {
        &*self.sources[self.origins[part]]
    }

    fn head(&self, index: usize) -> Result<&Column, DataError> {
        let count = self.dataset.columns.len();
        self.dataset.columns.get(index).ok_or(DataError::NoColumn { index, count })
    }
}
