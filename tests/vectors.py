#!/usr/bin/env python3
"""What holds of the targets that have vectors, whatever the network.

    vectors.py [--skipc PATH] [--target=TARGET] [--jobs N] [--models N] [--seed N] [PART ...]

    shapes   N models of random pieces (pieces.py): every vector kernel, on every instruction set of this machine, or
             under qemu, against the portable templates and an evaluation in double. Every row of kernels.def for
             vectors must have been chosen some times.
             x86-64: with libxsmm's code and with the intrinsics that stand in for it. AVX-512 by
             those intrinsics, and VNNI, are also emulated by AVX2 (avx512/immintrin.h), on every machine: where the processor
             has AVX-512 itself, emulated and real bits are the same.

Of x86-64 only:

    call     --gemm=libxsmm-call gives the bits of --gemm=inline, by products that libxsmm's JIT made (on AVX2, which
             has none of them: by those in the output); the output of inline needs no library.
    labels   products have names that say what they are, and fused multiply-adds on zmm (AVX2: ymm); no function for
             a lesser instruction set has a wider register.
    plans    in ResNets, ResNeXt and all cases, a convolution of 64 and more channels is computed by libxsmm's products,
             or the report says of each of their rows why not.

A seed that failed is tried again by `vectors.py --models 1 --seed N shapes`.
"""
import argparse
import collections
import concurrent.futures
import copy
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

import pieces
from run import FLAGS, HERE, ISAS, OPTIMISED, QUICK, TOLERANCE, Failure, allowed, compare, emulator, lacking, levels, read, run

sys.path.append(os.path.join(HERE, "..", "tools"))
import float64  # noqa: E402
import networks  # noqa: E402

BUILDS = {  # of shapes, by target: a model has one of them, in turn
    "x86-64": {
        "clang": "clang -O2",
        "gcc": "gcc -O1",
        "intrinsics": "clang -O1 -DNET_NO_ASM",
        "sanitized": "clang -O0 -fsanitize=address -DNET_NO_ASM",
    },
    "aarch64": OPTIMISED["aarch64"],
}
EMULATED = f"clang -O0 -fsanitize=address -DNET_NO_ASM -isystem {os.path.join(HERE, 'avx512')}"  # a processor with AVX-512 and VNNI, of one with AVX2
LIBXSMM = "-lxsmm -lxsmmnoblas -lpthread -ldl -lm -lrt"
COSTS = [  # of shapes, for some seeds each (kinds of pieces go round, too): small images have a use for one of Winograd's rows, and these for another each
    [f"--cost=WINOGRAD{part}={value}" for part, value in (("", 1e-6), ("_IN", 1e-6), ("_OUT", 1e-6), ("_NEAR", prepared),
                                                          ("_FETCH", prepared), ("_FILTER", filtered))]
    for prepared, filtered in ((1e-12, 1e6), (1e-3, 1e6), (1e6, 1e-12), (1e6, 1e-3))  # winograd4, winograd2 (fewer weights), .._fly
]
LEAST = 2  # times that each row must be chosen


class Net:
    """A model in a folder, compiled and run there."""

    def __init__(self, skipc, folder, model, feeds):
        self.skipc, self.folder, self.outputs = skipc, folder, [o.name for o in model.graph.output]
        self.emulator = []
        self.model = os.path.join(folder, "net.onnx")
        onnx.save(model, self.model)
        for k, x in enumerate(feeds.values()):
            np.save(os.path.join(folder, f"x{k}.npy"), x)
        self.inputs = [os.path.join(folder, f"x{k}.npy") for k in range(len(feeds))]

    def compile(self, name, *options):
        run([self.skipc, "compile", self.model, "-o", os.path.join(self.folder, name), "--name", "net", "--main", *options])

    def build(self, name, compiler, libraries=""):
        folder = os.path.join(self.folder, name)
        self.program = os.path.join(folder, "program")
        run([*shlex.split(f"{compiler} {FLAGS} -I {folder}"), *sorted(glob.glob(f"{folder}/*.c")), "-o", self.program,
             *libraries.split()])

    def run(self, *options, **environment):
        """Outputs by name, and what it said."""
        files = [os.path.join(self.folder, f"y{k}.npy") for k in range(len(self.outputs))]
        result = subprocess.run([*self.emulator, self.program, *self.inputs, "-o", *files, *options], capture_output=True, text=True,
                                env={**os.environ, **environment})
        if result.returncode != 0:
            raise Failure(f"{self.program}: exit status {result.returncode}\n{result.stderr[-2000:]}")
        return {name: np.load(f) for name, f in zip(self.outputs, files)}, result.stderr


