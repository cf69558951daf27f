// Eight processes take 200 MB each in steps, touching every page.
//
// limits: memory_mb=250
// hits: memory_mb
// at most: 900 MB

use crate::attack::{fork_bounded, sleep};

pub fn main() {
    for _ in 0..3 {
        fork_bounded();
    }
    let blocks: Vec<Vec<u8>> = (0..25).map(|_| vec![b'x'; 8 << 20]).collect();
    sleep(20_000);
    println!("{}", blocks.len());
}
