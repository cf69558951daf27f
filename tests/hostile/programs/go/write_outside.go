// Overwrites, links, renames and chmods the canary files, and leaves files everywhere.

package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

func init() { programs["write_outside"] = writeOutside }

func writeOutside() {
	for _, name := range []string{target("SECRET"), target("TESTS"), target("RESULTS")} {
		for _, way := range []string{name, strings.Repeat("../", 30) + name[1:], "/proc/1/root" + name} {
			os.Link(way, "hard")
			os.WriteFile("hard", []byte("overwritten"), 0o644)
			os.WriteFile(way, []byte("overwritten"), 0o644)
			os.Chmod(way, 0o777)
			os.Chtimes(way, time.Unix(1, 0), time.Unix(1, 0))
			os.Rename(way, "moved")
			os.RemoveAll(way)
		}
	}
	for _, folder := range []string{"/tmp", "/var/tmp", "/dev/shm", "/usr", "/", target("HOME"), target("REAL_HOME")} {
		for _, way := range []string{folder, "/proc/1/root" + folder, strings.Repeat("../", 30) + folder[1:]} {
			os.WriteFile(way+"/"+target("TOKEN")+".left", []byte("left"), 0o644)
		}
	}
	fmt.Println("done")
}
