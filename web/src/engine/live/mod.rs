//! The experiment that runs beside the open file: one at a time, in slices that leave every frame time to be drawn.
//!
//! Acts are noted when they arrive, even while a step runs, and done between two slices. A run sleeps while it is held,
//! and where nobody can see it, unless it runs at full speed.

mod check;
mod frame;
mod run;
mod screen;

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    rc::Rc,
    task::{Poll, Waker},
};

use futures_util::future::{Either, select};
use web_sys::OffscreenCanvas;

use super::{lab::Lab, pace::Steps, tell};
use crate::{
    live::{Act, News, Speed, Watch},
    protocol::Tell,
};
use run::Live;
use screen::Screen;

/// An act, the run it is about, and the canvas that came with it.
type Letter = (u32, Act, Option<OffscreenCanvas>);

/// Where acts wait for the loop.
#[derive(Default)]
pub(super) struct Inbox {
    letters: RefCell<VecDeque<Letter>>,
    waker: RefCell<Option<Waker>>,
    /// Ends the step that runs.
    stop: Rc<Cell<bool>>,
    used: Cell<bool>,
}

impl Inbox {
    /// Takes an act.
    pub(super) fn put(&self, run: u32, act: Act, canvas: Option<OffscreenCanvas>) {
        // What runs now is of no more use; a step of a million particles need not be waited for.
        if matches!(act, Act::Start { .. } | Act::Stop) {
            self.stop.set(true);
            self.used.set(true);
        }
        let mut letters = self.letters.borrow_mut();
        // A slider sends faster than runs begin again: the last word counts.
        if matches!(act, Act::Set(_)) {
            letters.retain(|(_, act, _)| !matches!(act, Act::Set(_)));
        }
        letters.push_back((run, act, canvas));
        drop(letters);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Whether an experiment has been asked for.
    pub(super) fn is_used(&self) -> bool {
        self.used.get()
    }

    fn take(&self) -> Option<Letter> {
        self.letters.borrow_mut().pop_front()
    }

    /// Ready when an act waits.
    async fn any(&self) {
        poll_fn(|context| {
            if self.letters.borrow().is_empty() {
                *self.waker.borrow_mut() = Some(context.waker().clone());
                Poll::Pending
            } else {
                Poll::Ready(())
            }
        })
        .await;
    }
}

/// Does what `inbox` asks for, for as long as the worker lives.
pub(super) async fn serve(lab: Rc<Lab>, inbox: Rc<Inbox>) {
    let mut stage = Stage {
        lab,
        pace: Steps::new(inbox.stop.clone()),
        stop: inbox.stop.clone(),
        number: 0,
        live: None,
        screen: Screen::default(),
        speed: Speed::default(),
        watch: Watch::Seen,
        point: None,
    };
    loop {
        while let Some((number, act, canvas)) = inbox.take() {
            stage.act(number, act, canvas).await;
        }
        let moving = stage.moving();
        if moving {
            stage.advance().await;
        }
        if stage.watch == Watch::Seen {
            stage.draw().await;
        }
        stage.news();
        if moving && stage.watch != Watch::Seen {
            // Full speed in a hidden tab: no frame will come.
            frame::task().await;
        } else if moving || (stage.watch == Watch::Seen && stage.live.is_some() && stage.screen.is_stale()) {
            let frame = Box::pin(frame::next());
            if let Either::Right(_) = select(frame, Box::pin(inbox.any())).await {
                continue;
            }
        } else {
            inbox.any().await;
        }
    }
}

/// Everything about the running experiment.
struct Stage {
    lab: Rc<Lab>,
    pace: Steps,
    stop: Rc<Cell<bool>>,
    number: u32,
    live: Option<Live>,
    screen: Screen,
    speed: Speed,
    watch: Watch,
    point: Option<Option<(f64, f64)>>,
}

impl Stage {
    fn say(&self, news: News) {
        tell(&Tell::Live { run: self.number, news });
    }

    /// Whether there is something to advance now.
    fn moving(&self) -> bool {
        let may = self.watch == Watch::Seen || (self.watch == Watch::Hidden && self.speed == Speed::Most);
        may && self.live.as_ref().is_some_and(Live::is_moving)
    }

