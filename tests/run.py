#!/usr/bin/env python3
"""Run the cases and the bad inputs.

    run.py [--skipc PATH] [--target T] [--options OPTIONS] [--fast | --in-turn] [--jobs N] [NAME ...]

A case (tests/cases/NAME: model.onnx, test_data_set_0, perhaps `options` and `tolerance`) is compiled twice, from
different folders, to the same bytes; built with address and undefined-behaviour sanitizers, and optimised by gcc or
clang (by its name), without a warning; run by both to the same bits; and compared with the expected outputs. With
another target it is built optimised, and run held to each instruction set that this machine has; aarch64's programs
run under qemu elsewhere. A bad input
(tests/bad/NAME.onnx) must be refused: exit status 1, each line of NAME.err in the message (or the reason of its line
in tests/refused.txt), nothing written.
Nothing is registered: the folders are the list. NAMEs choose some of it, --fast every eighth case and one build;
--in-turn builds seven of eight cases once, with sanitizers or optimised (by their names);
--options are further ones of skipc compile for each case.
"""
import argparse
import concurrent.futures
import filecmp
import glob
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import onnx
from onnx import numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = "-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror"
# -O1 takes three times as long to build. Sums in variables, scaled without floats, which the optimised ones have not: the same bits.
CHECKING = "-O0 -fsanitize=address,undefined -fno-sanitize-recover=all -DNET_SCALAR=1 -DNET_FPU=0"
# Of each of these a case is built by one compiler, most by the first: the quicker one. Vector code takes gcc twice to twenty times as long.
SANITIZED = {"clang": f"clang {CHECKING}", "gcc": f"gcc {CHECKING}"}
OPTIMISED = {"c": {"gcc": "gcc -O2", "clang": "clang -O2"}, "x86-64": {"clang": "clang -O2", "gcc": "gcc -O2"},
             "aarch64": {"aarch64-linux-gnu-gcc": "aarch64-linux-gnu-gcc -O2 -static",
                         "clang": "clang --target=aarch64-linux-gnu -O2 -static"}}
FOREIGN = ("aarch64",)
QUICK = "clang" if shutil.which("clang") else "gcc"  # to build vector code
OTHERS = 8  # a case in so many by the second
ISAS = {1: None, 2: "avx2", 3: "avx512f", 4: "avx_vnni", 5: "avx512_vnni"}  # levels of --target=x86-64: what the processor must have
TOLERANCE = 5e-6  # of the largest expected value; what float arithmetic in another order makes of these models
WINOGRAD = 4e-5  # where a convolution is computed so: F(4x4, 3x3) loses two bits and a half, or three without FMA


class Failure(Exception):
    pass


def run(command, cwd=None, status=0):
    result = subprocess.run(command, cwd=cwd, capture_output=True, timeout=300)
    if result.returncode != status:
        text = (result.stderr or result.stdout).decode(errors="replace").strip()
        raise Failure(f"{' '.join(command[:3])} ...: exit status {result.returncode}\n{text[:2000]}")
    return result.stderr.decode(errors="replace")


def read(path, default=""):
    if not os.path.exists(path):
        return default
    with open(path) as f:
        return f.read()


def allowed(code, tolerance):
    """What NAME.c may differ by."""
    return max(tolerance, WINOGRAD) if "winograd" in read(code) else tolerance


def tensors(folder, kind):
    arrays = []
    while os.path.exists(path := os.path.join(folder, f"{kind}_{len(arrays)}.pb")):
        arrays.append(numpy_helper.to_array(onnx.load_tensor(path)))
    return arrays


def save(path, array):
    """A .npy file; bfloat16, which NumPy has not, as its bits."""
    np.save(path, array.view(np.uint16) if array.dtype.name == "bfloat16" else array)


