#!/usr/bin/env python3
"""Every way to install skipc, each from a clean machine: a fresh clone, an empty folder, env -i with a PATH.

    packages.py [--work DIR] [SECTION ...]

The clone is of what is committed, with what is changed in the working tree. Sections are the methods of Test. What a
machine lacks is said as NOT RUN.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, ".."))
VENV = os.path.join(ROOT, ".venv", "bin")
PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
RECOGNISED = "357 of 360 held-out digits recognised"


class Failure(Exception):
    pass


def check(holds, what):
    if not holds:
        raise Failure(what)


class NotRun(Exception):
    pass


def need(*programs):
    for p in programs:
        if not shutil.which(p, path=PATH):
            raise NotRun(f"{p} is not installed")


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(path, f), folder)
                  for path, folders, files in os.walk(folder)
                  for f in files + [d for d in folders if os.path.islink(os.path.join(path, d))])


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


class Test:
    def __init__(self, work):
        self.work = work
        self.home = os.path.join(work, "home")
        os.makedirs(self.home)
        self.clone = os.path.join(work, "clone")
        subprocess.run(["git", "clone", "-q", ROOT, self.clone], check=True)
        changed = subprocess.run(["git", "ls-files", "-z", "-m", "-o", "--exclude-standard"], cwd=ROOT, check=True,
                                 capture_output=True, text=True).stdout.split("\0")
        for name in filter(None, changed):
            if os.path.exists(os.path.join(ROOT, name)):
                os.makedirs(os.path.dirname(os.path.join(self.clone, name)), exist_ok=True)
                shutil.copy2(os.path.join(ROOT, name), os.path.join(self.clone, name))
            elif os.path.exists(os.path.join(self.clone, name)):
                os.remove(os.path.join(self.clone, name))
        self.digits = os.path.join(self.clone, "examples", "digits")
        self.model = os.path.join(work, "digits.onnx")  # stays where it is when the clone is away
        shutil.copy(os.path.join(self.digits, "digits.onnx"), self.model)

    def folder(self, name):
        """An empty one."""
        path = os.path.join(self.work, name)
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(path)
        return path

    def run(self, *command, cwd=None, status=0, python=False, **variables):
        """In an empty environment; with `python`, python3 is one that has onnxruntime."""
        environment = {"PATH": f"{VENV}:{PATH}" if python else PATH, "HOME": self.home, **variables}
        done = subprocess.run(command, cwd=cwd or self.folder("empty"), env=environment, capture_output=True, text=True,
                              errors="replace", timeout=1800)
        said = done.stdout + done.stderr
        check(done.returncode == status, f"{' '.join(command)}: exit status {done.returncode}\n{said[-3000:]}")
        return said

    def make(self, *words, **options):
        return self.run("make", "-j2", *words, cwd=self.clone, **options)

    def away(self):
        """The clone is not there: with self.away(): .."""
        return Moved(self.clone)

    def helpers_work(self, skipc, **variables):
        """diff, bench and tune find what they run, from any folder."""
        said = self.run(skipc, "diff", self.model, python=True, **variables)
        check("ok" in said, said)
        said = self.run(skipc, "bench", self.model, "--runs", "1", "--threads", "2", "--layers", "--json", python=True, **variables)
        times = json.loads(said[said.index("{"):said.rindex("}") + 1])
        check([r["name"] for r in times["results"]][:1] == ["skipc"], said)
        check("--quick" in self.run(skipc, "tune", "--help"), "tune --help")

    # ---- sections -------------------------------------------------------------------------------

    def offline(self):
        """make check-offline installs nothing, and recognises digits."""
        tools = self.folder("tools")
        for name in ("apt-get", "apt-cache", "dpkg-query", "pip", "pip3"):
            write(f"{tools}/{name}", f"#!/bin/sh\necho {name} >> {tools}/called\nexit 1\n", 0o755)
        said = self.make("check-offline", PATH=f"{tools}:{PATH}")
        check(RECOGNISED in said and "Failures: 0" in said, said[-3000:])
        check(not os.path.exists(f"{tools}/called"), "it called what installs")

    def install(self):
        """make install: the program finds its helpers, staged, in place and copied; uninstall takes all away."""
        prefix, stage, copy = (self.folder(n) for n in ("prefix", "stage", "copy"))
        write(f"{prefix}/bin/other", "#!/bin/sh\n", 0o755)
        self.make("install", f"DESTDIR={stage}", "PREFIX=/usr")
        self.make("install", f"PREFIX={prefix}")
        shutil.copy(f"{prefix}/bin/skipc", f"{copy}/skipc")
        os.symlink(f"{prefix}/bin/skipc", f"{copy}/link")
        check(files_below(stage) == [f"usr/{f}" for f in files_below(prefix) if f != "bin/other"], "other files under DESTDIR")
        with self.away():
            for skipc in (f"{prefix}/bin/skipc", f"{copy}/skipc"):
                self.helpers_work(skipc)
            self.run(f"{stage}/usr/bin/skipc", "diff", self.model, python=True)
            self.run(f"{copy}/link", "diff", self.model, python=True)
            said = self.run(f"{prefix}/bin/skipc", "diff", self.model, status=4)
            check("pip install" in said and "make venv" not in said, said)
        self.make("uninstall", f"DESTDIR={stage}", "PREFIX=/usr")
        self.make("uninstall", f"PREFIX={prefix}")
        check(files_below(stage) == [] and files_below(prefix) == ["bin/other"], "uninstall leaves files")
        said = self.run(f"{copy}/skipc", "diff", self.model, status=1)
        check("there is no tools/compare.py in" in said and "SKIPC_HELPERS" in said, said)
        self.run(f"{copy}/skipc", "diff", self.model, python=True, SKIPC_HELPERS=self.clone)

    def elsewhere(self):
        """make BUILD=.. : the program of a folder that is not in the tree, and a copy of it."""
        copy = self.folder("copy")
        self.make(f"BUILD={self.folder('out')}")
        self.helpers_work(f"{self.work}/out/skipc")
        shutil.move(f"{self.work}/out/skipc", f"{copy}/skipc")
        self.helpers_work(f"{copy}/skipc")


class Moved:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        os.rename(self.path, self.path + "-away")

    def __exit__(self, *_):
        os.rename(self.path + "-away", self.path)


SECTIONS = [Test.offline, Test.install, Test.elsewhere]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", help="where everything is made, and stays")
    p.add_argument("sections", nargs="*", metavar="SECTION", help=" ".join(s.__name__ for s in SECTIONS))
    a = p.parse_args()
    chosen = [s for s in SECTIONS if not a.sections or s.__name__ in a.sections]
    if len(chosen) < len(a.sections):
        p.error(f"sections are {' '.join(s.__name__ for s in SECTIONS)}")
    failed = left_out = 0
    with tempfile.TemporaryDirectory(prefix="skipc-packages-") as temporary:
        test = Test(os.path.abspath(a.work) if a.work else temporary)
        for section in chosen:
            start, how = time.time(), "ok"
            try:
                section(test)
            except NotRun as e:
                left_out += 1
                how = f"NOT RUN: {e}"
            except (Failure, OSError, ValueError, subprocess.SubprocessError) as e:
                failed += 1
                how = f"FAILED: {e}"
            print(f"packages: {section.__name__}, {time.time() - start:.0f} s: {how}", flush=True)
    print(f"packages.py: {len(chosen) - failed - left_out} passed, {failed} failed, {left_out} not run")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
