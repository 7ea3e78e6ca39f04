#!/usr/bin/env python3
"""What is promised of weights, whatever their form.

    weights.py [--skipc PATH] [NAME ...]

Forms and byte orders give the same bits on machines of either order, and are refused on the other; each object file's
format takes in a .bin; init sees each turned bit of a file, if asked (programs/weights.c); the model's hash covers its
external data; other weights of a network run in its old code, or it is said why not; nothing of an earlier run stays.
"""
import argparse
import glob
import hashlib
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

import wine

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.path.join(HERE, "..", "examples", "digits")
FLAGS = "-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror".split()
FORMS = ("text", "rows", "incbin", "bin")
MACHINES = [  # big-endian: compiler, emulator, its root, further flags
    ("powerpc-linux-gnu-gcc", "qemu-ppc", "/usr/powerpc-linux-gnu", []),
    ("s390x-linux-gnu-gcc", "qemu-s390x", "/usr/s390x-linux-gnu", ["-std=gnu99"]),  # else FLT_EVAL_METHOD is 1
]


def call(command, status=0, **options):
    command = [str(c) for c in command]
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode != status:
        raise SystemExit(f"weights.py: {' '.join(command)}\nexit status {done.returncode}, not {status}\n"
                         f"{done.stdout[-1000:]}{done.stderr[-3000:]}")
    return done.stdout + done.stderr


def small_model(path, seed=1, scale=1.0, kernel=3, external=None):
    """Convolution, Relu, fully connected layer: 34 floats; external: the file of the weights beside it."""
    random = np.random.default_rng(seed)
    inits = [numpy_helper.from_array((random.standard_normal(s) * scale).astype(np.float32), n)
             for n, s in (("w", (2, 1, kernel, kernel)), ("b", (2,)), ("v", (4, 3)), ("c", (3,)))]
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["h"], strides=[2, 2]), helper.make_node("Relu", ["h"], ["r"]),
             helper.make_node("GlobalMaxPool", ["r"], ["p"]), helper.make_node("Concat", ["p", "p"], ["q"], axis=1),
             helper.make_node("Flatten", ["q"], ["f"]), helper.make_node("Gemm", ["f", "v", "c"], ["y"])]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 6, 6])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])], inits)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    if external is None:
        onnx.save(model, path)
    else:
        onnx.save(model, path, save_as_external_data=True, location=external, size_threshold=0)
    return path


def sources(folder):
    return sorted(os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".c"))


def macho(data):
    """Sections by number, and symbols (name, number of the section, address in it, is it global)."""
    commands, at, sections, symbols = struct.unpack_from("<I", data, 16)[0], 32, [], []
    for _ in range(commands):
        command, size = struct.unpack_from("<II", data, at)
        if command == 0x19:
            for k in range(struct.unpack_from("<I", data, at + 64)[0]):
                name, segment, address, length, offset = struct.unpack_from("<16s16sQQI", data, at + 72 + 80 * k)
                sections.append((f"{segment.decode()},{name.decode()}".replace("\0", ""), address, offset))
        if command == 2:
            first, count, strings = struct.unpack_from("<III", data, at + 8)
            for k in range(count):
                text, kind, section, _, value = struct.unpack_from("<IBBHQ", data, first + 16 * k)
                name = data[strings + text:data.index(b"\0", strings + text)].decode()
                symbols.append((name, section, value, kind & 1))
        at += size
    return sections, symbols


def coff(data):
    count, _, first, nsymbol, optional = struct.unpack_from("<HIIIH", data, 2)
    sections, symbols = [], []
    for k in range(count):
        name, _, address, _, offset = struct.unpack_from("<8sIIII", data, 20 + optional + 40 * k)
        sections.append((name.rstrip(b"\0").decode(), address, offset))
    for k in range(nsymbol):
        name, value, section, _, storage = struct.unpack_from("<8sIhHB", data, first + 18 * k)
        if name[:4] == bytes(4):
            at = first + 18 * nsymbol + struct.unpack_from("<I", name, 4)[0]
            name = data[at:data.index(b"\0", at)]
        symbols.append((name.rstrip(b"\0").decode(errors="replace"), section, value, storage == 2))
    return sections, symbols


