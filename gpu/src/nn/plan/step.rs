//! The dispatches of a step, the same list in both forms.

use surprisal_core::nn::{Config, Positions};

use super::{ATTENDS, Dispatch, Form, Kind, NONE, Op, Plan, UPDATES, plain, share, short, word, workgroup};

/// A layer norm: its parameters, and where its statistics and what comes out lie.
#[derive(Clone, Copy, Debug)]
struct Norm {
    gain: u32,
    bias: u32,
    stats: u32,
    normed: u32,
}

impl Plan {
    /// What every dispatch says.
    fn op(&self, rows: u32, first_run: u32, runs: u32, all_runs: u32) -> Op {
        let config = self.config();
        let [history, ids, _] = self.notes(all_runs);
        Op {
            rows,
            length: word(config.context),
            first_run,
            runs,
            arena_stride: short(self.places.words),
            parameters: word(self.parameters()),
            all_runs,
            window: word(config.window.unwrap_or(config.context).min(config.context)),
            width: word(config.width),
            heads: word(config.heads),
            bias: NONE,
            residual: NONE,
            norm_bias: NONE,
            lse: 0,
            delta: self.places.delta,
            dattended: self.places.dattended,
            ids: short(ids),
            history: short(history),
            losses: self.places.losses,
            squares: self.places.squares,
            chunks: self.chunks,
            sequences: self.sequences,
            share: share(u64::from(self.batch) * config.context as u64),
            vocabulary: word(config.vocabulary),
            job_groups: self.job_groups,
            ..Op::default()
        }
    }

    fn linear(&self, kind: Kind, norm: bool, op: Op) -> Dispatch {
        match self.form {
            Form::Workgroup => workgroup::linear(kind, norm, op),
            Form::Plain => plain::linear(self.kept, kind, op),
        }
    }

    fn attend(&self, entry: &'static str, op: Op) -> Dispatch {
        let op = Op { table: self.rope_table, ..op };
        match self.form {
            Form::Workgroup => workgroup::attend(self.config(), entry, op),
            Form::Plain => plain::attend(self.config(), entry, op),
        }
    }

    fn update(&self, entry: &'static str, op: Op) -> Dispatch {
        let op = Op { count: self.blocks, table: self.block_table, ..op };
        match self.form {
            Form::Workgroup => workgroup::update(entry, op),
            Form::Plain => plain::update(entry, op),
        }
    }

    /// The layer norms in their order: two a block, and the last.
    fn norm(&self, i: usize) -> Norm {
        let places = &self.places;
        let (name, stats, normed) = match places.layers.get(i / 2) {
            Some(layer) => (format!("block.{}.norm{}", i / 2, i % 2 + 1), layer.stats[i % 2], layer.normed[i % 2]),
            None => ("norm".to_owned(), places.stats, places.normed),
        };
        let at = |part: &str| self.at(&format!("{name}.{part}"));
        Norm { gain: at("gain"), bias: at("bias"), stats, normed }
    }

    /// A linear layer that reads `source` through a norm: what comes out of it lies there already where every invocation
    /// works alone.
    fn through(&self, norm: Norm, source: u32, op: Op) -> Op {
        match self.form {
            Form::Workgroup => Op { source, ..norm.of(op) },
            Form::Plain => Op { source: norm.normed, ..op },
        }
    }

    /// What makes the input of a norm, and where every invocation works alone its output too.
    fn before(&self, norm: Norm, op: Op) -> Op {
        match self.form {
            Form::Workgroup => op,
            Form::Plain => norm.of(op),
        }
    }

