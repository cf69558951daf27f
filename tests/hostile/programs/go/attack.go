// Shared by the Go programs: where the targets are, and how an attempt is told.

package main

import (
	"fmt"
	"os"
	"regexp"
)

var canary = regexp.MustCompile(`CANARY-[0-9a-f]+`)

func target(name string) string { return os.Getenv("TARGET_" + name) }

// attempt tells of what must fail.
func attempt(what string, err error) {
	if err != nil {
		fmt.Println("refused:", what, err)
	} else {
		fmt.Println("GOT THROUGH:", what)
	}
}

// look reads what may be readable, and tells the secrets in it: they alone count.
func look(path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		fmt.Println("refused:", path, err)
	} else {
		fmt.Printf("looked: %s %q\n", path, canary.FindAll(data, -1))
	}
}
