#!/usr/bin/env python3
"""tests/PROMISES.md: the words of each promise stand in its file, and the tests that it names exist.

    promises.py
"""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as f:
        return f.read()


def plain(text):
    """Without line ends, comment stars and emphasis."""
    return re.sub(r"\s+", " ", re.sub(r"\n\s*\*(?= )", " ", text).replace("**", ""))


def missing(test):
    """Null, or why a test named NAME or NAME:WORDS is none."""
    name, _, words = test.partition(":")
    path = os.path.join(ROOT, "tests", name)
    if os.path.isdir(path):
        return None if os.listdir(path) else "is empty"
    if not os.path.exists(path):
        return "does not exist"
    return None if words in read("tests", name) else f"has no {words}"


def main():
    failed = rows = 0
    for line in read("tests", "PROMISES.md").splitlines():
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) != 3 or cells[0] in ("file", "---"):
            continue
        rows += 1
        file, promise, tests = cells[0], cells[1].replace("\\|", "|"), re.findall(r"`([^`]+)`", cells[2])
        wrong = [] if os.path.exists(os.path.join(ROOT, file)) else [f"{file} does not exist"]
        if not wrong and plain(promise) not in plain(read(file)):
            wrong.append(f"{file} does not say so (any more)")
        if not tests:
            wrong.append("no test")
        if not cells[2].startswith("none: "):
            wrong += [f"{t} {missing(t)}" for t in tests if missing(t)]
        for text in wrong:
            failed += 1
            print(f"FAILED promises: {promise or file}: {text}")
    print(f"promises: {rows} rows, {failed} faults")
    return 1 if failed or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
