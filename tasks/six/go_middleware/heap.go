package main

// The grader builds this file into the program. Asked by a byte on one pipe, it tells on another how many objects live
// on the heap. Without pipes it does nothing. Its names are odd so that they meet none of the program's own.

import (
	llmbenchFmt "fmt"
	llmbenchOS "os"
	llmbenchRuntime "runtime"
	llmbenchTime "time"
)

func init() {
	var asked, told int
	if n, _ := llmbenchFmt.Sscanf(llmbenchOS.Getenv("HEAP_PIPES"), "%d,%d", &asked, &told); n != 2 {
		return
	}
	go func() {
		questions := llmbenchOS.NewFile(uintptr(asked), "questions")
		answers := llmbenchOS.NewFile(uintptr(told), "answers")
		for question := make([]byte, 1); ; {
			if n, err := questions.Read(question); n == 0 || err != nil {
				return
			}
			var heap llmbenchRuntime.MemStats
			for range 3 { // pools and finalizers hold on to things for a round or two
				llmbenchRuntime.GC()
				llmbenchTime.Sleep(5 * llmbenchTime.Millisecond)
			}
			llmbenchRuntime.ReadMemStats(&heap)
			llmbenchFmt.Fprintln(answers, heap.HeapObjects)
		}
	}()
}
