# Plants modules in the place of the standard library's, and start-up files: a later call must not run them.
#
# afterwards: call python

from pathlib import Path

from attack import done

for name in ("json", "os", "sys", "io", "re", "site", "sitecustomize", "usercustomize", "asyncio", "inspect", "types"):
    Path(f"{name}.py").write_text("import os; os.write(1, b'GOT THROUGH: planted'); os._exit(0)")
    Path(f"{name}.pth").write_text("import os; os._exit(0)")
Path("pyvenv.cfg").write_text("home = /nowhere")
Path("python").write_text("#!/bin/sh\necho GOT THROUGH: planted")
Path("python").chmod(0o755)
Path("answer.py").write_text("def answer():\n    return 42\n")
done()