def report(skipc, model, *options, target="x86-64"):
    result = subprocess.run([skipc, "inspect", "--json", f"--target={target}", *options, model], capture_output=True, check=True)
    return json.loads(result.stdout)


def rows():
    """The rows of kernels.def that only targets with vectors have."""
    return re.findall(r"^KERNEL\((\w+), *\w*, *vector,", read(os.path.join(HERE, "..", "compiler", "kernels", "kernels.def")), re.M)


# shapes ------------------------------------------------------------------------------------------

def check_shapes(skipc, seed, target, *of):
    """How often each row was chosen."""
    model, feeds, notes = pieces.model(seed, *of)
    costs = COSTS[seed // len(COSTS) % len(COSTS)]
    want = float64.evaluate(model, feeds)

    def against(got, how, tolerance=TOLERANCE):
        for name, note in notes.items():
            try:
                compare(got[name].astype(np.float64), want[name], tolerance)
            except Failure as e:
                raise Failure(f"{how}: {note}\n{e}") from None

    with tempfile.TemporaryDirectory() as work:
        net = Net(skipc, work, model, feeds)
        net.compile("c", "--target=c")
        net.build("c", "gcc -O0")
        against(net.run()[0], "--target=c")
        net.compile(target, f"--target={target}", *costs)
        net.emulator = emulator(target)
        tolerance = allowed(os.path.join(work, target, "net.c"), TOLERANCE)
        installed = [b for b in BUILDS[target].values() if shutil.which(b.split()[0])]
        build = installed[seed % len(installed)]
        net.build(target, build)
        for level in levels(target):
            against(net.run(*level)[0], " ".join([build, *level]), tolerance)
        if target == "x86-64":
            check_emulated(net, lambda got, how: against(got, how, tolerance), seed)
        return collections.Counter(k["row"] for k in report(skipc, net.model, *costs, target=target)["kernels"])


def check_emulated(net, against, seed):
    """The AVX-512 versions on any machine with AVX2; every other model where the processor has AVX-512 itself."""
    own = {level for (_, level) in levels("x86-64")}
    if "2" not in own or "3" in own and seed % 2:
        return
    emulated, bytewise = {}, "net->dots" in read(os.path.join(net.folder, "x86-64", "net.c"))
    net.build("x86-64", EMULATED)
    for level in [str(k) for k in ISAS if k == 3 or k > 3 and bytewise]:
        emulated[level] = net.run("--isa", level)[0]
        against(emulated[level], f"--isa {level} emulated")
    net.build("x86-64", BUILDS["x86-64"]["intrinsics"])
    for level in own & set(emulated):
        for name, real in net.run("--isa", level)[0].items():
            if emulated[level][name].tobytes() != real.tobytes():
                raise Failure(f"emulated, --isa {level} computes other bits: {name}")


def shapes(skipc, arguments, pool):
    chosen = collections.Counter()
    failures = []
    seeds = range(arguments.seed, arguments.seed + arguments.models)
    blocks = [(s, ((pieces.quantised_blocks,), 12)) for s in (2, 3)]
    for seed, future in [(s, pool.submit(check_shapes, skipc, s, arguments.target, *of)) for s, of in [*((s, ()) for s in seeds), *blocks]]:
        try:
            chosen += future.result()
        except (Failure, subprocess.SubprocessError, OSError) as e:
            failures.append(f"seed {seed}: {e}")
    for row in rows():
        if chosen[row] < LEAST and arguments.models > LEAST and not failures:
            failures.append(f"row {row} was chosen {chosen[row]} times of {sum(chosen.values())}")
    return failures


# call --------------------------------------------------------------------------------------------

def jitted(text):
    """Kernels that LIBXSMM_VERBOSE says were made: the column JIT of its table."""
    table = re.search(r"TRY +JIT .*\n((?: +\d+\.\.\d+ .*\n)*)", text)
    return sum(int(line.split()[2]) for line in table[1].splitlines()) if table else 0


def check_call(skipc, model, feeds, refused):
    real = [option for option in levels("x86-64") if int(option[1]) <= 3]
    with tempfile.TemporaryDirectory() as work:
        net = Net(skipc, work, model, feeds)
        bits = {}
        for gemm, libraries in (("inline", ""), ("libxsmm-call", LIBXSMM)):
            net.compile(gemm, "--target=x86-64", f"--gemm={gemm}")
            net.build(gemm, f"{QUICK} -O1", libraries)
            for (_, level) in real:
                y, said = net.run("--isa", level, LIBXSMM_VERBOSE="2")
                bits[gemm, level] = [a.tobytes() for a in y.values()]
                if bits[gemm, level] != bits["inline", level]:
                    raise Failure(f"{gemm} computes other bits than inline, --isa {level}")
                if (jitted(said) > 0) != (gemm != "inline" and level == "3"):
                    raise Failure(f"{gemm}, --isa {level}: libxsmm made {jitted(said)} kernels\n{said}")
        if os.path.exists(os.path.join(work, "libxsmm-call", "net_gemm.c")):
            raise Failure("libxsmm-call: machine code in the output")
        if len(real) < 3:
            return  # libxsmm is linked and not asked
        if refused != ("ldb needs to be greater" in said):
            raise Failure(f"dispatch {'refused nothing' if refused else 'refused a product'}\n{said}")
        bits["hsw"] = [a.tobytes() for a in net.run(LIBXSMM_TARGET="hsw")[0].values()]
        net.build("inline", f"{QUICK} -O1 -DNET_NO_ASM", "")
        if bits["hsw"] != [a.tobytes() for a in net.run()[0].values()]:
            raise Failure("other bits than those of the intrinsics where libxsmm is told to make AVX2 code")


def call(skipc, arguments, pool):
    if not os.path.exists("/usr/include/libxsmm.h"):
        print("NOT RUN: libxsmm-call: libxsmm is missing")
        return []
    kinds = (pieces.channels_conv, pieces.deep_conv, pieces.grouped_conv, pieces.linear, pieces.highway, pieces.highway_conv)
    made = [(*pieces.model(1, kinds)[:2], False), (*pieces.model(2, kinds)[:2], False),
            (*pieces.model(3, (pieces.stem, pieces.channels_conv), 2)[:2], True)]
    failures = []
    for future in [pool.submit(check_call, skipc, *m) for m in made]:
        try:
            future.result()
        except Failure as e:
            failures.append(str(e))
    return failures


# labels ------------------------------------------------------------------------------------------

WIDE = {"avx512vnni": ("ymm", "zmm"), "avxvnni": ("ymm",), "avx512": ("ymm", "zmm"), "avx2": ("ymm",), "c": ()}  # registers that a function may have
BYTES = {"avx512vnni": r"\tvpdpbusd .*%zmm", "avxvnni": r"\{vex\} vpdpbusd .*%ymm"}


def functions(text):
    """Of objdump's text: the instructions of each function, by its name without what compilers add."""
    found = collections.defaultdict(str)
    for name, body in re.findall(r"^[0-9a-f]+ <([\w.]+)>:\n((?:.+\n)*)", text, re.M):
        found[name.split(".")[0]] += body
    return found


def reached(found, name, depth=3):
    """The instructions of a function and of those that it calls."""
    calls = set(re.findall(r"(?:call|jmp) +[0-9a-f]+ <(\w+)", found[name])) - {name} if depth else ()
    return found[name] + "".join(reached(found, c, depth - 1) for c in calls if c in found)


def faults(found):
    for name in list(found):
        isa = (re.findall(r"_(avx512vnni|avxvnni|avx512|avx2)(?=_|$)", name) or ["c"])[-1]
        for register in WIDE["avx512"]:
            if f"%{register}" in found[name] and register not in WIDE[isa]:
                yield f"{name} has {register} registers"
        if "vpdp" in found[name] and isa not in BYTES:
            yield f"{name} has products of VNNI"
        if isa in BYTES and "_pairs_" in name and not re.search(BYTES[isa], found[name]):
            yield f"{name} has no products of bytes"
        product = re.match(r"(net_)?gemm\d", name) and isa != "c"
        if product and not re.search(rf"vfmadd\w+ps .*%{WIDE[isa][-1]}", reached(found, name)):
            yield f"{name} has no fused multiply-adds on {WIDE[isa][-1]}"


def check_labels(skipc, compiler):
    model, feeds, _ = pieces.model(5, (pieces.stem, pieces.channels_conv, pieces.channels_conv, pieces.highway, pieces.quantised_linear,
                                       pieces.quantised_winograd, pieces.quantised_conv, pieces.quantised_linear), 8)
    with tempfile.TemporaryDirectory() as work:
        net = Net(skipc, work, model, feeds)
        net.compile("out", "--target=x86-64")
        text = ""
        for part in ("net", "net_gemm"):
            run([compiler, "-std=c99", "-O2", "-c", f"{work}/out/{part}.c", "-o", f"{work}/{part}.o"])
            text += subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"{work}/{part}.o"], capture_output=True,
                                   text=True, check=True).stdout
    found = functions(text)
    labels = [n for n in found if re.match(r"net_gemm\d+x\d+x\d+_.*_avx512$", n)]
    bad = list(faults(found))
    if any(len([n for n in found if n.endswith(f"_{isa}")]) < 4 for isa in BYTES):
        bad.append("too few functions with products of bytes")
    if len(labels) < 3 or not any(n.endswith("_avx2") for n in found):
        bad.append(f"too few products: {labels}")
    for old, new in (("avx512", "avx2"), ("avx2", "avx512")):
        swapped = {n.replace(old, new): body for n, body in found.items() if re.match(rf"(net_)?gemm\d.*_{old}$", n)}
        if len(set(faults(swapped))) < len(swapped):
            bad.append(f"the code of {old} under the name of {new} is not noticed")
    return [f"{compiler}: {b}" for b in bad]


