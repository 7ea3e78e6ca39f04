#!/usr/bin/env python3
"""Generated code under the compilers that Debian has: no warning, and the same bits wherever it can run.

    compilers.py [--skipc PATH] [--jobs N] [--write] [NAME ...]

Five networks (the trained digits and highway networks, MLPerf's ResNet-8, the same of bytes, and one of pools, softmax and
normalisations) are built by each compiler from programs/compilers.c and run: here, by qemu's user emulation, on qemu's
Arm boards without an operating system, in node's WebAssembly. What --target=c computes has the same bits everywhere;
so has --target=x86-64 among the compilers of x86-64. --write puts the table into BENCHMARKS.md; NAMEs choose compilers.
"""
import argparse
import collections
import concurrent.futures
import glob
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx

from nodes import Nodes
from onnx_nodes import write
from run import FLAGS, HERE, read

ROOT = os.path.join(HERE, "..")
sys.path.append(os.path.join(ROOT, "tools"))
import networks  # noqa: E402
from static_int8 import quantise  # noqa: E402

MARKS = ("<!-- compilers.py -->\n", "<!-- end -->\n")
FIRMWARE = os.path.join(ROOT, "examples", "firmware")
WASI = "const { WASI } = require('wasi'); const wasi = new WASI({ version: 'preview1' }); WebAssembly.instantiate(" \
       "require('fs').readFileSync(process.argv[1]), { wasi_snapshot_preview1: wasi.wasiImport })" \
       ".then(m => process.exit(wasi.start(m.instance)))"

Compiler = collections.namedtuple("Compiler", "machine command run targets", defaults=("", "c"))
X86 = "c x86-64"


def qemu(machine, gnu):
    return f"qemu-{machine} -L /usr/{gnu}"


# On a board: what follows is its name, where code and data begin, and room for code where that is not 512K.
COMPILERS = [
    Compiler("x86-64", "gcc -O2", targets=X86),
    Compiler("x86-64", "gcc -O3 -march=native -std=gnu17", targets=X86),
    Compiler("x86-64", "clang -O2", targets=X86),
    Compiler("x86-64", "clang-19 -O2", targets=X86),
    Compiler("x86-64", "clang-22 -O3 -march=native", targets=X86),
    Compiler("x86-64, musl", "musl-gcc -O2 -static", targets=X86),
    Compiler("x86-64", "tcc"),
    Compiler("Windows", "x86_64-w64-mingw32-gcc -O2", None, X86),
    Compiler("AArch64", "aarch64-linux-gnu-gcc -O2", qemu("aarch64", "aarch64-linux-gnu")),
    Compiler("Arm, soft float", "arm-linux-gnueabi-gcc -O2", qemu("arm", "arm-linux-gnueabi")),
    Compiler("Arm, VFP", "arm-linux-gnueabihf-gcc -O2", qemu("arm", "arm-linux-gnueabihf")),
    Compiler("RISC-V 64", "riscv64-linux-gnu-gcc -O2", qemu("riscv64", "riscv64-linux-gnu")),
    Compiler("MIPS, big-endian", "mips-linux-gnu-gcc -O2", qemu("mips", "mips-linux-gnu")),
    Compiler("PowerPC, big-endian", "powerpc-linux-gnu-gcc -O2", qemu("ppc", "powerpc-linux-gnu")),
    Compiler("s390x, big-endian", "s390x-linux-gnu-gcc -O2", qemu("s390x", "s390x-linux-gnu")),
    Compiler("Cortex-M0+", "arm-none-eabi-gcc -Os -mthumb -mcpu=cortex-m0plus", "board mps2-an385 0x0 0x20000000"),
    Compiler("Cortex-M3", "arm-none-eabi-gcc -O2 -mthumb -mcpu=cortex-m3", "board mps2-an385 0x0 0x20000000"),
    Compiler("Cortex-M4F", "arm-none-eabi-gcc -O2 -mthumb -mcpu=cortex-m4 -mfloat-abi=hard", "board mps2-an386 0x0 0x20000000"),
    Compiler("Cortex-M7", "arm-none-eabi-gcc -O3 -mthumb -mcpu=cortex-m7 -mfloat-abi=hard", "board mps2-an500 0x0 0x20000000"),
    Compiler("Cortex-M33", "arm-none-eabi-gcc -O2 -mthumb -mcpu=cortex-m33 -mfloat-abi=hard", "board mps2-an505 0x10000000 0x38000000"),
    Compiler("Cortex-M55", "arm-none-eabi-gcc -O2 -mthumb -mcpu=cortex-m55 -mfloat-abi=hard", "board mps3-an547 0x0 0x20000000"),
    Compiler("WebAssembly", "clang -O2 --target=wasm32-wasi -Wl,-z,stack-size=65536", "node"),
]


