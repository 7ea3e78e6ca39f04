#!/bin/sh
# Compiles the trained residual network to C, builds it, and classifies the held-out images; then the highway network,
# with the same program; then both as quantise.py made them, in integers of 8 bits. Writes to build/examples/digits only. Exit
# status 0 when all recognise at least 97 %.
. "$(dirname "$0")/../begin.sh"

# What the network in the folder takes of a microcontroller, if there is a compiler for one, else here: arena, weights, code.
sizes() {
	$firmware -Os -I $out/$1 -c $out/$1/digits.c -o $out/$1.o
	code=$(size $out/$1.o | awk 'NR == 2 { print $1 }')
	awk -v name="$1" -v code="$code" '/_ARENA_SIZE [0-9]/ { arena = $3 } /_WEIGHTS_SIZE [0-9]/ { weights = $3 }
		END { printf "%-14s arena %5d, weights %6d, code %6d bytes\n", name, arena, weights, code }' $out/$1/digits.h
}

echo "The residual network:"
say "$skipc" compile $here/digits.onnx -o $out/residual
say ${CC:-cc} -O2 -I $out/residual $out/residual/*.c $here/classify.c -o $out/classify_residual
say $out/classify_residual $here/images.npy $here/labels.npy

echo
echo "The highway network of 50 layers. It is given the name that classify.c knows:"
say "$skipc" compile $here/highway.onnx --name digits -o $out/highway
say ${CC:-cc} -O2 -I $out/highway $out/highway/*.c $here/classify.c -o $out/classify_highway
say $out/classify_highway $here/images.npy $here/labels.npy

echo
echo "A plain network of that depth and width, without the gates ($here/README.md):"
sed -n '/^| network /p; /^|---|---|---|---|/p; /^| plain/p' $here/README.md

for name in digits highway; do
	echo
	echo "The same in integers of 8 bits, $name:"
	say "$skipc" compile $here/${name}_int8.onnx --name digits -o $out/${name}_int8
	say ${CC:-cc} -O2 -I $out/${name}_int8 $out/${name}_int8/*.c $here/classify.c -o $out/classify_${name}_int8
	say $out/classify_${name}_int8 $here/images.npy $here/labels.npy > $out/said
	sed -n '1p; $p' $out/said
done

echo
firmware=${CC:-cc}
! command -v arm-none-eabi-gcc > $out/said || firmware="arm-none-eabi-gcc -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard"
echo "What each takes as firmware (--target=c, $firmware -Os):"
for name in digits digits_int8 highway highway_int8; do
	rm -rf "$out/$name"
	"$skipc" compile $here/$name.onnx --name digits --target=c --weights=bin -o $out/$name
	sizes $name
done
