#!/usr/bin/env bash
# Takes a picture of a page with headless Chromium: packaging/screenshot.sh PAGE.html OUT.png
set -euo pipefail
page=$(realpath "$1")
out=$(realpath -m "$2")
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
	--disable-background-networking --disable-component-update --disable-sync \
	--user-data-dir="$profile" --hide-scrollbars --window-size=1200,760 \
	--screenshot="$out" "file://$page" 2>/dev/null
