//! A list of types, written once, as two tables: what each of them is, and what it does.

/// Writes, from a list of types, the function that lists their `Entry`s and the static `WORKS` with a `Work` for each, in one
/// order: the entry at `place` belongs to `WORKS[place]`. `Entry::of::<T>(place)` and `Work::of::<T>()` are those of the module.
///
/// The two are apart for the sake of the linker. A program that only shows the list (the page, whose engine is a module of its
/// own) never names `WORKS`, and what the types do is left out of it.
macro_rules! tables {
    ($(#[$about:meta])* $visibility:vis fn $list:ident; $($entry:ty),+ $(,)?) => {
        static WORKS: &[Work] = &[$(Work::of::<$entry>()),+];

        $(#[$about])*
        $visibility fn $list() -> &'static [Entry] {
            static ENTRIES: OnceLock<Vec<Entry>> = OnceLock::new();
            ENTRIES.get_or_init(|| {
                let entries: &[fn(usize) -> Entry] = &[$(Entry::of::<$entry>),+];
                entries.iter().enumerate().map(|(place, of)| of(place)).collect()
            })
        }
    };
}

pub(crate) use tables;