OBJECTS = [  # target of clang or a gcc, how to read its objects, symbol, section
    ("x86_64-apple-macos11", macho, "_net_weights", "__TEXT,__const"),
    ("arm64-apple-macos11", macho, "_net_weights", "__TEXT,__const"),
    ("x86_64-w64-windows-gnu", coff, "net_weights", ".rdata"),
    ("i686-w64-windows-gnu", coff, "_net_weights", ".rdata"),
    ("x86_64-w64-mingw32-gcc", coff, "net_weights", ".rdata"),
]


IDENTITY = """/* Prints the ids of the weights that the header names, and of those that are loaded. */
#include "net.h"
#include <stdio.h>
static _Alignas(64) char file[1 << 20], prepared[NET_PREPARED_SIZE + 64];
int main(int argc, char **argv)
{
	struct net net;
	struct net_options options = { 0 };
	FILE *f = argc > 1 ? fopen(argv[1], "rb") : NULL;

	if (f != NULL) {
		options.weights = file;
		options.weights_size = fread(file, 1, sizeof(file), f);
	}
	options.check_weights = 1;
	if (net_init(&net, prepared, &options) != NET_OK)
		return 1;
	printf("%016llx %016llx", (unsigned long long)NET_WEIGHTS_ID, (unsigned long long)net_weights_id(&net));
	return 0;
}
"""


def retrained(model, path):
    """The same network with other weights: each float moved by something of its own."""
    model = onnx.load(model)
    random = np.random.default_rng(7)
    shapes = {name for node in model.graph.node if node.op_type in ("Resize", "Upsample") for name in node.input}  # of scales
    for init in model.graph.initializer:
        values = numpy_helper.to_array(init)
        if values.dtype == np.float32 and values.size > 1 and init.name not in shapes:
            moved = values * random.uniform(0.8, 1.2, values.shape)
            init.CopyFrom(numpy_helper.from_array(moved.astype(np.float32), init.name))
    onnx.save(model, path)
    return path


def scaled_model(path, factor, dim=None, node="a"):
    """y = factor Relu(x + w): the factor becomes a literal of the code."""
    inits = [numpy_helper.from_array(np.arange(5, dtype=np.float32), "w"), numpy_helper.from_array(np.float32(factor), "f")]
    nodes = [helper.make_node("Add", ["x", "w"], ["h"], name=node), helper.make_node("Relu", ["h"], ["r"]),
             helper.make_node("Mul", ["r", "f"], ["y"])]
    shape = [dim or 1, 5]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)], inits)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path


def contents(folder, *names):
    return {f: open(os.path.join(folder, f), "rb").read() for f in sorted(names or os.listdir(folder))
            if f.startswith(("net", "two", "scaled", "app")) and not f.endswith((".o", ".npy"))}


def without_comments(code):
    return re.sub(rb"(?s)/\*.*?\*/", b"", code)


def code_of(files):
    """NAME.c but for what its comments, and the names of its steps for -DNAME_PROFILE, say."""
    return re.sub(rb"(?s)#ifdef NET_PROFILE\n.*?\n#endif\n", b"", without_comments(files["net.c"]))


def build(folder, names=None):
    """Objects of the sources."""
    objects = []
    for name in names or [os.path.basename(s) for s in sources(folder)]:
        objects.append(f"{folder}/{name[:-2]}.o")
        call(["gcc", "-O1", "-I", folder, "-c", f"{folder}/{name}", "-o", objects[-1]])
    return objects


