#!/usr/bin/env bash
# Records the story in a guest, checks the recording, and asks it where the report came from.
set -euo pipefail
cd "$(dirname "$0")/.."
out=out/demo
provcap=(.venv/bin/python -m provcap.cli.main)

say() {
	printf '\n\033[1m%s\033[0m\n' "$*"
}
[ -t 1 ] || say() { printf '\n%s\n' "$*"; }

say "A server, wget and a pipeline, recorded in a guest kernel (packaging/demo/story.sh):"
"${provcap[@]}" vm run --out "$out" -- sh packaging/demo/story.sh
say "What was recorded (provcap summary $out/audit.log):"
"${provcap[@]}" summary "$out/audit.log"
say "Is it sound? (provcap verify $out/audit.log)"
"${provcap[@]}" verify "$out/audit.log"
say "Where did the report come from? (provcap why /tmp/story/report.txt --log $out/audit.log)"
"${provcap[@]}" why /tmp/story/report.txt --log "$out/audit.log"
