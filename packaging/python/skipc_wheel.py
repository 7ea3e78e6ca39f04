"""Wheels of skipc (PEP 517): `make install` into the package, beside skipc/__init__.py.

The libraries that skipc is linked with go into the program where they are there as archives: it then needs the C
library alone, and the wheel says so (manylinux). What builds skipc must be installed: sh tools/setup.sh.
"""
import base64
import glob
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
SCRIPT = "skipc = skipc.__main__:main"
SKIPPED = {".git", ".venv", "build", "__pycache__", "shared"}


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def version():
    return re.search(r'#define SKIPC_VERSION "(.*)"', read("compiler", "core", "skipc.h"))[1]


def metadata():
    return f"""Metadata-Version: 2.1
Name: skipc
Version: {version()}
Summary: Compiles ONNX networks with skip connections into standalone C
License: MIT
Requires-Python: >=3.9
Requires-Dist: numpy
Provides-Extra: diff
Requires-Dist: onnx; extra == "diff"
Requires-Dist: onnxruntime; extra == "diff"
Description-Content-Type: text/markdown

`skipc` is the command; `skipc.compile(model)` makes a function of numpy arrays of an ONNX model, by the C compiler that is
installed. `skipc[diff]` has what `skipc diff`, `bench` and `tune` want.
"""


def archives():
    """Words for the linker by which libraries go into the program; null: some are there only as shared ones."""
    words = []
    for name in ("protobuf-c", "nettle"):
        said = subprocess.run([os.environ.get("CC", "cc"), f"-print-file-name=lib{name}.a"], capture_output=True, text=True)
        path = said.stdout.strip()
        if not os.path.isabs(path):
            return None
        words.append(path)
    return words


def make(stage):
    """The package's files below stage/skipc. True: the program needs the C library alone."""
    static = archives() if sys.platform == "linux" else None
    words = [f"LIBRARIES={' '.join(static)}"] if static else []
    done = subprocess.run(["make", f"-j{os.cpu_count()}", "install", f"DESTDIR={stage}", "BINDIR=/skipc/bin", "HELPERDIR=/skipc/libexec/skipc",
                           "HELPERS=", "DATADIR=/skipc/share", "LDFLAGS=-s", *words], cwd=ROOT)
    if done.returncode != 0:
        sys.exit("skipc: make failed; sh tools/setup.sh installs what it needs")
    for path in glob.glob(os.path.join(HERE, "skipc", "*.py")):
        shutil.copy(path, os.path.join(stage, "skipc"))
    return bool(static)


def tag(alone):
    name, libc = platform.libc_ver()
    if alone and name == "glibc":
        return f"py3-none-manylinux_{libc.replace('.', '_')}_{platform.machine()}"
    return "py3-none-" + re.sub(r"[-.]", "_", sysconfig.get_platform())


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    with tempfile.TemporaryDirectory() as stage:
        name = tag(make(stage))
        info = f"skipc-{version()}.dist-info"
        os.mkdir(os.path.join(stage, info))
        for file, text in (("METADATA", metadata()), ("LICENSE", read("LICENSE")), ("entry_points.txt", f"[console_scripts]\n{SCRIPT}\n"),
                           ("WHEEL", f"Wheel-Version: 1.0\nGenerator: skipc\nRoot-Is-Purelib: false\nTag: {name}\n")):
            with open(os.path.join(stage, info, file), "w", encoding="utf-8") as f:
                f.write(text)
        wheel = f"skipc-{version()}-{name}.whl"
        record = []
        with zipfile.ZipFile(os.path.join(wheel_directory, wheel), "w", zipfile.ZIP_DEFLATED) as z:
            files = sorted(os.path.join(path, f) for path, _, names in os.walk(stage) for f in names)
            for path in files:
                with open(path, "rb") as f:
                    data = f.read()
                entry = zipfile.ZipInfo(os.path.relpath(path, stage).replace(os.sep, "/"))
                entry.external_attr = (0o100755 if os.access(path, os.X_OK) else 0o100644) << 16
                z.writestr(entry, data, zipfile.ZIP_DEFLATED)
                digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
                record.append(f"{entry.filename},sha256={digest},{len(data)}\n")
            z.writestr(zipfile.ZipInfo(f"{info}/RECORD"), "".join([*record, f"{info}/RECORD,,\n"]))
    return wheel


def build_sdist(sdist_directory, config_settings=None):
    base = f"skipc-{version()}"
    with tempfile.TemporaryDirectory() as work:
        with open(os.path.join(work, "PKG-INFO"), "w", encoding="utf-8") as f:
            f.write(metadata())
        with tarfile.open(os.path.join(sdist_directory, f"{base}.tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as t:
            t.add(os.path.join(work, "PKG-INFO"), f"{base}/PKG-INFO")
            t.add(ROOT, base, filter=lambda i: None if os.path.basename(i.name) in SKIPPED else i)
    return f"{base}.tar.gz"
