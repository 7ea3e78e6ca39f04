#!/bin/sh
# Networks in a Meson build: C and C++ here, and for a Cortex-M4 where there are a cross compiler and QEMU.
# Writes to build/examples/meson only.
. "$(dirname "$0")/../begin.sh"

for c in meson ninja c++; do
	command -v $c > /dev/null || { echo "NOT RUN: $c is not installed"; exit 0; }
done
PATH=$(cd "$(dirname "$skipc")" && pwd):$PATH
say meson setup $out/host $here --buildtype=debug
say ninja -C $out/host
say $out/host/classify examples/digits/images.npy examples/digits/labels.npy
say $out/host/two_networks examples/digits/images.npy

for c in arm-none-eabi-gcc qemu-system-arm; do
	command -v $c > /dev/null || { echo "NOT RUN on Cortex-M4: without $c"; exit 0; }
done
say meson setup $out/arm $here --cross-file=$here/cortex-m4.ini
say ninja -C $out/arm
say timeout 120 qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
	-semihosting-config enable=on,target=native -kernel $out/arm/firmware.elf < /dev/null
