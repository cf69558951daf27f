// Makes dangerous system calls without any library: namespaces, tracing, io_uring, keyrings, signals to everybody.

use crate::attack::{attempt, kill, syscall, target};

fn result(value: i64) -> Result<i64, std::io::Error> {
    if value < 0 { Err(std::io::Error::last_os_error()) } else { Ok(value) }
}

pub fn main() {
    let x86 = cfg!(target_arch = "x86_64");
    let pid: i32 = target("PID").parse().unwrap();
    let block = [0u8; 256];
    let mut clone = [0u64; 11];
    (clone[0], clone[4]) = (0x1000_0000, 17); // a new user namespace; SIGCHLD at the end
    unsafe {
        attempt("unshare", result(syscall(if x86 { 272 } else { 97 }, 0x1000_0000i64)));
        attempt("seize", result(syscall(if x86 { 101 } else { 117 }, 0x4206i64, i64::from(pid), 0i64, 0i64)));
        attempt("io_uring_setup", result(syscall(425, 8i64, block.as_ptr())));
        attempt("keyctl", result(syscall(if x86 { 250 } else { 219 }, 0i64, -3i64, 1i64)));
        attempt("bpf", result(syscall(if x86 { 321 } else { 280 }, 0i64, block.as_ptr(), 48i64)));
        attempt("clone3 a namespace", result(syscall(435, clone.as_ptr(), 88i64)));
        attempt("kill the helper", result(i64::from(kill(pid, 9))));
    }
    println!("done");
}
