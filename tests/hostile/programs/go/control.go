// An honest program: files, goroutines, a channel, a child process, standard input.
//
// stdin: three words here
// prints: 3 words, 285 by goroutines, child says 1

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func init() { programs["control"] = control }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func control() {
	text, err := io.ReadAll(os.Stdin)
	must(err)
	must(os.MkdirAll("results/deeper", 0o755))
	must(os.WriteFile("results/deeper/größe.txt", []byte("text"), 0o644))
	must(os.Rename("results/deeper/größe.txt", "results/moved.txt"))
	must(os.WriteFile(filepath.Join(os.TempDir(), "honest"), make([]byte, 1_000_000), 0o644))
	squares := make(chan int)
	for number := range 10 {
		go func() { squares <- number * number }()
	}
	sum := 0
	for range 10 {
		sum += <-squares
	}
	said, err := exec.Command("sh", "-c", "echo 1").Output()
	must(err)
	words := len(strings.Fields(string(text)))
	fmt.Printf("%d words, %d by goroutines, child says %s\n", words, sum, strings.TrimSpace(string(said)))
}
