#!/usr/bin/env python3
"""What `inspect`, `paths`, `ops`, `diff` and `bench` print with --json, against tools/schema: of every case, and the digits.
tests/gates.py and tests/lesion.py do it of theirs.

    schema.py [--skipc PATH] [NAME ...]

The schemas allow no member that they do not describe. What no schema can say of inspect's is looked at, too: ids,
edges, what is live, names of functions.
"""
import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

import jsonschema

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..")
DIGITS = os.path.join(ROOT, "examples", "digits")
OTHERS = {"x86-64": 5, "aarch64": 40}  # every so many cases


def schema(name):
    with open(os.path.join(ROOT, "tools", "schema", name + ".json"), encoding="utf-8") as f:
        document = json.load(f)
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def undescribed(name, part, path=""):
    """Members of a schema without a word on what they are."""
    if not isinstance(part, dict):
        return
    for key, member in part.get("properties", {}).items():
        if not {"description", "$ref", "const", "enum"} & set(member):
            yield f"{name}: {path}/{key}"
    for key, member in part.items():
        for below in member if isinstance(member, list) else [member]:
            yield from undescribed(name, below, f"{path}/{key}")


def call(*words, status=0):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != status:
        sys.exit(f"schema.py: {shlex.join(words)}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout


def check(condition, what):
    if not condition:
        sys.exit(f"schema.py: {what}")


def valid(validator, document, what):
    fault = next(validator.iter_errors(document), None)
    check(fault is None, f"{what}: {fault.json_path if fault else ''}: {fault.message[:300] if fault else ''}")


def consistent(report, what):
    kernels, buffers = report["kernels"], {b["id"]: b for b in report["buffers"]}
    known = set(range(len(kernels)))
    check([k["id"] for k in kernels] == list(range(len(kernels))), f"{what}: kernels are not in order")
    check(report["macs"] == sum(k["macs"] for k in kernels if k["instead_of"] is None), f"{what}: multiply-adds")
    check(max([k["live"] for k in kernels], default=0) == report["memory"]["bound"], f"{what}: live bytes are not the bound")
    for k in kernels:
        check(k["id"] in buffers[k["output"]["buffer"]]["writers"], f"{what}: step {k['id']} writes what is not its buffer")
        check(sum(c["taken"] for c in k["candidates"]) == (k["op"] is not None), f"{what}: step {k['id']} has not one row")
        check(k["in_place"] == (k["replaces"] is not None), f"{what}: step {k['id']} in place")
        for r in k["inputs"]:
            b = buffers[r["buffer"]]
            check(k["id"] in b["readers"] and (b["place"] == "input" or any(w < k["id"] for w in b["writers"])),
                  f"{what}: step {k['id']} reads what nobody wrote")
    for b in buffers.values():
        check(known.issuperset(b["writers"] + b["readers"]), f"{what}: an edge to nowhere")
        if b["place"] == "arena":
            check(b["first"] == b["writers"][0] and b["last"] == max(b["writers"] + b["readers"]), f"{what}: {b}")
    for n, b in enumerate(report["blocks"]):
        check(b["id"] == n and known.issuperset(b["kernels"]), f"{what}: block {n}")
        check((b["join"] is None) == (not b["fused"]) and (b["source"] is None or b["source"] <= b["join"]), f"{what}: block {n}")


def inspected(skipc, validator, model, options):
    report = json.loads(call(skipc, "inspect", "--json", model, *options))
    what = f"{os.path.relpath(model, ROOT)} {shlex.join(options)}"
    valid(validator, report, what)
    consistent(report, what)
    return report


def cases(skipc, validator, names):
    count, paths = 0, schema("paths")
    for n, name in enumerate(sorted(os.listdir(os.path.join(HERE, "cases")))):
        model = os.path.join(HERE, "cases", name, "model.onnx")
        if not os.path.exists(model) or names and not any(word in name for word in names):
            continue
        more = os.path.join(HERE, "cases", name, "options")
        more = shlex.split(open(more, encoding="utf-8").read()) if os.path.exists(more) else []
        for target in ["c"] + [t for t, every in OTHERS.items() if n % every == 0 or names]:
            inspected(skipc, validator, model, [f"--target={target}", *more])
            count += 1
        report = json.loads(call(skipc, "paths", "--json", model, *more))
        valid(paths, report, f"paths {name}")
        check(all(int(o["paths"]) == sum(int(r["paths"]) for r in o["lengths"]) for o in report["outputs"]), f"paths {name}")
    return count


def functions(skipc, validator):
    """Names, steps and sizes are those of the generated code."""
    for target in ("c", "x86-64"):
        for model in ("digits.onnx", "highway_int8.onnx"):
            path = os.path.join(DIGITS, model)
            report = inspected(skipc, validator, path, [f"--target={target}"])
            with tempfile.TemporaryDirectory() as out:
                call(skipc, "compile", path, "-o", out, f"--target={target}")
                texts = {e: open(os.path.join(out, report["name"] + e), encoding="utf-8").read() for e in (".c", ".h")}
            rows = re.findall(r'\n\t  "(\w+)", (\d+), (\d+) },', texts[".c"])
            check(rows == [(k["function"], str(k["macs"]), str(k["traffic"])) for k in report["kernels"]], f"{model}: {rows}")
            for key, value in (("ARENA_SIZE", report["memory"]["arena"]), ("STACK_SIZE", report["stack_bytes"]),
                               ("WEIGHTS_SIZE", report["weights_bytes"])):
                check(re.search(rf"_{key} {value}\b", texts[".h"]), f"{model}: {key} is not {value}")


def measured(skipc):
    """diff and bench, of floats and of bytes."""
    diff, bench = schema("diff"), schema("bench")
    for model in ("digits.onnx", "digits_int8.onnx"):
        path = os.path.join(DIGITS, model)
        document = json.loads(call(skipc, "diff", "--json", "--all-tensors", path, "--target", "c", "--cflags=-O1"))
        valid(diff, document, f"diff {model}")
        check(document["outputs"][0]["ok"] and document["tensors"] and document["quantised"] == ("int8" in model), document)
        document = json.loads(call(skipc, "bench", "--json", "--layers", "--runs", "2", path, "--target", "c", "--cflags=-O1"))
        valid(bench, document, f"bench {model}")
        report = json.loads(call(skipc, "inspect", "--json", path, "--target=c"))
        check([s["function"] for s in document["layers"]["steps"]] == [k["function"] for k in report["kernels"]], document)
        check(document["sha256"] == report["sha256"] and document["results"][0]["name"] == "skipc", document)


def strict(validator, report):
    """A member that is not described fails, wherever it is; one that lacks, too."""
    for change in (lambda r: r.update(more=1), lambda r: r["kernels"][0].update(more=1), lambda r: r["blocks"][0].update(more=1),
                   lambda r: r["kernels"][0]["output"].update(more=1), lambda r: r["memory"].pop("bound"),
                   lambda r: r["kernels"][0].pop("epilogue"), lambda r: r.update(format=2)):
        other = json.loads(json.dumps(report))
        change(other)
        check(not validator.is_valid(other), "a member too many or too few is valid")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--skipc", default=os.path.join(ROOT, "build", "skipc"))
    p.add_argument("names", nargs="*", metavar="NAME")
    a = p.parse_args()
    os.environ.setdefault("SKIPC_PYTHON", sys.executable)
    validator = schema("inspect")
    for name in ("inspect", "paths", "ops", "gates", "lesion", "diff", "bench"):
        silent = list(undescribed(name, schema(name).schema))
        check(not silent, f"not described: {silent}")
    count = cases(a.skipc, validator, a.names)
    valid(schema("ops"), json.loads(call(a.skipc, "ops", "--json")), "ops")
    if not a.names:
        functions(a.skipc, validator)
        strict(validator, inspected(a.skipc, validator, os.path.join(DIGITS, "digits.onnx"), []))
        measured(a.skipc)
    print(f"schema.py: {count} reports of cases are as tools/schema says")


if __name__ == "__main__":
    main()
