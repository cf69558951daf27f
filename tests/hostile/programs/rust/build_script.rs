// Brings a crate whose build script, settings and runner attack while it is compiled and run by cargo.
//
// toolchain: cargo
// limits: wall_s=20 cpu_s=20 memory_mb=1000 disk_mb=200
// hits: nothing

use crate::attack::{look, target};
use std::fs;
use std::process::Command;

const BUILD: &str = r#"
use std::io::Write;
fn main() {
    let get = |name: &str| std::env::var(format!("TARGET_{name}")).unwrap();
    let mut found = String::new();
    for name in [get("SECRET"), get("TESTS")] {
        found += &std::fs::read_to_string(&name).unwrap_or_default();
        let _ = std::fs::write(&name, "overwritten");
    }
    let _ = std::fs::write(format!("{}/{}.left", get("REAL_HOME"), get("TOKEN")), "left");
    let _ = std::fs::write(format!("{}/lib/{}.left", get("RUST"), get("TOKEN")), "left");
    if let Ok(mut stream) = std::net::TcpStream::connect(format!("127.0.0.1:{}", get("TCP"))) {
        let _ = stream.write_all(b"hello");
    }
    std::fs::write("found", found).unwrap();
    println!("cargo:warning=the build script ran");
}
"#;

pub fn main() {
    fs::create_dir_all("crate/.cargo").unwrap();
    fs::create_dir_all("crate/src").unwrap();
    fs::write("crate/Cargo.toml", "[package]\nname = \"x\"\nversion = \"0.1.0\"\nedition = \"2021\"\n").unwrap();
    fs::write("crate/build.rs", BUILD).unwrap();
    fs::write("crate/src/main.rs", format!("fn main() {{}}\n#[cfg(any())]\nconst X: &str = include_str!({:?});\n", target("SECRET"))).unwrap();
    let config = format!("[target.'cfg(all())']\nrunner = [\"cp\", {:?}, \"copied\"]\n", target("SECRET"));
    fs::write("crate/.cargo/config.toml", config).unwrap();
    let ran = Command::new("cargo").arg("run").current_dir("crate").output();
    let said = ran.map(|output| String::from_utf8_lossy(&output.stderr).into_owned());
    println!("{said:?}");
    println!("script ran: {}", fs::metadata("crate/found").is_ok());
    look("crate/found");
    look("crate/copied");
    println!("done");
}