    async fn act(&mut self, number: u32, act: Act, canvas: Option<OffscreenCanvas>) {
        match act {
            Act::Start { experiment, parameters, wish, play } => {
                self.stop.set(false);
                self.number = number;
                self.live = None;
                match Live::start(&self.lab, &experiment, parameters, wish, play).await {
                    Ok(live) => self.begin(live),
                    Err(error) => self.refuse(&error),
                }
            }
            Act::Canvas => self.screen.on(canvas),
            Act::Look(look) => self.screen.look(look),
            Act::Pace(speed) => self.speed = speed,
            Act::Watch(watch) => {
                self.watch = watch;
                if let Some(live) = &mut self.live {
                    live.rest();
                }
            }
            // What is said about a run that is over is of no more interest.
            _ if number != self.number => {}
            Act::Stop => self.live = None,
            Act::Point(point) => self.point = Some(point),
            Act::Set(parameters) => self.set(parameters).await,
            Act::CrossCheck => self.check().await,
            Act::Play | Act::Pause | Act::StepOnce | Act::Report => {
                let Some(live) = &mut self.live else { return };
                match act {
                    Act::Play => live.play(true),
                    Act::Pause => live.play(false),
                    Act::StepOnce => live.once(),
                    _ => {}
                }
                if matches!(act, Act::Report) {
                    let report = live.report();
                    self.say(report);
                }
            }
        }
    }

    fn begin(&mut self, mut live: Live) {
        let begun = live.begun();
        self.screen.forget();
        self.live = Some(live);
        self.say(News::Begun(begun));
    }

    async fn set(&mut self, parameters: serde_json::Map<String, serde_json::Value>) {
        let Some(live) = &mut self.live else { return };
        match live.change(&parameters) {
            Ok(true) => self.screen.touch(),
            Ok(false) => {
                let (id, wish, play) = live.again();
                match Live::start(&self.lab, id, parameters, wish, play).await {
                    Ok(live) => self.begin(live),
                    Err(error) => self.refuse(&error),
                }
            }
            Err(error) => self.refuse(&error),
        }
    }

    fn refuse(&self, error: &run::Trouble) {
        self.say(News::Refused { key: error.key.clone(), message: error.message.clone() });
    }

    async fn advance(&mut self) {
        let point = self.point.take().map(|point| point.and_then(|(x, y)| self.screen.place(x, y)));
        let Some(live) = &mut self.live else { return };
        if let Some(point) = point {
            live.point(point);
        }
        self.pace.rested();
        match live.advance(self.speed, &self.pace).await {
            Ok(()) => self.screen.touch(),
            Err(run::Halt::Cancelled) => {}
            Err(run::Halt::Backend(why)) => self.fall(why).await,
            Err(run::Halt::Because(why)) => {
                live.play(false);
                self.say(News::Failed(why));
            }
        }
    }

    async fn draw(&mut self) {
        let Some(live) = &mut self.live else { return };
        let Some(swarm) = live.swarm() else { return };
        match self.screen.draw(swarm).await {
            Ok(()) => {}
            Err(screen::Trouble::Canvas) => self.say(News::Canvas),
            Err(screen::Trouble::Because(why)) if live.on_gpu() => self.fall(why).await,
            Err(screen::Trouble::Because(why)) => self.say(News::Failed(why)),
        }
        let shown = self.screen.shown();
        if let Some(live) = &mut self.live {
            live.measure(shown).await;
        }
    }

    /// The GPU failed: the CPU goes on.
    async fn fall(&mut self, why: String) {
        self.lab.forget_gpu();
        let Some(live) = &mut self.live else { return };
        match live.fall(&why).await {
            Ok(()) => self.say(News::Fell(why)),
            Err(error) => {
                live.play(false);
                self.say(News::Failed(format!("{why}; and the CPU could not go on: {error}")));
            }
        }
        self.screen.touch();
    }

    /// Tells what is due.
    fn news(&mut self) {
        let Some(live) = &mut self.live else { return };
        for news in live.news() {
            tell(&Tell::Live { run: self.number, news });
        }
    }

    async fn check(&mut self) {
        let Some(live) = &self.live else { return };
        let (entry, parameters, wish) = live.what();
        let found = match self.lab.compute(wish).await {
            Ok(compute) => check::compare(entry, &parameters, &*compute).await.map_err(|e| e.to_string()),
            Err(why) => Err(why),
        };
        match found {
            Ok(list) => self.say(News::Checked(list)),
            Err(message) => self.say(News::Refused { key: None, message }),
        }
    }
}
