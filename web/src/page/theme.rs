//! Light and dark: the system's wish, unless the user has another.

use gloo_events::EventListener;
use leptos::prelude::*;
use web_sys::Storage;

/// What the user chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Choice {
    /// As the system.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Choice {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub(super) const fn next(self) -> Self {
        match self {
            Self::Auto => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::Auto,
        }
    }
}

/// The choice, and whether the page is dark now.
#[derive(Clone, Copy)]
pub(super) struct Theme {
    pub(super) choice: RwSignal<Choice>,
    pub(super) dark: Memo<bool>,
}

/// Absent for opaque origins, and where the user forbids it.
fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

impl Theme {
    pub(super) fn start() -> Self {
        let root = document().document_element();
        let set = root.as_ref().and_then(|r| r.get_attribute("data-theme"));
        let choice = RwSignal::new(match set.as_deref() {
            Some("light") => Choice::Light,
            Some("dark") => Choice::Dark,
            _ => Choice::Auto,
        });
        let query = window().match_media("(prefers-color-scheme: dark)").ok().flatten();
        let system = RwSignal::new(query.as_ref().is_some_and(web_sys::MediaQueryList::matches));
        if let Some(query) = query {
            let target = query.clone();
            EventListener::new(&target, "change", move |_| system.set(query.matches())).forget();
        }
        let dark = Memo::new(move |_| match choice.get() {
            Choice::Auto => system.get(),
            Choice::Light => false,
            Choice::Dark => true,
        });
        Effect::new(move |before: Option<()>| {
            let word = choice.get().word();
            let Some(root) = document().document_element() else { return };
            let _ = match choice.get() {
                Choice::Auto => root.remove_attribute("data-theme"),
                _ => root.set_attribute("data-theme", word),
            };
            // A theme that came with the link is not remembered.
            if before.is_some()
                && let Some(storage) = storage()
            {
                let _ = storage.set_item("theme", word);
            }
        });
        Self { choice, dark }
    }
}
