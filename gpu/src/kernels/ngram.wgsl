// How often each word occurs: the key is the word read as a number in base `alphabet`, first symbol highest.
// Each thread reads its whole word: neighbours read the same addresses, so all but the first read of a symbol
// come from the cache, and no thread waits for another.

#import "count"
#import "symbols"

fn key_at(window: u32) -> u32 {
    var key = 0u;
    for (var s = 0u; s < job.length; s++) {
        key = key * job.alphabet + symbol_at(window + s);
    }
    return key;
}
