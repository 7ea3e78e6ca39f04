"""Programs for Windows under Wine, of which nothing stays: its server and services write into their prefix for seconds after a program's end.

    with wine.Wine(prefix) as w:
        subprocess.run([w.program, "id.exe"], env={**os.environ, **w.settings})
"""
import glob
import os
import shutil
import subprocess
import time


def program():
    """Wine; null: it is not installed."""
    path = shutil.which("wine64") or "/usr/lib/wine/wine64"
    return path if os.path.exists(path) else None


class Wine:
    def __init__(self, prefix):
        self.program, self.prefix = program(), os.path.abspath(prefix)
        self.settings = {"WINEPREFIX": self.prefix, "WINEDEBUG": "-all"}

    def running(self):
        """Processes of this prefix."""
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                with open(path, "rb") as f:
                    if f"WINEPREFIX={self.prefix}".encode() in f.read().split(b"\0") and int(path.split("/")[2]) != os.getpid():
                        yield int(path.split("/")[2])
            except OSError:
                pass  # it has ended, or is not ours

    def __enter__(self):
        return self

    def __exit__(self, *_):
        folder = os.path.dirname(os.path.realpath(self.program))
        server = next((s for s in (f"{folder}/wineserver64", f"{folder}/wineserver") if os.path.exists(s)), shutil.which("wineserver"))
        for how in ("-k", "-w") if server else ():
            subprocess.run([server, how], env={**os.environ, **self.settings}, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                           timeout=120)
        end = time.monotonic() + 60
        while list(self.running()) and time.monotonic() < end:
            time.sleep(0.05)
