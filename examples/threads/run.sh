#!/bin/sh
# Makes a ResNet-18, compiles it, and runs it on one thread and on all processors.
# Writes to build/examples/threads only.
. "$(dirname "$0")/../begin.sh"

say .venv/bin/python tools/networks.py resnet18 -o $out/resnet18.onnx
say "$skipc" compile $out/resnet18.onnx --target=x86-64 -o $out/c
say ${CC:-cc} -O2 -I $out/c -I runtime $out/c/*.c runtime/skipc_pool.c $here/main.c -o $out/threads -lpthread
say $out/threads
