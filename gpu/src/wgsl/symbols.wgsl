// Symbols of 1, 2, 4, 8, 16 or 32 bits, the first in the lowest bits of a u32.

fn symbol_at(i: u32) -> u32 {
    let place = i & ((1u << job.log2_per_word) - 1u);
    return extractBits(input[i >> job.log2_per_word], place * job.bits, job.bits);
}
