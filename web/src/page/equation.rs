//! An equation where a definition is shown.

use leptos::prelude::*;

use crate::equation;

/// The equation of a measure or an experiment, typeset, and scrolling where it is too long. In plain text only while a new one
/// is being written, before the test that typesets has run.
#[component]
pub(super) fn Equation(id: &'static str, plain: &'static str) -> impl IntoView {
    match equation::mathml(id) {
        // A text that this module was built with: nothing that anyone gave is in it.
        Some(math) => {
            // Where it is too long browsers let the keyboard scroll it; a stop for each would be 75 in the reference.
            view! { <div class="equation" role="group" aria-label="Equation" inner_html=math></div> }.into_any()
        }
        None => view! { <p class="equation plain">{plain}</p> }.into_any(),
    }
}
