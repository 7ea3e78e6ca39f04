#!/usr/bin/env python3
"""Instructions a multiply-add on other machines, which QEMU counts: the same on any host, however busy.

    instructions.py [--skipc PATH] [--write] [NAME ...]

Each network is compiled, built with programs/compilers.c, and run under qemu's user emulation, or on a board of qemu's
with no operating system (compilers.py), once with one and once with two inferences: what the second one took counts.
--write puts the table into BENCHMARKS.md; NAMEs choose rows. Exit status 1 where a multiply-add takes more than its bar.
"""
import argparse
import collections
import glob
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import helper, numpy_helper

from compilers import HERE, ROOT, execute, on_board, qemu
from onnx_nodes import write

sys.path.append(os.path.join(ROOT, "tools"))
import networks  # noqa: E402
from static_int8 import quantise  # noqa: E402

MARKS = ("<!-- instructions.py -->\n", "<!-- end -->\n")
DIGITS = os.path.join(ROOT, "examples", "digits")
Row = collections.namedtuple("Row", "network target machine command run")
AARCH64 = qemu("aarch64", "aarch64-linux-gnu")
M4F = ("c", "Cortex-M4F", "arm-none-eabi-gcc {} -mthumb -mcpu=cortex-m4 -mfloat-abi=hard", "board mps2-an386 0x0 0x20000000 4M")
M3 = ("c", "Cortex-M3", "arm-none-eabi-gcc {} -mthumb -mcpu=cortex-m3", "board mps2-an385 0x0 0x20000000 4M")
M55 = ("c", "Cortex-M55", "arm-none-eabi-gcc {} -mthumb -mcpu=cortex-m55 -mfloat-abi=hard", "board mps3-an547 0x0 0x20000000")
ROWS = [
    Row("resnet18", "aarch64", "AArch64", "aarch64-linux-gnu-gcc -O2", AARCH64),
    Row("resnet18", "aarch64", "AArch64", "clang --target=aarch64-linux-gnu -O2", AARCH64),
    Row("resnet18", "c", "AArch64", "aarch64-linux-gnu-gcc -O2", AARCH64),
    *(Row(network, target, machine, command.format(level), run)
      for target, machine, command, run in (M4F, M55)
      for network in ("resnet8", "cifar_resnet20", "digits", "highway") for level in ("-O2", "-Os")
      if network != "cifar_resnet20" or machine == "Cortex-M4F"),  # whose code memory has room for it
    *(Row(network, target, machine, command.format(level), run)
      for network, machines in (("resnet8_int8", (M4F, M3, M55)), ("conv_int8", (M4F,))) for target, machine, command, run in machines
      for level in ("-O2", "-Os")[:2 if network == "resnet8_int8" else 1]),
]
BARS = {("resnet8", "Cortex-M4F", "-O2"): 3.2, ("cifar_resnet20", "Cortex-M4F", "-O2"): 2.9, ("highway", "Cortex-M4F", "-O2"): 5.0,
        ("resnet8_int8", "Cortex-M4F", "-O2"): 2.2, ("conv_int8", "Cortex-M4F", "-O2"): 2.1}


def plugin(folder):
    path = os.path.join(folder, "libicount.so")
    execute(["cc", "-shared", "-fPIC", "-O2", os.path.join(ROOT, "tools", "icount.c"), "-o", path])
    return path


def model(name, folder):
    if os.path.exists(path := os.path.join(DIGITS, f"{name}.onnx")):
        return path
    path = os.path.join(folder, f"{name}.onnx")
    if name == "conv_int8":
        convolution(path)
    elif name.endswith("_int8"):
        quantise(networks.build(name.removesuffix("_int8")), path)
    else:
        networks.save(networks.build(name), path)
    return path


def convolution(path):
    """Eight times 3x3, 16 channels to 16, of bytes."""
    rng, size = np.random.default_rng(1), [1, 16, 32, 32]
    constants = {"w": rng.integers(-127, 128, (16, 16, 3, 3)).astype(np.int8), "s": np.float32(0.02), "z": np.uint8(0),
                 "per": rng.uniform(0.001, 0.01, 16).astype(np.float32), "zero": np.zeros(16, np.int8),
                 "b": rng.integers(-999, 999, 16).astype(np.int32)}
    nodes = [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y0"])]
    for k in range(8):
        nodes.append(helper.make_node("QLinearConv", [f"y{k}", "s", "z", "w", "per", "zero", "s", "z", "b"], [f"y{k + 1}"], pads=[1, 1, 1, 1]))
    nodes.append(helper.make_node("DequantizeLinear", ["y8", "s", "z"], ["f"]))
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, size)],
                              [helper.make_tensor_value_info("f", onnx.TensorProto.FLOAT, size)],
                              [numpy_helper.from_array(np.asarray(v), n) for n, v in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def count(row, skipc, path, counter):
    """Instructions of one inference, and its multiply-adds."""
    with tempfile.TemporaryDirectory() as work:
        execute([skipc, "compile", path, "-q", "--name", "net", f"--target={row.target}", "-o", f"{work}/net"])
        macs = json.loads(execute([skipc, "inspect", "--json", f"--target={row.target}", path]))["macs"]
        options, run = [], shlex.split(row.run)
        if run[0] == "board":
            options, run = on_board(work, *run[1:])
        run[1:1] = ["-plugin", counter]
        said = []
        for inferences in (1, 2):
            execute([*shlex.split(row.command), "-std=c99", f"-DINFERENCES={inferences}", "-I", f"{work}/net", *options,
                     *sorted(glob.glob(f"{work}/net/*.c")), os.path.join(HERE, "programs", "compilers.c"), "-o", f"{work}/program",
                     *["-lgcc"] * bool(options)])
            said.append(int(re.search(r"instructions (\d+)", execute([*run, f"{work}/program"], quiet=False))[1]))
        return said[1] - said[0], macs


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    parser.add_argument("--write", action="store_true")
    parser.add_argument("names", nargs="*")
    a = parser.parse_args()
    lines = ["| network | target | machine | compiler | instructions | multiply-adds | a multiply-add | bar |", "|---|---|---|---|--:|--:|--:|--:|"]
    missed = 0
    with tempfile.TemporaryDirectory() as work:
        counter = plugin(work)
        for row in ROWS:
            needed = [row.command.split()[0], row.run.replace("board", "qemu-system-arm").split()[0]]
            if a.names and not any(n in " ".join(row) for n in a.names):
                continue
            if missing := [n for n in needed if not shutil.which(n)]:
                print(f"NOT RUN: {row.network} on {row.machine}: {missing[0]} is not installed")
                continue
            instructions, macs = count(row, a.skipc, model(row.network, work), counter)
            command = re.sub(r" (--target|-mthumb|-mcpu|-mfloat-abi)\S*", "", row.command)
            bar = BARS.get((row.network, row.machine, command.split()[1]), "")
            missed += bar != "" and instructions / macs > bar
            lines.append(f"| {row.network} | {row.target} | {row.machine} | {command} | {instructions:,} | {macs:,} | "
                         f"{instructions / macs:.2f} | {bar} |")
            print(lines[-1], flush=True)
    if a.write:
        write("\n".join(lines) + "\n", MARKS)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
