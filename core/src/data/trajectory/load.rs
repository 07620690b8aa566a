//! Whole files in memory: gzip undone, zip archives taken apart, sizes checked on the way.

use super::{TrajectoryError, TrajectoryFile, TrajectoryOptions, error::within};
use crate::data::{
    ByteSource, DataError, Options, archive,
    detect::{extension, is_gzip, is_zip},
    pipe::{Pipe, Route},
    stage::Layer,
};
use crate::pace::Pace;

/// One file, decoded.
pub(super) struct Item {
    /// Its name, without its folder and without `.gz`.
    pub(super) name: String,
    pub(super) body: Body,
}

/// What is in it.
pub(super) enum Body {
    Bytes(Vec<u8>),
    /// An NPZ archive: the arrays' names without `.npy`, and their NPY files.
    Arrays(Vec<(String, Vec<u8>)>),
}

impl Item {
    /// The bytes of a file that is no NPZ archive.
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Bytes(bytes) => bytes,
            Body::Arrays(_) => &[],
        }
    }
}

/// Reads all files. A zip archive of other files than arrays counts as those files.
pub(super) async fn load(
    files: &[Box<dyn ByteSource>],
    options: &TrajectoryOptions,
    pace: &dyn Pace,
) -> Result<(Vec<Item>, Vec<TrajectoryFile>), TrajectoryError> {
    let mut loader = Loader { left: options.max_bytes, limit: options.max_bytes, pace };
    let (mut items, mut provenance) = (Vec::new(), Vec::new());
    for file in files {
        let name = file.name().to_owned();
        let sha256 = loader.file(&**file, &mut items).await.map_err(within(&name))?;
        provenance.push(TrajectoryFile { name, size: file.len(), sha256 });
    }
    Ok((items, provenance))
}

struct Loader<'a> {
    left: u64,
    limit: u64,
    pace: &'a dyn Pace,
}

impl Loader<'_> {
    async fn file(&mut self, source: &dyn ByteSource, items: &mut Vec<Item>) -> Result<String, DataError> {
        let name = source.name().to_owned();
        if source.is_empty() {
            return Err(DataError::Empty { name, what: "it has no byte" });
        }
        let head = source.read(0, 8).await?;
        let mut route = Route { name, start: 0, end: source.len(), layers: Vec::new() };
        if is_zip(&head) {
            let sha256 = Pipe::new(source, &route, &Options::default(), self.pace).hashing().digest().await?;
            self.archive(source, items).await?;
            return Ok(sha256);
        }
        if is_gzip(&head) {
            route.layers.push(Layer::Gzip);
            if extension(&route.name) == "gz" {
                route.name.truncate(route.name.len() - 3);
            }
        }
        let (bytes, sha256) = self.read(source, &route, true).await?;
        items.push(Item { name: route.name, body: Body::Bytes(bytes) });
        Ok(sha256)
    }

    async fn archive(&mut self, source: &dyn ByteSource, items: &mut Vec<Item>) -> Result<(), DataError> {
        let routes = archive::members(source).await?;
        let npz = extension(source.name()) == "npz" || routes.iter().all(|r| extension(&r.name) == "npy");
        if routes.is_empty() {
            return Err(DataError::Empty { name: source.name().to_owned(), what: "the archive has no file" });
        }
        let mut arrays = Vec::new();
        for route in routes {
            let name = route.name.rsplit('/').next().unwrap_or(&route.name).to_owned();
            let of = |error| match error {
                DataError::Cancelled(_) => error,
                _ => DataError::Member { name: route.name.clone(), error: Box::new(error) },
            };
            let (bytes, _) = self.read(source, &route, false).await.map_err(of)?;
            if npz {
                arrays.push((name.strip_suffix(".npy").unwrap_or(&name).to_owned(), bytes));
            } else if is_zip(&bytes) {
                let inner = crate::data::Memory::new(name.clone(), bytes);
                Box::pin(self.archive_of_arrays(&inner, items)).await.map_err(of)?;
            } else {
                items.push(Item { name, body: Body::Bytes(bytes) });
            }
        }
        if npz {
            items.push(Item { name: source.name().to_owned(), body: Body::Arrays(arrays) });
        }
        Ok(())
    }

    /// An NPZ archive inside a zip archive, as a folder of TRex files becomes.
    async fn archive_of_arrays(&mut self, source: &dyn ByteSource, items: &mut Vec<Item>) -> Result<(), DataError> {
        if extension(source.name()) != "npz" {
            let what = format!("the zip archive {} inside another", source.name());
            return Err(DataError::Unsupported { what, instead: "unpack it once first" });
        }
        self.archive(source, items).await
    }

    async fn read(
        &mut self,
        source: &dyn ByteSource,
        route: &Route,
        hashing: bool,
    ) -> Result<(Vec<u8>, String), DataError> {
        let too_large = |needed: u64, limit: u64| DataError::TooLarge { what: route.name.clone(), needed, limit };
        if let Some(exact) = route.exact_len()
            && exact > self.left
        {
            return Err(too_large(exact, self.limit));
        }
        let options = Options { decoded_limit: self.limit, ..Options::default() };
        let mut pipe = Pipe::new(source, route, &options, self.pace);
        if hashing {
            pipe = pipe.hashing();
        }
        let mut bytes = Vec::new();
        while let Some(more) = pipe.next().await? {
            let needed = bytes.len() as u64 + more.len() as u64;
            if needed > self.left {
                return Err(too_large(needed, self.limit));
            }
            bytes.extend_from_slice(&more);
        }
        self.left -= bytes.len() as u64;
        Ok((bytes, pipe.digest().await?))
    }
}
