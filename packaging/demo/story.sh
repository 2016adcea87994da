#!/bin/sh
# The story that is recorded, started from the top of the checkout: a server serves a page, wget
# fetches it, a pipeline makes a report of it.
set -eu
site=$PWD/packaging/demo/site
mkdir -p /tmp/story
cd /tmp/story

/usr/bin/python3 -m http.server 8000 --bind 127.0.0.1 --directory "$site" 2>server.log >&2 &
server=$!
wget -q --tries=30 --retry-connrefused --waitretry=1 -O words.txt http://127.0.0.1:8000/words.txt
sort words.txt | uniq -c >report.txt
cat report.txt
kill "$server"
