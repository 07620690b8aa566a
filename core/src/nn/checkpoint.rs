//! Checkpoints in the safetensors format, so that others can read them.
//!
//! One F32 tensor for each of [`super::Layout`], under its name; the moments of the optimiser, where they are kept, as
//! `optimiser.first.NAME` and `optimiser.second.NAME`. Metadata: `format` (`surprisal.gpt`), `config`, `optimiser` (JSON),
//! `step`, and `weights` (`[inputs, outputs]`, the transpose of PyTorch's linear layers).

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{Config, Gpt, NnError, Optimiser};

const FORMAT: &str = "surprisal.gpt";
const PREFIXES: [&str; 2] = ["optimiser.first.", "optimiser.second."];

/// A transformer at some step, in f32.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What it is.
    pub config: Config,
    /// How it was trained.
    pub optimiser: Optimiser,
    /// Steps behind.
    pub step: u64,
    /// All parameters, in the order of the layout.
    pub params: Vec<f32>,
    /// The moments of AdamW, where training is to go on.
    pub moments: Option<[Vec<f32>; 2]>,
}

impl Checkpoint {
    /// As bytes.
    ///
    /// # Errors
    /// [`NnError::Checkpoint`] where the buffers are not those of the config.
    pub fn to_bytes(&self) -> Result<Vec<u8>, NnError> {
        self.fits(&self.config)?;
        let gpt = Gpt::new(self.config)?;
        let bytes = |flat: &[f32]| flat.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        let mut buffers = vec![(String::new(), bytes(&self.params))];
        if let Some(moments) = &self.moments {
            buffers.extend(PREFIXES.iter().zip(moments).map(|(prefix, m)| ((*prefix).to_owned(), bytes(m))));
        }
        let mut tensors = Vec::new();
        for (prefix, bytes) in &buffers {
            for tensor in gpt.layout().tensors() {
                let data = &bytes[4 * tensor.view.offset..][..4 * tensor.view.len];
                let view = TensorView::new(Dtype::F32, tensor.shape.clone(), data).map_err(told)?;
                tensors.push((format!("{prefix}{}", tensor.name), view));
            }
        }
        let json = |text: Result<String, serde_json::Error>| text.map_err(|e| NnError::Checkpoint(e.to_string()));
        let metadata = [
            ("format", FORMAT.to_owned()),
            ("config", json(serde_json::to_string(&self.config))?),
            ("optimiser", json(serde_json::to_string(&self.optimiser))?),
            ("step", self.step.to_string()),
            ("weights", "[inputs, outputs]".to_owned()),
        ];
        let metadata = metadata.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        in_order(safetensors::serialize(tensors, Some(metadata)).map_err(told)?)
    }

    /// The checkpoint of these bytes.
    ///
    /// # Errors
    /// [`NnError::Checkpoint`] for what is no such file, or lacks a tensor; [`NnError::Parameter`] for a config that
    /// makes no sense.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NnError> {
        let wrong = |text: String| NnError::Checkpoint(text);
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(told)?;
        let metadata = header.metadata().clone().unwrap_or_default();
        let entry = |key: &str| {
            let missing = || wrong(format!("its metadata has no '{key}'; a file of this program has"));
            metadata.get(key).ok_or_else(missing)
        };
        if entry("format")? != FORMAT {
            return Err(wrong(format!("its format is '{}', not '{FORMAT}'", entry("format")?)));
        }
        let config: Config = serde_json::from_str(entry("config")?).map_err(|e| wrong(format!("its config: {e}")))?;
        let optimiser: Optimiser =
            serde_json::from_str(entry("optimiser")?).map_err(|e| wrong(format!("its optimiser: {e}")))?;
        optimiser.check()?;
        let step = entry("step")?.parse().map_err(|e| wrong(format!("its step: {e}")))?;
        let gpt = Gpt::new(config)?;
        let file = SafeTensors::deserialize(bytes).map_err(told)?;
        let read = |prefix: &str| {
            let mut flat = vec![0.0; gpt.layout().len()];
            for tensor in gpt.layout().tensors() {
                let name = format!("{prefix}{}", tensor.name);
                let view = file.tensor(&name).map_err(|_| wrong(format!("it has no tensor '{name}'")))?;
                if view.dtype() != Dtype::F32 || view.shape() != tensor.shape {
                    let (dtype, shape, expected) = (view.dtype(), view.shape(), &tensor.shape);
                    return Err(wrong(format!("'{name}' is {dtype:?} {shape:?}; expected F32 {expected:?}")));
                }
                let words = view.data().as_chunks::<4>().0;
                for (to, word) in tensor.view.of_mut(&mut flat).iter_mut().zip(words) {
                    *to = f32::from_le_bytes(*word);
                }
            }
            Ok(flat)
        };
        let kept = file.names().iter().any(|name| name.starts_with(PREFIXES[0]));
        let moments = if kept { Some([read(PREFIXES[0])?, read(PREFIXES[1])?]) } else { None };
        Ok(Self { config, optimiser, step, params: read("")?, moments })
    }

    /// Whether it is one of a network of `config`, of finite numbers throughout.
    ///
    /// # Errors
    /// [`NnError::Checkpoint`], which says what does not fit.
    pub fn fits(&self, config: &Config) -> Result<(), NnError> {
        if self.config != *config {
            return Err(NnError::Checkpoint("it is of a network of another config".to_owned()));
        }
        let wanted = Gpt::new(*config)?.layout().len();
        let buffers = std::iter::once(&self.params).chain(self.moments.iter().flatten());
        for buffer in buffers {
            if buffer.len() != wanted {
                return Err(NnError::Checkpoint(format!("{} numbers; the network has {wanted}", buffer.len())));
            }
            if let Some(place) = buffer.iter().position(|x| !x.is_finite()) {
                return Err(NnError::Checkpoint(format!("number {place} is {}", buffer[place])));
            }
        }
        Ok(())
    }
}

fn told(error: impl std::fmt::Display) -> NnError {
    NnError::Checkpoint(error.to_string())
}

/// The same file with its metadata by name: the crate writes them in the order of a hash, and equal networks are to give
/// equal files.
fn in_order(mut file: Vec<u8>) -> Result<Vec<u8>, NnError> {
    let wrong = || NnError::Checkpoint("the header that was written cannot be read".to_owned());
    let length = file.first_chunk::<8>().map(|bytes| u64::from_le_bytes(*bytes)).ok_or_else(wrong)?;
    let end = usize::try_from(length).ok().and_then(|length| length.checked_add(8)).ok_or_else(wrong)?;
    let header = file.get(8..end).ok_or_else(wrong)?;
    let mut json: serde_json::Value = serde_json::from_slice(header).map_err(|_| wrong())?;
    let metadata = json.get_mut("__metadata__").ok_or_else(wrong)?;
    let sorted: BTreeMap<String, serde_json::Value> = serde_json::from_value(metadata.take()).map_err(|_| wrong())?;
    *metadata = sorted.into_iter().collect();
    let mut text = json.to_string().into_bytes();
    // As long as before but for the spaces that align what follows.
    if text.len() > header.len() {
        return Err(wrong());
    }
    text.resize(header.len(), b' ');
    file[8..end].copy_from_slice(&text);
    Ok(file)
}
