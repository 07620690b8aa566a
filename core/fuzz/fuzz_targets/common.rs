//! Opens bytes as a user would and reads every column in every way.

use surprisal_core::{
    data::{Kind, Memory, Options, open},
    pace::Unhurried,
};

/// Small limits, so that a run finds logic errors before it finds the machine's memory.
pub fn read(name: &str, bytes: &[u8], kind: Option<Kind>) {
    for resident_limit in [1 << 20, 0] {
        let options = Options { resident_limit, decoded_limit: 16 << 20, column_limit: 16 << 20, kind, ..Options::default() };
        let source = Box::new(Memory::new(name, bytes.to_vec()));
        let Ok(file) = pollster::block_on(open(source, options, &Unhurried)) else { return };
        for (i, column) in file.dataset.columns.iter().enumerate().take(8) {
            if let Ok(loaded) = pollster::block_on(file.column(i, &Unhurried)) {
                assert_eq!(loaded.values.map(|v| v.len() as u64), Some(column.len));
            }
            let mut streamed = 0;
            let sink = &mut |c: surprisal_core::data::Chunk<'_>| {
                streamed += c.len() as u64;
                Ok(())
            };
            if pollster::block_on(file.stream(i, sink, &Unhurried)).is_ok() {
                assert_eq!(streamed, column.len);
            }
        }
    }
}
