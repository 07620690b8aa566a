// Counting windows by key. A kernel that imports this defines `fn key_at(window: u32) -> u32`.
//
// Reads  input    the data, packed as the kernel says
// Adds   counts   one u32 a key, from `job.out` on; other jobs may add to other parts
//
// Keys of `job.bins` and above are not counted: the host compares the total with the number of windows.

struct Job {
    // The first window, and how many follow.
    first: u32,
    windows: u32,
    // The number of keys, and where the count of key 0 is.
    bins: u32,
    out: u32,
    // How many private copies of each bin a workgroup keeps: a power of two.
    copies: u32,
    // Ordinal patterns: the distance of neighbouring values.
    delay: u32,
    // Words: the size of the alphabet and the number of symbols in a word.
    alphabet: u32,
    length: u32,
    // Symbols: 32 / bits of them share a u32, which is 2^log2_per_word.
    bits: u32,
    log2_per_word: u32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(0) var<storage, read> input: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> job: Job;

var<workgroup> private_bins: array<atomic<u32>, PRIVATE_WORDS>;

// Few bins: each workgroup counts in its own memory and adds what is not zero to the result.
// The copies of one bin lie side by side, so neighbouring threads that meet the same key (text, a
// constant series) do not queue for one address.
@compute @workgroup_size(THREADS)
fn count_private(
    @builtin(global_invocation_id) thread: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    for (var w = local; w < job.bins * job.copies; w += THREADS) {
        atomicStore(&private_bins[w], 0u);
    }
    workgroupBarrier();

    let copy = local & (job.copies - 1u);
    for (var i = thread.x; i < job.windows; i += groups.x * THREADS) {
        let key = key_at(job.first + i);
        if key < job.bins {
            atomicAdd(&private_bins[key * job.copies + copy], 1u);
        }
    }
    workgroupBarrier();

    for (var key = local; key < job.bins; key += THREADS) {
        var sum = 0u;
        for (var c = 0u; c < job.copies; c++) {
            sum += atomicLoad(&private_bins[key * job.copies + c]);
        }
        if sum != 0u {
            atomicAdd(&counts[job.out + key], sum);
        }
    }
}

// Many bins: straight to the result.
@compute @workgroup_size(THREADS)
fn count_global(
    @builtin(global_invocation_id) thread: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    for (var i = thread.x; i < job.windows; i += groups.x * THREADS) {
        let key = key_at(job.first + i);
        if key < job.bins {
            atomicAdd(&counts[job.out + key], 1u);
        }
    }
}
