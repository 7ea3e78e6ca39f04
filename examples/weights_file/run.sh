#!/bin/sh
# Compiles a network with its weights in a file apart, maps the file and runs the network in several threads.
# Writes to build/examples/weights_file only.
. "$(dirname "$0")/../begin.sh"

say "$skipc" compile examples/digits/digits.onnx --weights=bin -o $out/c
say ${CC:-cc} -O2 -I $out/c -I runtime $out/c/*.c runtime/*.c $here/main.c -o $out/throughput -lpthread
say $out/throughput $out/c/digits_weights.bin examples/digits/images.npy examples/digits/labels.npy

refused() {
	echo "\$ $out/throughput $1 examples/digits/images.npy examples/digits/labels.npy"
	status=0
	$out/throughput $1 examples/digits/images.npy examples/digits/labels.npy 2>&1 || status=$?
	[ $status = 2 ] || { echo "exit status $status, not 2"; exit 1; }
}

echo "The wrong file is refused by init, and a damaged one:"
refused $here/main.c
{ head -c 100000 $out/c/digits_weights.bin; printf 'x'; tail -c +100002 $out/c/digits_weights.bin; } > $out/damaged.bin
refused $out/damaged.bin

echo "After another training, the weights alone are written again, and the program stays:"
say "$skipc" weights examples/digits/digits.onnx --like $out/c -o $out/later
say $out/throughput $out/later/digits_weights.bin examples/digits/images.npy examples/digits/labels.npy
