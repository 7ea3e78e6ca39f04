#!/bin/sh
# Installs the Debian or Ubuntu packages that skipc builds and tests with, where they are missing. Without root:
# prints the one command that does it, and stops.
#
#     setup.sh              what make, make demo and make check-fast need
#     setup.sh check        and make check: compilers and emulators of the machines that it runs generated code on, a browser, shells
#     setup.sh compilers    and make check-compilers, bench.py --only compilers
#     setup.sh packages     and make check-packages
#
# Of the compilers for other machines, those that this system's archive does not have are left out: tests say NOT RUN.
set -eu
need="gcc make pkg-config libprotobuf-c-dev protobuf-c-compiler nettle-dev check libsubunit-dev python3 python3-venv clang"
[ "$(uname -m)" = x86_64 ] && need="$need libxsmm-dev"
check="g++ tcc gcc-mingw-w64-x86-64 qemu-user gcc-arm-none-eabi qemu-system-arm chromium zsh fish"
for machine in aarch64-linux-gnu=arm64 arm-linux-gnueabi=armel powerpc-linux-gnu=powerpc s390x-linux-gnu=s390x; do
	check="$check gcc-${machine%=*} libc6-dev-${machine#*=}-cross"
done
compilers="musl-tools gcc-11 clang-13 clang-15 clang-16 clang-19 clang-22 lld wasi-libc libclang-rt-14-dev-wasm32 nodejs"
for machine in arm-linux-gnueabihf=armhf riscv64-linux-gnu=riscv64 mips-linux-gnu=mips; do
	compilers="$compilers gcc-${machine%=*} libc6-dev-${machine#*=}-cross"
done
packages="git g++ cmake meson ninja-build gcc-arm-none-eabi qemu-system-arm gcc-mingw-w64-x86-64 wine64 dpkg-dev debhelper dh-python lintian bash-completion zsh fish arduino-builder arduino-core-avr gcc-avr avr-libc"
case ${1:-} in
check) also=$check ;;
compilers) also="$check $compilers" ;;
packages) also=$packages ;;
*) also= ;;
esac

# Those of its arguments that are not installed.
lacking() {
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2> /dev/null | grep -q 'ok installed' || printf ' %s' "$p"
	done
}

# Those of its arguments that the archive has.
known() {
	for p in "$@"; do
		LC_ALL=C apt-cache policy "$p" 2> /dev/null | grep -q 'Candidate: [0-9]' && printf ' %s' "$p"
	done
	true
}

needed=$(lacking $need) wanted=$(lacking $also)
[ -z "$needed$wanted" ] && exit 0
if [ "$(id -u)" != 0 ]; then
	echo "these packages are missing; install them with:"
	echo "    sudo apt-get install -y$needed$(known $wanted)"
	[ -z "$needed" ] && exit 0
	exit 1
fi
install() {
	DEBIAN_FRONTEND=noninteractive apt-get install -y -q $needed $(known $wanted) > /dev/null
}
echo "installing$needed$wanted"
install 2> /dev/null && [ -z "$(lacking $needed $wanted)" ] || { apt-get update -q > /dev/null && install; }
