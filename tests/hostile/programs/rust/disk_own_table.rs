// 640 MB in files that are deleted, but open in a thread that has a table of open files of its own.
//
// limits: file_mb=20 disk_mb=60
// hits: disk_mb or nothing
// holds: 300 MB

use crate::attack::{clone, sleep};
use std::ffi::c_void;
use std::io::Write;

const CLONE_VM_FS_SIGHAND_THREAD: i32 = 0x100 | 0x200 | 0x800 | 0x10000; // all of a thread's but CLONE_FILES

extern "C" fn hoard(_: *mut c_void) -> i32 {
    let block = vec![b'x'; 16 << 20];
    for count in 1..=40 {
        let mut file = std::fs::File::create("file").unwrap();
        std::fs::remove_file("file").unwrap();
        file.write_all(&block).unwrap();
        std::mem::forget(file);
        println!("held: {} MB", 16 * count);
        sleep(10);
    }
    sleep(20_000);
    0
}

pub fn main() {
    let stack = vec![0u128; 1 << 16].leak();
    let top = stack.as_mut_ptr_range().end.cast();
    if unsafe { clone(hoard, top, CLONE_VM_FS_SIGHAND_THREAD, std::ptr::null_mut()) } < 0 {
        println!("refused: {}\ndone", std::io::Error::last_os_error());
        return;
    }
    sleep(25_000);
}
