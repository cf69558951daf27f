// An honest program: files, threads, a child process, a channel, standard input.
//
// stdin: three words here
// prints: 3 words, 10 squared in threads, child says 1

use std::io::Read;
use std::process::Command;
use std::sync::mpsc;

pub fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    std::fs::create_dir_all("results/deeper").unwrap();
    std::fs::write("results/deeper/größe.txt", "text").unwrap();
    std::fs::rename("results/deeper/größe.txt", "results/moved.txt").unwrap();
    let temporary = std::env::temp_dir().join("honest");
    std::fs::write(&temporary, vec![b'x'; 1_000_000]).unwrap();
    std::fs::remove_file(&temporary).unwrap();
    let (sender, receiver) = mpsc::channel();
    let threads: Vec<_> = (0..10)
        .map(|number: u32| {
            let sender = sender.clone();
            std::thread::spawn(move || sender.send(number * number).unwrap())
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let sum: u32 = receiver.try_iter().sum();
    assert_eq!(sum, 285);
    let child = Command::new("sh").args(["-c", "echo 1"]).output().unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    let words = text.split_whitespace().count();
    println!("{words} words, 10 squared in threads, child says {}", said.trim());
}
