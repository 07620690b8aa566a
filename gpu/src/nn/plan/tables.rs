//! What stands in the tables: jobs of `gradients`, blocks of the update, the turns of rotary positions.

use bytemuck::{Pod, Zeroable};
use surprisal_core::nn::{Config, Positions};

use super::{Plan, count, single, word};

/// Mirrors `Job` in `nn_job.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct Job {
    first_group: u32,
    kind: u32,
    x: u32,
    x_stride: u32,
    inputs: u32,
    dy: u32,
    columns: u32,
    slices: u32,
    slice_rows: u32,
    partial: u32,
}

const MATRIX: u32 = 0;
const TOKENS: u32 = 1;
const PLACES: u32 = 2;

/// Mirrors `Block` in `nn_update.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct Block {
    first: u32,
    count: u32,
    partial: u32,
    slices: u32,
    slice: u32,
    tensor: u32,
    columns: u32,
    rows: u32,
    decays: u32,
}

/// Parameters that lie side by side and whose gradient comes in slices.
#[derive(Clone, Copy, Debug)]
struct Unit {
    first: usize,
    len: usize,
    partial: u32,
    slices: usize,
}

impl Plan {
    pub(super) fn tabulate(&mut self) {
        let config = *self.config();
        let Config { vocabulary, width: d, context, .. } = config;
        let hidden = config.expansion * d;
        let rows = self.rows() as usize;
        let form = self.form;
        let (slices, slice_rows) = form.slices(&self.gpt, rows);
        let mut jobs: Vec<Job> = Vec::new();
        let mut units: Vec<Unit> = Vec::new();
        let mut partial = self.places.slices as usize;
        let mut group = 0;
        // A matrix of the gradient, in slices; `joins` adds the slices to those of the unit before.
        let mut add =
            |kind: u32, first: usize, x: u32, x_stride: usize, inputs: usize, dy: u32, columns: usize, joins| {
                let slices = if kind == PLACES { 1 } else { slices };
                jobs.push(Job {
                    first_group: word(group),
                    kind,
                    x,
                    x_stride: word(x_stride),
                    inputs: word(inputs),
                    dy,
                    columns: word(columns),
                    slices: word(slices),
                    slice_rows: word(slice_rows),
                    partial: word(partial),
                });
                match units.last_mut() {
                    Some(unit) if joins => unit.slices += slices,
                    _ => units.push(Unit { first, len: inputs * columns, partial: word(partial), slices }),
                }
                group += form.job_groups(d, inputs, columns, slices);
                partial += slices * inputs * columns;
            };
        let places = &self.places;
        let bias = usize::from(config.linear_bias);
        for (i, layer) in places.layers.iter().enumerate() {
            let first = |part: &str| self.offset(&format!("block.{i}.{part}"));
            add(MATRIX, first("attention.qkv"), layer.normed[0], d, d + bias, layer.dqkv, 3 * d, false);
            add(MATRIX, first("attention.out"), layer.attended, d, d + bias, layer.dmiddle, d, false);
            add(MATRIX, first("mlp.up"), layer.normed[1], d, d + bias, layer.dhidden, hidden, false);
            add(MATRIX, first("mlp.down"), layer.after, hidden, hidden + bias, places.dstreams[i + 1], d, false);
        }
        let table = self.offset("embed.token");
        let head_bias = usize::from(config.head_bias);
        if config.tied {
            add(MATRIX, table, places.logits, vocabulary, vocabulary, places.normed, d, false);
        } else {
            let inputs = d + head_bias;
            add(MATRIX, self.offset("head"), places.normed, d, inputs, places.logits, vocabulary, false);
        }
        add(TOKENS, table, 0, 0, vocabulary, places.dstreams[0], d, config.tied);
        if config.tied && config.head_bias {
            // X is 1 throughout.
            add(MATRIX, self.offset("head.bias"), 0, 0, 1, places.logits, vocabulary, false);
        }
        if config.positions == Positions::Learned {
            add(PLACES, self.offset("embed.position"), 0, 0, context, places.dstreams[0], d, false);
        }
        let norm_slices = form.norm_slices(d, rows);
        let norms = places.layers.iter().enumerate().flat_map(|(i, layer)| {
            [1, 2].map(|n| (self.offset(&format!("block.{i}.norm{n}.gain")), layer.partials[n - 1]))
        });
        for (first, partial) in norms.chain([(self.offset("norm.gain"), places.partial)]) {
            let len = if config.norm_bias { 2 * d } else { d };
            units.push(Unit { first, len, partial, slices: norm_slices });
        }

        let mut blocks: Vec<Block> = Vec::new();
        for tensor in self.gpt.layout().tensors() {
            let offset = tensor.view.offset;
            let Some(unit) = units.iter().find(|unit| (unit.first..unit.first + unit.len).contains(&offset)) else {
                continue;
            };
            let (rows, columns) = match tensor.shape[..] {
                [rows, columns] => (rows, columns),
                _ => (1, tensor.view.len),
            };
            for start in (0..tensor.view.len).step_by(form.block()) {
                let first = offset + start;
                blocks.push(Block {
                    first: word(first),
                    count: word((tensor.view.len - start).min(form.block())),
                    partial: unit.partial + word(first - unit.first),
                    slices: word(unit.slices),
                    slice: word(unit.len),
                    tensor: word(offset),
                    columns: word(columns),
                    rows: word(rows),
                    decays: u32::from(tensor.decay),
                });
            }
        }
        self.jobs = word(jobs.len());
        self.job_groups = word(group);
        self.blocks = word(blocks.len());
        self.tables = bytemuck::cast_slice(&jobs).to_vec();
        self.block_table = word(self.tables.len());
        self.tables.extend_from_slice(bytemuck::cast_slice(&blocks));
        self.rope_table = word(self.tables.len());
        if config.positions == Positions::Rope {
            self.tables.extend(turns(d / config.heads, context).map(f32::to_bits));
        }
    }
}

/// cos and sin of each place and pair, as `surprisal_core::nn::Rope`.
fn turns(head: usize, context: usize) -> impl Iterator<Item = f32> {
    (0..context).flat_map(move |t| {
        (0..head / 2).flat_map(move |i| {
            let angle = count(t) * 10_000_f64.powf(-2.0 * count(i) / count(head));
            [single(angle.cos()), single(angle.sin())]
        })
    })
}
