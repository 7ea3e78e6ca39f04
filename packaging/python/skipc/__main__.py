"""The command: skipc, or python -m skipc. diff, bench and others run in this Python."""
import os
import subprocess
import sys

from . import PROGRAM


def main():
    environment = {"SKIPC_PYTHON": sys.executable, **os.environ}
    command = [PROGRAM, *sys.argv[1:]]
    if os.name == "posix":
        os.execve(PROGRAM, command, environment)
    sys.exit(subprocess.run(command, env=environment).returncode)


if __name__ == "__main__":
    main()
