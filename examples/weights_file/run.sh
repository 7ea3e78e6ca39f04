#!/bin/sh
# Compiles a network with its weights in a file apart, maps the file and runs the network in several threads.
# Writes to build/examples/weights_file only.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
skipc=${SKIPC:-$root/build/skipc}
case $skipc in /*) ;; *) skipc=$(pwd)/$skipc ;; esac
cd "$root"
skipc=${skipc#"$root"/}
here=examples/weights_file out=build/examples/weights_file
say() { echo "\$ $*"; "$@"; }

rm -rf $out
mkdir -p $out
say "$skipc" compile examples/digits/digits.onnx --weights=bin -o $out/c
say ${CC:-cc} -O2 -I $out/c -I runtime $out/c/*.c runtime/*.c $here/main.c -o $out/throughput -lpthread
say $out/throughput $out/c/digits_weights.bin examples/digits/images.npy examples/digits/labels.npy

echo "The wrong file is refused by init:"
echo "\$ $out/throughput $here/main.c examples/digits/images.npy examples/digits/labels.npy"
status=0
$out/throughput $here/main.c examples/digits/images.npy examples/digits/labels.npy 2>&1 || status=$?
[ $status = 2 ] || { echo "exit status $status, not 2"; exit 1; }
