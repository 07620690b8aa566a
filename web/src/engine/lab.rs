//! What the engine keeps between two asks: the open file, the GPU, and whether to stop.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use surprisal_core::{
    compute::{Compute, Cpu},
    data::{OpenFile, trajectory::Trajectories},
};
use surprisal_gpu::{Auto, Gpu, Options};

use crate::protocol::{Badge, Wish};

/// A recording of animals that is open.
#[derive(Clone)]
pub(super) struct Recording {
    pub(super) file: u32,
    pub(super) names: Vec<String>,
    pub(super) paths: Rc<Trajectories>,
}

#[derive(Default)]
pub(super) struct Lab {
    pub(super) file: RefCell<Option<(u32, Rc<OpenFile>)>>,
    pub(super) recording: RefCell<Option<Recording>>,
    gpu: RefCell<Option<Result<Gpu, String>>>,
    stop: Rc<Cell<bool>>,
}

impl Lab {
    /// Ends what is running.
    pub(super) fn stop(&self) {
        self.stop.set(true);
    }

    /// A new piece of work begins; what [`Lab::stop`] said before is about another one.
    pub(super) fn begin(&self) -> Rc<Cell<bool>> {
        self.stop.set(false);
        self.stop.clone()
    }

    /// The GPU, asked for once; after a failure the next ask tries again.
    pub(super) async fn gpu(&self) -> Result<Gpu, String> {
        if let Some(Ok(gpu)) = &*self.gpu.borrow() {
            return Ok(gpu.clone());
        }
        let found = Gpu::new(&Options::default()).await.map_err(|e| e.to_string());
        *self.gpu.borrow_mut() = Some(found.clone());
        found
    }

    /// Drops a GPU that has failed, so that the next ask gets a new device.
    pub(super) fn forget_gpu(&self) {
        self.gpu.borrow_mut().take();
    }

    /// The back end for `wish`.
    ///
    /// # Errors
    /// Why there is no GPU, where one was asked for.
    pub(super) async fn compute(&self, wish: Wish) -> Result<Box<dyn Compute>, String> {
        Ok(match wish {
            Wish::Cpu => Box::new(Cpu),
            Wish::Gpu => Box::new(self.gpu().await?),
            Wish::Auto => Box::new(Auto::new(self.gpu().await.ok())),
        })
    }

    /// What the page shows about the back end.
    pub(super) async fn badge(&self, wish: Wish) -> Badge {
        if wish == Wish::Cpu {
            return Badge { gpu: None, detail: "The CPU was asked for.".to_owned(), available: false };
        }
        match self.gpu().await {
            Ok(gpu) => {
                let info = gpu.info();
                if wish == Wish::Auto && info.software {
                    let detail = format!(
                        "The only WebGPU adapter, {}, is software and shares the CPU's cores, so the CPU is used directly.",
                        info.name
                    );
                    return Badge { gpu: None, detail, available: true };
                }
                let when = if wish == Wish::Auto { "large counts run on it" } else { "all counts run on it" };
                Badge {
                    gpu: Some(info.name.clone()),
                    detail: format!("{} adapter; {when}", info.kind),
                    available: true,
                }
            }
            Err(why) => Badge {
                gpu: None,
                detail: format!("{why}. All measures run on the CPU, with the same numbers."),
                available: false,
            },
        }
    }
}
