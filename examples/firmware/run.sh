#!/bin/sh
# Builds the digits network the way firmware would have it: natively, and where there are a cross compiler and QEMU, for a
# Cortex-M4 with and a Cortex-M3 without a floating-point unit. Prints sizes, runs all, compares the bits.
# Writes to build/examples/firmware only.
. "$(dirname "$0")/../begin.sh"

flags="-std=c99 -Os -ffreestanding -Wall -Wextra -I $out/c -I $here"

# Compiles the units that are the same everywhere into a folder: compiler, folder, flags of the target.
units() {
	mkdir -p "$2"
	for f in $out/c/digits.c $out/c/digits_weights.c $here/infer.c $here/main.c; do
		say $1 $flags $3 -c "$f" -o "$2/$(basename "$f" .c).o"
	done
}
say "$skipc" compile --target=c examples/digits/digits.onnx -o $out/c

echo
echo "This machine:"
units "${CC:-cc}" $out/host ""
say ${CC:-cc} -Os -c $here/board_host.c -o $out/host/board.o
say ${CC:-cc} $out/host/*.o -o $out/host/firmware
say size $out/host/infer.o $out/host/digits.o $out/host/digits_weights.o
echo "\$ $out/host/firmware"
$out/host/firmware > $out/host/output || { echo "exit status $?"; exit 1; }
cat $out/host/output
expected=$(sed 's/.*hash \([0-9a-f]*\).*/\1/' $out/host/output)

missing=
for c in arm-none-eabi-gcc qemu-system-arm; do
	command -v $c > /dev/null || missing="$missing $c"
done
if [ -n "$missing" ]; then
	echo "NOT RUN on Cortex-M: without$missing (apt-get install gcc-arm-none-eabi qemu-system-arm)"
	exit 0
fi

# A board of QEMU: name, what it is, flags of the compiler.
board() {
	echo
	echo "$2:"
	units arm-none-eabi-gcc "$out/$1" "-mthumb $3"
	say arm-none-eabi-gcc $flags -mthumb $3 -fno-tree-loop-distribute-patterns -c $here/board_mps2.c -o "$out/$1/board.o"
	say arm-none-eabi-gcc -mthumb $3 -nostdlib -T $here/mps2.ld "$out/$1"/*.o -lgcc -o "$out/$1/firmware.elf"
	say arm-none-eabi-size "$out/$1/infer.o" "$out/$1/digits.o" "$out/$1/digits_weights.o" "$out/$1/firmware.elf"
	echo "\$ qemu-system-arm -M $1 ... -kernel $out/$1/firmware.elf"
	timeout 120 qemu-system-arm -M "$1" -nographic -monitor none -serial none \
		-semihosting-config enable=on,target=native -kernel "$out/$1/firmware.elf" > "$out/$1/output" 2>&1 < /dev/null ||
		{ status=$?; cat "$out/$1/output"; echo "exit status $status"; exit 1; }
	cat "$out/$1/output"
	grep -q "hash $expected" "$out/$1/output" || { echo "    other bits than this machine's"; exit 1; }
	echo "    the same bits as this machine's"
}

board mps2-an386 "Cortex-M4 (QEMU)" "-mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16"
board mps2-an385 "Cortex-M3, floating point in software (QEMU)" "-mcpu=cortex-m3 -mfloat-abi=soft"
