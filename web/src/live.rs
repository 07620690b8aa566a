//! What the page and the engine say to each other about the experiment that runs.
//!
//! Plain data again, and small: positions never travel. The engine draws them itself, on a canvas that it was given.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use surprisal_core::{compute::Backend, figure::Figure};

use crate::protocol::Wish;

/// From the page to the engine, beside the number of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Act {
    /// Begin, in the place of what runs.
    Start {
        /// The experiment's id.
        experiment: String,
        /// All parameters.
        parameters: Map<String, Json>,
        /// The back end.
        wish: Wish,
        /// Whether it runs at once.
        play: bool,
    },
    /// Other parameters (all of them): applied where that makes sense, else the run begins again.
    Set(Map<String, Json>),
    /// Run, or go on.
    Play,
    /// Hold.
    Pause,
    /// One step, then hold.
    StepOnce,
    /// How fast it runs.
    Pace(Speed),
    /// How it is shown.
    Look(Look),
    /// Draw on the canvas that travels beside this message.
    Canvas,
    /// The pointer is here, in pixels of the canvas, or has left.
    Point(Option<(f64, f64)>),
    /// Whether anybody can see it.
    Watch(Watch),
    /// Tell the record as it is now.
    Report,
    /// Compare a short run on this back end with one on the CPU.
    CrossCheck,
    /// End.
    Stop,
}

/// Who can see a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Watch {
    /// Somebody can.
    #[default]
    Seen,
    /// Nobody can; it goes on at full speed, and sleeps at any other.
    Hidden,
    /// Nobody can, and it sleeps.
    Away,
}

/// Steps in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Speed {
    /// 15.
    Slow,
    /// 60: one a frame.
    #[default]
    Even,
    /// 240.
    Fast,
    /// As many as the back end can.
    Most,
}

impl Speed {
    pub(crate) const ALL: [Self; 4] = [Self::Slow, Self::Even, Self::Fast, Self::Most];

    /// The word in a link.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Slow => "slow",
            Self::Even => "even",
            Self::Fast => "fast",
            Self::Most => "most",
        }
    }

    /// For people.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Slow => "15 steps/s",
            Self::Even => "60 steps/s",
            Self::Fast => "240 steps/s",
            Self::Most => "full speed",
        }
    }

    /// The speed that a word stands for.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }

    /// Steps in a second; none: no limit.
    pub(crate) const fn rate(self) -> Option<f64> {
        match self {
            Self::Slow => Some(15.0),
            Self::Even => Some(60.0),
            Self::Fast => Some(240.0),
            Self::Most => None,
        }
    }
}

/// What a particle's colour stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Shade {
    /// The direction of its heading in the horizontal plane.
    #[default]
    Heading,
    /// Its speed.
    Speed,
    /// Its height in the water.
    Depth,
    /// The cosine between its heading and the mean direction.
    Alignment,
}

impl Shade {
    pub(crate) const ALL: [Self; 4] = [Self::Heading, Self::Speed, Self::Depth, Self::Alignment];

    /// The word in a link.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Heading => "heading",
            Self::Speed => "speed",
            Self::Depth => "depth",
            Self::Alignment => "alignment",
        }
    }

    /// The shade that a word stands for.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.word() == word)
    }
}

/// How the live view is shown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Look {
    /// Width of the canvas in CSS pixels.
    pub(crate) width: f64,
    /// Height of the canvas in CSS pixels.
    pub(crate) height: f64,
    /// Device pixels in a CSS pixel.
    pub(crate) density: f64,
    /// Angle of the camera about the vertical, in radians.
    pub(crate) yaw: f64,
    /// Angle of the camera above the horizontal, in radians.
    pub(crate) pitch: f64,
    /// How much nearer than the whole.
    pub(crate) zoom: f64,
    /// What colour stands for.
    pub(crate) shade: Shade,
    /// Whether particles leave trails.
    pub(crate) trails: bool,
    /// Whether the page is dark.
    pub(crate) dark: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self {
            width: 0.0,
            height: 0.0,
            density: 1.0,
            yaw: -0.9,
            pitch: 0.42,
            zoom: 1.0,
            shade: Shade::default(),
            trails: true,
            dark: false,
        }
    }
}

/// From the engine to the page, beside the number of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum News {
    /// A run has begun, or begun again.
    Begun(Begun),
    /// Where it is.
    State(State),
    /// Its pictures.
    Figures(Vec<Figure>),
    /// Its record.
    Report {
        /// The JSON text of the [`surprisal_core::experiment::Record`].
        record: String,
        /// Whether the run is at its end.
        end: bool,
        /// Whether it was interfered with, so that its parameters alone do not repeat it.
        altered: bool,
    },
    /// Parameters that cannot be; what ran goes on.
    Refused {
        /// The parameter, where it is one.
        key: Option<String>,
        /// What would be right.
        message: String,
    },
    /// The GPU failed; the run goes on on the CPU.
    Fell(String),
    /// The run is over before its end.
    Failed(String),
    /// What a cross-check found.
    Checked(Vec<Deviation>),
    /// The canvas is of no use any more: another one, please.
    Canvas,
}

/// A run at its beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Begun {
    /// Steps of the whole run.
    pub(crate) total: f64,
    /// Whether there is something to watch.
    pub(crate) moves: bool,
    /// Whether what moves is flat.
    pub(crate) flat: bool,
    /// Whether the pointer is a predator.
    pub(crate) hunted: bool,
    /// Where it runs.
    pub(crate) backend: Backend,
    /// The adapter's name for a GPU.
    pub(crate) adapter: Option<String>,
}

/// Where a run is: what changes many times a second.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Steps behind.
    pub(crate) step: f64,
    /// Steps of the whole run.
    pub(crate) total: f64,
    /// Steps in a second, 0 while it is held.
    pub(crate) rate: f64,
    /// Whether it runs.
    pub(crate) playing: bool,
    /// Polarization and rotation of what is shown.
    pub(crate) order: Option<(f64, f64)>,
    /// What was seen, in words, where it is new.
    pub(crate) seen: Option<String>,
    /// What the live view shows.
    pub(crate) view: Option<Shown>,
}

/// What the live view shows, for its scale bar and its colour bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// CSS pixels in a unit of length, at the middle of the view.
    pub(crate) scale: f64,
    /// What the first colour stands for.
    pub(crate) low: f64,
    /// What the last colour stands for.
    pub(crate) high: f64,
    /// Particles.
    pub(crate) count: f64,
}

/// How far a back end is from the CPU reference after some steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deviation {
    /// Steps behind.
    pub(crate) step: f64,
    /// The largest distance between the two positions of a particle, in units of length.
    pub(crate) position: Option<f64>,
    /// The largest difference between two numbers of the records.
    pub(crate) number: Option<f64>,
    /// What was compared with the CPU.
    pub(crate) backend: Backend,
}
