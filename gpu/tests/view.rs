//! Pictures of schools on the adapter at hand. See `twins.rs`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pollster::block_on;
use surprisal_core::{
    pace::Unhurried,
    sim::swarm::{Setup, Swarm},
};
use surprisal_gpu::{
    Gpu, GpuError, GpuSwarm, Options, View,
    selftest::swarm::setup,
    view::{Camera, Colour, Look, Shown, Target, Upload},
};

static ONE: Mutex<()> = Mutex::new(());

fn gpu() -> Option<(Gpu, MutexGuard<'static, ()>)> {
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    match block_on(Gpu::new(&Options::from_env())) {
        Ok(gpu) => Some((gpu, guard)),
        Err(GpuError::NoAdapter { wanted_name: None, .. })
            if std::env::var("SURPRISAL_REQUIRE_GPU").as_deref() != Ok("1") =>
        {
            eprintln!("SKIPPED: no GPU adapter here, not even a software one (mesa-vulkan-drivers has one)");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

const SIZE: [u32; 2] = [150, 110];

fn picture(view: &mut View, shown: Shown<'_>, camera: &Camera, look: &Look) -> Vec<[u8; 4]> {
    let bytes = block_on(view.to_rgba(shown, camera, look, SIZE[0], SIZE[1])).expect("a picture");
    bytes.as_chunks::<4>().0.to_vec()
}

fn look() -> Look {
    Look { background: [0.2, 0.4, 0.6], outline: false, ..Look::default() }
}

/// Pixels that differ by more than a rounding from another picture.
fn changed(a: &[[u8; 4]], b: &[[u8; 4]]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a.iter().zip(*b).any(|(a, b)| a.abs_diff(*b) > 2)).count()
}

fn school(gpu: &Gpu, setup: &Setup) -> (GpuSwarm, Camera) {
    let mut swarm = GpuSwarm::new(gpu, vec![setup.clone(), Setup { seed: 9, ..setup.clone() }]).expect("a swarm");
    block_on(swarm.advance(3, &Unhurried)).expect("steps");
    (swarm, Camera::of(&setup.space, 6.0))
}

#[test]
fn a_school_is_drawn_from_its_own_buffer_and_from_an_upload_alike() {
    let Some((gpu, _guard)) = gpu() else { return };
    let mut view = View::offscreen(&gpu).expect("a view");
    for (dimensions, boundary) in [(2, "periodic"), (3, "periodic"), (3, "open"), (2, "tank")] {
        let setup = setup("couzin", dimensions, boundary, 120, false);
        let (mut swarm, mut camera) = school(&gpu, &setup);
        // Sums on the GPU and on the CPU differ in the last bits, which moves edges of bodies.
        let centre = block_on(swarm.centre(1)).expect("a centre").0;
        let followed = picture(&mut view, Shown::Swarm(&swarm, 1), &camera, &look());
        if boundary == "open" {
            camera.target = Target::Point(centre);
        }
        let drawn = picture(&mut view, Shown::Swarm(&swarm, 1), &camera, &look());
        assert_eq!(changed(&followed, &drawn), 0, "{dimensions}-D {boundary}");
        let background = [51, 102, 153, 255];
        assert!(drawn[0].iter().zip(background).all(|(a, b)| a.abs_diff(b) < 2), "{:?}", drawn[0]);
        let empty = vec![background; drawn.len()];
        let covered = changed(&drawn, &empty);
        assert!(covered > 300 && covered < drawn.len() / 2, "{covered} pixels in {dimensions}-D {boundary}");

        let mut upload = Upload::new(&gpu, setup.space).expect("an upload");
        upload.write_state(&block_on(swarm.state(1)).expect("a state")).expect("room");
        assert_eq!(drawn, picture(&mut view, Shown::Upload(&upload), &camera, &look()));
        let other = picture(&mut view, Shown::Swarm(&swarm, 0), &camera, &look());
        assert!(changed(&drawn, &other) > covered / 2);
    }
}

#[test]
fn colours_outlines_predators_and_obstacles_show() {
    let Some((gpu, _guard)) = gpu() else { return };
    let mut view = View::offscreen(&gpu).expect("a view");
    for boundary in ["walls", "tank", "open"] {
        for dimensions in [2, 3] {
            let (swarm, camera) = school(&gpu, &setup("couzin", dimensions, boundary, 120, false));
            let shown = Shown::Swarm(&swarm, 0);
            let plain = picture(&mut view, shown, &camera, &look());
            let outlined = picture(&mut view, shown, &camera, &Look { outline: true, ..look() });
            assert!(changed(&plain, &outlined) > 100, "{boundary}");
            for colour in [Colour::Speed, Colour::Depth, Colour::Alignment] {
                let other = picture(&mut view, shown, &camera, &Look { colour, ..look() });
                assert!(changed(&plain, &other) > 200, "{colour:?}");
            }
            let (busy, _) = school(&gpu, &setup("couzin", dimensions, boundary, 120, true));
            let white = Look { line: [1.0; 3], ..look() };
            let busy = picture(&mut view, Shown::Swarm(&busy, 0), &camera, &white);
            let light = busy.iter().filter(|p| p[0] > 200 && p[0].abs_diff(p[2]) < 40).count();
            assert!(light > 20, "{light} light pixels with a predator and obstacles");
        }
    }
}

#[test]
fn trails_stay_and_fade() {
    let Some((gpu, _guard)) = gpu() else { return };
    let mut view = View::offscreen(&gpu).expect("a view");
    let (mut swarm, camera) = school(&gpu, &setup("couzin", 3, "periodic", 60, false));
    let look = Look { trails: 0.9, ..look() };
    let first = picture(&mut view, Shown::Swarm(&swarm, 0), &camera, &look);
    let plain = picture(&mut View::offscreen(&gpu).expect("a view"), Shown::Swarm(&swarm, 0), &camera, &self::look());
    // Trails begin below the fish themselves, less their smooth edges.
    assert!(changed(&first, &plain) < first.len() / 20);
    for _ in 0..5 {
        block_on(swarm.advance(2, &Unhurried)).expect("steps");
        picture(&mut view, Shown::Swarm(&swarm, 0), &camera, &look);
    }
    let later = picture(&mut view, Shown::Swarm(&swarm, 0), &camera, &look);
    let plain = picture(&mut View::offscreen(&gpu).expect("a view"), Shown::Swarm(&swarm, 0), &camera, &self::look());
    let tracks = changed(&later, &plain);
    assert!(tracks > 500, "{tracks}");
    // Another camera begins anew.
    let turned = Camera { yaw: camera.yaw + 1.0, ..camera };
    let anew = picture(&mut view, Shown::Swarm(&swarm, 0), &turned, &look);
    let plain = picture(&mut View::offscreen(&gpu).expect("a view"), Shown::Swarm(&swarm, 0), &turned, &self::look());
    assert!(changed(&anew, &plain) < anew.len() / 20);
}

#[test]
fn a_picture_that_no_texture_can_be_is_refused() {
    let Some((gpu, _guard)) = gpu() else { return };
    let mut view = View::offscreen(&gpu).expect("a view");
    let (swarm, camera) = school(&gpu, &setup("couzin", 2, "open", 12, false));
    let result = block_on(view.to_rgba(Shown::Swarm(&swarm, 0), &camera, &look(), 1_000_000, 10));
    assert!(matches!(result, Err(GpuError::TooLarge { .. })));
    assert!(view.draw(Shown::Swarm(&swarm, 0), &camera, &look()).is_err(), "there is no surface");
}
