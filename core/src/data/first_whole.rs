//! The first pass over files that are read whole: HDF5, NetCDF, MAT, Parquet, Arrow.

use super::{
    DataError, Kind, Options, hdf5, mat, netcdf,
    part::Part,
    pipe::{Pipe, Route},
    whole::{Table, gather},
};

pub(super) async fn scientific(
    route: Route,
    kind: Kind,
    pipe: &mut Pipe<'_>,
    options: &Options,
) -> Result<Part, DataError> {
    let what = match kind {
        Kind::Mat => "the MAT-file",
        Kind::NetCdf => "the NetCDF file",
        _ => "the HDF5 file",
    };
    let bytes = gather(pipe, what, options).await?;
    let mut table = Table::new(bytes.len() as u64, options);
    let pace = pipe.pace();
    let plural = |n: usize, what: &str| if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") };
    let (kind, read_as) = if netcdf::looks_like(&bytes) {
        let version = bytes[3];
        let n = netcdf::read(&bytes, &mut table, pace).await?;
        (Kind::NetCdf, format!("NetCDF-3 (CDF-{version}), {}", plural(n, "variable")))
    } else if kind == Kind::Mat && !mat::is_hdf5(&bytes) {
        let n = mat::read(&bytes, &mut table, pace).await?;
        (Kind::Mat, format!("MAT-file of level 5, {}", plural(n, "variable")))
    } else {
        let found = hdf5::read(bytes, kind == Kind::Mat, &mut table, pace).await?;
        let (own, title) = match (kind, found.netcdf) {
            (Kind::Mat, _) => (Kind::Mat, "MAT-file of version 7.3"),
            (_, true) => (Kind::NetCdf, "NetCDF-4"),
            _ => (Kind::Hdf5, "HDF5"),
        };
        (own, format!("{title}, {}", plural(found.datasets, "dataset")))
    };
    table.finish(route, kind, read_as)
}

/// Parquet and Arrow.
#[cfg(not(target_arch = "wasm32"))]
pub(super) async fn columnar(
    route: Route,
    kind: Kind,
    pipe: &mut Pipe<'_>,
    options: &Options,
) -> Result<Part, DataError> {
    let what = if kind == Kind::Parquet { "the Parquet file" } else { "the Arrow file" };
    let bytes = gather(pipe, what, options).await?;
    let mut table = Table::new(bytes.len() as u64, options);
    let pace = pipe.pace();
    let read_as = if kind == Kind::Parquet {
        format!("Parquet, {} rows", super::columnar::parquet(bytes, &mut table, pace).await?)
    } else {
        format!("Arrow, {} rows", super::columnar::arrow(&bytes, &mut table, pace).await?)
    };
    table.finish(route, kind, read_as)
}

/// Not on the page, whose first download would be half as large again.
#[cfg(target_arch = "wasm32")]
pub(super) async fn columnar(_: Route, kind: Kind, _: &mut Pipe<'_>, _: &Options) -> Result<Part, DataError> {
    let what = if kind == Kind::Parquet { "a Parquet file on the page" } else { "an Arrow file on the page" };
    let instead = "the command line reads it, and the page reads it as CSV: df.to_csv(\"x.csv\", index=False)";
    Err(DataError::Unsupported { what: what.to_owned(), instead })
}