def check_small(skipc, compiler):
    """At -Os, too, what has the sums of vector code is part of its kernel's function: they would be in memory; and weights are
    read once, not by each multiply-add (some constants of an epilogue are)."""
    with tempfile.TemporaryDirectory() as work:
        net = Net(skipc, work, *pieces.model(6, (pieces.indirect_conv,), 3)[:2])
        net.compile("out", "--target=x86-64")
        run([compiler, "-std=c99", "-Os", "-w", "-c", f"{work}/out/net.c", "-o", f"{work}/net.o"])
        names = subprocess.run(["nm", f"{work}/net.o"], capture_output=True, text=True, check=True).stdout
        run([compiler, "-std=c99", "-Os", "-march=skylake-avx512", "-w", "-c", f"{work}/out/net.c", "-o", f"{work}/net.o"])
        code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"{work}/net.o"], capture_output=True, text=True, check=True)
    read = len([line for line in code.stdout.splitlines() if re.search(r"\tvfmadd\w+ +[^,]*\(.*zmm", line) and "1to16" not in line])
    return [f"{compiler} -Os: {name} is a function of its own"
            for name in re.findall(r"(\w+_(?:avx512vnni|avxvnni|avx512|avx2)_(?!f32|i32)\w+)$", names, re.M)] + (
                [f"{compiler} -Os: {read} multiply-adds read a vector from memory"] if read > 50 else [])


