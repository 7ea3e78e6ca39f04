#!/bin/sh
# man.sh SKIPC > skipc.1: its --help, and what is around it.
set -eu
version=$("$1" --version)
help=$("$1" --help)
[ -n "$help" ]
cat << END
.TH SKIPC 1 "" "$version"
.SH NAME
skipc \- compile ONNX networks with skip connections into standalone C
.SH SYNOPSIS
.B skipc
.I command
.I model
.RI [ options ]
.SH DESCRIPTION
.nf
END
printf '%s\n' "$help" | tail -n +3 | sed 's/\\/\\e/g; s/-/\\-/g; s/^\([.'"'"']\)/\\\&\1/'
cat << 'END'
.fi
.SH ENVIRONMENT
.TP
.B SKIPC_PYTHON
The Python that runs diff, bench and the other commands that compare or measure; it wants onnxruntime, onnx and numpy.
.TP
.B SKIPC_HELPERS
The folder with skipc's tools/ and runtime/, where they are not where skipc was installed.
END
