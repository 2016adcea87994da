#!/bin/sh
# Lays out in ROOT what the macro set needs: the programs with their libraries, and files to work on. The
# guest copies it into memory: a file of the host would have to be waited for, which is counted as time.
#   sh macro.sh ROOT
set -e
root=$1
rm -rf "$root"
mkdir -p "$root/files/tree" "$root/tmp" "$root/dev"
ln -s usr/bin "$root/bin"

copy() {
	for file; do
		cp -L --parents "$file" "$root"
		ldd "$file" 2>/dev/null | grep -o '/[^ )]*' | while read -r library; do
			[ -e "$root$library" ] || cp -L --parents "$library" "$root"
		done
	done
}
for name in sh tar grep rm mkdir cat tr wc gcc as; do
	copy "$(command -v "$name")"
done
copy "$(gcc -print-prog-name=cc1)"

for folder in 0 1 2 3 4 5 6 7 8 9; do
	mkdir "$root/files/tree/$folder"
	for file in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do
		seq 1 800 >"$root/files/tree/$folder/$file"
	done
done
for name in a b c; do
	for number in $(seq 1 12); do
		echo "int f$number(int n, int *p)"
		echo "{ int s = $number; for (int i = 0; i < n; i++) s += p[i] * (s ^ i); return s; }"
	done >"$root/files/$name.c"
done
