// Connects by TCP, UDP and unix sockets, by path and by abstract name.

use crate::attack::{attempt, target};
use std::io::Write;
use std::net::{TcpStream, ToSocketAddrs, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::Duration;

fn say(address: &str) -> std::io::Result<()> {
    let address = address.to_socket_addrs()?.next().expect("an address");
    TcpStream::connect_timeout(&address, Duration::from_secs(1))?.write_all(b"hello")
}

pub fn main() {
    for host in ["127.0.0.1", "[::1]", "0.0.0.0"] {
        attempt(host, say(&format!("{host}:{}", target("TCP"))));
        if let Ok(socket) = UdpSocket::bind("0.0.0.0:0") {
            let _ = socket.set_broadcast(true);
            let _ = socket.send_to(b"hello", format!("{host}:{}", target("UDP")));
        }
    }
    attempt("the world", say("192.0.2.1:80"));
    attempt("unix", UnixStream::connect(target("UNIX")).and_then(|mut stream| stream.write_all(b"hello")));
    let name = SocketAddr::from_abstract_name(target("ABSTRACT")).expect("a name");
    attempt("abstract", UnixStream::connect_addr(&name).and_then(|mut stream| stream.write_all(b"hello")));
    println!("done");
}
