#!/bin/sh
# Compiles two networks to C and embeds both in one C++11 program that shares an arena between them.
# Writes to build/examples/two_networks only.
. "$(dirname "$0")/../begin.sh"

cxx=
for c in ${CXX:-} c++ g++ clang++; do
	command -v "$c" > /dev/null && cxx=$c && break
done
[ -n "$cxx" ] || { echo "NOT RUN: no C++ compiler"; exit 0; }
say "$skipc" compile examples/digits/digits.onnx -o $out/c
say "$skipc" compile examples/digits/highway.onnx -o $out/c
for f in $out/c/*.c; do
	say ${CC:-cc} -O2 -c "$f" -o "${f%.c}.o"
done
say "$cxx" -std=c++11 -O2 -Wall -Wextra -I $out/c $here/main.cpp $out/c/*.o -o $out/two_networks
say $out/two_networks examples/digits/images.npy
