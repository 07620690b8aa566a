// How often each symbol occurs: the key of a window is its one symbol.

#import "count"
#import "symbols"

fn key_at(window: u32) -> u32 {
    return symbol_at(window);
}