class Test:
    def __init__(self, skipc, work):
        self.skipc, self.work = skipc, work

    def compile(self, model, *options, folder=None):
        folder = folder or tempfile.mkdtemp(dir=self.work)
        call([self.skipc, "compile", model, "-o", folder, "--name", "net", "--target=c", *options])
        return folder

    def output(self, folder, *options, compiler=("gcc", "-O2"), prefix=()):
        x = np.random.default_rng(3).standard_normal((1, 1, 6, 6)).astype(np.float32)
        np.save(f"{folder}/x.npy", x)
        call([compiler[0], *FLAGS, *compiler[1:], "-I", folder, *sources(folder), "-o", f"{folder}/program"])
        call([*prefix, f"{folder}/program", f"{folder}/x.npy", "-o", f"{folder}/y.npy", "--check-weights", *options])
        return np.load(f"{folder}/y.npy").astype(np.float32).tobytes()

    def orders(self):
        """Each form in each byte order where it belongs: the same bits. Where it does not: refused."""
        model = small_model(f"{self.work}/net.onnx")
        here = self.output(self.compile(model, "--main"))
        for machine in ((("gcc", None, None, []),) + tuple(MACHINES)):
            compiler, emulator, root, flags = machine
            right, wrong = ("little", "big") if emulator is None else ("big", "little")
            if not shutil.which(compiler) or emulator is not None and not shutil.which(emulator):
                print(f"NOT RUN: {compiler} with {emulator} (not installed)")
                continue
            prefix = [emulator, "-L", root] if emulator else []
            for form in FORMS:
                folder = self.compile(model, "--main", f"--weights={form}", f"--byte-order={right}")
                extra = ["--weights", f"{folder}/net_weights.bin"] if form == "bin" else []
                there = self.output(folder, *extra, compiler=[compiler, "-O2", *flags], prefix=prefix)
                assert there == here, f"{compiler}, --weights={form}: other bits"
                folder = self.compile(model, "--main", f"--weights={form}", f"--byte-order={wrong}")
                if form in ("rows", "incbin"):
                    said = call([compiler, "-I", folder, "-c", f"{folder}/net_weights.c", "-o", f"{folder}/w.o"], status=1)
                    assert f"compile the model with --byte-order={right}" in said, said
                if form == "bin":
                    call([compiler, "-O2", *flags, "-I", folder, *sources(folder), "-o", f"{folder}/program"])
                    np.save(f"{folder}/x.npy", np.zeros((1, 1, 6, 6), np.float32))
                    said = call([*prefix, f"{folder}/program", f"{folder}/x.npy", "-o", f"{folder}/y.npy", "--weights",
                                 f"{folder}/net_weights.bin"], status=1)
                    assert "in another byte order" in said, said

    def objects(self):
        """.incbin for ELF, Mach-O, COFF and WebAssembly; what cannot take in a file says so when it is compiled."""
        folder = self.compile(small_model(f"{self.work}/net.onnx"), "--weights=incbin")
        want = open(f"{folder}/net_weights.bin", "rb").read()
        command = ["-O1", "-ffreestanding", "-fno-stack-protector", "-DNET_ANY_BITS", *FLAGS, "-I", folder, "-c"]
        for target, reader, symbol, section in OBJECTS:
            compiler = [target] if target.endswith("gcc") else ["clang", "-target", target]
            if not shutil.which(compiler[0]):
                print(f"NOT RUN: {' '.join(compiler)} (not installed)")
                continue
            for name in ("net", "net_weights"):
                call([*compiler, *command, f"{folder}/{name}.c", "-o", f"{folder}/{name}.o"])
            data = open(f"{folder}/net_weights.o", "rb").read()
            sections, symbols = reader(data)
            number, value = [(n, v) for name, n, v, is_global in symbols if name == symbol and is_global][0]
            name, address, offset = sections[number - 1]
            at = offset + value - address
            assert name == section and data[at:at + len(want)] == want and value % 64 == 0, f"{target}: {name}"
            used = [n for name, n, _, _ in reader(open(f"{folder}/net.o", "rb").read())[1] if name == symbol]
            assert used == [0], f"{target}: net.o does not ask for {symbol}"
            linker = next(filter(os.path.exists, sorted(glob.glob("/usr/lib/llvm-*/bin/ld64.lld"))), None)
            if reader is macho and linker:
                call([linker, "-arch", target.split("-")[0], "-platform_version", "macos", "11", "11", "-dylib", f"{folder}/net.o",
                      f"{folder}/net_weights.o", "-o", f"{folder}/net.dylib"])
                assert want in open(f"{folder}/net.dylib", "rb").read()
        if shutil.which("clang"):
            done = subprocess.run(["clang", "-target", "wasm32", *command, f"{folder}/net_weights.c", "-o", f"{folder}/w.o"],
                                  capture_output=True, text=True)
            if "No available targets" not in done.stderr:
                assert done.returncode == 0 and want in open(f"{folder}/w.o", "rb").read(), done.stderr
        said = call(["gcc", "-U__ELF__", *command, f"{folder}/net_weights.c", "-o", f"{folder}/w.o"], status=1)
        assert "define NET_NO_WEIGHTS everywhere and give init the file" in said, said

    def windows(self):
        """A program for Windows finds the weights that are linked in: they have the id that the header names."""
        compiler = "x86_64-w64-mingw32-gcc"
        if not shutil.which(compiler) or wine.program() is None:
            print(f"NOT RUN: {compiler} with wine64 (not installed)")
            return
        folder = self.compile(small_model(f"{self.work}/net.onnx"), "--weights=incbin")
        open(f"{folder}/id.c", "w").write(IDENTITY)
        call([compiler, "-O2", "-I", folder, *sources(folder), "-o", f"{folder}/id.exe"])
        with wine.Wine(f"{self.work}/wine") as w:
            done = subprocess.run([w.program, f"{folder}/id.exe"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                                  env={**os.environ, **w.settings}, timeout=300)
        assert not list(w.running()), "what Wine started is still there, and may write into the folder that goes"
        ids = done.stdout.split()
        assert done.returncode == 0 and len(ids) == 2 and ids[0] == ids[1], done

    def checks(self):
        """init and each bit of a file; weights that are linked in; no weights at all."""
        model = small_model(f"{self.work}/net.onnx")
        program = f"{self.work}/program"
        for form, flags in (("bin", []), ("incbin", ["-DNET_NO_WEIGHTS"]), ("incbin", [])):
            folder = self.compile(model, f"--weights={form}")
            for compiler in (c for c in ("gcc", "clang") if shutil.which(c)):
                call([compiler, "-O2", "-D_POSIX_C_SOURCE=200112L", *FLAGS, *flags, "-I", folder, *sources(folder),
                      os.path.join(HERE, "programs", "weights.c"), "-o", program])
                call([program, f"{folder}/net_weights.bin", *(["linked"] if form == "incbin" and not flags else [])])
        for form in ("text", "rows", "incbin"):  # flash that has rotted
            folder = self.compile(model, "--main", f"--weights={form}")
            self.output(folder)
            path = f"{folder}/net_weights.{'bin' if form == 'incbin' else 'c'}"
            data = open(path, "rb").read()
            rotted = {"text": lambda d: re.sub(rb"(\n\t-?0x1\.[0-9a-f]*?)([0-9a-f])p", lambda m: m[1] + b"%x" % (int(m[2], 16) ^ 2) + b"p", d, count=1),
                      "rows": lambda d: d[:-30] + re.sub(rb"\\(\d\d)(\d)", lambda m: b"\\" + m[1] + b"%d" % (int(m[2]) ^ 1), d[-30:], count=1),
                      "incbin": lambda d: d[:-1] + bytes([d[-1] ^ 16])}[form](data)
            assert rotted != data and len(rotted) == len(data)
            open(path, "wb").write(rotted)
            call(["gcc", "-O2", *FLAGS, "-I", folder, *sources(folder), "-o", f"{folder}/program"])
            run = [f"{folder}/program", f"{folder}/x.npy", "-o", f"{folder}/y.npy"]
            call(run)
            assert "the weights are damaged" in call([*run, "--check-weights"], status=1), form

    def hash(self):
        """The model's SHA-256 is of its file, and of the files of external data behind that."""
        seen = set()
        for seed, external in ((1, None), (1, "w.data"), (2, "w.data")):
            folder = tempfile.mkdtemp(dir=self.work)
            small_model(f"{folder}/net.onnx", seed, external=external)
            files = [f"{folder}/net.onnx"] + ([f"{folder}/w.data"] if external else [])
            want = hashlib.sha256(b"".join(open(f, "rb").read() for f in files)).hexdigest()
            header = open(os.path.join(self.compile(files[0]), "net.h")).read()
            assert re.findall(r"model SHA-256 (\w+)|NET_MODEL_HASH \"(\w+)\"", header) == [(want, ""), ("", want)]
            assert want in call([self.skipc, "inspect", "--json", files[0]])
            seen.add(want)
        assert len(seen) == 3

    def retrain(self):
        """Other weights of the same network run in its old code, and nothing but the file of the weights changes."""
        for name, target, form in (("digits", "c", "bin"), ("digits", "x86-64", "text"), ("highway", "c", "rows"),
                                   ("digits", "c", "incbin")):
            model = os.path.join(EXAMPLES, f"{name}.onnx")
            other = retrained(model, f"{self.work}/later.onnx")
            options = [f"--target={target}", f"--weights={form}", "--main", "--name", "net"]
            folder = self.compile(model, *options)
            fresh = self.compile(other, *options)
            file = f"net_weights.{'c' if form in ('text', 'rows') else 'bin'}"
            objects = build(folder)  # of the code as it was first compiled
            before = contents(folder)
            call([self.skipc, "weights", other, "--like", folder])
            after, wanted = contents(folder), contents(fresh)
            assert [f for f in after if after[f] != before.get(f)] == [file] and after.keys() == before.keys()
            assert after[file] == wanted[file], "other weights than those of a compilation"
            assert contents(folder, "net.c")["net.c"].split(b"\n")[2:] == wanted["net.c"].split(b"\n")[2:]
            objects = objects if form == "bin" else [build(folder, ["net_weights.c"])[0], *(o for o in objects if "weights" not in o)]
            call(["gcc", *objects, "-o", f"{folder}/program"])
            given = ["--weights", f"{folder}/{file}"] if form == "bin" else []
            self.like_onnxruntime(other, folder, given)
            if form != "bin":  # a file for code whose weights are linked in
                elsewhere = tempfile.mkdtemp(dir=self.work)
                call([self.skipc, "weights", model, "--like", folder, "--weights=bin", "-o", elsewhere])
                assert os.listdir(elsewhere) == ["net_weights.bin"]
                self.like_onnxruntime(model, folder, ["--weights", f"{elsewhere}/net_weights.bin"])
            identity = f"{folder}/id.c"
            open(identity, "w").write(IDENTITY)
            call(["gcc", "-I", folder, identity, *(o for o in objects if "main" not in o), "-o", f"{folder}/id"])
            ids = [re.search(r"NET_WEIGHTS_ID UINT64_C\(0x(\w+)\)", f["net.h"].decode())[1] for f in (before, wanted)]
            said = call([f"{folder}/id", *([f"{folder}/{file}"] if form == "bin" else [])]).split()
            assert said == ids and ids[0] != ids[1], (said, ids)

    def agreement(self):
        """Over all kinds of networks: their weights fit exactly if the code is the same."""
        fit = []
        for folder in sorted(glob.glob(os.path.join(HERE, "cases", "*")))[::12]:
            model, options = f"{folder}/model.onnx", []
            if os.path.exists(f"{folder}/options"):
                options = [o for o in shlex.split(open(f"{folder}/options").read()) if not o.startswith("--target")]
            other = retrained(model, f"{self.work}/later.onnx")
            if subprocess.run([self.skipc, "inspect", other, "--target=c", *options], capture_output=True).returncode != 0:
                continue  # what was moved is no weight
            old, new = self.compile(model, *options), self.compile(other, *options)
            before = contents(old)
            done = subprocess.run([self.skipc, "weights", other, "--like", old], capture_output=True, text=True)
            after, wanted = contents(old), contents(new)
            fit.append(done.returncode == 0)
            assert fit[-1] == (code_of(before) == code_of(wanted)), f"{folder}: {done.stderr}"
            if fit[-1]:
                file = "net_weights.c" if "net_weights.c" in wanted else "net_weights.bin"
                assert without_comments(after[file]) == without_comments(wanted[file]), folder
            else:
                assert after == before and "its weights do not fit the code there: " in done.stderr, done.stderr
        assert len(fit) > 25 and sum(fit) > len(fit) * 0.9, f"{sum(fit)} of {len(fit)} fit"

    def like_onnxruntime(self, model, folder, options):
        session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
        entry = session.get_inputs()[0]
        x = np.random.default_rng(5).standard_normal(entry.shape).astype(np.float32)
        np.save(f"{folder}/x.npy", x)
        call([f"{folder}/program", f"{folder}/x.npy", "-o", f"{folder}/y.npy", "--check-weights", *options])
        want, got = session.run(None, {entry.name: x})[0], np.load(f"{folder}/y.npy")
        assert np.abs(want - got).max() < 1e-5 * np.abs(want).max(), f"{model}: {np.abs(want - got).max()}"

    def exchange(self):
        """The form of the weights is not known to the code: any other can take the place, and link-time optimisers agree."""
        model = small_model(f"{self.work}/net.onnx")
        folder = self.compile(model, "--main", "--weights=text")
        bits = {self.output(folder)}
        for form in ("rows", "incbin", "text"):
            call([self.skipc, "weights", model, "--like", folder, f"--weights={form}", "--name", "net"])
            for compiler in ("gcc", "clang"):
                if shutil.which(compiler) and (compiler == "gcc" or shutil.which("ld.lld")):
                    lto = [compiler, "-O2", "-flto", f'-DNET_WEIGHTS_FILE="{folder}/net_weights.bin"', "-Wno-unused-command-line-argument"]
                    bits.add(self.output(folder, compiler=[*lto, *(["-fuse-ld=lld"] if compiler == "clang" else [])]))
        assert len(bits) == 1, "other bits"

    def refusals(self):
        """Why weights do not fit the code of a folder, which stays as it is."""
        model = small_model(f"{self.work}/net.onnx")
        folder = self.compile(model, "--weights=bin")
        call([self.skipc, "compile", scaled_model(f"{self.work}/scaled.onnx", 0.5), "-o", folder, "--target=c"])
        before = contents(folder)
        for other, options, words in (
                (small_model(f"{self.work}/wider.onnx", kernel=4), ["--name", "net"], ["net.h:", "`#define NET_MACS 84LL`", "`#define NET_MACS 140LL`"]),
                (scaled_model(f"{self.work}/other.onnx", 0.25), ["--name", "scaled"], ["scaled.c:", " 0.5f", " 0.25f"]),
                (small_model(f"{self.work}/third.onnx"), [], ["the networks in", "are net, scaled", "--name says which"]),
                (model, ["--name", "none"], ["the networks in", "are net, scaled"]),
                (model, ["--name", "net", "--target=x86-64"], ["its weights do not fit the code there: "])):
            said = call([self.skipc, "weights", other, "--like", folder, *options], status=1)
            assert all(w in said for w in words), said
            assert contents(folder) == before
        assert "no network was compiled into" in call([self.skipc, "weights", model, "--like", self.work], status=1)
        call([self.skipc, "weights", model], status=2)
        call([self.skipc, "compile", model, "-o", folder, "--like", folder], status=2)
        # names of nodes and files, and comments, are not code; options are found in the folder
        odd = scaled_model(f"{self.work}/a b.onnx", 0.5, dim="n (of *\"x\")", node="first")
        folder = tempfile.mkdtemp(dir=self.work)
        call([self.skipc, "compile", odd, "-o", folder, "--target=c", "--dim", 'n (of *"x")=3', "--byte-order=big"])
        call([self.skipc, "weights", scaled_model(f"{self.work}/c.onnx", 0.5, dim="n (of *\"x\")", node="second"), "--like", folder])

    def leftovers(self):
        """Files of an earlier run of the same name go, others stay; another model of the name is told of."""
        one, two = small_model(f"{self.work}/one.onnx"), small_model(f"{self.work}/two.onnx", seed=2)
        folder = self.compile(one, "--trace", "--weights=text")
        call([self.skipc, "compile", "-q", two, "-o", folder, "--target=c", "--main"])
        others = {f: d for f, d in contents(folder).items() if f.startswith("two")}
        open(f"{folder}/app.c", "w").write('#include "net.h"\nint main(void) { struct net n; return net_init(&n, NULL, NULL); }\n')
        said = call([self.skipc, "compile", "-q", one, "-o", folder, "--name", "net", "--target=c", "--weights=incbin"])
        assert said == "", said
        files = ["app.c", "net.c", "net.h", "net_weights.bin", "net_weights.c"]
        assert [f for f in contents(folder) if f not in others] == files
        said = call([self.skipc, "compile", "-q", two, "-o", folder, "--name", "net", "--target=c", "--weights=text"])
        assert re.fullmatch(r"skipc: \S*/net.h was of another model, one.onnx \(SHA-256 \w{12}..\); two.onnx takes its place\n", said), said
        files.remove("net_weights.bin")
        assert [f for f in contents(folder) if f not in others] == files
        assert all(contents(folder)[f] == d for f, d in others.items())
        os.remove(f"{folder}/two_main.c")
        call(["gcc", "-O2", "-I", folder, *sources(folder), "-o", f"{self.work}/program"])
        call([f"{self.work}/program"])
        for name in ("net_main.c", "net_weights.bin", "net.trace"):  # a user's own files
            open(f"{folder}/{name}", "w").write("/* mine */\n")
        before = contents(folder)
        call([self.skipc, "compile", "-q", two, "-o", folder, "--name", "net", "--target=c", "--weights=text"])
        assert contents(folder) == before
        said = call([self.skipc, "compile", "-q", one, "-o", folder, "--name", "net_weights", "--target=c"], status=1)
        assert "net_weights.c was written for the network net" in said and contents(folder) == before, said

    def packages(self):
        """A folder is one package of one network: of another kind's nothing stays, and what is not that network's is not replaced."""
        one, two = small_model(f"{self.work}/one.onnx"), small_model(f"{self.work}/two.onnx", seed=2)
        folder = f"{self.work}/package"

        def compile(model, kind, status=0):
            before = tree() if status else None
            said = call([self.skipc, "compile", "-q", model, "-o", folder, f"--package={kind}"], status=status)
            assert before is None or tree() == before, "it is refused, and the folder is another"
            return said

        def tree():
            return {os.path.relpath(os.path.join(path, name), folder): None if name in folders else open(os.path.join(path, name), "rb").read()
                    for path, folders, files in os.walk(folder) for name in folders + files}

        compile(one, "zephyr")
        zephyr = tree()
        for kind, file in (("arduino", "library.properties"), ("esp-idf", "idf_component.yml")):
            compile(one, kind)
            assert file in tree() and not {"zephyr", "Kconfig"} & set(tree()), list(tree())
            said = compile(two, "zephyr", status=1)
            assert "was written for the network one" in said and "choose another folder" in said, said
        compile(one, "zephyr")
        assert tree() == zephyr, list(tree())
        open(f"{folder}/library.json", "w").write("{}\n")  # a user's own: it stays, and is not replaced
        compile(one, "esp-idf")
        assert "package/library.json was not written by skipc" in compile(one, "arduino", status=1)

    def names(self):
        """--for-build: the same files whatever the model, which compile as they are, and what they were made of, as a rule for make."""
        folder = f"{self.work}/a #b"
        os.mkdir(folder)
        small_model(f"{folder}/net.onnx", external="w $1.data")
        open(f"{folder}/costs", "w").write("")
        files = ["net.c", "net.d", "net.h", "net_gemm.c", "net_weights.c"]
        for target, form in (("c", "text"), ("c", "bin"), ("x86-64", "incbin"), ("x86-64", "text")):
            out = f"{folder}/out"
            call([self.skipc, "compile", f"{folder}/net.onnx", "-o", out, f"--target={target}", f"--weights={form}",
                  "--for-build", "--costs", f"{folder}/costs"])
            assert [f for f in sorted(os.listdir(out)) if not f.endswith(".bin")] == files
            for source in sources(out):
                call(["gcc", "-c", "-O1", *FLAGS, "-I", out, source, "-o", f"{self.work}/x.o"])
            seen = open(f"{out}/net.d").read()
            escaped = folder.replace(" ", "\\ ").replace("#", "\\#")
            wanted = [f"{escaped}/out/net.h:", f"{escaped}/net.onnx", f"{escaped}/w\\ $$1.data", f"{escaped}/costs"]
            assert re.split(r"(?<!\\)\s+(?:\\\n\s*)?", seen.strip()) == wanted, seen
        call([self.skipc, "compile", f"{folder}/net.onnx", "-o", out, "--target=c", "--weights=bin"])
        assert sorted(os.listdir(out)) == ["net.c", "net.h", "net_weights.bin"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("names", nargs="*", default=["orders", "objects", "windows", "checks", "hash", "retrain", "agreement", "exchange", "refusals", "leftovers", "packages", "names"])
    arguments = parser.parse_args()
    for name in arguments.names:
        with tempfile.TemporaryDirectory() as work:
            getattr(Test(os.path.abspath(arguments.skipc), work), name)()
    print(f"weights: {len(arguments.names)} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
