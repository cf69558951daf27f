# Writes terminal escapes of every kind, C1 codes, bidirectional overrides, NUL and bytes that are no UTF-8.
#
# afterwards: show output

import os

text = "\x1b[2J\x1b[31mred\x1b]0;title\x07\x1b]8;;http://example.com\x1b\\\\link"
text += "\x1bP+q\x1b\\\\ \x9b31m \x90 \x07\x08\r\x0b\x0c\x7f"
text += "\u202eabc\u2066\u200f\ufeff\u2028\u2029 \x00 PASSED 100% <script>alert(1)</script> &lt; \ud83d"
data = text.encode("utf-8", "surrogatepass") + bytes(range(256)) + b"\xc0\x80\xf5\x80\xed\xa0\x80\xff\n"
os.write(1, data)
os.write(2, data)
os.write(1, b"done\n")
