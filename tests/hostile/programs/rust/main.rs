// All Rust programs in one binary, which is compiled once: the first argument chooses.

mod attack;
mod build_script;
mod connect;
mod control;
mod daemon;
mod disk_own_table;
mod fork_bomb;
mod memory_many;
mod raw_calls;
mod read_files;
mod write_outside;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("build_script") => build_script::main(),
        Some("connect") => connect::main(),
        Some("control") => control::main(),
        Some("daemon") => daemon::main(),
        Some("disk_own_table") => disk_own_table::main(),
        Some("fork_bomb") => fork_bomb::main(),
        Some("memory_many") => memory_many::main(),
        Some("raw_calls") => raw_calls::main(),
        Some("read_files") => read_files::main(),
        Some("write_outside") => write_outside::main(),
        other => panic!("no program {other:?}"),
    }
}
