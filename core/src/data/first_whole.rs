//! The first pass over files that are read whole: HDF5, NetCDF, MAT, Parquet, Arrow.

use super::{
    DataError, Kind, Options, columnar, hdf5, mat, netcdf,
    part::Part,
    pipe::{Pipe, Route},
    whole::{Table, gather, pour},
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
pub(super) async fn columnar(
    route: Route,
    kind: Kind,
    pipe: &mut Pipe<'_>,
    options: &Options,
) -> Result<Part, DataError> {
    let mut reading = columnar::begin(kind, options)?;
    let what = format!("the {}", columnar::noun(kind));
    let len = pour(pipe, &what, options, |bytes| reading.push(bytes)).await?;
    let mut table = Table::new(len, options);
    let found = reading.read(kind, table.left(), pipe.pace()).await?;
    for (name, why) in found.skipped {
        table.skip(&name, &why);
    }
    let rows = found.rows;
    for column in found.columns {
        let shape = if column.width > 1 { vec![rows, column.width] } else { vec![rows] };
        table.array(&column.name, column.unit.as_deref(), &shape, column.values)?;
    }
    let title = if kind == Kind::Parquet { "Parquet" } else { "Arrow" };
    table.finish(route, kind, format!("{title}, {rows} rows"))
}
