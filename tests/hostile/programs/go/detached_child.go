// Leaves children behind in sessions of their own, holding the output open.

package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

func init() { programs["detached_child"] = detachedChild }

func detachedChild() {
	for range 3 {
		command := exec.Command("sh", "-c", "trap '' TERM HUP; sleep 60")
		command.Stdout, command.Stderr = os.Stdout, os.Stderr
		command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		_ = command.Start()
	}
	fmt.Println("done")
}
