#!/usr/bin/env python3
"""runtime/ as its users build it: no warning under strict flags with gcc and clang, headers that are C++ too, and
tests/runtime.c under the thread, address and undefined-behaviour sanitizers, with atomics and mmap and without.

    runtime.py
"""
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STRICT = "-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror -O2".split()
TEST = "-std=gnu11 -D_POSIX_C_SOURCE=200809L -O1 -g -Wall -Wextra -Werror".split()
LIBRARIES = "-lcheck -lsubunit -lm -lrt -lpthread".split()
PLAIN = ["-DSKIPC_POOL_NO_ATOMICS", "-DSKIPC_WEIGHTS_NO_MMAP"]


def run(*command, **environment):
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={**os.environ, **environment})
    if result.returncode != 0:
        raise SystemExit(f"runtime.py: {' '.join(command)}\nexit status {result.returncode}\n"
                         f"{result.stdout[-3000:]}{result.stderr[-3000:]}")


def main():
    compilers = [c for c in ("gcc", "clang") if shutil.which(c)]
    with tempfile.TemporaryDirectory() as work:
        for compiler in compilers:
            for options in ([], PLAIN):
                for name in ("skipc_pool", "skipc_weights"):
                    run(compiler, *STRICT, *options, "-c", f"runtime/{name}.c", "-o", f"{work}/{name}.o")
            with open(f"{work}/headers.cpp", "w") as f:
                f.write('#include "skipc_pool.h"\n#include "skipc_weights.h"\n')
            run(compiler, "-std=c++11", "-Wall", "-Wextra", "-Werror", "-Iruntime", "-fsyntax-only", f"{work}/headers.cpp")
        print(f"runtime.py: no warnings: {', '.join(compilers)}")
        for sanitizer in ("thread", "address,undefined"):
            for options in ([], PLAIN):
                program = f"{work}/runtime"
                run(compilers[0], *TEST, *options, f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all",
                    "tests/runtime.c", *LIBRARIES, "-o", program)
                run(program, CK_FORK="no", TSAN_OPTIONS="halt_on_error=1 exitcode=66")
                print(f"runtime.py: {sanitizer} {' '.join(options)}: ok")
    return 0


if __name__ == "__main__":
    sys.exit(main())
