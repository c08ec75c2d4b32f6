#!/usr/bin/env bash
# Measures the lists of the dashboard through the API, with many delivered messages on SQLite, and prints them as a Markdown table.
#
#   test/bench/lists.sh                  1,000,000 messages, in about five minutes
#   MESSAGES=100000 test/bench/lists.sh
#
# Milliseconds from the request to the first byte of the answer: the first request after the start, and the median of nine further ones.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

MESSAGES=${MESSAGES:-1000000}
PORT=${PORT:-18800}

work=$(mktemp -d "${TMPDIR:-/var/tmp}/grapnel-lists.XXXXXX")
pid=
trap '[[ -z $pid ]] || kill $pid 2>/dev/null || true; wait; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

(umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$work/key")
go build -o "$work/bench" ./test/bench
CGO_ENABLED=0 go build -o "$work/grapnel" ./cmd/grapnel
server=("$work/grapnel" serve --listen "127.0.0.1:$PORT" --db "sqlite:$work/g.db" --allow-net 127.0.0.0/8 --allow-http
  --api-key-file "$work/key" --log-level warn --metrics-listen off)

# Published to a server that delivers at the same time.
"$work/bench" run -target grapnel -label lists -base "http://127.0.0.1:$PORT" -key-file "$work/key" -sink "127.0.0.1:$((PORT + 2))" \
  -apps 100 -spread -batch 100 -c 16 -max "$MESSAGES" -d 10m -log "$work/serve.log" -- "${server[@]}" >&2

"${server[@]}" >>"$work/serve.log" 2>&1 &
pid=$!
until curl -fs "http://127.0.0.1:$PORT/readyz" >/dev/null; do
  kill -0 "$pid"
  sleep 0.1
done

lists=(
  'message?limit=50'
  'message?limit=50&q=status:failed'
  'message?limit=50&q=status:retrying'
  'message?limit=50&q=tag:nowhere'
  'message?limit=50&q=body.seq:-1'
  'message/count'
  'endpoint?limit=50'
  'app?limit=50'
  'issue?limit=50'
  'overview'
  'system'
)
echo '| List | first, ms | then, ms |'
echo '| --- | --- | --- |'
for list in "${lists[@]}"; do
  times=()
  for ((i = 0; i < 10; i++)); do
    times+=("$(curl -fsS -o /dev/null -w '%{time_starttransfer}' -H "Authorization: Bearer $(<"$work/key")" "http://127.0.0.1:$PORT/api/v1/$list")")
  done
  printf '%s\n' "${times[@]:1}" | sort -n | awk -v list="$list" -v first="${times[0]}" \
    'NR == 5 { printf "| `%s` | %.1f | %.1f |\n", list, first * 1000, $1 * 1000 }'
done
