# What every example begins with; its run.sh reads this. From the project's root, with skipc, here and out as paths
# relative to it; out is empty.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
skipc=${SKIPC:-$root/build/skipc}
case $skipc in /*) ;; *) skipc=$(pwd)/$skipc ;; esac
here=$(cd "$(dirname "$0")" && pwd)
cd "$root"
skipc=${skipc#"$root"/} here=${here#"$root"/}
out=build/$here
say() { echo "\$ $*"; "$@"; }
rm -rf "$out"
mkdir -p "$out"
