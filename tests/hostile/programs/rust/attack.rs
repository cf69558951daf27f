// Shared by the Rust programs: where the targets are, and how an attempt is told.

use std::ffi::c_void;
use std::fmt::{Debug, Display};

extern "C" {
    pub fn clone(run: extern "C" fn(*mut c_void) -> i32, stack: *mut c_void, flags: i32, argument: *mut c_void) -> i32;
    pub fn alarm(seconds: u32) -> u32;
    pub fn fork() -> i32;
    pub fn setsid() -> i32;
    pub fn signal(number: i32, handler: usize) -> usize;
    pub fn kill(pid: i32, number: i32) -> i32;
    pub fn syscall(number: i64, ...) -> i64;
}

pub fn target(name: &str) -> String {
    std::env::var(format!("TARGET_{name}")).expect("the target is named")
}

/// Do what must fail.
pub fn attempt<T: Debug, E: Display>(what: &str, result: Result<T, E>) {
    match result {
        Ok(value) => println!("GOT THROUGH: {what}: {value:?}"),
        Err(error) => println!("refused: {what}: {error}"),
    }
}

/// Read what may be readable, and tell the secrets in it: they alone count.
pub fn look(path: &str) {
    match std::fs::read(path) {
        Err(error) => println!("refused: {path}: {error}"),
        Ok(data) => {
            let text = String::from_utf8_lossy(&data).into_owned();
            let secrets: Vec<_> = text.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
            let found: Vec<_> = secrets.iter().filter(|word| word.starts_with("CANARY-")).collect();
            println!("looked: {path}: {found:?}");
        }
    }
}

/// Fork; no child outlives a minute, whatever the sandbox does.
pub fn fork_bounded() -> i32 {
    unsafe {
        let pid = fork();
        alarm(60);
        pid
    }
}

pub fn sleep(milliseconds: u64) {
    std::thread::sleep(std::time::Duration::from_millis(milliseconds));
}
