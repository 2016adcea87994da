#!/usr/bin/env bash
# Records the story in a guest, checks the recording, asks it where the result came from, and draws it.
set -euo pipefail
cd "$(dirname "$0")/.."
out=out/demo
provcap=(.venv/bin/python -m provcap.cli.main)

say() {
	printf '\n\033[1m%s\033[0m\n' "$*"
}
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

say "What comes of wget, and nothing else, recorded in a guest kernel (packaging/demo/story.sh):"
"${provcap[@]}" vm run --all false --out "$out" -- sh packaging/demo/story.sh
say "What was recorded (provcap summary $out/audit.log):"
"${provcap[@]}" summary "$out/audit.log"
say "Is it sound? (provcap verify $out/audit.log)"
"${provcap[@]}" verify "$out/audit.log"
say "Where did the result come from? (provcap why /tmp/story/result.txt --log $out/audit.log)"
"${provcap[@]}" why /tmp/story/result.txt --log "$out/audit.log"
say "A picture of it (provcap draw /tmp/story/result.txt --log $out/audit.log --out $out/graph.html):"
for picture in graph.svg graph.html; do
	"${provcap[@]}" draw /tmp/story/result.txt --log "$out/audit.log" --out "$out/$picture"
	echo "$out/$picture"
done
