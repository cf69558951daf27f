// Reads the secret, dotfiles, hidden tests and environments: by name, upwards, through every process's root.

package main

import (
	"fmt"
	"os"
	"strings"
)

func init() { programs["read_files"] = readFiles }

func readFiles() {
	for _, name := range []string{target("SECRET"), target("HOME") + "/.netrc", target("TESTS")} {
		look(name)
		look(strings.Repeat("../", 30) + name[1:])
		for _, pid := range []string{"1", "self", target("PID"), target("GRADER")} {
			look("/proc/" + pid + "/root" + name)
			look("/proc/" + pid + "/cwd/" + strings.Repeat("../", 20) + name[1:])
		}
	}
	processes, _ := os.ReadDir("/proc")
	for _, process := range processes {
		look("/proc/" + process.Name() + "/environ")
		look("/proc/" + process.Name() + "/cmdline")
	}
	_, err := os.ReadDir(target("HOME"))
	attempt("list the home folder", err)
	fmt.Println("done")
}
