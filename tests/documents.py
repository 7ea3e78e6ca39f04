#!/usr/bin/env python3
"""What the documents tell people to type works, and prints what they say.

    documents.py [--skipc PATH] [FILE.md ...]

Of README.md and docs/*.md, in a folder of its own for each document that holds the example networks, one after the other:

- a block of C, C++, Python, CMake whose first line is a comment with a file name becomes that file
- a block of commands (sh) is run by sh -e
- a block of text behind it is what that prints: each of its lines, but for `..`, in this order
- a block of C behind a sentence that names a file which commands made is a part of that file
- an indented block is none of these: it is a fault

Of each macro, status and option of a generated header docs/ says something. Figures of README.md's table of processors are those of BENCHMARKS.md.

Where the sentence before a block says that it needs something (torch, a board, CMake), it is run where that is installed; else the
test says NOT RUN, and why.
"""
import argparse
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
EXAMPLES = ("digits.onnx", "highway.onnx", "images.npy", "labels.npy")
FILE = re.compile(r"^(?:/\*|//|#) ([\w-]+\.\w+)\b")


TORCH = os.path.abspath(os.path.join(ROOT, "build", "families-venv", "bin"))  # by make venv-families


def search_path():
    """PATH, with torch's Python in front where there is one."""
    return f"{TORCH}:{os.environ['PATH']}" if os.path.exists(os.path.join(TORCH, "python3")) else os.environ["PATH"]


def has_here(modules):
    return subprocess.run([shutil.which("python3", path=search_path()), "-c", f"import {modules}"], capture_output=True).returncode == 0


def has_module(name):
    return subprocess.run([os.path.join(ROOT, ".venv", "bin", "python"), "-c", f"import {name}"], capture_output=True).returncode == 0


# What a sentence before a block may say that it needs: whether it is here.
NEEDS = {"torch": lambda: has_here("torch, onnxscript"), "a board": lambda: False, "an account": lambda: False, "a large download": lambda: False,
         "CMake": lambda: shutil.which("cmake") is not None, "a C++ compiler": lambda: shutil.which("c++") is not None,
         "numpy": lambda: has_here("numpy"),
         "onnxruntime": lambda: has_module("onnxruntime"), "OpenVINO": lambda: has_module("openvino, ncnn, MNN"),
         "some minutes": lambda: False, "the source of skipc": lambda: False}


SYSTEM = ("No space left on device", "No such file")  # what others say


class Failure(Exception):
    pass


def blocks(text):
    """(language, what stands in it, the paragraph before) of each fenced block."""
    for m in re.finditer(r"(?P<before>(?:^(?!```)[^\n]*\n)*?)^```(?P<language>\w+)\n(?P<body>.*?)^```$", text, re.M | re.S):
        paragraphs = [p for p in re.split(r"\n\s*\n", m["before"].strip("\n")) if p.strip()]
        yield m["language"], m["body"], paragraphs[-1] if paragraphs else ""


def indented(text):
    """Lines of a block that is indented: of text alone, outside of fences and lists."""
    fenced = listed = False
    last = ""
    for number, line in enumerate(text.splitlines(), 1):
        fenced ^= line.startswith("```")
        listed = bool(re.match(r"[-*\d]", line)) or listed and line.startswith((" ", "\t"))
        if not fenced and not listed and not last.strip() and line.startswith(("    ", "\t")):
            yield number
        last = line


def unmade(body):
    """Targets that commands make, and that the Makefile has not."""
    for target in re.findall(r"\bmake ([\w-]+)", re.sub(r"#.*", "", body)):
        if subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True).returncode:
            yield target


