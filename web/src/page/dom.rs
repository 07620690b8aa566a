//! Small things that are asked of the browser.

use js_sys::Array;
use leptos::prelude::{document, window};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, HtmlElement, Response, Url};

/// The query of the page's address, without its question mark.
pub(super) fn query() -> String {
    window().location().search().unwrap_or_default().trim_start_matches('?').to_owned()
}

/// The keys and values of the query.
pub(super) fn pairs() -> Vec<(String, String)> {
    form_urlencoded::parse(query().as_bytes()).into_owned().collect()
}

/// The fragment, without its hash mark.
pub(super) fn fragment() -> String {
    window().location().hash().unwrap_or_default().trim_start_matches('#').to_owned()
}

/// The page's address without query and fragment.
pub(super) fn address() -> String {
    let location = window().location();
    format!("{}{}", location.origin().unwrap_or_default(), location.pathname().unwrap_or_default())
}

/// The page's address in full.
pub(super) fn href() -> String {
    window().location().href().unwrap_or_default()
}

/// The address of a file of this site: an embedded figure lies in a folder of it.
pub(super) fn site(path: &str) -> String {
    let base = attribute("data-base").unwrap_or_else(|| "./".to_owned());
    web_sys::Url::new_with_base(&format!("{base}{path}"), &href()).map_or_else(|_| path.to_owned(), |url| url.href())
}

/// An attribute of the document's root.
pub(super) fn attribute(name: &str) -> Option<String> {
    document().document_element()?.get_attribute(name)
}

/// Puts a query into the address as a new entry of the history, without a fragment.
pub(super) fn push_query(query: &str) {
    let path = window().location().pathname().unwrap_or_default();
    let url = if query.is_empty() { path } else { format!("{path}?{query}") };
    if let Ok(history) = window().history() {
        let _ = history.push_state_with_url(&JsValue::NULL, "", Some(&url));
    }
}

/// Whether the user wants things to move by themselves as little as possible.
pub(super) fn still() -> bool {
    window().match_media("(prefers-reduced-motion: reduce)").ok().flatten().is_some_and(|query| query.matches())
}

/// Puts a query into the address, keeping the fragment; no entry is added to the history.
pub(super) fn replace_query(query: &str) {
    let mut url = window().location().pathname().unwrap_or_default();
    if !query.is_empty() {
        url = format!("{url}?{query}");
    }
    let hash = window().location().hash().unwrap_or_default();
    if let Ok(history) = window().history() {
        // An opaque origin has no history to write to.
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&format!("{url}{hash}")));
    }
}

/// Moves the focus to the element with this id.
pub(super) fn focus(id: &str) {
    if let Some(element) = document().get_element_by_id(id).and_then(|e| e.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// What went wrong in JavaScript, in words.
pub(super) fn reason(error: JsValue) -> String {
    error.dyn_ref::<js_sys::Error>().map_or_else(|| "the browser refused".to_owned(), |e| String::from(e.message()))
}

/// Fetches a file of this site.
///
/// # Errors
/// The status or the network's complaint, in words.
pub(super) async fn fetch(path: &str) -> Result<Response, String> {
    let response = JsFuture::from(window().fetch_with_str(path)).await.map_err(reason)?;
    let response: Response = response.dyn_into().map_err(|_| "no response".to_owned())?;
    if response.ok() { Ok(response) } else { Err(format!("{path}: {} {}", response.status(), response.status_text())) }
}

/// Fetches a file of this site as a blob.
///
/// # Errors
/// As [`fetch`].
pub(super) async fn fetch_blob(path: &str) -> Result<Blob, String> {
    let blob = fetch(path).await?.blob().map_err(reason)?;
    JsFuture::from(blob).await.map_err(reason)?.dyn_into().map_err(|_| "no blob".to_owned())
}

/// Fetches a file of this site as text.
///
/// # Errors
/// As [`fetch`].
pub(super) async fn fetch_text(path: &str) -> Result<String, String> {
    let text = fetch(path).await?.text().map_err(reason)?;
    JsFuture::from(text).await.map_err(reason)?.as_string().ok_or_else(|| "no text".to_owned())
}

/// Text as a blob.
pub(super) fn blob(text: &str, kind: &str) -> Option<Blob> {
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    Blob::new_with_str_sequence_and_options(&Array::of1(&text.into()), &options).ok()
}

/// Saves a blob under a name.
pub(super) fn save(blob: &Blob, name: &str) {
    let Ok(url) = Url::create_object_url_with_blob(blob) else { return };
    if let Ok(anchor) = document().create_element("a") {
        let anchor: HtmlAnchorElement = anchor.unchecked_into();
        anchor.set_href(&url);
        anchor.set_download(name);
        anchor.click();
    }
    // The download holds the bytes by now, or soon.
    gloo_timers::callback::Timeout::new(10_000, move || {
        let _ = Url::revoke_object_url(&url);
    })
    .forget();
}

/// Saves text under a name.
pub(super) fn save_text(text: &str, kind: &str, name: &str) {
    if let Some(blob) = blob(text, kind) {
        save(&blob, name);
    }
}

/// Puts text on the clipboard.
///
/// # Errors
/// The browser's refusal; the caller shows the text to copy by hand.
pub(super) async fn copy(text: &str) -> Result<(), String> {
    let navigator = window().navigator();
    // Absent outside of secure contexts.
    let clipboard = js_sys::Reflect::get(&navigator, &"clipboard".into()).map_err(reason)?;
    if clipboard.is_undefined() {
        return Err("this page may not write to the clipboard".to_owned());
    }
    JsFuture::from(navigator.clipboard().write_text(text)).await.map(|_| ()).map_err(reason)
}

/// A part of a file name: letters, digits and dashes.
pub(super) fn slug(text: &str) -> String {
    let kept: String = text.chars().map(|c| if c.is_alphanumeric() || c == '.' { c } else { '-' }).collect();
    kept.trim_matches('-').to_owned()
}

/// Brings an element into view, without motion.
pub(super) fn scroll_to(element: &web_sys::Element) {
    element.scroll_into_view();
}

/// Brings the element with this id into view and puts the focus there.
pub(super) fn show(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        scroll_to(&element);
        focus(id);
    }
}

/// Whether the page is too narrow for two panes (as in the style sheet).
pub(super) fn narrow() -> bool {
    window().match_media("(max-width: 899px)").ok().flatten().is_some_and(|query| query.matches())
}
