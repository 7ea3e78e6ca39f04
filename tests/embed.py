#!/usr/bin/env python3
"""What holds of generated code however the network is: how it embeds, and what it needs.

    embed.py [--skipc PATH]

Every form of the weights gives the same bits; two networks live in one program, the headers are C++ too, threads
share a net, init and run refuse what they must (programs/embed.c); names of any characters become C identifiers;
the objects define nothing but NAME_*, need nothing, hold no writable data and little stack; other machines, where
their compiler and qemu are installed, compute the same bits.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from run import QUICK

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = "-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror".split()
DIGITS = os.path.join(HERE, "..", "examples", "digits", "digits.onnx")
HIGHWAY = os.path.join(HERE, "..", "examples", "digits", "highway.onnx")
TARGETS = [  # compiler, emulator, further flags; powerpc is big-endian
    ("aarch64-linux-gnu-gcc", "qemu-aarch64", "-L /usr/aarch64-linux-gnu", ""),
    ("arm-linux-gnueabi-gcc", "qemu-arm", "-L /usr/arm-linux-gnueabi", ""),
    ("powerpc-linux-gnu-gcc", "qemu-ppc", "-L /usr/powerpc-linux-gnu", "--weights=text"),
    ("s390x-linux-gnu-gcc", "qemu-s390x", "-L /usr/s390x-linux-gnu", "--weights=text"),
]


DEEP = {  # the cases that need the most stack beside their arrays, by the compilers that need the most
    "arm-none-eabi-gcc -O3 -ffreestanding -mthumb -mcpu=cortex-m55 -mfloat-abi=hard": "conv_run_time_op15 attention_op23 conv_transpose_op11",
    "gcc -O3": "conv_transpose_op11",
}
HEADERS = """assert complex ctype errno fenv float inttypes limits locale math setjmp signal stdarg stddef stdint stdio stdlib string time
    wchar wctype fcntl unistd pthread sched semaphore poll netdb sys/types sys/stat sys/socket sys/mman sys/time sys/ioctl netinet/in termios
    dirent regex search strings"""
NETWORKS = "stdint time math features unix Time r x int sem stat tm abs con module pthread_attr FLT_X".split()
HALVES = [  # FLT_EVAL_METHOD is 16: float is float, half floats are half floats
    "gcc -mavx512fp16", "gcc -march=sapphirerapids", "aarch64-linux-gnu-gcc -march=armv8.2-a+fp16", "aarch64-linux-gnu-gcc -mcpu=neoverse-n1",
    "arm-none-eabi-gcc -ffreestanding -mcpu=cortex-m55 -mfloat-abi=hard",
]
M32 = "gcc -m32 -ffreestanding -idirafter /usr/include/x86_64-linux-gnu"  # packages of its headers exclude those of other machines
COMPILES = HALVES + [
    "s390x-linux-gnu-gcc -std=c99", "s390x-linux-gnu-gcc", f"{M32} -msse2 -mfpmath=sse",
    f"{M32} -DD_ANY_BITS", "gcc -Ofast -DD_ANY_BITS", "clang -ffast-math -DD_ANY_BITS", "gcc -D__STDC_WANT_IEC_60559_TYPES_EXT__",
]
REFUSED = [
    ("gcc -ffast-math", "-ffast-math"), ("clang -ffast-math", "-ffast-math"), ("gcc -Ofast -std=c99", "-ffast-math"),
    ("gcc -ffinite-math-only", "-ffast-math"), ("clang -ffinite-math-only", "-ffast-math"), ("gcc -fassociative-math", "-ffast-math"),
    (f"{M32} -mfpmath=387", "wider than float"), (f"{M32} -mfpmath=387 -std=gnu99", "wider than float"),
    ("clang --target=avr -mmcu=atmega2560 -ffreestanding", "32 bits of int"), ("avr-gcc -mmcu=atmega2560 -ffreestanding", "32 bits of int"),
    ("gcc -std=gnu89", "C99 or newer"), ("g++ -x c++", "C99 or newer"), ("clang++ -x c++", "C99 or newer"),
]


def run(command, **options):
    command = [str(c) for c in command]
    result = subprocess.run(command, capture_output=True, text=True, **options)
    if result.returncode != 0:
        raise SystemExit(f"embed.py: {' '.join(command)}\nexit status {result.returncode}\n{result.stderr[-3000:]}")
    return result.stdout


def sources(folder, main=True):
    return sorted(os.path.join(folder, f) for f in os.listdir(folder)
                  if f.endswith(".c") and (main or not f.endswith("_main.c")))


class Test:
    def __init__(self, skipc, work):
        self.skipc, self.work = skipc, work

    def compile(self, model, name, *options):
        folder = os.path.join(self.work, f"{name}{len(os.listdir(self.work))}")
        target = () if any(o.startswith("--target") for o in options) else ("--target=c",)
        run([self.skipc, "compile", model, "-o", folder, *(("--name", name) if name else ()), *target, *options])
        return folder

    def output(self, folder, x, *options, compiler=("gcc", "-O2"), prefix=()):
        np.save(f"{folder}/x.npy", x)
        run([*compiler, *FLAGS, "-I", folder, *sources(folder), "-o", f"{folder}/program"])
        run([*prefix, f"{folder}/program", f"{folder}/x.npy", "-o", f"{folder}/y.npy", *options])
        return np.load(f"{folder}/y.npy")

    def weights(self):
        x = np.random.default_rng(1).standard_normal((1, 1, 8, 8)).astype(np.float32)
        bits = []
        for form in ("text", "rows", "incbin", "bin"):
            folder = self.compile(DIGITS, "d", "--main", f"--weights={form}")
            extra = ["--weights", f"{folder}/d_weights.bin"] if form == "bin" else []
            bits.append(self.output(folder, x, *extra).tobytes())
        assert len(set(bits)) == 1, "the forms of the weights give different bits"

    def program(self):
        a, b = self.compile(DIGITS, "aa"), self.compile(HIGHWAY, "bb", "--weights=bin")
        source = os.path.join(HERE, "programs", "embed.c")
        objects = []
        for folder in (a, b):
            for file in sources(folder):
                objects.append(file[:-2] + ".o")
                run(["gcc", "-O0", "-g", "-fsanitize=address,undefined", "-I", folder, "-c", file, "-o", objects[-1]])
        for compiler in (["gcc", "-std=gnu99"], ["g++", "-std=c++11", "-x", "c++"]):
            program = os.path.join(self.work, "embed")
            run([*compiler, "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined", "-I", a, "-I", b, source,
                 "-x", "none", *objects, "-o", program, "-lpthread"])
            run([program, os.path.join(b, "bb_weights.bin")], env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})

    def needs(self):
        for target in ("c", "x86-64"):
            folder = self.compile(DIGITS, "dd", "--weights=text", f"--target={target}")
            objects = self.needs_of(folder)
            self.stack(folder, target, objects)
        for compiler, cases in DEEP.items():
            for case in cases.split() if shutil.which(compiler.split()[0]) else ():
                folder = self.compile(os.path.join(HERE, "cases", case, "model.onnx"), "deep")
                run([*compiler.split(), "-fcallgraph-info=su", "-I", folder, "-c", f"{folder}/deep.c", "-o", f"{folder}/deep.o"])
                self.deep_enough(folder, "deep", f"{case}, {compiler}")

    def stack(self, folder, target, objects):
        """DD_STACK_SIZE is enough: by the call graphs of gcc for several machines, and by painting."""
        machines = ["gcc", *(compiler for compiler, *_ in TARGETS if shutil.which(compiler))] if target == "c" else ["gcc"]
        self.deep_enough(folder, "dd", "gcc -O2")
        for compiler in machines:
            for level in ("-O0", "-Os", "-O3") if compiler == machines[-1] != "gcc" else ("-O0", "-O3") if target != "c" else ("-O3",):
                run([compiler, level, "-fcallgraph-info=su", "-I", folder, "-c", f"{folder}/dd.c", "-o", f"{folder}/deep.o"])
                os.replace(f"{folder}/deep.ci", f"{folder}/dd.ci")
                self.deep_enough(folder, "dd", f"{compiler} {level}")
        program = ["-I", folder, os.path.join(HERE, "programs", "stack.c"), "-o", f"{folder}/stack", "-lpthread"]
        for compiler in ("gcc -O0", "gcc -O2", "clang -O0", "clang -O2") if target == "c" else ("gcc -O2", "clang -O2"):
            if shutil.which(compiler.split()[0]):
                run([*compiler.split(), *(["-no-pie", *objects] if compiler == "gcc -O2" else sources(folder)), *program])
                run([f"{folder}/stack"])

    def deep_enough(self, folder, name, how):
        """NAME_STACK_SIZE beside the deepest way through the functions of NAME.ci."""
        most = int(re.search(r"_STACK_SIZE (\d+)", open(f"{folder}/{name}.h").read()).group(1))
        graph = open(f"{folder}/{name}.ci").read()
        size = {f: int(n) for f, n in re.findall(r'node: { title: "([^"]+)" label: "[^"]*?(\d+) bytes', graph)}
        calls = re.findall(r'edge: { sourcename: "([^"]+)" targetname: "([^"]+)"', graph)

        def depth(f):
            return size.get(f, 0) + max((depth(called) for caller, called in calls if caller == f), default=0)
        assert 0 < depth(f"{name}_run") < most, f"{how}: {depth(f'{name}_run')} bytes of stack, not below {most}"

    def needs_of(self, folder):
        """The objects of gcc -O2, which leave the call graph."""
        objects = [file[:-2] + ".o" for file in sources(folder)]
        for file, made in zip(sources(folder), objects):
            run(["gcc", "-O2", "-fno-pic", "-ffreestanding", "-fcallgraph-info=su", "-I", folder, "-c", file, "-o", made])
            for line in run(["nm", made]).splitlines():
                kind, symbol = line.split()[-2:]
                if kind in "U":
                    ours = symbol == "dd_weights" or symbol.startswith("dd_gemm")
                    assert ours or symbol in ("memcpy", "memmove", "memset", "__cpu_model", "__cpu_indicator_init"), f"it needs {symbol}"
                elif kind.isupper():
                    assert symbol.startswith("dd_"), f"it defines {symbol}"
                    assert kind not in "BDC", f"{symbol} is writable"
                else:
                    assert kind not in "bd", f"{symbol} is writable"
        return objects

    def profile(self):
        """The hooks of -DNAME_PROFILE: the same bits and every step by name with them, no trace of them without."""
        x = np.random.default_rng(3).standard_normal((1, 1, 8, 8)).astype(np.float32)
        for target in ("c", "x86-64"):
            folder = self.compile(DIGITS, "p", "--main", f"--target={target}")
            fast = QUICK
            code = open(f"{folder}/p.c").read()
            bare = os.path.join(self.work, "p.c")
            open(bare, "w").write(re.sub(r"(?s)#ifdef P_PROFILE\n.*?\n#endif\n|\bSTEP\(\d+\)", "", code))
            objects = []
            for source in (f"{folder}/p.c", bare):
                objects.append(os.path.join(self.work, f"{target}{len(objects)}.o"))
                run([fast, "-O1", "-I", folder, "-c", source, "-o", objects[-1]])
            assert open(objects[0], "rb").read() == open(objects[1], "rb").read(), "the hooks leave something behind"
            self.stops(folder, fast)
            without = self.output(folder, x, compiler=(fast, "-O1")).tobytes()
            for compiler in {"gcc", fast} if target == "c" else {fast}:
                assert self.output(folder, x, compiler=(compiler, "-O1", "-DP_PROFILE")).tobytes() == without
            table = run([f"{folder}/program", f"{folder}/x.npy", "-o", f"{folder}/y.npy", "--time", "2", "--profile"])
            steps = re.findall(r"(?m)^ *(\d+) +([\d.]+) +([\d.]+) +[\d.]+ +[\d.]+  (\w+): (.*)$", table)
            calls = re.findall(r"STEP\((\d+)\) /\* (.*?)  .*?\n\t(\w+)\(", code)
            assert [(k, kernel, nodes) for k, _, _, kernel, nodes in steps] == [(k, f, n) for k, n, f in calls] and steps
            macs = int(re.search(r"P_MACS (\d+)", open(f"{folder}/p.h").read()).group(1))
            assert abs(sum(float(s[2]) for s in steps) - macs / 1e6) < 0.01 * len(steps), "multiply-adds are missing"

    def stops(self, folder, compiler):
        """The callback stops run, whatever the files around p.c are compiled with; where the steps are not hooked, init refuses it."""
        built = {}
        for source in (os.path.join(HERE, "programs", "steps.c"), *sources(folder, main=False)):
            for flag in ("-DP_PROFILE", "-DREFUSED", "-DPLAIN"):
                built[source, flag] = f"{folder}/steps{len(built)}.o"
                run([compiler, *FLAGS, flag, "-I", folder, "-c", source, "-o", built[source, flag]])
        for here, there in (("-DPLAIN", "-DP_PROFILE"), ("-DP_PROFILE", "-DP_PROFILE"), ("-DREFUSED", "-DPLAIN")):
            run([compiler, *(o for (s, flag), o in built.items() if flag == (here if s.endswith("steps.c") else there)), "-o", f"{folder}/steps"])
            run([f"{folder}/steps"])

    def demands(self):
        """What compiles and what is refused in a line: standards, processors with half floats, x87, -ffast-math, small ints, C++."""
        standards = [f"{c} -std={s}" for c in ("gcc", "clang") for s in ("c99", "c11", "c17", "c2x", "gnu99", "gnu11", "gnu17", "gnu2x")]
        for target, compiles, refused in (("c", standards + COMPILES, REFUSED), ("x86-64", standards[::7] + COMPILES[:1], REFUSED[:1])):
            folder = self.compile(DIGITS, "d", f"--target={target}", "--weights=text")
            os.mkdir(f"{folder}/gnu")
            with open(f"{folder}/gnu/stubs-32.h", "w"):  # what M32 lacks
                pass
            for command in compiles:
                if shutil.which(command.split()[0]):
                    run([*command.split(), *FLAGS[1:], "-I", folder, "-fsyntax-only", f"{folder}/d.c"])
                else:
                    print(f"NOT RUN: {command} (not installed)")
            for command, message in refused:
                if not shutil.which(command.split()[0]):
                    print(f"NOT RUN: {command} (not installed)")
                    continue
                flags = ["-I", folder, "-fsyntax-only", f"{folder}/d.c"]
                result = subprocess.run([*command.split(), *flags], capture_output=True, text=True)
                errors = [line for line in result.stderr.splitlines() if "error: " in line]
                assert result.returncode == 1 and len(errors) == 1 and message in errors[0], f"{command}: {result.stderr}"
        assert self.fused("") == 0 and self.fused("-DD_ANY_BITS") > 0, "D_ANY_BITS does not decide on contraction"

    def fused(self, flag):
        """Fused multiply-adds of digits by all compilers, the least of them where there are any."""
        folder = self.compile(DIGITS, "d", "--weights=text")
        counts = []
        for compiler in (c for c in ("gcc -std=c99", "gcc -std=gnu17", "clang") if shutil.which(c.split()[0])):
            code = run([*compiler.split(), "-O2", "-mfma", *flag.split(), "-I", folder, "-S", f"{folder}/d.c", "-o", "-"])
            counts.append(len(re.findall(r"\bvfn?m(?:add|sub)", code)))
        return min(counts) if flag else max(counts)

    def example(self):
        """The example in the header compiles, as C and as C++."""
        for model, target in ((DIGITS, "c"), (HIGHWAY, "x86-64")):
            folder = self.compile(model, "d", f"--target={target}")
            header = open(f"{folder}/d.h").read()
            lines = header.split("How to use it", 1)[1].split("*/", 1)[0].splitlines()[1:]
            text = "\n".join(line.removeprefix(" *").strip().replace(" ...", " return 1;") for line in lines)
            includes, body = text.split("alignas", 1)
            parameters = re.search(r"int d_run\(const struct d \*net, (.*), void \*arena\);", header, re.S).group(1)
            with open(f"{folder}/example.c", "w") as f:
                f.write(f"{includes}\nint example({parameters});\nint example({parameters})\n{{\nalignas{body}\nreturn 0;\n}}\n")
            for compiler in ("gcc -std=c11", "gcc -std=c2x", "clang -std=c17", *(
                    f"{c} -x c++ -std=c++{s}" for c in ("g++", "clang++") for s in ("11", "14", "17", "20"))):
                if shutil.which(compiler.split()[0]):
                    run([*compiler.split(), *FLAGS[2:], "-I", folder, "-fsyntax-only", f"{folder}/example.c"])

    def figures(self):
        """What the READMEs of examples say that firmware takes, to a twentieth: by gcc 12 for Cortex-M, and QEMU."""
        compiler = "arm-none-eabi-gcc -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard -Os".split()
        if not shutil.which(compiler[0]) or not shutil.which("qemu-system-arm") or not run([compiler[0], "-dumpversion"]).startswith("12."):
            print(f"NOT RUN: figures: {compiler[0]} 12 or qemu-system-arm is not installed")
            return
        examples = os.path.join(HERE, "..", "examples")
        rows = dict(re.findall(r"^\| ([\w, ]+) \| [\d.]+ % \| (\d.*) \|$", open(f"{examples}/digits/README.md").read(), re.M))
        taken = dict(re.findall(r"^\| (Cortex-M\d) \| (\d.*) \|$", open(f"{examples}/firmware/README.md").read(), re.M))
        found = {}
        for name, model in (("residual", "digits"), ("residual, int8", "digits_int8"), ("highway", "highway"), ("highway, int8", "highway_int8")):
            folder = self.compile(f"{examples}/digits/{model}.onnx", "n", "--weights=bin")
            run([*compiler, "-I", folder, "-c", f"{folder}/n.c", "-o", f"{folder}/n.o"])
            header = open(f"{folder}/n.h").read()
            found[name] = [*(int(re.search(rf"N_{w}_SIZE (\d+)", header)[1]) for w in ("ARENA", "WEIGHTS")), int(run(["arm-none-eabi-size", f"{folder}/n.o"]).split()[6])]
        said = run(["sh", f"{examples}/firmware/run.sh"], env={**os.environ, "SKIPC": self.skipc})
        for board in ("Cortex-M4", "Cortex-M3"):
            part = said[said.index(f"\n{board}"):]
            size = {n: (int(t), int(b)) for t, b, n in re.findall(r"^ *(\d+)\s+\d+\s+(\d+)\s.*/(\w+)\.\w+$", part, re.M)[:4]}
            weights = size["digits_weights"][0]
            found[board] = [size["firmware"][0] - weights, weights - 64, size["infer"][1], int(re.search(r"stack (\d+)", part)[1])]
        for name, values in found.items():
            told = [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*\d", {**rows, **taken}[name])]
            assert len(told) == len(values) and all(abs(t - v) <= v / 20 for t, v in zip(told, values)), f"{name}: README says {told}, it is {values}"

    def shared(self):
        """Kernels that are alike but for their weights are one function."""
        with open(f"{self.work}/alike.skipc", "w") as f:
            f.write("input %x : f32[1,3,6,6]\n" + "".join(
                f"const @w{k} : f32[3,3,3,3] = fill({k})\n%y{k} = Conv({f'%y{k - 1}' if k else '%x'}, @w{k}) {{pads=[1,1,1,1]}}\n"
                for k in range(6)) + "output %y5\n")
        for target in ("c", "x86-64"):
            text = open(self.compile(f"{self.work}/alike.skipc", "alike", f"--target={target}") + "/alike.c").read()
            functions = set(re.findall(r"^(?:static )?void (conv\w*)\(", text, re.M))
            calls = re.findall(r"^\t(conv\w*)\(", text[text.index("int alike_run("):], re.M)
            assert len(calls) == 6 and len(set(calls)) <= 3, f"{target}: {calls}, of {functions}"
            for name in set(calls):
                first = re.sub(r"_\d$", "", name)
                says = re.search(rf"\n \* As {first}, but \S.* \*/\n(static|VERSIONS).*\b{name}(_body)?\(", text)
                assert name == first or says, f"{target}: {name} does not say what it has otherwise than {first}"

    def table(self):
        """Columns of the steps at the head of NAME.c stand below each other, also where a step makes a part of a tensor."""
        text = open(self.compile(os.path.join(HERE, "cases", "conv_transpose_op11", "model.onnx"), "table") + "/table.c").read()
        title, *rows = re.search(r"^ \* step  multiply-adds .*?(?=^ \*$)", text, re.M | re.S)[0].splitlines()
        at = [title.index(w) for w in ("result", "kernel ", "nodes")]
        assert any("] of [" in r for r in rows), "no step makes a part"
        for r in rows:
            assert all(r[a - 2:a] == "  " and r[a] != " " for a in at), f"out of line:\n{title}\n{r}"

    def names(self):
        """Inputs and outputs of all kinds of names, the same as C identifiers or keywords."""
        inputs = ["a.b", "a/b", "a_b", "int", "1", "", "net", "arena", "\u00e9\u00e8", "*/ x", "a??/b", "_x", "w"]
        inputs = [n or "empty one" for n in inputs]
        values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in inputs]
        nodes, total = [], inputs[0]
        for k, name in enumerate(inputs[1:]):
            nodes.append(helper.make_node("Add", [total, name], [f"*/ sum\n{k}"], name=f"node */ \"{k}\"\\"))
            total = f"*/ sum\n{k}"
        out = helper.make_tensor_value_info(total, TensorProto.FLOAT, [2])
        model = helper.make_model(helper.make_graph(nodes, "g", values, [out]), opset_imports=[helper.make_opsetid("", 13)],
                                  ir_version=8)
        path = os.path.join(self.work, "names.onnx")
        onnx.save(model, path)
        folder = self.compile(path, "names", "--main")
        for compiler in ("gcc", "clang"):
            if shutil.which(compiler):
                run([compiler, *FLAGS, "-I", folder, *sources(folder), "-o", f"{folder}/program"])
        header = open(f"{folder}/names.h").read()
        parameters = re.search(r"int names_run\((.*?)\);", header, re.S).group(1).split(",")
        assert len({p.split("*")[-1] for p in parameters}) == len(inputs) + 3, "names collide"
        files = []
        for k in range(len(inputs)):
            files.append(f"{folder}/x{k}.npy")
            np.save(files[-1], np.array([k, 1], np.float32))
        run([f"{folder}/program", *files, "-o", f"{folder}/y.npy"])
        assert np.load(f"{folder}/y.npy").tolist() == [sum(range(len(inputs))), len(inputs)]

    def taken(self):
        """Inputs and outputs called as every word of names.def; kernels and networks called like functions and headers."""
        rows = re.findall(r'TAKEN\(\w+, "(.*)"\)', open(os.path.join(HERE, "..", "compiler", "emit", "names.def")).read())
        words = [w.replace("*", "X") for row in rows for w in row.split()] + ["max_f32"]
        words = list(dict.fromkeys("T0_RUN T0_INPUTS t0_run t0_weights t0_table0 t0_steps".split() + words))
        unary = "Abs Exp Sqrt Tanh Sin Cos Floor Ceil Round Log Erf Sigmoid Neg Reciprocal".split()
        scalar = [helper.make_tensor_value_info(n, TensorProto.FLOAT, []) for n in ("x", "z")]
        nodes = [helper.make_node(op, ["x"], [op.lower()]) for op in unary]
        nodes += [helper.make_node(op, ["x", "z"], [op.lower()]) for op in ("Add", "Sub", "Mul", "Div", "Pow", "Max", "Min")]
        outputs = [helper.make_tensor_value_info(n.output[0], TensorProto.FLOAT, []) for n in nodes]
        self.model("abs", nodes, scalar, outputs)
        models, batch = ["abs"], 1500
        for at in range(0, len(words), batch):
            io = [helper.make_tensor_value_info(w, TensorProto.FLOAT, [1]) for w in words[at:at + batch]]
            half = len(io) // 2
            nodes_of = [helper.make_node("Neg", [io[k % half].name], [v.name]) for k, v in enumerate(io[half:])]
            models.append(f"t{at}")
            self.model(models[-1], nodes_of, io[:half], io[half:])
        for target in ("c", "x86-64"):
            for name in models if target == "c" else models[:1]:
                folder = self.compile(f"{self.work}/{name}.onnx", None, f"--target={target}")
                code, = sources(folder, main=False)[:1]
                header = code[:-2] + ".h"
                for compiler in ("gcc -std=c99", "clang -std=gnu2x"):
                    if shutil.which(compiler.split()[0]):
                        run([*compiler.split(), *FLAGS[1:], "-I", folder, "-fsyntax-only", code])
                languages = ("gcc -std=gnu2x -D_GNU_SOURCE", "g++ -std=c++11", "clang++ -std=c++20")
                at = models.index(name)
                self.included(folder, header, *languages if at == 0 else languages[at % 3:at % 3 + 1])
        for at, name in enumerate(NETWORKS):
            self.model(name, nodes, scalar, outputs)
            folder = self.compile(f"{self.work}/{name}.onnx", None, "--weights=text")
            self.included(folder, next(f"{folder}/{f}" for f in os.listdir(folder) if f.endswith(".h")), ("gcc -std=gnu2x", "g++ -std=c++17")[at % 2])
            refused = subprocess.run([self.skipc, "compile", DIGITS, "-o", folder, "--name", name], capture_output=True, text=True)
            assert name in "rwxf" or refused.returncode == 2 and name in refused.stderr, f"--name {name} is accepted"

    def included(self, folder, header, *compilers):
        """The header behind those of C and POSIX, and before them: neither hides or breaks the other."""
        system = "".join(f"#include <{h}.h>\n" for h in HEADERS.split())
        for text in (system + f'#include "{header}"\n', f'#include "{header}"\n' + system):
            with open(f"{folder}/user.h", "w") as f:
                f.write(text)
            for compiler in (c.split() for c in compilers if shutil.which(c.split()[0])):
                language = "c++" if "++" in compiler[0] else "c"
                run([*compiler, *FLAGS[2:], "-Wno-pedantic", "-Wno-error=cpp", "-I", folder, "-fsyntax-only", "-x", language, f"{folder}/user.h"])

    def model(self, name, nodes, inputs, outputs):
        model = helper.make_model(helper.make_graph(nodes, "g", inputs, outputs), opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.save(model, f"{self.work}/{name}.onnx")

    def targets(self):
        x = np.random.default_rng(2).standard_normal((1, 1, 8, 8)).astype(np.float32)
        here = self.output(self.compile(DIGITS, "d", "--main"), x).tobytes()
        for compiler in ("gcc -O3 -march=native -std=gnu99", "clang -O3 -march=native", "tcc"):
            if shutil.which(compiler.split()[0]):
                same = self.output(self.compile(DIGITS, "d", "--main"), x, compiler=compiler.split()).tobytes()
                assert same == here, f"{compiler} gives other bits"
        for compiler, emulator, where, options in TARGETS:
            emulator = shutil.which(emulator) or shutil.which(f"{emulator}-static")
            if not shutil.which(compiler) or not emulator:
                print(f"NOT RUN: {compiler} and its qemu (not installed)")
                continue
            folder = self.compile(DIGITS, "d", "--main", *options.split())
            there = self.output(folder, x, compiler=[compiler, "-O2"], prefix=[emulator, *where.split()])
            assert there.astype(np.float32).tobytes() == here, f"{compiler} gives other bits"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    skipc = os.path.abspath(parser.parse_args().skipc)
    passed = 0
    for name in ("weights", "program", "needs", "profile", "demands", "example", "figures", "shared", "table", "names", "taken", "targets"):
        with tempfile.TemporaryDirectory() as work:
            getattr(Test(skipc, work), name)()
            passed += 1
    print(f"embedding: {passed} passed, 0 failed")


if __name__ == "__main__":
    sys.exit(main())
