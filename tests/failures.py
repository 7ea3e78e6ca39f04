#!/usr/bin/env python3
"""What befalls a process: no memory, no file, a full disk, a signal, odd options, files and streams.

    failures.py [--skipc PATH] [--all]

A small network is compiled over the output of another one of its name. Each call of malloc, mmap, open, rename ..
fails in turn (programs/failures.c, preloaded), alone and with all that follow; a signal comes before it; files may
have no more than so many bytes. Whatever happens, skipc says so and exits 1, and the folder is as it was, to the byte;
or it exits 0 and the folder is complete. (A signal that comes when all is done may end it, too.) Without --all, some
of the calls.
"""
import argparse
import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DIGITS = os.path.join(HERE, "..", "examples", "digits", "digits.onnx")
SMALL = "input %x : f32[1,2,5,5]\nconst @w : f32[3,2,3,3] = fill(1)\n%c = Conv(%x, @w)\n%y = Relu(%c)\noutput %y\n"
SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGXCPU, signal.SIGPIPE]


class Failure(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failure(what)


def content(folder):
    """Every file and folder below: its kind, mode, bytes, and when it was changed."""
    found = {}
    for path, folders, files in os.walk(folder):
        for name in folders + files:
            full = os.path.join(path, name)
            st = os.lstat(full)
            data = open(full, "rb").read() if stat.S_ISREG(st.st_mode) else None
            found[os.path.relpath(full, folder)] = (st.st_mode, data, st.st_mtime_ns if data is not None else 0)
    return found


def bytes_of(found):
    return {name: data for name, (_, data, _) in found.items()}


class Test:
    def __init__(self, skipc, work, all_calls):
        self.skipc, self.work, self.all = skipc, work, all_calls
        self.library = os.path.join(work, "failures.so")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-o", self.library,
                        os.path.join(HERE, "programs", "failures.c"), "-ldl"], check=True)
        self.model = os.path.join(work, "small.skipc")
        with open(self.model, "w") as f:
            f.write(SMALL)
        self.before = os.path.join(work, "before")
        self.run("compile", DIGITS, "-o", self.before, "--name", "net", "--weights=bin", "--main")
        with open(os.path.join(self.before, "other"), "w") as f:
            f.write("nobody's\n")
        self.out = os.path.join(work, "out")
        self.runs = 0

    def run(self, *command, status=0, **options):
        result = subprocess.run([self.skipc, *command], capture_output=True, text=True, timeout=60, errors="replace", **options)
        check(result.returncode == status, f"{' '.join(command)}: exit status {result.returncode}\n{result.stderr}")
        return result

    def reset(self):
        shutil.rmtree(self.out, ignore_errors=True)
        shutil.copytree(self.before, self.out)

    def compile(self, target, folder, environment, limit=None):
        """The process, and what it left: before, after or something else."""
        command = [self.skipc, "compile", self.model, "-o", folder, "--name", "net", f"--target={target}", "--weights=bin", "--main"]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment},
                              preexec_fn=limit, errors="replace")

    def outcome(self, result, before, after, what):
        """before, after: content of self.work/out; after: bytes only."""
        found = content(self.out)
        self.runs += 1
        if result.returncode == 0:
            check(bytes_of(found) == after, f"{what}: exit status 0, but the folder holds {sorted(found)}\n{result.stderr}")
        elif result.returncode == 1 or "ended by a signal" in result.stderr:
            changed = sorted(k for k in {*before, *found} if before.get(k) != found.get(k))
            check(not changed, f"{what}: it failed, but {changed} changed\n{result.stderr}")
            check(result.stderr.startswith("skipc: ") or ": error: " in result.stderr, f"{what}: it says {result.stderr!r}")
        else:
            check(result.returncode < 0 and bytes_of(found) == after,
                  f"{what}: exit status {result.returncode}, in the folder {sorted(found)}\n{result.stderr}")

    def injected(self, target, folder, kind, at, on=False, number=0):
        environment = {"LD_PRELOAD": self.library, "FAIL_KIND": kind, "FAIL_AT": str(at)}
        if on:
            environment["FAIL_ON"] = "1"
        if number:
            environment["FAIL_SIGNAL"] = str(int(number))
        return self.compile(target, folder, environment)

    def count(self, target, kind):
        path = os.path.join(self.work, "count")
        result = self.compile(target, self.out, {"LD_PRELOAD": self.library, "FAIL_KIND": kind, "FAIL_COUNT": path})
        check(result.returncode == 0, result.stderr)
        return int(open(path).read())

    def some(self, n, most):
        """Calls 1 to n: all of them, or the last ones (the commit) and some of the others."""
        if self.all or n <= most:
            return range(1, n + 1)
        step = 2 * n // most + 1
        return [*range(1, n - most // 2, step), *range(n - most // 2 + 1, n + 1)]

    def calls(self):
        """Each call fails: over an earlier output, and in a folder that is not there."""
        for target in ("c", "x86-64"):
            for folder in ("", "new/below"):
                self.reset()
                inside, before = os.path.join(self.out, folder), content(self.out)
                check(self.compile(target, inside, {}).returncode == 0, "it does not compile")
                after = bytes_of(content(self.out))
                for kind in ("memory", "file", "output"):
                    n = self.count(target, kind)
                    check(n > 3, f"only {n} calls of kind {kind} are seen")
                    self.reset()
                    before = content(self.out)
                    for on in (False, True):
                        for at in self.some(n, 10 if on or folder else 24):
                            what = f"{target} {folder}: {kind} call {at} of {n} fails{', and all behind it' if on else ''}"
                            result = self.injected(target, inside, kind, at, on)
                            if on and kind == "file" and result.returncode == 1:
                                self.runs += 1  # nothing can be taken back where nothing can be moved; it says so
                                check(content(self.out) == before or "cannot" in result.stderr, f"{what}: {result.stderr}")
                            else:
                                self.outcome(result, before, after, what)
                            if content(self.out) != before:
                                self.reset()
                                before = content(self.out)

    def signals(self):
        for target in ("c", "x86-64"):
            self.reset()
            check(self.compile(target, self.out, {}).returncode == 0, "it does not compile")
            after = bytes_of(content(self.out))
            for kind in ("memory", "file", "output"):
                n = self.count(target, kind)
                for number in SIGNALS:
                    for at in self.some(n, 6):
                        self.reset()
                        before = content(self.out)
                        result = self.injected(target, self.out, kind, at, number=number)
                        check(result.returncode in (0, -number), f"{number.name} is exit status {result.returncode}")
                        self.outcome(result, before, after, f"{target}: {number.name} before {kind} call {at} of {n}")

    def limits(self):
        """Files may have so many bytes; the process so much memory."""
        self.reset()
        check(self.compile("c", self.out, {}).returncode == 0, "it does not compile")
        after = bytes_of(content(self.out))
        for size in (0, 1, 100, 4095, 4096, 5000, 8192, 12000, 1 << 20):
            self.reset()
            before = content(self.out)
            result = self.compile("c", self.out, {}, lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))
            self.outcome(result, before, after, f"files of {size} bytes")
        for mib in (16, 20, 24, 32, 64):
            self.reset()
            before = content(self.out)
            result = self.compile("c", self.out, {}, lambda: resource.setrlimit(resource.RLIMIT_AS, (mib << 20, mib << 20)))
            if result.returncode != 127:  # the loader's own
                self.outcome(result, before, after, f"{mib} MiB of memory")

    def obstacles(self):
        """A folder where a file should go, a file where the folder should be, a link under the temporary name."""
        self.reset()
        check(self.compile("c", self.out, {}).returncode == 0, "it does not compile")
        for name in ("net.c", "net.h", "net_main.c", "net_weights.bin"):
            self.reset()
            os.remove(os.path.join(self.out, name)) if os.path.exists(os.path.join(self.out, name)) else None
            os.mkdir(os.path.join(self.out, name))
            before = content(self.out)
            result = self.compile("c", self.out, {})
            check(result.returncode == 1 and "folder" in result.stderr.lower() or "directory" in result.stderr, result.stderr)
            self.outcome(result, before, None, f"{name} is a folder")
        result = self.compile("c", os.path.join(self.out, "other"), {})
        self.outcome(result, content(self.out), None, "the folder is a file")
        check(result.returncode == 1, "a file is no folder")
        self.run("compile", self.model, "-o", "", status=2)

    def streams(self):
        """Standard output that is full or closed is a failure; a standard error that is closed must not become a file."""
        with open("/dev/full", "w") as full:
            for command in (["inspect", self.model], ["inspect", "--json", self.model], ["--help"], ["--version"],
                            ["inspect", self.model, "-d", "i"], ["compile", self.model, "-o", self.out, "-d", "k"]):
                self.reset()
                before = content(self.out)
                result = subprocess.run([self.skipc, *command], stdout=full, stderr=subprocess.PIPE, text=True)
                check(result.returncode == 1 and "standard output" in result.stderr, f"{command}: {result.returncode} {result.stderr}")
                check(content(self.out) == before, f"{command}: the folder changed")
                result = subprocess.run([self.skipc, *command], stdout=None, stderr=subprocess.PIPE, preexec_fn=lambda: os.close(1))
                check(result.returncode == 1, f"{command} with a closed output: {result.returncode}")
        self.reset()
        for fds in ((2,), (0, 1, 2)):
            subprocess.run([self.skipc, "compile", DIGITS, "-o", self.out, "--name", "net", "--weights=bin", "--main"],
                           preexec_fn=lambda: [os.close(fd) for fd in fds])
            check(bytes_of(content(self.out)) == bytes_of(content(self.before)), "closed streams changed the output")

    def options(self):
        """Each option in both spellings, and what a wrong one is told; of inspect -d the dump and nothing else."""
        outputs = []
        for letter, word in (("-o {}", "--{} {}"), ("-o{}", "--{}={}"), ("--outp={}", "--{}={}")):
            words = [word.format(*o).split() for o in (("name", "other"), ("target", "c"), ("weights", "bin"), ("byte-order", "big"),
                                                       ("dim", "n=1"))]
            self.reset()
            self.run("compile", "--trace", *letter.format(self.out).split(), *(w for word in words for w in word), "--exact", "--", self.model)
            outputs.append(content(self.out))
            with open(os.path.join(self.out, "other.c")) as f:
                check("(--target=c --trace --weights=bin --byte-order=big --dim n=1 --exact)" in f.read(), "settings")
        check(all(bytes_of(o) == bytes_of(outputs[0]) for o in outputs), "other spellings, other outputs")
        for arguments, message in (
                (["--json=1"], "unknown option: --json=1\n    hint: it is an option of skipc inspect"), (["--exact=1"], "this option has no value: --exact=1"),
                (["--names", "x"], "unknown option: --names\n    hint: did you mean --name?"), (["--zzzz"], "unknown option: --zzzz\ntry"),
                (["-y"], "unknown option: -y"), (["--name"], "an option without its value: --name\n    hint: it is --name NAME"),
                ([self.model], "more than one model: "), (["--", "-x"], "more than one model: -x"), (["--c", "x"], "more than one option begins so: --c"),
                (["--name", "1x"], "a C identifier, not 1x"), (["--name=int"], "no header's, not int"),
                (["--target=pdp11"], "no such target: pdp11\n    hint: there are x86-64, aarch64, c\n"), (["--dim", "n"], "--dim wants NAME=N with N at least 1, not n"),
                (["--dim=n=0"], "not n=0"), (["--weights=zip"], "--weights is auto, text, rows, incbin or bin, not zip"),
                (["--byte-order", "middle"], "--byte-order is little or big, not middle"), (["-d", "x"], "the letter of a pass, not x"),
                (["--gemm=mkl"], "--gemm is inline or libxsmm-call, not mkl"), (["--skip-closed-gates", "1"], "between 0 and 1, not 1"),
                (["--target=c", "--gemm=libxsmm-call"], "needs --target=x86-64"),
                (["--alone"], "unknown option: --alone\n    hint: it is an option of skipc lesion")):
            said = self.run("compile", self.model, "-o", self.out, *arguments, status=2).stderr
            check(message in said and said.endswith("try skipc compile --help\n"), f"{arguments}: {said}")
        check("no model is given" in self.run("inspect", status=2).stderr, "no model")
        self.reset()
        for letter in "isfrbl" "kmp":
            dump = self.run("inspect", self.model, "-d", letter).stdout
            check(dump and dump == self.run("compile", self.model, "-o", self.out, "-d", letter).stdout, f"-d {letter}: {dump}")
            if letter in "isfrbl":
                again = os.path.join(self.work, f"{letter}.skipc")
                with open(again, "w") as f:
                    f.write(dump)
                self.run("inspect", again)
        self.run("inspect", self.model, "-d", "e", status=2)
        self.run("inspect", self.model, "-d", "r", "--json", status=2)

    def inputs(self):
        """Files that are none, and names that would command a terminal."""
        folder, fifo = os.path.join(self.work, "folder"), os.path.join(self.work, "fifo")
        odd = "a\x1b[31m\x9b\u009b\"*/\n"
        for ending, what in ((".skipc", "graph"), (".onnx", "model")):
            os.mkdir(folder + ending)
            os.mkfifo(fifo + ending)
            open(os.path.join(self.work, "empty" + ending), "w").close()
            for name, message in ((folder, "is a folder, not a file"), (fifo, "is not a regular file"),
                                  (os.path.join(self.work, "empty"), "is empty"), (os.path.join(self.work, "none"), "No such file")):
                result = self.run("inspect", name + ending, status=1)
                check(f"cannot read the {what}: {message}" in result.stderr, result.stderr)
        with open(os.path.join(self.work, "zero.skipc"), "wb") as f:
            f.write(SMALL.encode() + b"\0 rest")
        check("not text" in self.run("inspect", os.path.join(self.work, "zero.skipc"), status=1).stderr, "a zero byte")
        model = os.path.join(self.work, odd.replace("/", "") + ".skipc")
        shutil.copy(self.model, model)
        into = os.path.join(self.work, odd.replace("/", "") + "out")
        said = [self.run("inspect", model).stdout, self.run("inspect", "--json", model).stdout,
                self.run("compile", model, "-o", into).stderr]
        check(json.loads(said[1])["model"] == model, "the path in JSON is another one")
        said += [open(os.path.join(into, name)).read() for name in sorted(os.listdir(into))]
        os.mkdir(os.path.join(into, "net.h"))
        said += [self.run("compile", model, "-o", into, "--name", "net", status=1).stderr,
                 self.run("inspect", model + odd, status=1).stderr, self.run("compile", odd + ".onnx", "-o", into, status=1).stderr]
        for arguments in (["--name", odd], ["--dim", odd], ["--target", odd], ["-d", odd], ["--weights", odd], ["--gemm", odd],
                          ["--skip-closed-gates", odd], ["--" + odd], [model]):
            said.append(self.run("compile", model, "-o", into, *arguments, status=2).stderr)
        said.append(self.run(odd, status=2).stderr)
        with open(model, "w") as f:
            f.write("input %x : nonsense\n")
        said.append(self.run("inspect", model, status=1).stderr)
        for text in said:
            check(all(c in "\n\t" or " " <= c < "\x7f" or c >= "\xa0" for c in text), f"control characters: {text!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(HERE, "..", "build", "skipc"))
    parser.add_argument("--all", action="store_true")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        test = Test(os.path.abspath(arguments.skipc), work, arguments.all)
        for name in ("calls", "signals", "limits", "obstacles", "streams", "options", "inputs"):
            if arguments.names and name not in arguments.names:
                continue
            start, before = time.monotonic(), test.runs
            try:
                getattr(test, name)()
                print(f"failures: {name}, {test.runs - before} runs, {time.monotonic() - start:.1f} s", flush=True)
            except (Failure, subprocess.TimeoutExpired) as e:
                failed += 1
                print(f"FAILED failures: {name}: {e}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
