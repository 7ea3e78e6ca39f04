#!/bin/sh
# Networks in a CMake build: C and C++ here, and for a Cortex-M4 where there are a cross compiler and QEMU.
# Writes to build/examples/cmake only.
. "$(dirname "$0")/../begin.sh"

command -v cmake > /dev/null || { echo "NOT RUN: cmake is not installed"; exit 0; }
command -v c++ > /dev/null || { echo "NOT RUN: no C++ compiler"; exit 0; }
found="-Dskipc_DIR=$root/packaging/cmake -DSKIPC_EXECUTABLE=$(cd "$(dirname "$skipc")" && pwd)/skipc"
say cmake -S $here -B $out/host -DCMAKE_BUILD_TYPE=Debug $found
say cmake --build $out/host
say $out/host/classify examples/digits/images.npy examples/digits/labels.npy
say $out/host/two_networks examples/digits/images.npy

for c in arm-none-eabi-gcc qemu-system-arm; do
	command -v $c > /dev/null || { echo "NOT RUN on Cortex-M4: without $c"; exit 0; }
done
say cmake -S $here -B $out/arm -DCMAKE_TOOLCHAIN_FILE=cortex-m4.cmake $found
say cmake --build $out/arm
say timeout 120 qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
	-semihosting-config enable=on,target=native -kernel $out/arm/firmware.elf < /dev/null
