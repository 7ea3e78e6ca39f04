#!/bin/sh
# What trained networks lose without their blocks: a ResNet, a highway network of 50 layers, and a plain network of that depth;
# and which gates of the highway are open. Writes to build/examples/lesion only: pictures where matplotlib is installed.
# Exit status 0 when the highway network bears what the plain one does not.
. "$(dirname "$0")/../begin.sh"
python=${SKIPC_PYTHON:-.venv/bin/python}
digits=$here/../digits
rows="--input $digits/images.npy --labels $digits/labels.npy"

echo "The paths through the ResNet, and what it recognises without its blocks:"
say "$skipc" paths $digits/digits.onnx
say "$skipc" lesion $digits/digits.onnx $rows
"$skipc" lesion $digits/digits.onnx $rows --json > $out/resnet.json

echo
echo "A highway network of 50 layers, without each, and without more and more:"
say "$skipc" lesion $digits/highway.onnx $rows --json > $out/said
sed 1d $out/said > $out/highway.json
"$python" $here/summary.py $out/highway.json

echo
echo "How far its gates are open, the first layers:"
say "$skipc" gates $digits/highway.onnx --input $digits/images.npy > $out/said
head -n 9 $out/said

echo
echo "A plain network of 50 layers, without each, and without more and more:"
say "$python" $here/plain.py $here/plain50.onnx --skipc "$skipc" $rows --json > $out/said
sed 1d $out/said > $out/plain.json
"$python" $here/summary.py $out/plain.json

echo
if "$python" -c "import matplotlib" 2> $out/said; then
	say "$python" $here/figure.py -o $out/lesion.png ResNet=$out/resnet.json highway=$out/highway.json plain=$out/plain.json
	say "$skipc" gates $digits/highway.onnx --input $digits/images.npy --plot $out/gates.png > $out/said
else
	echo "no pictures: matplotlib is not installed (make venv-peers)"
fi
"$python" $here/summary.py --bears $out/highway.json --breaks $out/plain.json
