#!/usr/bin/env python3
"""The rules of the house that a machine can check, over compiler/ and the objects of its build:

- files are in a circle only where CIRCLES (and DESIGN.md) says why: every use of a public name, as nm lists them
- a prototype stands in a header under the name of the file that defines it, and has a definition
- no name is public in one file and static in another
- functions have at most 60 lines, files 800
- no file but core/platform.c includes a header of the system, or asks for one system or another
- what an inlined helper of a template writes is no restrict parameter

    house.py [--build DIR]
"""
import argparse
import collections
import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
FUNCTION_LINES, FILE_LINES = 60, 800
C_HEADERS = set("assert ctype errno float inttypes limits math stdalign stdarg stdbool stddef stdint stdio stdlib string".split())
LIBRARIES = ("nettle/", "protobuf-c/", "libxsmm")
# Tables that name functions, which make rows of the same table: DESIGN.md, "The house".
CIRCLES = [
    {"core/ops", *(f"shapes/{f}" for f in ("attention", "axes", "index", "sample", "select", "shape", "view", "window"))},
    {"import/convert", "import/import", "import/opset"},
]


def symbols(build):
    """Which file defines a public name, and what each file uses."""
    defined, used = {}, collections.defaultdict(set)
    for path in glob.glob(os.path.join(build, "compiler", "**", "*.o"), recursive=True):
        file = os.path.relpath(path, os.path.join(build, "compiler"))[:-2]
        if not os.path.exists(os.path.join(ROOT, "compiler", file + ".c")):
            continue
        listing = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
        for kind, name in re.findall(r"^\S* *([A-Z]) (\w+)$", listing, re.M):
            if kind == "U":
                used[file].add(name)
            elif kind in "TDRBGV":
                defined[name] = file
    return defined, used


def reaches(edges, start):
    seen, todo = set(), [start]
    while todo:
        for file in edges[todo.pop()] - seen:
            seen.add(file)
            todo.append(file)
    return seen


def circles(defined, used):
    edges = collections.defaultdict(set)
    for file, names in used.items():
        edges[file] = {defined[n] for n in names if n in defined} - {file}
    reached = {file: reaches(edges, file) for file in list(edges)}
    groups = {frozenset(f for f in reached[file] if file in reached.get(f, ())) for file in reached}
    for group in groups:
        if len(group) > 1 and not any(group <= known for known in CIRCLES):
            yield f"a circle of files: {' '.join(sorted(group))}"


def prototypes(defined):
    declared = r"^/\* ---- (?P<section>.*?) ---- \*/|^(?:extern )?(?!typedef)[a-z][\w \*]*?[ \*](?P<name>\w+)(?:\(|\[\w*\];)"
    for path in sorted(glob.glob(os.path.join(ROOT, "compiler", "*", "*.h"))):
        header = os.path.relpath(path, os.path.join(ROOT, "compiler"))
        section = os.path.basename(path)[:-2] + ".c"
        for m in re.finditer(declared, open(path).read(), re.M):
            name = m["name"]
            if m["section"]:
                section = m["section"]
            elif name in defined:
                if os.path.basename(defined[name]) + ".c" not in re.findall(r"\w+\.c", section):
                    yield f"{header}: {name} stands under {section}, and is in {defined[name]}.c"
            elif not m[0].startswith("static") and name != "embedded_templates":
                yield f"{header}: {name} has no definition"


def sources():
    for path in sorted(glob.glob(os.path.join(ROOT, "compiler", "**", "*.c"), recursive=True)):
        yield os.path.relpath(path, os.path.join(ROOT, "compiler")), open(path).read()


def statics(defined):
    for file, text in sources():
        for name in re.findall(r"^static [\w \*]*?[ \*](\w+)\(", text, re.M):
            if name in defined:
                yield f"{file}: {name} is static here, and public in {defined[name]}.c"


def lengths():
    for file, text in sources():
        lines = text.split("\n")
        if len(lines) - 1 > FILE_LINES:
            yield f"{file}: {len(lines) - 1} lines"
        begin = None
        for k, line in enumerate(lines):
            if line == "{":
                begin = k
            elif line == "}" and begin is not None:
                if k - begin - 1 > FUNCTION_LINES:
                    yield f"{file}: a function of {k - begin - 1} lines, at {begin}"
                begin = None


def systems():
    """What is not C stands in platform.c; beside it only MinGW's printf is named, in a header."""
    for path in sorted(glob.glob(os.path.join(ROOT, "compiler", "**", "*.[ch]"), recursive=True)):
        file = os.path.relpath(path, os.path.join(ROOT, "compiler"))
        if file == "core/platform.c":
            continue
        text = open(path).read()
        for name in re.findall(r"^#include <(.+)>", text, re.M):
            if name[:-2] not in C_HEADERS and not name.startswith(LIBRARIES):
                yield f"{file}: includes <{name}>, which is for core/platform.c"
        for line in re.findall(r"^#.*\b(?:_WIN32|__APPLE__|__linux__|__unix__|_\w+_SOURCE)\b.*", text, re.M):
            yield f"{file}: {line}: that is for core/platform.c"


def restricts():
    """What an inlined helper writes is no restrict parameter (templates/README.md)."""
    for path in sorted(glob.glob(os.path.join(ROOT, "templates", "*", "*.*"))):
        for m in re.finditer(r"^static TARGET INLINE \w+ (\w+)\([^{;]*?\)\n", open(path).read(), re.M):
            if re.search(r"(?<!const )\b\w+ \*restrict", m[0]):
                yield f"{os.path.relpath(path, ROOT)}: {m[1]} writes through a restrict parameter"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--build", default=os.path.join(ROOT, "build"))
    defined, used = symbols(p.parse_args().build)
    if "main" not in defined:
        sys.exit("house.py: no objects: run make first")
    faults = [*circles(defined, used), *prototypes(defined), *statics(defined), *lengths(), *systems(), *restricts()]
    print("\n".join([*faults, f"house.py: {len(defined)} public names, {len(faults)} faults"]))
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
