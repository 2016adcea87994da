#!/bin/sh
# The story that is recorded, started from the top of the checkout: of the whole system only what comes
# of wget is wanted. It fetches a list and a script; the list goes through a pipeline, the script is
# renamed, made executable and run.
set -eu
site=$PWD/packaging/demo/site
mkdir -p /tmp/story
cd /tmp/story

show() {
	echo "\$ $*"
	"$@"
}

python3 -m http.server 8000 --bind 127.0.0.1 --directory "$site" 2>server.log >&2 &
server=$!

show camflow --track-file /usr/bin/wget propagate
show camflow --file /usr/bin/wget
grep -c root /etc/passwd >unrelated.txt # nothing of this is recorded

fetch='wget -q --tries=30 --retry-connrefused --waitretry=1'
show $fetch http://127.0.0.1:8000/words.txt
show $fetch http://127.0.0.1:8000/report.txt
echo '$ sort words.txt | uniq -c >counts.txt'
sort words.txt | uniq -c >counts.txt
show mv report.txt report
show chmod +x report
echo '$ ./report counts.txt >result.txt'
./report counts.txt >result.txt
show cat result.txt
show camflow --drop
kill "$server"
