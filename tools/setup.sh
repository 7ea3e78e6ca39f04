#!/bin/sh
# Installs the Debian or Ubuntu packages that skipc builds and tests with, where they are missing. Without root:
# prints the one command that does it, and stops.
set -eu
need="gcc make pkg-config libprotobuf-c-dev protobuf-c-compiler nettle-dev check libsubunit-dev python3 python3-venv clang"
[ "$(uname -m)" = x86_64 ] && need="$need libxsmm-dev"
missing=
for p in $need; do
	dpkg-query -W -f '${Status}' "$p" 2> /dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ]; then
	echo "these packages are missing; install them with:"
	echo "    sudo apt-get install -y$missing"
	exit 1
fi
echo "installing$missing"
DEBIAN_FRONTEND=noninteractive apt-get install -y -q $missing > /dev/null 2>&1 ||
	{ apt-get update -q > /dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q $missing > /dev/null; }
