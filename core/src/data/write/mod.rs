//! Files that other programs open: bytes out, to whatever takes them.

pub mod netcdf;
pub mod npy;
pub mod school_csv;
