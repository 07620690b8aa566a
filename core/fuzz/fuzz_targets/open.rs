//! Recognition of any file, without an extension.
#![no_main]
mod common;

libfuzzer_sys::fuzz_target!(|data: &[u8]| common::read("file", data, None));
