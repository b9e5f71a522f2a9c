"""Run a program that ends with the process that started it: `python following.py NUMBER PROGRAM …`.

NUMBER is that process's. However it ends, by SIGKILL too, the program does not go on alone. Windows does not tell a
process that its parent is gone: there Ctrl-C alone ends both.
"""

import os
import runpy
import sys
import threading
import time

WATCHED_SECONDS = 0.2  # between two looks for the parent


def follow(parent: int) -> None:
    """End this process as soon as its parent is another one."""
    while os.getppid() == parent:
        time.sleep(WATCHED_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    if os.name != "nt":  # where a virtual environment's Python starts another one, and a parent's number stays
        threading.Thread(target=follow, args=(int(sys.argv[1]),), daemon=True).start()
    del sys.argv[:2]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))  # as Python has it for a program
    runpy.run_path(sys.argv[0], run_name="__main__")