def mixed(path):
    """Pools, a resize, a normalisation, softmax, and a gate."""
    n, rng = Nodes(), np.random.default_rng(3)

    def conv(x, outputs, inputs, size, **attributes):
        w = n.constant(rng.standard_normal((outputs, inputs, size, size)) / (inputs * size * size) ** 0.5)
        return n.op("Conv", x, w, n.constant(0.1 * rng.standard_normal(outputs)), pads=[size // 2] * 4, **attributes)

    x = n.op("HardSwish", conv("x", 8, 3, 5))
    x = n.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    x = n.op("Add", x, n.op("Relu", conv(x, 8, 1, 3, group=8)))
    t = n.op("Sigmoid", conv(x, 8, 8, 1))
    x = n.op("Add", n.op("Mul", t, n.op("Tanh", conv(x, 8, 8, 3))), n.op("Mul", x, n.op("Sub", n.constant(1), t)))
    x = n.op("AveragePool", x, kernel_shape=[2, 2], strides=[1, 1], ceil_mode=1)
    x = n.op("Resize", x, "", n.constant([1, 1, 2, 2]), mode="linear")
    x = n.op("LayerNormalization", x, n.constant(np.ones(10)), axis=-1)
    x = n.op("Softmax", x, axis=1)
    n.op("Erf", n.op("Mul", x, n.constant(rng.standard_normal((1, 8, 1, 1)))))
    n.save_model(path, "x", n.nodes[-1].output[0], [1, 3, 11, 12], 17)
    model = onnx.load(path)
    del model.graph.output[0].type.tensor_type.shape.dim[:]
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    onnx.save(model, path)


def models(folder):
    """Paths by name."""
    made = {"mixed": os.path.join(folder, "mixed.onnx"), "ResNet-8": os.path.join(folder, "resnet8.onnx"),
            "ResNet-8, int8": os.path.join(folder, "resnet8_int8.onnx")}
    mixed(made["mixed"])
    networks.save(networks.build("resnet8"), made["ResNet-8"])
    quantise(networks.build("resnet8"), made["ResNet-8, int8"])
    return {n: os.path.join(ROOT, "examples", "digits", f"{n}.onnx") for n in ("digits", "highway")} | made


class Fault(Exception):
    pass


def execute(command, quiet=True):
    """What it says; a compiler must not say anything beside."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=600, stdin=subprocess.DEVNULL)
    if done.returncode or quiet and done.stderr.strip():
        raise Fault(f"{shlex.join(command[:6])} ..: exit status {done.returncode}\n{(done.stderr or done.stdout)[:1500]}")
    return done.stdout + done.stderr


def on_board(folder, board, code, data, room="512K"):
    """What a compiler needs for a board, and the command that runs the program there."""
    script = os.path.join(folder, f"{board}.ld")
    memory = read(os.path.join(FIRMWARE, "mps2.ld")).replace("0x00000000, LENGTH = 256K", f"{code}, LENGTH = {room}")
    with open(script, "w") as f:
        f.write(memory.replace("0x20000000, LENGTH = 8K", f"{data}, LENGTH = 512K"))
    options = ["-ffreestanding", "-fno-tree-loop-distribute-patterns", "-DON_BOARD", "-I", FIRMWARE, "-nostdlib", "-T", script,
               os.path.join(FIRMWARE, "board_mps2.c")]
    return options, ["qemu-system-arm", "-M", board, "-nographic", "-monitor", "none", "-serial", "none",
                     "-semihosting-config", "enable=on,target=native", "-kernel"]


def check(compiler, folder):
    """The bits of the network in a folder, or None where it cannot run."""
    command, target = shlex.split(compiler.command), ["-static"] * (compiler.run or "").startswith("qemu")
    with tempfile.TemporaryDirectory() as work:
        program, options, run = os.path.join(work, "program"), [], shlex.split(compiler.run or "")
        if run[:1] == ["board"]:
            options, run = on_board(work, *run[1:])
        elif run == ["node"]:
            run = ["node", "--no-warnings", "-e", WASI, "--"]
        std = [] if "-std=" in compiler.command else ["-std=c99"]
        sources = [*sorted(glob.glob(f"{folder}/*.c")), os.path.join(HERE, "programs", "compilers.c")]
        execute([*command, *FLAGS.split()[1:], *std, "-I", folder, *target, *options, *sources, "-o", program,
                 *["-lgcc"] * bool(options)])
        if compiler.run is None:
            return None
        return re.search(r"bits (\w{8})", execute([*run, program], quiet=False))[1]


def version(command):
    said = subprocess.run([command, "-v" if command == "tcc" else "--version"], capture_output=True, text=True).stdout
    found = re.search(r"\d+\.\d+(\.\d+)?|\d+-win32", said)
    return found[0] if found else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--write", action="store_true")
    parser.add_argument("names", nargs="*")
    a = parser.parse_args()
    chosen = [c for c in COMPILERS if not a.names or any(n in f"{c.machine} {c.command}" for n in a.names)]
    failed, lines, bits = 0, [], {}
    with tempfile.TemporaryDirectory() as work, concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        folders = {}
        for name, path in models(work).items():
            for target in X86.split():
                folders[name, target] = os.path.join(work, f"{name}-{target}")
                execute([a.skipc, "compile", "-q", path, "--name", "net", f"--target={target}", "--weights=text", "-o",
                         folders[name, target]])
        jobs = []
        for c in chosen:
            needed = [c.command.split()[0], *(c.run or "").replace("board", "qemu-system-arm").split()[:1]]
            missing = [n for n in needed if not shutil.which(n)]
            if missing:
                print(f"NOT RUN: {c.command}: {', '.join(missing)} is not installed")
                continue
            jobs.append((c, {key: pool.submit(check, c, f) for key, f in folders.items() if key[1] in c.targets.split()}))
        for c, futures in jobs:
            ran = faults = 0
            for key, future in futures.items():
                try:
                    got = future.result()
                    if got is not None and got != bits.setdefault(key, got):
                        raise Fault(f"other bits: {got}, not {bits[key]}")
                    ran += got is not None
                except (Fault, subprocess.TimeoutExpired, TypeError) as e:
                    faults += 1
                    print(f"FAILED {c.command}, {' --target='.join(key)}: {e}", flush=True)
            failed += faults
            command, *options = c.command.split()
            said = f"{ran} of {len(futures)}" if c.run is not None else f"{len(futures)} built; not run"
            lines.append(f"| {c.machine} | {command} {version(command)} | {' '.join(options)} | {said} | "
                         f"{'ok' if not faults else 'FAILED'} |\n")
    text = "| machine | compiler | options | the same bits | no warning |\n|---|---|---|---|---|\n" + "".join(lines)
    if a.write:
        write(text, MARKS)
    print(text, end="")
    print(f"compilers.py: {len(jobs)} compilers, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
