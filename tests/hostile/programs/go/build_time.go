// Brings a module whose generate line, embedded files, C flags, tool settings and replacements attack while it is built.
//
// toolchain: go
// limits: wall_s=25 cpu_s=25 memory_mb=1500 disk_mb=400
// hits: nothing

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func init() { programs["build_time"] = buildTime }

func buildTime() {
	secret, tests := target("SECRET"), target("TESTS")
	source := "package main\n\n//go:generate sh -c \"cat $TARGET_SECRET $TARGET_TESTS > found;" +
		" echo left > $TARGET_REAL_HOME/$TARGET_TOKEN.left; echo left > $TARGET_GO/$TARGET_TOKEN.left\"\n" +
		"import (\n\"C\"\n_ \"embed\"\n)\n\n// #cgo LDFLAGS: -Wl,--version-script=" + secret + "\n\n" +
		"//go:embed " + strings.Repeat("../", 20) + strings.TrimPrefix(secret, "/") + "\nvar text string\n\nfunc main() { print(text) }\n"
	_ = os.MkdirAll("module", 0o755)
	_ = os.WriteFile("module/main.go", []byte(source), 0o644)
	_ = os.Symlink(secret, "module/embedded.txt")
	_ = os.WriteFile("module/embed.go", []byte("package main\n\nimport _ \"embed\"\n\n//go:embed embedded.txt\nvar more string\n"), 0o644)
	module := "module x\n\ngo 1.22\n\nrequire example.com/y v1.0.0\n\nreplace example.com/y => " + filepath.Dir(tests) + "\n\ntoolchain go9.9.9\n"
	_ = os.WriteFile("module/go.mod", []byte(module), 0o644)
	_ = os.WriteFile("module/go.env", []byte("GOPROXY=http://127.0.0.1:"+target("TCP")+"\n"), 0o644)
	for _, arguments := range [][]string{{"generate", "./..."}, {"build", "-o", "built", "."}, {"get", "example.com/z"}} {
		command := exec.Command("go", arguments...)
		command.Dir = "module"
		command.Env = append(os.Environ(), "GOPROXY=http://127.0.0.1:"+target("TCP"), "GOTOOLCHAIN=auto", "GOCACHE=/tmp/go", "GOPATH=/tmp/gopath")
		said, err := command.CombinedOutput()
		fmt.Printf("%v: %v %q\n", arguments, err, canary.FindAll(said, -1))
	}
	look("module/found")
	fmt.Println("done")
}
