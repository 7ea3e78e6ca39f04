#!/usr/bin/env python3
"""compiler/import/onnx.proto against the descriptors of the onnx package: prints differences, exit 1."""
import pathlib
import re
import sys

from onnx import onnx_ml_pb2

TYPES = {1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 8: "bool", 9: "string", 12: "bytes", 13: "uint32"}
ROW = re.compile(r"(optional|repeated) (\w+) (\w+) = (\d+)( \[packed = true\])?;")


def parse(text):
    """{message's full name: {field: (label, type, number, packed)}}, {enum's full name: {value: number}}"""
    messages, enums, path = {}, {}, []
    for line in text.splitlines():
        line = line.split("//")[0].strip()
        if head := re.fullmatch(r"(message|enum) (\w+) {", line):
            path.append(head[2])
            (messages if head[1] == "message" else enums)[".".join(path)] = {}
        elif line == "}":
            path.pop()
        elif row := ROW.fullmatch(line):
            messages[".".join(path)][row[3]] = (row[1], row[2], int(row[4]), row[5] is not None)
        elif value := re.fullmatch(r"(\w+) = (\d+);", line):
            enums[".".join(path)][value[1]] = int(value[2])
        elif line and not line.startswith(("syntax", "package")):
            sys.exit(f"onnx.proto: line not understood: {line}")
    return messages, enums


def theirs(descriptor, messages, enums):
    name = descriptor.full_name.removeprefix("onnx.")
    messages[name] = {}
    for field in descriptor.fields:
        other = field.message_type or field.enum_type
        messages[name][field.name] = (
            "repeated" if field.is_repeated else "optional",
            other.name if other else TYPES[field.type],
            field.number,
            field.GetOptions().packed,
        )
    for enum in descriptor.enum_types:
        enums[enum.full_name.removeprefix("onnx.")] = {v.name: v.number for v in enum.values}
    for nested in descriptor.nested_types:
        theirs(nested, messages, enums)


def main():
    path = pathlib.Path(__file__).parent.parent / "compiler" / "import" / "onnx.proto"
    messages, enums = parse(path.read_text())
    their_messages, their_enums = {}, {}
    for descriptor in onnx_ml_pb2.DESCRIPTOR.message_types_by_name.values():
        theirs(descriptor, their_messages, their_enums)
    bad = fields = 0
    for name, ours in messages.items():
        for field, row in ours.items():
            fields += 1
            if (have := their_messages.get(name, {}).get(field)) != row:
                print(f"{name}.{field}: onnx.proto has {row}, the onnx package {have}")
                bad += 1
    for name, ours in enums.items():
        if ours != their_enums.get(name):
            print(f"{name}: onnx.proto has {ours}, the onnx package {their_enums.get(name)}")
            bad += 1
    if fields < 80:
        print(f"only {fields} fields found in onnx.proto")
        bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
