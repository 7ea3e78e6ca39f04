#!/usr/bin/env python3
"""Mutate models and compile them: skipc may refuse, but never crash, hang or leave files half written.

    fuzz.py --skipc build/sanitized/skipc [--seconds 120] [--seed 0]

Bytes are flipped, cut, repeated and exchanged between models of tests/cases. Exit status 0 or 1 is right; anything
else is a finding, kept in build/fuzz.
"""
import argparse
import concurrent.futures
import glob
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def mutate(random, data, other):
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 4, 16))):
        at, size = random.randrange(len(data)), random.choice((1, 1, 2, 8, 64))
        kind = random.randrange(6)
        if kind == 0:
            data[at] ^= 1 << random.randrange(8)
        elif kind == 1:
            data[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF))
        elif kind == 2:
            del data[at:at + size]
        elif kind == 3:
            data[at:at] = data[at:at + size]
        elif kind == 4:
            start = random.randrange(len(other))
            data[at:at + size] = other[start:start + size]
        else:
            del data[at + 1:]
        if not data:
            data = bytearray(b"\0")
    return bytes(data)


def attempt(skipc, data, target):
    with tempfile.TemporaryDirectory() as work:
        model = os.path.join(work, "m.onnx")
        with open(model, "wb") as f:
            f.write(data)
        try:
            result = subprocess.run([skipc, "compile", model, "-o", os.path.join(work, "out"), "--name", "net", "--main",
                                     f"--target={target}"], capture_output=True, timeout=60,
                                    env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
        except subprocess.TimeoutExpired:
            return "no end after 60 s"
        left = os.listdir(os.path.join(work, "out")) if os.path.isdir(os.path.join(work, "out")) else []
        if result.returncode == 1 and left:
            return f"refused, and left {left}"
        return None if result.returncode in (0, 1) else result.stderr.decode(errors="replace")[-1500:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--skipc", required=True)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    paths = [p for p in sorted(glob.glob(os.path.join(HERE, "cases", "*", "model.onnx"))) if os.path.getsize(p) < 20000]
    models = [open(p, "rb").read() for p in paths]
    end, tried, found = time.time() + arguments.seconds, 0, 0
    keep = os.path.join(HERE, "..", "build", "fuzz")
    shutil.rmtree(keep, ignore_errors=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        while time.time() < end:
            batch = [(mutate(draw, draw.choice(models), draw.choice(models)), draw.choice(("c", "x86-64"))) for _ in range(16)]
            for (data, target), finding in zip(batch, pool.map(lambda b: attempt(os.path.abspath(arguments.skipc), *b), batch)):
                tried += 1
                if finding is None:
                    continue
                os.makedirs(keep, exist_ok=True)
                with open(os.path.join(keep, f"{found}.onnx"), "wb") as f:
                    f.write(data)
                found += 1
                print(f"build/fuzz/{found - 1}.onnx --target={target}: {finding}", flush=True)
    print(f"fuzz: {tried - found} passed, {found} failed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
