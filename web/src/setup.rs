//! Everything that decides the numbers of a report, and its form in a URL.
//!
//! ```text
//! ?sample=sunspots.csv&column=count&measure=perm&measure=sampen&perm.order=5&missing=omit&unit=bit&resamples=0
//! &surrogates=iaaft=99
//! ```
//! Only what differs from the defaults is written. Keys that mean nothing are kept and reported.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use surprisal_core::{
    measure::{self, Context, Entry, surrogate},
    quantity::Information,
};

use crate::protocol::Wish;

/// The choices of a report.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Setup {
    /// A bundled sample.
    pub(crate) sample: Option<String>,
    /// Names of the chosen columns; none: the first ones that can be measured.
    pub(crate) columns: Option<Vec<String>>,
    /// Names of the chosen arrays; none: the first ones.
    pub(crate) arrays: Option<Vec<String>>,
    /// Ids of the chosen measures; none: those suggested for each column.
    pub(crate) measures: Option<Vec<String>>,
    /// For each measure the parameters that differ from their defaults.
    pub(crate) settings: BTreeMap<String, Map<String, Json>>,
    /// Whether missing values are left out.
    pub(crate) omit: bool,
    /// The unit of information.
    pub(crate) information: Information,
    /// Resamples of an uncertainty, where not the default.
    pub(crate) resamples: Option<u32>,
    /// The seed of resampling.
    pub(crate) seed: u64,
    /// Surrogates that measures of one column are compared with.
    pub(crate) surrogates: Option<surrogate::Plan>,
    /// The back end.
    pub(crate) wish: Wish,
    /// Keys of the URL that mean nothing here, and values that do not fit, with the reason.
    pub(crate) unknown: Vec<Unknown>,
}

/// Something in the URL that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    /// The key.
    pub(crate) key: String,
    /// Its value.
    pub(crate) value: String,
    /// Why it was not used.
    pub(crate) why: String,
}

/// Keys that the page reads elsewhere: they stay in a link and are no mistake.
pub(crate) const OTHER: [&str; 2] = ["selftest", "theme"];

impl Setup {
    /// The number of resamples in force.
    pub(crate) fn resamples(&self) -> u32 {
        self.resamples.unwrap_or(Context::RESAMPLES)
    }

