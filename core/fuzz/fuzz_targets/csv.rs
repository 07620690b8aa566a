//! Tables.
#![no_main]
mod common;

libfuzzer_sys::fuzz_target!(|data: &[u8]| common::read("file.csv", data, Some(surprisal_core::data::Kind::Csv)));
