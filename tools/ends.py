"""How a command ends that is not to end: imported before anything else, by what skipc runs.

Ctrl-C is exit status 130 and says nothing; whoever reads from a pipe and has seen enough is no fault to speak of (1); a
file or standard output that cannot be written is a line (1), and a Python module that is not there another (4).
"""
import os
import sys

COMMANDS = {"compare": "diff", "timing": "bench", "gates": "gates", "lesion": "lesion", "tune": "tune"}
PROGRAM = os.path.splitext(os.path.basename(sys.argv[0]))[0]


def progress(text=""):
    """What is being done, on a line of its own that the next replaces; nothing where nobody looks."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def status_of(error):
    """The exit status, once what there is to say is said. None: it is a bug, and wants its traceback."""
    if isinstance(error, KeyboardInterrupt):
        return 130
    if isinstance(error, BrokenPipeError):
        return 1
    if isinstance(error, ModuleNotFoundError):
        print(f"skipc: Python module '{error.name}' is not installed", file=sys.stderr)
        return 4
    if isinstance(error, OSError):
        where = error.filename if error.filename is not None else "standard output"
        print(f"skipc {COMMANDS[PROGRAM]}: {where}: {error.strerror}", file=sys.stderr)
        return 1
    return None


def hook(kind, error, trace):
    try:
        progress()
        status = status_of(error)
        if status is None:
            sys.__excepthook__(kind, error, trace)
        sys.stderr.flush()
    except OSError:  # standard error is closed
        status = 1
    os._exit(1 if status is None else status)  # pylint: disable=protected-access; what is left in buffers goes nowhere


def run(main):
    """Ends this program as main() says, once everything that it printed has arrived."""
    status = main()
    sys.stdout.flush()
    sys.exit(status)


if PROGRAM in COMMANDS:  # and no test that imports one of them
    sys.excepthook = hook