    /// Reads the query of a URL, without its question mark.
    pub(crate) fn parse(query: &str) -> Self {
        let mut setup = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            if OTHER.contains(&&*key) {
                continue;
            }
            if let Err(why) = setup.take(&key, &value) {
                setup.unknown.push(Unknown { key: key.into_owned(), value: value.into_owned(), why });
            }
        }
        setup
    }

    fn take(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "sample" => {
                if value.is_empty() || value.contains(['/', '\\', ':']) {
                    return Err("the name of a bundled sample is expected".to_owned());
                }
                self.sample = Some(value.to_owned());
            }
            "column" => self.columns.get_or_insert_default().push(value.to_owned()),
            "array" => self.arrays.get_or_insert_default().push(value.to_owned()),
            "measure" => {
                measure::find(value).map_err(|e| e.to_string())?;
                let list = self.measures.get_or_insert_default();
                if !list.iter().any(|id| id == value) {
                    list.push(value.to_owned());
                }
            }
            "missing" => {
                self.omit = match value {
                    "omit" => true,
                    "error" => false,
                    _ => return Err("expected error or omit".to_owned()),
                }
            }
            "unit" => {
                self.information = information(value).ok_or("expected native, bit or nat")?;
            }
            "resamples" => {
                let count = value.parse().ok().filter(|n| *n <= MOST_RESAMPLES);
                self.resamples = Some(count.ok_or_else(|| format!("expected a whole number up to {MOST_RESAMPLES}"))?);
            }
            "seed" => {
                self.seed =
                    value.parse().ok().filter(|n| *n <= MOST_SEED).ok_or("expected a whole number up to 2^53")?;
            }
            "surrogates" => self.surrogates = Some(value.parse()?),
            "backend" => self.wish = Wish::of(value).ok_or("expected auto, cpu or gpu")?,
            _ => {
                let (id, name) = key.rsplit_once('.').ok_or("no such key")?;
                let entry = measure::find(id).map_err(|e| e.to_string())?;
                let parameter =
                    entry.parameters().iter().find(|p| p.name == name).ok_or_else(|| unknown_parameter(entry, name))?;
                self.set(entry, name, parameter.parse(value))?;
            }
        }
        Ok(())
    }

    /// Sets one parameter of a measure; its default removes it.
    ///
    /// # Errors
    /// What would be right, in words.
    pub(crate) fn set(&mut self, entry: &Entry, name: &str, value: Json) -> Result<(), String> {
        let parameter =
            entry.parameters().iter().find(|p| p.name == name).ok_or_else(|| unknown_parameter(entry, name))?;
        let given = Json::from(Map::from_iter([(name.to_owned(), value.clone())]));
        entry.complete(&given).map_err(|_| parameter.expectation())?;
        let id = entry.about.id;
        if same(&value, &parameter.default) {
            if let Some(map) = self.settings.get_mut(id) {
                map.remove(name);
                if map.is_empty() {
                    self.settings.remove(id);
                }
            }
        } else {
            self.settings.entry(id.to_owned()).or_default().insert(name.to_owned(), value);
        }
        Ok(())
    }

    /// The value of one parameter in force.
    pub(crate) fn get(&self, entry: &Entry, name: &str) -> Json {
        let set = self.settings.get(entry.about.id).and_then(|map| map.get(name));
        let default = || entry.parameters().iter().find(|p| p.name == name).map(|p| p.default.clone());
        set.cloned().or_else(default).unwrap_or(Json::Null)
    }

    /// All parameters of a measure that differ from their defaults, the missing-value option included.
    pub(crate) fn parameters(&self, id: &str) -> Map<String, Json> {
        let mut map = self.settings.get(id).cloned().unwrap_or_default();
        if self.omit && !map.contains_key("missing") {
            map.insert("missing".to_owned(), Json::from("omit"));
        }
        map
    }

    /// The query of a URL that reads back as this, without a question mark; empty when all is at its default.
    pub(crate) fn to_query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if let Some(sample) = &self.sample {
            query.append_pair("sample", sample);
        }
        for column in self.columns.iter().flatten() {
            query.append_pair("column", column);
        }
        for array in self.arrays.iter().flatten() {
            query.append_pair("array", array);
        }
        for id in self.measures.iter().flatten() {
            query.append_pair("measure", id);
        }
        for (id, map) in &self.settings {
            for (name, value) in map {
                query.append_pair(&format!("{id}.{name}"), &plain(value));
            }
        }
        if self.omit {
            query.append_pair("missing", "omit");
        }
        if self.information != Information::Native {
            query.append_pair("unit", information_word(self.information));
        }
        if let Some(resamples) = self.resamples {
            query.append_pair("resamples", &resamples.to_string());
        }
        if self.seed != 0 {
            query.append_pair("seed", &self.seed.to_string());
        }
        if let Some(plan) = self.surrogates {
            query.append_pair("surrogates", &plan.to_string());
        }
        if self.wish != Wish::Auto {
            query.append_pair("backend", self.wish.word());
        }
        for unknown in &self.unknown {
            query.append_pair(&unknown.key, &unknown.value);
        }
        query.finish()
    }
}

/// The most resamples that the page takes.
pub(crate) const MOST_RESAMPLES: u32 = 10_000;
/// Seeds travel through the page as numbers.
const MOST_SEED: u64 = 1 << 53;

fn unknown_parameter(entry: &Entry, name: &str) -> String {
    let known = entry.parameters().iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ");
    format!("{} has no parameter '{name}'; it has {known}", entry.about.id)
}

/// Equal values; 2 and 2.0 are.
pub(crate) fn same(a: &Json, b: &Json) -> bool {
    a == b || matches!((a.as_f64(), b.as_f64()), (Some(x), Some(y)) if x.total_cmp(&y).is_eq())
}

