//! HDF5.
#![no_main]
mod common;

libfuzzer_sys::fuzz_target!(|data: &[u8]| common::read("file.h5", data, Some(surprisal_core::data::Kind::Hdf5)));