def labels(skipc, arguments, pool):
    if not shutil.which("objdump") or not os.path.exists("/usr/include/libxsmm_generator.h"):
        print("NOT RUN: labels: objdump or libxsmm is missing")
        return []
    compilers = [c for c in ("gcc", "clang") if shutil.which(c)]
    return [f for future in [pool.submit(check, skipc, c) for c in compilers for check in (check_labels, check_small)]
            for f in future.result()]


# plans -------------------------------------------------------------------------------------------

PRODUCTS = ("conv_gemm", "conv_planar")  # rows whose kernels are made of libxsmm's products
REASONS = {  # why such a row may not apply to a convolution of many channels, whose input lies channels last
    "its input does not lie in planes",
    "its weights are computed at run time",
    "its weights are packed at run time, in blocks of other sizes",
    "it has not one or two spatial dimensions",
    "its window is wider than the image",
    "a window lies in the padding",
    "a column of the window lies in the padding",
}
NETWORKS = ("resnet18", "resnet50", "resnext50_32x4d")


def wide_convolutions(model):
    """Names of convolutions with 64 and more channels, in and out, in a group."""
    shapes = {t.name: t.dims for t in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Conv" and len(shape := shapes.get(node.input[1], ())) > 2:
            group = next((a.i for a in node.attribute if a.name == "group"), 1)
            if shape[1] >= 64 and shape[0] // group >= 64:
                yield node.name or node.output[0]


def unexplained(model, kernels):
    """Wide convolutions that are off libxsmm without a reason."""
    vector = rows()
    for name in wide_convolutions(model):
        kernel = next((k for k in kernels if name in k["nodes"]), None)
        if kernel is None or kernel["products"] > 0:
            continue  # evaluated, or on libxsmm
        for c in (c for c in kernel["candidates"] if c["row"] in PRODUCTS):
            cheaper = c["cost"] > min(k["cost"] for k in kernel["candidates"] if k["taken"]) and kernel["row"] in vector
            if c["why"] not in REASONS and not (c["why"] == "it costs more" and cheaper):
                yield f"{name} is computed by {kernel['row']}; {c['row']}: {c['why']}"


def tampered(kernels):
    """Reports that must not pass: a wide convolution on the portable row, and one without reasons."""
    for change in ({"row": "conv", "products": 0}, {"products": 0, "why": None}):
        copied = copy.deepcopy(kernels)
        for k in copied:
            k.update({key: v for key, v in change.items() if key in k})
            for c in k["candidates"]:
                c.update({key: v for key, v in change.items() if key == "why"})
        yield copied


def check_plan(skipc, path, options):
    """Failures, and how many wide convolutions it has."""
    model = onnx.load(path)
    wide = list(wide_convolutions(model))
    if not wide:
        return [], 0
    kernels = report(skipc, path, *options)["kernels"]
    bad = list(unexplained(model, kernels))
    seen = [n for n in wide if any(n in k["nodes"] for k in kernels)]
    if seen and not all(list(unexplained(model, t)) for t in tampered(kernels)):
        bad.append("a report without reasons passes")
    return [f"{os.path.relpath(path, HERE)}: {b}" for b in bad], len(seen)


def check_network(skipc, name):
    with tempfile.TemporaryDirectory() as work:
        path = os.path.join(work, f"{name}.onnx")
        networks.save(networks.build(name), path)
        return check_plan(skipc, path, [])


def plans(skipc, arguments, pool):
    futures = [pool.submit(check_network, skipc, n) for n in NETWORKS]
    for path in sorted(glob.glob(os.path.join(HERE, "cases", "*", "model.onnx"))):
        options = shlex.split(read(os.path.join(os.path.dirname(path), "options")))
        futures.append(pool.submit(check_plan, skipc, path, options))
    failures, seen = [], 0
    for future in futures:
        bad, count = future.result()
        failures, seen = failures + bad, seen + count
    return failures + ([f"only {seen} wide convolutions"] if seen < 100 else [])


PARTS = {"shapes": shapes, "call": call, "labels": labels, "plans": plans}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--target", default="x86-64", choices=BUILDS)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--models", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("parts", nargs="*", metavar="PART", choices=[*PARTS, []])
    arguments = parser.parse_args()
    failures = []
    if arguments.target != "x86-64":
        arguments.parts = ["shapes"]
    if lacking(arguments.target):
        print(f"NOT RUN: --target={arguments.target}: {lacking(arguments.target)} is not installed")
        return 0
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for part in arguments.parts or PARTS:
            bad = PARTS[part](os.path.abspath(arguments.skipc), arguments, pool)
            print(*(f"FAILED {part}: {b}" for b in bad), f"{arguments.target} {part}: {len(bad)} failed", sep="\n", flush=True)
            failures += bad
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
