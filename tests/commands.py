#!/usr/bin/env python3
"""The command line is what its help says: each command takes the options that its --help lists and no others, the man page and
completions of bash, zsh and fish have all of them, and what is misspelt gets a hint.

    commands.py [--skipc PATH]
"""
import argparse
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import shells

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
TABLE = open(os.path.join(ROOT, "compiler", "options.def")).read()
COMMANDS = re.findall(r"^(?:COMMAND|TOOL)\((\w+), ", TABLE, re.M)
TOOLS = dict(re.findall(r'^TOOL\((\w+), "(\w+\.py)"', TABLE, re.M))
OPTIONS = {(name, value) for name, value in re.findall(r'^OPTION\("([\w-]+)", [^,]+, (NULL|"[^"]+")', TABLE, re.M)}
# A right value of each that is not a file, a folder or a number.
VALUES = {"name": "net", "target": "c", "dim": "n=1", "io": "int", "skip-closed-gates": "0.5", "cost": "CONV=1", "winograd-weights": "file",
          "gemm": "inline", "package": "zephyr", "weights": "bin", "byte-order": "little", "dump": "i"}
NET = ("input %x : f32[1,16,6,6]\nconst @w : f32[16,16,3,3] = fill(1)\n%a = Conv(%x, @w) {pads=[1,1,1,1]}\n%c = Relu(%a)\n"
       "%b = Conv(%c, @w) {pads=[1,1,1,1]}\n%s = Add(%b, %x)\n%y = Relu(%s)\noutput %y\n")  # a residual block
# What is typed, and what is to be offered, in a folder with models/ and models.onnx.
OFFERED = {"skipc com": {"compile", "completion"}, "skipc help in": {"inspect"}, "skipc completion z": {"zsh"}, "skipc ops ": set(), "skipc tune ": set(),
           "skipc compile --tar": {"--target"}, "skipc compile --target a": {"aarch64"}, "skipc compile --target=x": {"x86-64"},
           "skipc bench --target ": {"x86-64", "aarch64", "c"}, "skipc compile --weights ": set("auto text rows incbin bin".split()),
           "skipc compile mod": {"models", "models.onnx"}, "skipc compile m.onnx -o ": {"models"}, "skipc inspect --profile ": {"models", "models.onnx"},
           "skipc lesion --lab": {"--labels"}, "skipc compile --lab": set(), "skipc inspect --ht": {"--html"}}
# A convolution under that module's name, and a weight of that name.
JOINED = """import onnx, sys
from onnx import TensorProto as T, helper as h
node = h.make_node("Conv", ["x", sys.argv[3]], ["y"])
node.metadata_props.append(onnx.StringStringEntryProto(key="pkg.torch.onnx.name_scopes", value=str(["", "m", sys.argv[2], "conv2d"])))
graph = h.make_graph([node], "g", [h.make_tensor_value_info("x", T.FLOAT, [1, 1, 3, 3])], [h.make_tensor_value_info("y", T.FLOAT, [1, 1, 3, 3])],
                     [h.make_tensor(sys.argv[3], T.FLOAT, [1, 1, 1, 1], [2.0])])
onnx.save(h.make_model(graph, opset_imports=[h.make_opsetid("", 18)], ir_version=10), sys.argv[1])"""
OPERANDS = {"help", "completion", "manual"}  # commands that take no options but --help and --version


