// How often each ordinal pattern of ORDER values, `job.delay` apart, occurs: the key is the pattern's Lehmer
// code in Horner form. Only a strictly smaller later value counts, so equal values are ascending.
// The loops are written out (`#repeat`), so that a window lives in registers with every compiler.

#import "count"

fn key_at(window: u32) -> u32 {
    #repeat s 0 ORDER
    let x_$s = input[window + $su * job.delay];
    #end
    var key = 0u;
    var later_smaller = 0u;
    #repeat s 0 ORDER
    later_smaller = 0u;
        #repeat j $s+1 ORDER
    later_smaller += select(0u, 1u, x_$j < x_$s);
        #end
    key = key * (ORDER - $su) + later_smaller;
    #end
    return key;
}