/// A parameter's value as text: strings without quotes, null as nothing.
pub(crate) fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        // The shortest form that reads back: 1, not 1.0.
        Json::Number(n) if n.is_f64() => n.as_f64().map_or_else(String::new, |x| x.to_string()),
        other => other.to_string(),
    }
}

/// The word for a unit of information.
pub(crate) const fn information_word(information: Information) -> &'static str {
    match information {
        Information::Native => "native",
        Information::Bit => "bit",
        Information::Nat => "nat",
    }
}

/// The unit that a word stands for.
pub(crate) fn information(word: &str) -> Option<Information> {
    [Information::Native, Information::Bit, Information::Nat].into_iter().find(|i| information_word(*i) == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_reads_back_as_what_was_set() {
        let text = "sample=sunspots.csv&column=count&column=a+%26+b&measure=perm&measure=sampen&perm.order=5\
                    &missing=omit&unit=nat&resamples=0&seed=7&surrogates=iaaft%3D19&backend=cpu";
        let setup = Setup::parse(text);
        assert_eq!(setup.unknown, []);
        assert_eq!(setup.columns.as_deref(), Some(&["count".to_owned(), "a & b".to_owned()][..]));
        assert_eq!(setup.settings["perm"]["order"], 5);
        assert_eq!(setup.resamples(), 0);
        assert_eq!(setup.surrogates, Some(surrogate::Plan { kind: surrogate::Kind::Iaaft, count: 19 }));
        assert_eq!(Setup::parse(&setup.to_query()), setup);
        assert_eq!(setup.to_query(), text);
    }

    #[test]
    fn defaults_leave_nothing_in_the_link() {
        let mut setup = Setup::default();
        assert_eq!(setup.to_query(), "");
        let entry = measure::find("perm").unwrap();
        setup.set(entry, "order", Json::from(4)).unwrap();
        assert_eq!(setup.to_query(), "perm.order=4");
        setup.set(entry, "order", entry.parameters()[0].default.clone()).unwrap();
        assert_eq!(setup.to_query(), "");
    }

    #[test]
    fn what_means_nothing_is_kept_and_reported() {
        let setup = Setup::parse("utm=1&perm.order=99&measure=perrm&unit=byte&surrogates=twist=9&selftest");
        let keys: Vec<_> = setup.unknown.iter().map(|u| u.key.as_str()).collect();
        assert_eq!(keys, ["utm", "perm.order", "measure", "unit", "surrogates"]);
        assert!(setup.unknown[1].why.contains("whole number"), "{}", setup.unknown[1].why);
        assert!(setup.unknown[2].why.contains("did you mean 'perm'"), "{}", setup.unknown[2].why);
        assert!(setup.unknown[4].why.contains("expected shuffle, phase or iaaft"), "{}", setup.unknown[4].why);
        assert_eq!(setup.to_query(), "utm=1&perm.order=99&measure=perrm&unit=byte&surrogates=twist%3D9");
    }

    #[test]
    fn surrogates_are_read_as_people_write_them() {
        let plan = |query: &str| Setup::parse(query).surrogates.map(|plan| plan.to_string());
        assert_eq!(plan("surrogates=iaaft=99").as_deref(), Some("iaaft=99"));
        assert_eq!(plan("surrogates=shuffle").as_deref(), Some("shuffle=99"));
        for bad in ["iaaft=0", "iaaft=100001", "iaaft=many", "none", ""] {
            let setup = Setup::parse(&format!("surrogates={bad}"));
            assert_eq!((setup.surrogates, setup.unknown.len()), (None, 1), "{bad}");
        }
    }

    #[test]
    fn a_sample_is_a_name_and_never_a_path() {
        for bad in ["../x", "https://a.b", "a/b", ""] {
            assert_eq!(Setup::parse(&format!("sample={bad}")).sample, None);
        }
    }
}