class Failure(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Failure(message)


class Test:
    def __init__(self, skipc, work):
        self.skipc, self.work = skipc, work

    def run(self, *words, status=0, **environment):
        done = subprocess.run([self.skipc, *words], capture_output=True, text=True, env={**os.environ, **environment})
        check(status is None or done.returncode == status, f"skipc {' '.join(words)}: {done.returncode}, not {status}: {done.stderr}")
        return done

    def listed(self, command):
        """Options that its --help says it has, and those that it hands on."""
        text = self.run(command, "--help").stdout
        own, _, behind = text.partition("\nAnd of skipc compile")
        return set(re.findall(r"^  (?:-\w, |    )--([\w-]+)", own, re.M)), set(re.findall(r" --([\w-]+)", behind.partition("\nExit")[0]))

    def given(self, name, value):
        if value == "NULL":
            return [f"--{name}"]
        costs = os.path.join(self.work, "costs")
        open(costs, "a").close()
        return [f"--{name}={costs if name == 'costs' else VALUES.get(name, '1')}"]

    def help(self):
        """Each command's --help is true: what it lists is taken, and nothing else is."""
        check(len(COMMANDS) > 9 and len(OPTIONS) > 40, "the table is not read")
        whole = self.run("--help").stdout
        for words in (["-h"], ["help"]):
            check(self.run(*words).stdout == whole, f"{words} is not --help")
        for command in COMMANDS:
            check(re.search(rf"^  {command}\b", whole, re.M), f"--help does not name {command}")
            text = self.run(command, "--help").stdout
            for words in ([command, "-h"], ["help", command], [command, "no_such_model", "--help"]):
                check(self.run(*words).stdout == text, f"{words} is not {command} --help")
            for words in ([command, "-V"], [command, "--version"], ["-V"], ["--version"]):
                check(re.fullmatch(r"skipc [\d.]+\n", self.run(*words).stdout), f"{words}")
            own, behind = self.listed(command)
            for name, value in OPTIONS - {("help", "NULL"), ("version", "NULL")}:
                if command in OPERANDS:
                    check(not own - {"help", "version"}, f"{command} lists {own}")
                    continue
                said = self.run(command, *self.given(name, value), "a", "b", status=2).stderr
                taken = "more than one model" in said or "takes no model" in said
                short = any(n.startswith(name) for n in own | behind)  # --run is --runs where there is no --run
                check(taken == short or len({v for n, v in OPTIONS if n == name}) > 1, f"{command} --{name}: {'is' if taken else 'is not'} taken: {said}")

    def programs(self):
        """A program of tools/ has the options that the table gives it, and gets them as they were meant."""
        for command, program in TOOLS.items():
            text = subprocess.run([sys.executable, os.path.join(ROOT, "tools", program), "--help"], capture_output=True, text=True)
            if text.returncode:
                print(f"commands: NOT RUN: {program}: {text.stderr.strip().splitlines()[:1]}")
                continue
            has = set(re.findall(r"^  (?:-\w[^,]*, )?--([\w-]+)", text.stdout, re.M)) - {"skipc", "help"}
            own, behind = self.listed(command)
            check(has == own - {"help", "version"}, f"{program} has {has ^ (own - {'help', 'version'})} otherwise")
            model = [] if command == "tune" else ["m.onnx"]
            words = ["--cflags", "-O3 -g", *model, "--keep=k", *(["--cost", "CONV=1", "--", "--weights", "bin"] if behind else [])]
            heard = self.run(command, *words, SKIPC_PYTHON="echo").stdout
            check(heard.endswith(" ".join(["--cflags=-O3 -g", *model, "--keep=k"]) + (" -- --cost=CONV=1 --weights=bin\n" if behind else "\n")), heard)
            if behind:
                check("unknown option: --weigths" in self.run(command, *model, "--", "--weigths=bin", status=2).stderr, "behind --")
        for name in re.findall(r'getenv\("(\w+)"\)', "".join(open(os.path.join(ROOT, "compiler", f)).read() for f in ("helper.c", "main.c"))):
            check(name in self.run("--help").stdout, f"--help does not name {name}")

    def hints(self):
        for words, hint in ((["compil"], "did you mean compile?"), (["inspcet"], "did you mean inspect?"), (["help", "wieghts"], "did you mean weights?"),
                            (["compile", "--targt=c"], "did you mean --target?"), (["diff", "--all-tensor-s"], "did you mean --all-tensors?"),
                            (["compile", "--target=arm"], "there are x86-64, aarch64, c"), (["inspect", "--alone"], "an option of skipc lesion"),
                            (["completion", "csh"], "there are bash, zsh, fish")):
            said = self.run(*words, status=2).stderr
            check(hint in said, f"{words}: {said}")
        check("hint" not in self.run("xyzzy", status=2).stderr, "a hint for xyzzy")

    def manual(self):
        page = self.run("manual").stdout
        for name, _ in OPTIONS:
            check(f"\\-\\-{name}".replace("-", "\\-").replace("\\\\-", "\\-") in page, f"the man page has no --{name}")
        for command in COMMANDS:
            check(f".B {command}" in page, f"the man page has no {command}")
        for program, *options in (["groff", "-man", "-Tutf8", "-ww"], ["man", "-l", "-"]):
            if shutil.which(program) is None:
                print(f"commands: NOT RUN: {program} is not installed")
                continue
            shown = subprocess.run([program, *options], input=page, capture_output=True, text=True, env={**os.environ, "MANWIDTH": "200", "MAN_KEEP_FORMATTING": ""})
            plain = re.sub(r".\x08|\x1b\[[\d;]*m", "", shown.stdout)
            check(shown.returncode == 0 and not shown.stderr, f"{program}: {shown.stderr}")
            check("--skip-closed-gates" in plain and "EXIT STATUS" in plain, f"{program}: {plain}")

    def completion(self):
        """All options in each script, and what each shell itself offers by it."""
        os.makedirs(os.path.join(self.work, "typed", "models"))
        open(os.path.join(self.work, "typed", "models.onnx"), "w").close()
        for shell in shells.SHELLS:
            script = self.run("completion", shell).stdout
            for name, _ in OPTIONS:
                check(re.search(rf"(--|-l ){name}\b", script), f"{shell} does not complete --{name}")
            if (lacks := shells.missing(shell)) is not None:
                check(not lacks[1], f"{lacks[0]}: apt-get install {shell}")
                print(f"commands: NOT RUN: {lacks[0]}")
                continue
            done = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True)
            check(done.returncode == 0 and not done.stderr, f"{shell}: {done.stderr}")
            found, said = shells.offers(shell, script, list(OFFERED), os.path.join(self.work, "typed"))
            for line, wanted in OFFERED.items():
                wanted = {f"--target={w}" for w in wanted} if shell == "fish" and "=" in line else wanted
                there = {w for w in found[line] if not w.startswith("-")} if line.endswith(" ") else found[line]  # zsh: options, too
                check(there == wanted, f"{shell} offers {found[line]} for {line!r}, not {wanted}\n{said[-1000:]}")
            check(shell == "bash" or "a page: blocks" in said, f"{shell} does not say what --html is: {said[-1000:]}")

    def made(self):
        """What compile says that it made is there, and its last line compiles that; -q says nothing."""
        model = os.path.join(self.work, "net.skipc")
        with open(model, "w") as f:
            f.write(NET)
        for folder, *options in (["out"], ["a folder", "--main"], ["out/below", "--weights=bin", "--target=c"]):
            done = self.run("compile", model, "-o", os.path.join(self.work, folder), *options)
            first, line = done.stderr.splitlines()[0], done.stderr.splitlines()[-1].strip()
            path, *more = first.removeprefix("wrote   " + os.path.join(self.work, folder) + "/").split()
            check(not done.stdout and {path, *more} == set(os.listdir(os.path.join(self.work, folder))) - {"below"}, f"{first}: not the folder's")
            check(re.search(r"^memory  arena [\d,]+ bytes, weights [\d,]+", done.stderr, re.M) and "blocks  1, of which 1 " in done.stderr, done.stderr)
            header = open(os.path.join(self.work, folder, "net.h")).read()
            prepared = int(re.search(r"_PREPARED_SIZE (\d+)", header)[1])
            told = re.search(r", for init to fill ([\d,]+)", done.stderr)
            check(prepared == (int(told[1].replace(",", "")) if told else 0), f"init fills {prepared} bytes, not as in: {done.stderr}")
            check(re.search(r"^memory  arena ([\d,]+)", done.stderr, re.M)[1].replace(",", "") == re.search(r"_ARENA_SIZE (\d+)", header)[1], done.stderr)
            if " " not in folder:
                built = subprocess.run(["sh", "-c", line], capture_output=True, text=True, cwd=self.work)
                check(built.returncode == 0 and not built.stderr and line.startswith("cc -O2"), f"{line}: {built.stderr}")
            again = self.run("compile", "-q", model, "-o", os.path.join(self.work, folder), *options)
            check(not again.stdout + again.stderr, again.stderr)
        said = self.run("weights", model, "--like", os.path.join(self.work, "out")).stderr
        check(re.fullmatch(r"wrote   \S+/out/net_weights.c\n", said), said)
        model = os.path.join(ROOT, "tests", "cases", "head_aap2_dyn_op13", "model.onnx")
        for options, assumed in (([], True), (["--dim", "batch_size=1"], False)):
            said = self.run("compile", model, "-o", os.path.join(self.work, "batch"), *options).stderr
            check(("batch   1, as none was given (--dim batch_size=N)" in said) == assumed, f"{options}: {said}")

    def inspect(self):
        """A screen, on which each step stands once or is of a sequence that repeats; -v has all, --why the reasons."""
        deep, large = (os.path.join(self.work, f"{name}.onnx") for name in ("deep", "large"))
        for path, *words in ((deep, "cifar_resnet110"), (large, "resnet152", "--width", "8")):
            subprocess.run([sys.executable, os.path.join(ROOT, "tools", "networks.py"), *words, "-o", path], check=True)
        dynamo = os.path.join(ROOT, "tests", "cases", "edsr_pixelshuffle_dyn", "model.onnx")
        for model, name in ((deep, "layer1.0.conv1"), (large, "layer1.0.conv2"), (dynamo, "b.0.2")):
            text, report = self.run("inspect", model).stdout, json.loads(self.run("inspect", model, "--json").stdout)
            lines = text.splitlines()
            check(len(lines) <= 120 and max(map(len, lines)) <= 120, f"{len(lines)} lines of {max(map(len, lines))}")
            shown, at, last = [], None, None
            for line in lines[lines.index(next(l for l in lines if l.startswith("  step"))) + 1:]:
                again = re.match(r"  .. (\d+) times, to step (\d+):", line)
                step = re.match(r"[ |] *(\d+)  (\S+)", line)
                check(again or step, f"what is {line!r}?")
                if line[0] != "|" and last is not None:
                    shown += list(range(at, last + 1))
                    check((last + 1 - at) % times == 0, f"steps {at} to {last} are not {times} times the same")
                    last = None
                if again:
                    times, last, at = int(again[1]), int(again[2]), len(shown)
                elif line[0] == " ":
                    shown.append(int(step[1]))
            check(shown == [k["id"] for k in report["kernels"]], f"steps are shown as {shown}")
            check(re.search(rf" {re.escape(name)}( |$)", text, re.M), f"no {name} in {text}")
            whole, why = self.run("inspect", "-v", model).stdout, self.run("inspect", "--why", model).stdout
            taken = sum(k["op"] is not None for k in report["kernels"])
            check(whole.count(": taken") == taken == why.count(": taken") and ": taken" not in text, "reasons")
            check(why.startswith(text) and "\narena     offset" in whole, "-v and --why")
        check(all(f"        modules: {m}\n" in whole for m in ("h", "b.0.0 b.0.1", "b.0.2")), "modules")
        check(len(self.run("inspect", deep).stdout.splitlines()) < 40, "what repeats is not folded")

    def modules(self):
        """torch calls a convolution by the normalisation that it was joined with; inspect by its own module."""
        model = os.path.join(self.work, "joined.onnx")
        for scope, weight, name in (("layer1.0.bn1", "layer1.0.conv1.weight", "layer1.0.conv1"), ("bn1", "conv1.weight", "conv1"),
                                    ("a.norm", "b.conv.weight", "a.norm"), ("a.conv", "w", "a.conv"), ("conv", "", "conv")):
            subprocess.run([sys.executable, "-c", JOINED, model, scope, weight or "weight"], check=True)
            text = self.run("inspect", model).stdout
            check(re.search(rf" {re.escape(name)}$", text, re.M), f"no {name} for {scope} with {weight}: {text}")

    def ops(self):
        """Each operator of opset.def once, with all its versions, and each that is refused."""
        rows = open(os.path.join(ROOT, "compiler", "import", "opset.def")).read()
        said = self.run("ops").stdout
        table, _, refused = said.partition("Refused:")
        since = {}
        for domain, name, version in re.findall(r'^ROW\((""|MS|ML|"[\w.]+"), +(\w+), +(\d+)', rows, re.M):
            since.setdefault(name, set()).add(int(version))
        for name, versions in since.items():
            line = re.findall(rf"^(?:[\w.]+\.)?{name} +((?:\d+ )+)", table, re.M)
            check(line and set(int(v) for l in line for v in l.split()) >= versions, f"{name} of {versions}: {line}")
        for name in re.findall(r'^REFUSED(?:_BY)?\(\w*(?:"[\w.]*")?, "([\w*]+)"', rows, re.M):
            check(name in refused, f"{name} is refused, and ops does not say so")
        check(len(since) > 150 and "Loop" in refused and "SoftmaxCrossEntropyLoss" in refused, "too few")
        check(not re.search(r" $", said, re.M), "blanks at the ends of lines")
        report = json.loads(self.run("ops", "--json").stdout)
        domains = {"MS": "com.microsoft", "ML": "ai.onnx.ml"}
        wanted = sorted((domains.get(d, d.strip('"')), n, int(v)) for d, n, v in re.findall(r'^ROW\((""|MS|ML|"[\w.]+"), +(\w+), +(\d+)', rows, re.M))
        check(sorted((o["domain"], o["name"], v["since"]) for o in report["operators"] for v in o["versions"]) == wanted, "the JSON has other versions")
        check(len({(o["domain"], o["name"]) for o in report["operators"]}) == len(report["operators"]) == int(re.search(r"^(\d+) operators", said, re.M)[1]),
              "an operator is not there once")
        check(all(r["name"] in refused and (r["hint"] or "") in refused for r in report["refused"]), "the JSON refuses others")
        conv, = (o["versions"] for o in report["operators"] if o["name"] == "Conv")
        group, = (a for a in conv[0]["attributes"] if a["name"] == "group")
        check(conv[0]["since"] == 1 and group == {"name": "group", "type": "int", "required": False, "default": "1", "used": True}, conv)
        check("ops takes no model: x" in self.run("ops", "x", status=2).stderr, "ops x")

    def ends(self):
        """What ends early is said in a line, and is an exit status: a full disk, a closed pipe, Ctrl-C, a module that is missing."""
        model = os.path.join(ROOT, "examples", "digits", "digits.onnx")
        if self.run("lesion", model, "--alone", "--rows=1", status=None).returncode == 4:
            print("commands: NOT RUN: ends: a Python module is not installed")
            return
        words = [self.skipc, "lesion", model, "--rows=1"]
        with open("/dev/full", "w") as full:
            for command in (words, [*words, "--json"], [self.skipc, "diff", model]):
                done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
                check(done.returncode in (1, 4) and len(done.stderr.splitlines()) <= 2 and "Traceback" not in done.stderr, done.stderr)
        read, write = os.pipe()
        os.close(read)
        for command in (words, [self.skipc, "inspect", "-v", model], [self.skipc, "ops"]):
            done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
            check(done.returncode in (1, -signal.SIGPIPE) and not done.stderr, f"{command}, a closed pipe: {done.returncode} {done.stderr}")
        os.close(write)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # children of what a shell runs in the background ignore it
        for after in (0.2, 1.5):
            begun = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
            time.sleep(after)
            os.killpg(begun.pid, signal.SIGINT)
            said = begun.communicate(timeout=60)[1]
            check(begun.returncode in (130, -signal.SIGINT) and "Traceback" not in said, f"Ctrl-C after {after} s: {begun.returncode} {said}")
        master, terminal = pty.openpty()
        for command in (["lesion", model, "--rows=1", "--alone"], ["diff", model]):
            done = subprocess.run([self.skipc, *command], stdout=subprocess.PIPE, stderr=terminal)
            said = os.read(master, 100000).decode()
            check(done.returncode == 4 or "compiling" in said or " of 4 networks" in said, f"{command} shows no progress: {said!r}")
            check("\x1b" not in self.run(*command, status=None).stderr, f"{command} shows progress where nobody looks")
        long = os.path.join(self.work, "long.skipc")
        with open(long, "w") as f:
            f.write("input %x : f32[1,2048]\nconst @w : f32[2048,3072] = fill(1)\n%y = MatMul(%x, @w)\noutput %y\n")
        for more, wanted in (["-q"], False), ([], True):
            subprocess.run([self.skipc, "compile", long, "--weights=text", "-o", os.path.join(self.work, "long"), *more], stderr=terminal, check=True)
            os.write(terminal, b".")
            said = os.read(master, 100000).decode()
            check(("\x1b" in said) == wanted == ("wrote " in said), f"compile {more} says {said!r}")
        shutil.rmtree(os.path.join(self.work, "long"))
        bare = os.path.join(self.work, "bare")
        with open(bare, "w") as f:
            f.write(f'#!/bin/sh\nexec "{sys.executable}" -E -S "$@"\n')
        os.chmod(bare, 0o755)
        done = self.run("diff", model, status=4, SKIPC_PYTHON=os.path.join(self.work, "none"))
        check("needs Python 3" in done.stderr and "SKIPC_PYTHON" in done.stderr, done.stderr)
        for command in ("lesion", "gates", "diff", "bench"):
            done = self.run(command, model, status=4, SKIPC_PYTHON=bare)
            check("is not installed" in done.stderr and "Traceback" not in done.stderr, done.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    arguments = parser.parse_args()
    failed, names = 0, ("help", "programs", "hints", "manual", "completion", "made", "inspect", "modules", "ops", "ends")
    with tempfile.TemporaryDirectory() as work:
        test = Test(os.path.abspath(arguments.skipc), work)
        for name in names:
            try:
                getattr(test, name)()
            except Failure as e:
                failed += 1
                print(f"FAILED commands: {name}: {e}", flush=True)
    print(f"commands: {len(names) - failed} of {len(names)} passed, {len(OPTIONS)} options")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
