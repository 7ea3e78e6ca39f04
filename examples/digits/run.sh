#!/bin/sh
# Compiles the trained residual network to C, builds it, and classifies the held-out images; then the highway network,
# with the same program. Writes to build/examples/digits only. Exit status 0 when both recognise at least 97 %.
. "$(dirname "$0")/../begin.sh"

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