    /// Tokens to losses: 3 + 5 dispatches a layer. `evaluating` tells the first sequence of an evaluation.
    pub(in crate::nn) fn forward(
        &self,
        sequences: u32,
        [first_run, runs, all_runs]: [u32; 3],
        evaluating: Option<u32>,
    ) -> Vec<Dispatch> {
        let config = self.config();
        let Config { vocabulary, width, .. } = *config;
        let (d, hidden) = (word(width), word(width * config.expansion));
        let turned = word(self.parameters());
        let places = &self.places;
        let op = Op {
            first_sequence: evaluating.unwrap_or(0),
            evaluating: u32::from(evaluating.is_some()),
            ..self.op(sequences * word(config.context), first_run, runs, all_runs)
        };
        let embed =
            Op { weight: self.at("embed.token"), bias: self.at("embed.position"), dest: places.streams[0], ..op };
        let embed = self.before(self.norm(0), embed);
        let mut list = vec![match self.form {
            Form::Workgroup => workgroup::embed(config, embed),
            Form::Plain => plain::embed(embed),
        }];
        for (i, layer) in places.layers.iter().enumerate() {
            let at = |part: &str| self.at(&format!("block.{i}.{part}"));
            let first = if config.positions == Positions::Rope { Kind::Rope } else { Kind::Plain };
            list.push(self.linear(
                first,
                true,
                self.through(
                    self.norm(2 * i),
                    places.streams[i],
                    Op {
                        inner: d,
                        columns: 3 * d,
                        weight: at("attention.qkv"),
                        bias: at("attention.qkv.bias"),
                        dest: layer.qkv,
                        table: self.rope_table,
                        ..op
                    },
                ),
            ));
            list.push(self.attend(ATTENDS[0], Op { qkv: layer.qkv, attended: layer.attended, lse: layer.lse, ..op }));
            list.push(self.linear(
                Kind::Add,
                false,
                self.before(
                    self.norm(2 * i + 1),
                    Op {
                        inner: d,
                        columns: d,
                        source: layer.attended,
                        weight: at("attention.out"),
                        bias: at("attention.out.bias"),
                        dest: layer.middle,
                        residual: places.streams[i],
                        ..op
                    },
                ),
            ));
            list.push(self.linear(
                Kind::Gelu,
                true,
                self.through(
                    self.norm(2 * i + 1),
                    layer.middle,
                    Op {
                        inner: d,
                        columns: hidden,
                        weight: at("mlp.up"),
                        bias: at("mlp.up.bias"),
                        dest: layer.after,
                        before: layer.before,
                        ..op
                    },
                ),
            ));
            list.push(self.linear(
                Kind::Add,
                false,
                self.before(
                    self.norm(2 * i + 2),
                    Op {
                        inner: hidden,
                        columns: d,
                        source: layer.after,
                        weight: at("mlp.down"),
                        bias: at("mlp.down.bias"),
                        dest: places.streams[i + 1],
                        residual: layer.middle,
                        ..op
                    },
                ),
            ));
        }
        let weight = if config.tied { turned + self.at("embed.token") } else { self.at("head") };
        list.push(self.linear(
            Kind::Plain,
            true,
            self.through(
                self.norm(2 * config.layers),
                places.streams[config.layers],
                Op {
                    inner: d,
                    columns: word(vocabulary),
                    weight,
                    bias: self.at("head.bias"),
                    dest: places.logits,
                    ..op
                },
            ),
        ));
        let op = Op { source: places.logits, ..op };
        list.push(match self.form {
            Form::Workgroup => workgroup::cross_entropy(config, op),
            Form::Plain => plain::cross_entropy(op),
        });
        list
    }

    /// Gradients of logits to those of the parameters, and the verdict: 4 + 6 dispatches a layer; then the update of the
    /// parameters, behind the last chunk.
    pub(in crate::nn) fn backward(&self, runs: u32) -> (Vec<Dispatch>, Dispatch) {
        let config = self.config();
        let (d, hidden) = (word(config.width), word(config.width * config.expansion));
        let turned = word(self.parameters());
        let places = &self.places;
        let op = self.op(self.rows(), 0, runs, runs);
        let weight = if config.tied { self.at("embed.token") } else { turned + self.at("head") };
        let mut list = vec![self.linear(
            Kind::NormBack,
            false,
            Op {
                inner: word(config.vocabulary),
                columns: d,
                source: places.logits,
                weight,
                dest: places.dstreams[config.layers],
                norm_input: places.streams[config.layers],
                partial: places.partial,
                ..self.norm(2 * config.layers).of(op)
            },
        )];
        for (i, layer) in places.layers.iter().enumerate().rev() {
            let at = |part: &str| self.at(&format!("block.{i}.{part}"));
            list.push(self.linear(
                Kind::GeluBack,
                false,
                Op {
                    inner: d,
                    columns: hidden,
                    source: places.dstreams[i + 1],
                    weight: turned + at("mlp.down"),
                    dest: layer.dhidden,
                    before: layer.before,
                    ..op
                },
            ));
            list.push(self.linear(
                Kind::NormBack,
                false,
                Op {
                    inner: hidden,
                    columns: d,
                    source: layer.dhidden,
                    weight: turned + at("mlp.up"),
                    dest: layer.dmiddle,
                    residual: places.dstreams[i + 1],
                    norm_input: layer.middle,
                    partial: layer.partials[1],
                    ..self.norm(2 * i + 1).of(op)
                },
            ));
            list.push(self.linear(
                Kind::Plain,
                false,
                Op {
                    inner: d,
                    columns: d,
                    source: layer.dmiddle,
                    weight: turned + at("attention.out"),
                    dest: places.dattended,
                    ..op
                },
            ));
            let about = Op { qkv: layer.qkv, attended: layer.attended, lse: layer.lse, dqkv: layer.dqkv, ..op };
            list.push(self.attend(ATTENDS[1], about));
            list.push(self.attend(ATTENDS[2], about));
            list.push(self.linear(
                Kind::NormBack,
                false,
                Op {
                    inner: 3 * d,
                    columns: d,
                    source: layer.dqkv,
                    weight: turned + at("attention.qkv"),
                    dest: places.dstreams[i],
                    residual: layer.dmiddle,
                    norm_input: places.streams[i],
                    partial: layer.partials[0],
                    ..self.norm(2 * i).of(op)
                },
            ));
        }
        let gradients = Op { count: self.jobs, ..op };
        list.push(match self.form {
            Form::Workgroup => workgroup::gradients(config, gradients),
            Form::Plain => plain::gradients(self.kept, &self.gpt, gradients),
        });
        list.push(self.update(UPDATES[0], op));
        list.push(self.update(UPDATES[1], op));
        (list, self.update(UPDATES[2], op))
    }
}

impl Norm {
    fn of(self, op: Op) -> Op {
        Op { gain: self.gain, norm_bias: self.bias, stats: self.stats, normed: self.normed, ..op }
    }
}
