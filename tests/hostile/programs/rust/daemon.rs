// Leaves a daemon behind that holds the output open and ignores being told to end.

use crate::attack::{fork_bounded, setsid, signal, sleep};

pub fn main() {
    if fork_bounded() == 0 {
        unsafe { setsid() };
        if fork_bounded() == 0 {
            for number in [1, 2, 3, 13, 15] {
                unsafe { signal(number, 1) };
            }
            sleep(60_000);
        }
        return;
    }
    println!("done");
}