def figures():
    """Numbers of README.md's table of processors that BENCHMARKS.md has not."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        rows = re.search(r"^\| processor .*?\n\n", f.read(), re.M | re.S)[0].splitlines()[2:]
    with open(os.path.join(ROOT, "BENCHMARKS.md"), encoding="utf-8") as f:
        text = f.read()
    counted = {f"{round(int(n.replace(',', '')), -6) // 1000000} million" for n in re.findall(r"\d{1,3}(?:,\d{3}){2,}", text)}
    found = 0
    for row in rows:
        for number in re.findall(r"[\d,.]+ (?:ms|us|million)|\d+(?:,\d{3})+", "|".join(row.split("|")[3:6])):
            found += 1
            if number not in counted if number.endswith("million") else number not in text:
                yield f"{row}: BENCHMARKS.md has no {number}"
    if found < 15:
        yield f"{found} figures are not all of the table"


def shown(line):
    return " ".join(line.split())


def compare(wanted, output, where):
    lines = [shown(line) for line in output.splitlines()]
    at = 0
    for line in wanted.splitlines():
        if shown(line) in ("", ".."):
            continue
        if shown(line) not in lines[at:]:
            raise Failure(f"{where} does not print, or not in this order: {line}\nbut:\n{output[-1500:]}")
        at = lines.index(shown(line), at) + 1


class Document:
    def __init__(self, path, skipc, work):
        self.path, self.name = path, os.path.relpath(path, ROOT)
        self.folder, self.ran, self.not_run = work, 0, []
        programs = os.path.join(work, ".bin")
        os.mkdir(programs)
        os.symlink(skipc, os.path.join(programs, "skipc"))
        for name in EXAMPLES:
            shutil.copy(os.path.join(ROOT, "examples", "digits", name), work)
        with open(path, encoding="utf-8") as f:
            self.text = f.read()
        if "resnet18.onnx" in self.text:
            subprocess.run([os.path.join(ROOT, ".venv", "bin", "python"), os.path.join(ROOT, "tools", "networks.py"), "resnet18", "-o", f"{work}/resnet18.onnx"],
                           check=True, capture_output=True)
        self.environment = {**os.environ, "PATH": f"{programs}:{search_path()}", "CMAKE_PREFIX_PATH": os.path.join(ROOT, "packaging", "cmake"),
                            "SKIPC_HELPERS": os.path.abspath(ROOT), "SKIPC_SOURCE": os.path.abspath(ROOT)}

    def run(self):
        output = None
        for number in indented(self.text):
            raise Failure(f"{self.name}:{number}: an indented block: make it one of ```sh, ```text ..")
        for language, body, before in blocks(self.text):
            file = FILE.match(body)
            missing = [n for n, there in NEEDS.items() if re.search(rf"\bneeds? [^.]*\b{re.escape(n)}", before) and not there()]
            if file and language != "sh":
                with open(os.path.join(self.folder, file[1]), "w", encoding="utf-8") as f:
                    f.write(body)
            made = [f for f in re.findall(r"`([\w./]+\.[ch])`", before) if os.path.exists(os.path.join(self.folder, f))]
            if language == "c" and not file and made:
                with open(os.path.join(self.folder, made[0]), encoding="utf-8") as f:
                    if body not in f.read():
                        raise Failure(f"{self.name}: {made[0]} has no part\n{body}")
            if language == "sh" and (lacking := list(unmade(body))):
                raise Failure(f"{self.name}: the Makefile has no {lacking}")
            if language == "sh" and missing:
                self.not_run.append(f"{body.splitlines()[0]}: it needs {', '.join(missing)}")
                output = None
            elif language == "sh":
                done = subprocess.run(["sh", "-e", "-c", body], cwd=self.folder, env=self.environment, text=True, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT, timeout=600)
                if done.returncode:
                    raise Failure(f"{self.name}: exit status {done.returncode} of\n{body}\n{done.stdout[-2000:]}")
                output, self.ran = done.stdout, self.ran + 1
            elif language == "text" and output is not None:
                compare(body, output, self.name)


def unsaid(path):
    """Messages of troubleshooting.md, first cells of its tables, of which no source says a part."""
    sources = [f for p in ("compiler/**/*.[ch]", "compiler/**/*.def", "tools/*.py", "templates/**/*") for f in glob.glob(os.path.join(ROOT, p), recursive=True)]
    said = re.sub(r'"\s*\n?\s*"', "", "".join(open(f, encoding="utf-8").read() for f in sources if os.path.isfile(f))).replace('\\"', '"')
    with open(path, encoding="utf-8") as f:
        for message in re.findall(r"^\| `([^`]+)`", f.read(), re.M):
            for part in re.split(r'"[^"]*"|-?\b\d+\b|\bX\b|\.\.|NAME|LSTM|\w+/\S+|[:\'`]|--\S+', message):
                if len(part.strip()) > 5 and part.strip() not in said and part.strip() not in SYSTEM:
                    yield f"{message}: nothing says {part.strip()!r}"


def unmentioned(skipc):
    """Macros, members of the options and statuses of a generated header that docs/ says nothing of."""
    pages = ""
    for name in ("interface.md", "troubleshooting.md"):
        with open(os.path.join(ROOT, "docs", name), encoding="utf-8") as f:
            pages += f.read()
    with tempfile.TemporaryDirectory() as work:
        for model, *options in (("digits_int8", "--io=int"), ("digits", "--trace")):
            subprocess.run([skipc, "compile", os.path.join(ROOT, "examples", "digits", f"{model}.onnx"), "--name=net", "-q", "-o", f"{work}/{model}", *options], check=True)
            with open(os.path.join(work, model, "net.h"), encoding="utf-8") as f:
                header = re.sub(r"(?s)/\*.*?\*/", "", f.read())
            words = set(re.findall(r"#define NET_((?!H\b)\w+)", header)) | set(re.findall(r"\bNET_(E_\w+)", header)) | {"OK"}
            options = re.search(r"(?s)struct net_options \{(.*?)\n\};", header)[1]
            members = set(re.findall(r"(?m)^\t[^(]*?\b(\w+);|^\t\w+ \(\*(\w+)\)", options))
            for word in sorted(words):
                indexed = re.sub(r"^(IN|OUT)PUT\d+_", "_", word)
                if not re.search(rf"`(?:NAME|OUTPUT0)?_{re.escape(word)}`|`(?:NAME_INPUT0)?{re.escape(indexed)}`|`{word}`", pages):
                    yield f"NAME_{word}"
            for member in sorted({a or b for a, b in members}):
                if not re.search(rf"(?m)^\|.*`{member}`.*\|.*\|$", pages):
                    yield f"options.{member}"
            if len(words) < 30 or len(members) < 8:
                yield f"all but {len(words)} words and {len(members)} members"


def links(path):
    """Files that a document points to and that are not there."""
    with open(path, encoding="utf-8") as f:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", f.read()):
            if not os.path.exists(os.path.join(os.path.dirname(path), target)):
                yield target


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    failed = ran = 0
    files = arguments.files or [os.path.join(ROOT, "README.md"), *sorted(glob.glob(os.path.join(ROOT, "docs", "*.md")))]
    for path in files:
        with tempfile.TemporaryDirectory() as work:
            document = Document(os.path.abspath(path), os.path.abspath(arguments.skipc), work)
            try:
                document.run()
                gone = list(links(path))
                if path.endswith("troubleshooting.md") and (wrong := list(unsaid(path))):
                    raise Failure("\n".join(wrong))
                if path.endswith("interface.md") and (wrong := sorted(set(unmentioned(os.path.abspath(arguments.skipc))))):
                    raise Failure(f"nothing is said of {', '.join(wrong)}")
                if path.endswith("README.md") and os.path.dirname(os.path.abspath(path)) == os.path.normpath(ROOT) and (wrong := list(figures())):
                    raise Failure("\n".join(wrong))
                if gone:
                    raise Failure(f"{document.name}: links to nothing: {', '.join(gone)}")
            except (Failure, subprocess.TimeoutExpired) as e:
                failed += 1
                print(f"FAILED documents: {e}", flush=True)
            for text in document.not_run:
                print(f"documents: NOT RUN: {document.name}: {text}")
            ran += document.ran
    print(f"documents: {ran} blocks of commands in {len(files)} documents, {failed} failed")
    return 1 if failed or not ran else 0


if __name__ == "__main__":
    sys.exit(main())
