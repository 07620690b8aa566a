//! An experiment and its parameters, and their form in a URL.
//!
//! ```text
//! ?experiment=fish-schooling&count=300&orientation_width=6&view.speed=most&backend=cpu
//! ```
//! Only what differs from the defaults is written. Keys that mean nothing, and values that do not fit, are kept and
//! reported.

use serde_json::{Map, Value as Json};
use surprisal_core::{
    experiment::{self, Entry},
    params::{Parameter, ParameterError},
};

use crate::{
    live::{Shade, Speed},
    protocol::Wish,
    setup::{OTHER, Unknown, plain, same},
};

/// What decides the numbers of a run, and how it is shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Trial {
    /// The experiment's id; none: no experiment.
    pub(crate) experiment: Option<String>,
    /// Parameters that differ from their defaults.
    pub(crate) given: Map<String, Json>,
    /// The back end.
    pub(crate) wish: Wish,
    /// How fast it runs, where not the default.
    pub(crate) speed: Option<Speed>,
    /// What colour stands for.
    pub(crate) shade: Shade,
    /// What could not be used.
    pub(crate) unknown: Vec<Unknown>,
}

impl Trial {
    /// The experiment at its defaults.
    pub(crate) fn of(id: &str, wish: Wish) -> Self {
        Self { experiment: Some(id.to_owned()), wish, ..Self::default() }
    }

    /// Reads the query of a URL, without its question mark.
    pub(crate) fn parse(query: &str) -> Self {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let id = pairs.iter().find(|(key, _)| key == "experiment").map(|(_, id)| id.clone());
        id.map_or_else(Self::default, |id| Self::read(&id, &pairs))
    }

    /// The experiment `id` with what `pairs` say.
    pub(crate) fn read(id: &str, pairs: &[(String, String)]) -> Self {
        let mut trial = Self { experiment: Some(id.to_owned()), ..Self::default() };
        for (key, value) in pairs {
            if OTHER.contains(&key.as_str()) || key == "experiment" {
                continue;
            }
            if let Err(why) = trial.take(key, value) {
                trial.unknown.push(Unknown { key: key.clone(), value: value.clone(), why });
            }
        }
        trial
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "backend" => self.wish = Wish::of(value).ok_or("expected auto, cpu or gpu")?,
            "view.speed" => self.speed = Some(Speed::of(value).ok_or("expected slow, even, fast or most")?),
            "view.colour" => {
                self.shade = Shade::of(value).ok_or("expected heading, speed, depth or alignment")?;
            }
            _ => {
                let entry = self.entry().ok_or("the experiment is not known")?;
                let parameter = entry.parameters().iter().find(|p| p.name == key);
                let value = entry.parse(key, value).map_err(|error| reason(&error, parameter))?;
                self.set(key, value);
            }
        }
        Ok(())
    }

    /// The experiment.
    pub(crate) fn entry(&self) -> Option<&'static Entry> {
        experiment::find(self.experiment.as_deref()?).ok()
    }

    /// Sets a parameter; its default removes it.
    pub(crate) fn set(&mut self, key: &str, value: Json) {
        let default = self.entry().and_then(|e| e.parameters().iter().find(|p| p.name == key)).map(|p| &p.default);
        if default.is_some_and(|d| same(d, &value)) {
            self.given.remove(key);
        } else {
            self.given.insert(key.to_owned(), value);
        }
    }

    /// The value in force.
    pub(crate) fn get(&self, parameter: &Parameter) -> Json {
        self.given.get(&parameter.name).unwrap_or(&parameter.default).clone()
    }

    /// All parameters.
    pub(crate) fn full(&self) -> Map<String, Json> {
        self.entry().and_then(|e| e.complete(&Json::Object(self.given.clone())).ok()).unwrap_or_default()
    }

    /// The query of a URL that reads back as this, without a question mark.
    pub(crate) fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(id) = &self.experiment {
            query.append_pair("experiment", id);
        }
        self.pairs(&mut query);
        query.finish()
    }

    /// The query of an embedded figure, whose address names the experiment.
    pub(crate) fn to_embed_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        self.pairs(&mut query);
        query.finish()
    }

    fn pairs(&self, query: &mut form_urlencoded::Serializer<'_, String>) {
        let entry = self.entry();
        // In the order of the controls, so that equal choices are equal links.
        for parameter in entry.iter().flat_map(|e| e.parameters()) {
            if let Some(value) = self.given.get(&parameter.name) {
                query.append_pair(&parameter.name, &plain(value));
            }
        }
        if let Some(speed) = self.speed {
            query.append_pair("view.speed", speed.word());
        }
        if self.shade != Shade::default() {
            query.append_pair("view.colour", self.shade.word());
        }
        if self.wish != Wish::Auto {
            query.append_pair("backend", self.wish.word());
        }
        for unknown in &self.unknown {
            query.append_pair(&unknown.key, &unknown.value);
        }
    }
}

/// What would be right, without the name of what is wrong, for a place beside it.
pub(crate) fn reason(error: &ParameterError, parameter: Option<&Parameter>) -> String {
    match (error, parameter) {
        (ParameterError::Invalid { .. }, Some(parameter)) => parameter.expectation(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_back_as_what_was_set() {
        let text = "experiment=fish-schooling&count=300&orientation_width=6.5&view.speed=most&backend=cpu";
        let trial = Trial::parse(text);
        assert_eq!(trial.unknown, []);
        assert_eq!(trial.given["count"], 300);
        assert_eq!(trial.to_query(), text);
        assert_eq!(Trial::parse(&trial.to_query()), trial);
        assert_eq!(trial.full()["count"], 300);
        assert!(trial.full().contains_key("seed"));
    }

    #[test]
    fn defaults_leave_nothing_but_the_name() {
        let mut trial = Trial::parse("experiment=vicsek&noise=1.0");
        assert_eq!(trial.to_query(), "experiment=vicsek");
        trial.set("noise", Json::from(2));
        assert_eq!(trial.to_query(), "experiment=vicsek&noise=2");
        trial.set("noise", Json::from(1));
        assert_eq!(trial.to_query(), "experiment=vicsek");
    }

    #[test]
    fn what_means_nothing_is_kept_and_reported() {
        let trial = Trial::parse("experiment=vicsek&utm=1&noise=99&count=many&theme=dark");
        let keys: Vec<_> = trial.unknown.iter().map(|u| u.key.as_str()).collect();
        assert_eq!(keys, ["utm", "noise", "count"]);
        assert!(trial.unknown[1].why.contains("from 0 to 6.28"), "{}", trial.unknown[1].why);
        assert_eq!(trial.to_query(), "experiment=vicsek&utm=1&noise=99&count=many");
    }

    #[test]
    fn without_the_key_there_is_no_experiment() {
        assert_eq!(Trial::parse("sample=sunspots.csv").experiment, None);
        let unknown = Trial::parse("experiment=fish&count=3");
        assert!(unknown.entry().is_none());
        assert_eq!(unknown.unknown.len(), 1);
    }
}
