// Starts itself 200 times, each in a session of its own.
//
// limits: processes=60
// hits: processes
// at most: 110 processes

package main

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

func init() { programs["fork_bomb"] = forkBomb }

func forkBomb() {
	if os.Getenv("CHILD") != "" {
		time.Sleep(20 * time.Second)
		return
	}
	for range 200 {
		command := exec.Command("/bin/sleep", "20")
		command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		_ = command.Start()
	}
	time.Sleep(20 * time.Second)
}
