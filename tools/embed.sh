#!/bin/sh
# embed.sh FILE... > build/templates.c: the templates as C strings, sorted by name ("c/conv").
# A line `#include "FILE.inc"` becomes that file of the same folder.
# C99 promises literals of 4095 characters only, so a text is an array of character constants.
set -eu
LC_ALL=C
export LC_ALL
echo '/* Made by tools/embed.sh from templates/. Do not edit. */'
echo '#include "emit/template.h"'
echo
for f in "$@"; do
	echo "$f"
done | sort | {
	names=
	while read -r f; do
		name=${f#templates/}
		name=${name#*/templates/}
		name=${name%.c}
		id=$(echo "text_$name" | tr -c 'A-Za-z0-9\n' _)
		names="$names $name"
		printf 'static const char %s[] = {\n' "$id"
		text=$(awk '
			function put(file, line, got) {
				while ((got = (getline line < file)) > 0)
					if (line ~ /^#include ".*\.inc"$/)
						put(folder substr(line, 11, length(line) - 11))
					else
						print line
				if (got < 0)
					exit 1
				close(file)
			}
			BEGIN { folder = ARGV[1]; sub("[^/]*$", "", folder); put(ARGV[1]) }' "$f") || { echo "$f: a part is missing" >&2; exit 1; }
		printf '%s\n' "$text" | od -An -v -tu1 | sed 's/^ *//; s/ *$//; s/  */, /g; s/^/	/; s/$/,/'
		printf '	0,\n};\n'
	done
	echo
	echo 'const struct embedded embedded_templates[] = {'
	for name in $names; do
		id=$(echo "text_$name" | tr -c 'A-Za-z0-9\n' _)
		printf '	{ "%s", %s },\n' "$name" "$id"
	done
	echo '	{ NULL, NULL },'
	echo '};'
}