def compare(got, want, tolerance):
    if want.dtype.name == "bfloat16":
        got, want = ((a.view(np.uint16).astype(np.uint32) << 16).view(np.float32) for a in (got, want))
    if got.shape != want.shape or got.dtype != want.dtype:
        raise Failure(f"output is {got.dtype}{list(got.shape)}, expected {want.dtype}{list(want.shape)}")
    if want.dtype.kind != "f":
        if not np.array_equal(got, want):
            raise Failure(f"{(got != want).sum()} of {want.size} values differ")
        return
    got, want = got.astype(np.float64), want.astype(np.float64)
    finite = np.isfinite(want)
    if not np.array_equal(np.isnan(got), np.isnan(want)) or not np.array_equal(got[np.isinf(want)], want[np.isinf(want)]):
        raise Failure("NaN or infinity stand elsewhere than expected")
    scale = np.abs(want[finite]).max() if finite.any() else 0.0
    error = np.abs(got[finite] - want[finite]).max() / (scale or 1.0) if finite.any() else 0.0
    if not error <= tolerance:
        raise Failure(f"differs by {error:.2g} of the largest value, {tolerance:g} is allowed")


def levels(target):
    """Options of the program: every instruction set that this machine can run."""
    if target == "c":
        return [[]]
    if target in FOREIGN:
        return [["--isa", "1"], ["--isa", "2"]]
    flags = read("/proc/cpuinfo")
    return [["--isa", str(level)] for level, flag in ISAS.items() if flag is None or f" {flag} " in flags]


def emulator(target):
    """What runs the target's programs here."""
    if target not in FOREIGN or os.uname().machine == target:
        return []
    found = [q for q in (f"qemu-{target}", f"qemu-{target}-static") if shutil.which(q)]
    return found[:1]


def lacking(target):
    """What this machine has not and the target needs, or None."""
    if target in FOREIGN and os.uname().machine != target and not emulator(target):
        return f"qemu-{target}"
    first = next(iter(OPTIMISED[target]))
    return first if target in FOREIGN and not shutil.which(first) else None


def checksum(folder):
    return zlib.crc32(os.path.basename(folder).encode())


def by_name(commands, folder, salt):
    """The build of a case by one of the compilers that are installed, always the same."""
    installed = [commands[c] for c in commands if shutil.which(c)]
    return installed[(checksum(folder) + salt) % OTHERS == 0 and len(installed) > 1]


