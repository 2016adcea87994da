#!/usr/bin/env bash
# Draws the story of the tests as a page (out/story.html) and photographs it for the documentation.
set -euo pipefail
cd "$(dirname "$0")/.."
picture=docs/images/graph.png
python=.venv/bin/python
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

mkdir -p out "$(dirname "$picture")"
"$python" -c 'import sys
from tests.graph.story import story
sys.stdout.buffer.write(story().lines())' >out/story.log
"$python" -m provcap draw /srv/data/report.txt --log out/story.log --out out/story.html
chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
	--disable-background-networking --disable-component-update --disable-sync \
	--user-data-dir="$profile" --hide-scrollbars --window-size=1200,800 \
	--screenshot="$picture" "file://$PWD/out/story.html" 2>/dev/null
echo "$picture"
