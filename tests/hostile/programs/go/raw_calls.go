// Starts children in new namespaces, traces, kills, and makes dangerous system calls.

package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

func init() { programs["raw_calls"] = rawCalls }

func rawCalls() {
	runtime.LockOSThread()
	pid, _ := strconv.Atoi(target("PID"))
	for _, flags := range []uintptr{syscall.CLONE_NEWUSER, syscall.CLONE_NEWNS, syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET} {
		command := exec.Command("/bin/true")
		command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
		attempt("a child in namespaces", command.Run())
		attempt("unshare", syscall.Unshare(int(flags)))
	}
	attempt("mount", syscall.Mount("none", "/tmp", "tmpfs", 0, ""))
	attempt("chroot", syscall.Chroot("."))
	attempt("attach", syscall.PtraceAttach(pid))
	attempt("kill", syscall.Kill(pid, syscall.SIGKILL))
	attempt("setuid", syscall.Setuid(0))
	_, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW, 0)
	attempt("netlink", err)
	_, err = syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW, 0)
	attempt("packets", err)
	_, _, number := syscall.RawSyscall(425, 8, 0, 0) // io_uring_setup, which needs no valid address to be found allowed
	if number == syscall.EPERM || number == syscall.ENOSYS {
		fmt.Fprintln(os.Stdout, "refused: io_uring", number)
	} else {
		fmt.Fprintln(os.Stdout, "GOT THROUGH: io_uring", number)
	}
	fmt.Println("done")
}