def builds_of(folder, arguments, whole):
    target = arguments.target
    builds = [by_name(SANITIZED, folder, 1)] * (target == "c")
    if arguments.all_compilers:
        return builds + [command for c, command in OPTIMISED[target].items() if shutil.which(c)]
    builds += [by_name(OPTIMISED[target], folder, 0)] * (target != "c" or not arguments.fast)
    if arguments.in_turn and not whole:
        return [builds[checksum(folder) // OTHERS % len(builds)]]
    return builds


def main_object(work, folder):
    """net_main.c, the same program for each build of a case: of every case but the eighth, where each build has its own."""
    made = os.path.join(work, "main.o")
    run(shlex.split(f"gcc -O0 {FLAGS} -I {folder} -c {folder}/net_main.c -o {made}"))
    return made


def run_case(skipc, folder, builds, target, further, whole):
    options = ["--target", target, *shlex.split(further), *shlex.split(read(os.path.join(folder, "options")))]
    tolerance = float(read(os.path.join(folder, "tolerance"), str(TOLERANCE)))
    data = os.path.join(folder, "test_data_set_0")
    xs, ys = tensors(data, "input"), tensors(data, "output")
    with tempfile.TemporaryDirectory() as work:
        one, two = os.path.join(work, "one"), os.path.join(work, "two")
        model = os.path.join(folder, "model.onnx")
        run([skipc, "compile", model, "-o", one, "--name", "net", "--main", *options])
        run([skipc, "compile", "model.onnx", "-o", two, "--name", "net", "--main", *options], cwd=folder)
        names = sorted(os.listdir(one))
        if filecmp.cmpfiles(one, two, names, shallow=False)[0] != names:
            raise Failure("two runs of the compiler wrote different bytes")
        for k, x in enumerate(xs):
            save(os.path.join(work, f"x{k}.npy"), x)
        tolerance = allowed(os.path.join(one, "net.c"), tolerance)
        first = None
        program = os.path.join(work, "program")
        files = [os.path.join(work, f"y{k}.npy") for k in range(len(ys))]
        sources = sorted(glob.glob(one + "/*.c"))
        if not whole:
            sources[sources.index(f"{one}/net_main.c")] = main_object(work, one)
        for build in builds:
            run(shlex.split(f"{build} {FLAGS} -I {one}") + sources + ["-o", program])
            for level in levels(target):
                run([*emulator(target), program, *(os.path.join(work, f"x{k}.npy") for k in range(len(xs))), "-o", *files, *level])
                outputs = [np.load(f) for f in files]
                for got, want in zip(outputs, ys):
                    compare(got, want, tolerance)
            if target == "c" and first is not None and any(a.tobytes() != b.tobytes() for a, b in zip(first, outputs)):
                raise Failure(f"{build} computes other bits than {builds[0]}")
            first = outputs


def refused():
    """tests/refused.txt: the reason for each model that skipc refuses for what it has not."""
    lines = [line for line in read(os.path.join(HERE, "refused.txt")).splitlines() if line and line[0] != "#"]
    return dict(line.split(": ", 1) for line in lines)


def run_bad(skipc, model):
    options = shlex.split(read(model[:-5] + ".options"))
    with tempfile.TemporaryDirectory() as work:
        message = run([skipc, "compile", model, "-o", os.path.join(work, "out"), *options], status=1)
        want = read(model[:-5] + ".err") or refused().get(os.path.basename(model)[:-5])
        if not want:
            raise Failure("neither an .err file nor a line of refused.txt says why it is refused")
        for line in want.splitlines():
            if line.strip() and line.strip() not in message:
                raise Failure(f"the message lacks: {line.strip()}\nit is: {message.strip()}")
        left = [f for _, _, files in os.walk(work) for f in files]
        if left:
            raise Failure(f"it left files behind: {left}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--target", default="c")
    parser.add_argument("--options", default="")
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("--in-turn", action="store_true")
    parser.add_argument("--all-compilers", action="store_true", help="each case by each of them")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    skipc = os.path.abspath(arguments.skipc)
    for missing in (c for c in OPTIMISED["c"] if not shutil.which(c)):
        print(f"NOT RUN: {missing} is not installed")
    cases = sorted(glob.glob(os.path.join(HERE, "cases", "*", "model.onnx")))
    for name in refused():
        if not os.path.exists(os.path.join(HERE, "bad", name + ".onnx")):
            sys.exit(f"refused.txt: no tests/bad/{name}.onnx")
    jobs = [(run_bad, skipc, m) for m in sorted(glob.glob(os.path.join(HERE, "bad", "*.onnx")))]
    if lacking(arguments.target):
        print(f"NOT RUN: --target={arguments.target}: {lacking(arguments.target)} is not installed")
        return 0
    if arguments.target != "c":
        jobs = []
    if arguments.target == "x86-64":
        for level, flag in ISAS.items():
            if ["--isa", str(level)] not in levels(arguments.target):
                print(f"{flag}: this machine has it not; " + ("vectors.py emulates it" if level > 2 else "NOT RUN"))
    eighth = set(cases[::8])
    if arguments.fast:
        cases = cases[::8]
    for case in cases:
        folder = os.path.dirname(case)
        whole = arguments.target != "c" or case in eighth
        builds = builds_of(folder, arguments, whole)
        jobs.append((run_case, skipc, folder, builds, arguments.target, arguments.options, whole))
    if arguments.names:
        jobs = [j for j in jobs if any(n in j[2] for n in arguments.names)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for job, future in [(j, pool.submit(*j)) for j in jobs]:
            try:
                future.result()
            except (Failure, subprocess.TimeoutExpired, OSError, ValueError) as e:
                failed += 1
                print(f"FAILED {os.path.relpath(job[2], HERE)}: {e}", flush=True)
    print(f"cases{' and bad inputs' if arguments.target == 'c' else ''}: {len(jobs) - failed} passed, {failed} failed")
    return 1 if failed or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
