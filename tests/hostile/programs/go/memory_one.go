// Takes 1 GB, page by page.
//
// limits: memory_mb=200
// hits: memory_mb
// holds: 600 MB

package main

import (
	"fmt"
	"time"
)

func init() { programs["memory_one"] = memoryOne }

func memoryOne() {
	var blocks [][]byte
	for count := range 64 {
		block := make([]byte, 16<<20)
		for at := 0; at < len(block); at += 4096 {
			block[at] = 1
		}
		blocks = append(blocks, block)
		fmt.Printf("held: %d MB\n", 16*(count+1))
	}
	time.Sleep(20 * time.Second)
	fmt.Println(len(blocks))
}
