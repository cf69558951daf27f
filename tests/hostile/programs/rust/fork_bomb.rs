// Doubles itself eight times, in sessions of their own: 256 processes, and no more.
//
// limits: processes=50
// hits: processes
// at most: 80 processes

use crate::attack::{fork_bounded, setsid, sleep};

pub fn main() {
    for _ in 0..8 {
        if fork_bounded() == 0 {
            unsafe { setsid() };
        }
    }
    sleep(20_000);
}
