#!/usr/bin/env python3
"""compiler/import/opset.def against the schemas of the onnx package: versions, arity, attributes and defaults of every row,
that no version between two rows spells the operator in another way, and that all of ONNX's names are known. Prints
differences, exit 1."""
import fnmatch
import pathlib
import re
import struct
import sys

import onnx.defs
import onnx.helper

KINDS = {"FLOAT": "f", "INT": "i", "STRING": "s", "TENSOR": "t", "GRAPH": "g", "FLOATS": "F", "INTS": "I", "STRINGS": "S"}
# onnxruntime saves it into models of any opset, as its own.
EXTRA = {("LayerNormalization", 1)}
# More lenient than the schema, on purpose: `roi` may be absent.
LEAST = {("Resize", 11)}
# A kind that is refused anyway, and defaults that only the schema's text says.
ATTR = {("Constant", 11, "sparse_value"), ("Constant", 12, "sparse_value"), ("Concat", 1, "axis"), ("Split", 1, "axis"),
        ("MeanVarianceNormalization", 9, "axes")}  # the default is a list
MANY = 1 << 30


def strings(text, macros):
    """The value of a sequence of C strings and macros."""
    out = ""
    for token in re.findall(r'"(?:[^"\\]|\\.)*"|\w+', text):
        out += token[1:-1] if token.startswith('"') else macros[token]
    return out


def read_rows(path):
    text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S).replace("\\\n", "")
    macros = {}
    for name, value in re.findall(r"^#define (\w+) (.*)$", text, flags=re.M):
        macros[name] = strings(value, macros)
    text = re.sub(r"^#.*$", "", text, flags=re.M)
    rows = []
    pattern = r"^ROW\(([^,]+), (\w+),\s+(\d+),\s+(-?\d+),\s+(-?\d+),\s+(-?\d+),\s+(\w+), (\"[^\"]*\"),\s+(.*?)\)[ ]*$"
    for m in re.finditer(pattern, text, flags=re.M | re.S):
        rows.append((strings(m[1], macros), m[2], int(m[3]), int(m[4]), int(m[5]), int(m[6]), strings(m[9], macros)))
    if len(rows) != len(re.findall(r"^ROW\(", text, flags=re.M)) or len(rows) < 150:
        sys.exit(f"opset.def: only {len(rows)} rows understood")
    return rows


def other_names(path):
    """Patterns of the operators that are refused, and the names that OTHERS lists."""
    text = path.read_text()
    return (re.findall(r'^REFUSED(?:_BY)?\("", "([^"]+)"', text, flags=re.M),
            strings(re.search(r'^OTHERS\("", (.*?)\)', text, flags=re.M | re.S)[1], {}).split())


def float32(x):
    return struct.unpack("f", struct.pack("f", float(x)))[0]


def our_attrs(text):
    """{name: (kind, required, default)}"""
    attrs = {}
    for entry in text.split():
        m = re.fullmatch(r"-?(\w+):(\w)(!|=(.*))?", entry)
        if m is None:
            sys.exit(f"opset.def: attribute not understood: {entry}")
        value = m[4]
        if value is not None:
            value = float32(value) if m[2] == "f" else int(value) if m[2] == "i" else value
        attrs[m[1]] = (m[2], m[3] == "!", value)
    return attrs


def their_attrs(schema):
    attrs = {}
    for name, a in schema.attributes.items():
        value = None
        if a.default_value.type:
            value = onnx.helper.get_attribute_value(a.default_value)
            value = value.decode() if isinstance(value, bytes) else value
        attrs[name] = (KINDS.get(a.type.name, "?"), a.required, value)
    return attrs


def spelling(schema):
    return (schema.min_input, schema.max_input, schema.max_output, their_attrs(schema))


def check_row(row, schemas):
    _, name, since, least, most, outputs, attrs = row
    if (name, since) in EXTRA:
        return
    if since not in schemas:
        yield f"{name} {since}: there is no such version, only {sorted(schemas)}"
        return
    schema = schemas[since]
    if least != schema.min_input and (name, since) not in LEAST:
        yield f"{name} {since}: {least} inputs at least, the schema says {schema.min_input}"
    if (MANY if most < 0 else most) != min(schema.max_input, MANY):
        yield f"{name} {since}: {most} inputs at most, the schema says {schema.max_input}"
    if (MANY if outputs < 0 else outputs) != min(schema.max_output, MANY):
        yield f"{name} {since}: {outputs} outputs at most, the schema says {schema.max_output}"
    ours, them = our_attrs(attrs), their_attrs(schema)
    for attr in sorted(ours.keys() | them.keys()):
        if ours.get(attr) != them.get(attr) and (name, since, attr) not in ATTR:
            yield f"{name} {since}: attribute {attr}: {ours.get(attr)}, the schema says {them.get(attr)}"


def main():
    path = pathlib.Path(__file__).parent.parent / "compiler" / "import" / "opset.def"
    rows = read_rows(path)
    history = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "":
            history.setdefault(schema.name, {})[schema.since_version] = schema
    bad = []
    have = {}
    for row in rows:
        if row[0] == "":
            bad += check_row(row, history.get(row[1], {}))
            have.setdefault(row[1], set()).add(row[2])
    for name, versions in have.items():
        schemas, last = history.get(name, {}), None
        for version in sorted(schemas):
            if version not in versions and version > min(versions) and spelling(schemas[version]) != spelling(last):
                bad.append(f"{name} {version}: no row, though it differs from the version before")
            last = schemas[version]
    refused, others = other_names(path)
    for name in sorted(history.keys() - have.keys() - set(others)):
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in refused):
            bad.append(f"{name}: ONNX has it, and neither a row nor REFUSED nor OTHERS does")
    bad += [f"{name}: OTHERS has it, and ONNX has not" for name in others if name not in history]
    header = (pathlib.Path(__file__).parent.parent / "compiler" / "import" / "opset.h").read_text()
    newest = int(re.search(r"NEWEST_OPSET = (\d+)", header)[1])
    if newest != onnx.defs.onnx_opset_version():
        bad.append(f"NEWEST_OPSET is {newest}, this onnx package has {onnx.defs.onnx_opset_version()}")
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
