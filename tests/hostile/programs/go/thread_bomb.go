// Locks 256 goroutines to a thread each.
//
// limits: processes=50
// hits: processes
// at most: 80 processes

package main

import (
	"runtime"
	"syscall"
	"time"
)

func init() { programs["thread_bomb"] = threadBomb }

func threadBomb() {
	for range 256 {
		go func() {
			runtime.LockOSThread()
			pause := syscall.NsecToTimespec(int64(20 * time.Second))
			syscall.Nanosleep(&pause, nil)
		}()
	}
	time.Sleep(20 * time.Second)
}
