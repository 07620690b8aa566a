// The token of a row; notes it and its target.
fn id_of(run: u32, row: u32) -> u32 {
    let sequence = row / op.length;
    let place = row % op.length;
    var at = (op.first_sequence + sequence) * op.length + place;
    if op.evaluating == 0u {
        let note = (op.first_run + run) * NOTE_WORDS;
        let step = steps[notes[note + NOTE_COUNTER] % RING * op.all_runs + op.first_run + run];
        // As `surprisal_core::nn::window`.
        let counter = vec4<u32>(step.step, notes[note + NOTE_CHUNK] * op.sequences + sequence, step.run);
        at = step.text + high_product(philox(counter, step.key).x, step.places) + place;
    }
    let id = min(tokens[at], op.vocabulary - 1u);
    let out = op.ids + ((op.first_run + run) * op.rows + row) * 2u;
    notes[out] = id;
    notes[out + 1u] = min(tokens[at + 1u], op.vocabulary - 1u);
    return id;
}
