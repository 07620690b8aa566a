//! Images.
#![no_main]
mod common;

libfuzzer_sys::fuzz_target!(|data: &[u8]| common::read("file.png", data, Some(surprisal_core::data::Kind::Image)));
