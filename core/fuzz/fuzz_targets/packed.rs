//! zstd, LZ4 and UTF-16: the first byte decides.
#![no_main]
mod common;

const MAGIC: [&[u8]; 4] = [&[0x28, 0xB5, 0x2F, 0xFD], &[0x04, 0x22, 0x4D, 0x18], &[0xFF, 0xFE], &[0xFE, 0xFF]];

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&first, rest)) = data.split_first() else { return };
    let bytes = [MAGIC[usize::from(first) % MAGIC.len()], rest].concat();
    common::read("file", &bytes, None);
});
