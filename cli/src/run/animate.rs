//! A trajectory as a moving picture.

use std::{borrow::Cow, path::Path};

use surprisal_core::sim::Space;

use super::{
    Animation, folder,
    frames::Spool,
    scene::{SIDE, Scene, spread},
};

/// At most so many pictures, 25 a second.
const MOST: u64 = 300;

/// Writes `DIR/NAME.gif`, or `DIR/NAME.png` as an animated PNG.
pub(crate) fn write(dir: &Path, name: &str, spool: &Spool, space: Space, kind: Animation) -> anyhow::Result<String> {
    let stride = spool.frames().div_ceil(MOST).max(1);
    let pictures = spool.frames().div_ceil(stride);
    let mut spreads = Vec::new();
    spool.each(stride, |frame| {
        spreads.push(spread(frame));
        Ok(())
    })?;
    let mut scene = Scene::new(space, spreads.into_iter());
    let palette = Scene::palette();
    let mut number = 0_u32;
    let total = f64::from(u32::try_from(pictures)?).max(2.0) - 1.0;
    let mut progress = || {
        number += 1;
        f64::from(number - 1) / total
    };
    let file = match kind {
        Animation::Gif => format!("{name}.gif"),
        Animation::Png => format!("{name}.png"),
    };
    folder::put(dir, &file, |out| match kind {
        Animation::Gif => {
            let mut encoder = gif::Encoder::new(out, SIDE, SIDE, &palette)?;
            encoder.set_repeat(gif::Repeat::Infinite)?;
            spool.each(stride, |frame| {
                let buffer = Cow::Borrowed(scene.draw(frame, progress()));
                let picture = gif::Frame { width: SIDE, height: SIDE, delay: 4, buffer, ..gif::Frame::default() };
                Ok(encoder.write_frame(&picture)?)
            })
        }
        Animation::Png => {
            let mut encoder = png::Encoder::new(out, u32::from(SIDE), u32::from(SIDE));
            encoder.set_color(png::ColorType::Indexed);
            encoder.set_depth(png::BitDepth::Eight);
            encoder.set_palette(palette);
            encoder.set_animated(u32::try_from(pictures)?, 0)?;
            encoder.set_frame_delay(1, 25)?;
            let mut writer = encoder.write_header()?;
            spool.each(stride, |frame| Ok(writer.write_image_data(scene.draw(frame, progress()))?))?;
            Ok(writer.finish()?)
        }
    })?;
    Ok(file)
}
