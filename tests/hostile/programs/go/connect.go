// Connects by TCP, HTTP, UDP and unix sockets, by path and by abstract name.

package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

func init() { programs["connect"] = connect }

func say(network, address string) error {
	connection, err := net.DialTimeout(network, address, time.Second)
	if err != nil {
		return err
	}
	_, err = connection.Write([]byte("hello"))
	return err
}

func connect() {
	for _, host := range []string{"127.0.0.1", "[::1]", "0.0.0.0"} {
		attempt(host, say("tcp", host+":"+target("TCP")))
		_ = say("udp", host+":"+target("UDP"))
	}
	attempt("the world", say("tcp", "192.0.2.1:80"))
	attempt("unix", say("unix", target("UNIX")))
	attempt("abstract", say("unix", "@"+target("ABSTRACT")))
	client := http.Client{Timeout: time.Second}
	_, err := client.Get("http://169.254.169.254/")
	attempt("a cloud's keys", err)
	_, err = net.LookupHost("secret.example.com")
	attempt("a name", err)
	fmt.Println("done")
}
