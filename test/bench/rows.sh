#!/usr/bin/env bash
# Measures the rows of docs/performance.md and prints them as a Markdown table.
#
#   test/bench/rows.sh                     everything, in less than an hour
#   D=10s N=1 ROWS=c64 test/bench/rows.sh  one row in a minute
#
# Everything runs on loopback, in a temporary directory on a real disk.
# Servers are started and stopped by bench itself, one after the other, the
# forwarder and the product in turn. README.md lists the settings.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

ROWS=${ROWS:-start c64 c256 batch sdk idle fanout spread hang retention backlog ingest pg_c64 pg_c256 pg_batch pg_idle pg_two}
N=${N:-3}                          # runs of each side; the table shows medians
D=${D:-20s}                        # load of a run
PORT=${PORT:-18800}                # first of three ports
BATCH=${BATCH:-100}                # events of a batch
BATCH_C=${BATCH_C:-16}             # connections that send batches
APPS=${APPS:-10000}                # endpoints of the rows spread and hang
SPREAD_RATE=${SPREAD_RATE:-1000}   # their events/s
INGEST_RATE=${INGEST_RATE:-2000}   # webhooks/s that are received
HANG=${HANG:-5%}                   # share that hangs
FANOUT=${FANOUT:-3000}             # events that go to 100 endpoints each
BACKLOG=${BACKLOG:-1000000}        # preloaded deliveries
RETENTION_WARM=${RETENTION_WARM:-30s}
RETENTION_ARGS=${RETENTION_ARGS:---retention 20s --allow-short-retention}
SERVE_ARGS=${SERVE_ARGS:---log-level warn --metrics-listen off}
GRAPNEL=${GRAPNEL:-}               # a binary to measure; built if not given
OUT=${OUT:-}                       # file that keeps the results, one JSON object a line

work=$(mktemp -d "${TMPDIR:-/var/tmp}/grapnel-bench.XXXXXX")
pid=
database=
second=
clean() {
  local one
  for one in $pid $second $database; do # bench stops the server that it started
    kill "$one" 2>/dev/null || true
    wait "$one" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM

results=${OUT:-$work/results.jsonl}
case $(stat -f -c %T "$work" 2>/dev/null) in
tmpfs | ramfs) echo "$work is memory, where a commit costs nothing: set TMPDIR to a disk" >&2 && exit 1 ;;
esac

sink=127.0.0.1:$((PORT + 2))
limit=127.0.0.1:$PORT
ours=127.0.0.1:$((PORT + 1))
key=$work/key
(umask 077 && od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$key")

go build -o "$work/bench" ./test/bench
if [[ -z $GRAPNEL ]]; then
  GRAPNEL=$work/grapnel
  CGO_ENABLED=0 go build -o "$GRAPNEL" ./cmd/grapnel
fi

# bench ARGS: one measurement, its line added to the results. In the
# background, so that a signal is answered while it runs.
bench() {
  "$work/bench" "$@" >>"$results" &
  pid=$!
  local status=0
  wait "$pid" || status=$?
  pid=
  return "$status"
}

# forwarder LABEL ENDPOINTS FLAGS: one run of the forwarder.
forwarder() {
  local label=$1 endpoints=$2
  shift 2
  bench run -target limit -label "$label" -base "http://$limit" -sink "$sink" -endpoints "$endpoints" -d "$D" "$@" \
    -- "$work/bench" limit -addr "$limit" -to "http://$sink" -endpoints "$endpoints"
}

# serve DIR ARGS: sets server to the command line of the product.
serve() {
  local dir=$1
  shift
  # SERVE_ARGS is a list of words.
  # shellcheck disable=SC2206
  server=("$GRAPNEL" serve --listen "$ours" --db "sqlite:$dir/g.db" --allow-net 127.0.0.0/8 --allow-http
    --api-key-file "$key" $SERVE_ARGS "$@")
}

# store: sets dir to a new directory; the one before goes away.
store() {
  rm -rf "$work/store"
  dir=$work/store
  mkdir "$dir"
}

# grapnel FLAGS: one run of the product with the command line in server.
grapnel() {
  bench run -target grapnel -base "http://$ours" -key-file "$key" -sink "$sink" -log "$work/serve.log" -d "$D" "$@" -- "${server[@]}"
}

# fresh FLAGS: one run of the product on a new store.
fresh() {
  store
  serve "$dir"
  grapnel "$@"
}

row_start() {
  local label
  store
  serve "$dir"
  for label in start-first start; do
    bench start -label "$label" -health "http://$ours/healthz" -log "$work/serve.log" -- "${server[@]}" || return
  done
}

row_c64() { forwarder c64 1 -c 64 && fresh -label c64 -c 64; }
row_c256() { forwarder c256 1 -c 256 && fresh -label c256 -c 256; }
row_batch() { forwarder batch 1 -c 64 && fresh -label batch -c "$BATCH_C" -batch "$BATCH"; }
row_sdk() { forwarder sdk 1 -c 64 -sdk-headers && fresh -label sdk -c 64 -sdk-headers; }
row_idle() { forwarder idle 1 -rate 200 && fresh -label idle -rate 200; }
row_fanout() { forwarder fanout 100 -c 64 -max "$FANOUT" && fresh -label fanout -c 64 -endpoints 100 -max "$FANOUT"; }
row_spread() {
  forwarder spread 1 -apps "$APPS" -spread -rate "$SPREAD_RATE" &&
    fresh -label spread -apps "$APPS" -spread -rate "$SPREAD_RATE"
}
row_hang() { fresh -label hang -apps "$APPS" -spread -rate "$SPREAD_RATE" -hang "$HANG"; }

row_retention() {
  forwarder retention 1 -c 64 || return
  store
  # shellcheck disable=SC2086
  serve "$dir" $RETENTION_ARGS
  grapnel -label retention -c 64 -warm "$RETENTION_WARM" -file "$dir/g.db"
}

# Webhooks are verified, stored and answered, then passed on to one endpoint.
row_ingest() {
  store
  serve "$dir"
  bench run -target ingest -label ingest -base "http://$ours" -key-file "$key" -sink "$sink" -log "$work/serve.log" -d "$D" -rate "$INGEST_RATE" -- "${server[@]}"
}

# The backlog is published to a server that does not deliver, and drained by
# another on the same store.
row_backlog() {
  store
  local events=(-apps 100 -spread -state "$dir/state.json")
  serve "$dir" --role api
  grapnel -label preload "${events[@]}" -phase preload -preload "$BACKLOG" -batch "$BATCH" -c "$BATCH_C" || return
  serve "$dir" --role all
  grapnel -label backlog "${events[@]}" -phase drain
}

# postgres: starts a database server and sets url and of; end_postgres ends it.
postgres() {
  rm -f "$work/postgres"
  TMPDIR=${work%/*} "$work/bench" postgres -out "$work/postgres" 2>>"$work/serve.log" &
  database=$!
  while [[ ! -s $work/postgres ]]; do
    kill -0 "$database" || return
    sleep 0.1
  done
  local postmaster
  read -r postmaster url <"$work/postgres"
  of=(-pids "postgres=$postmaster")
}
end_postgres() {
  if kill "$database" 2>/dev/null; then
    wait "$database" || true
  fi
  database=
}

# serve_postgres ADDRESS ARGS: sets server to the command line of a node on PostgreSQL.
serve_postgres() {
  local address=$1
  shift
  # shellcheck disable=SC2206
  server=("$GRAPNEL" serve --listen "$address" --db "$url" --master-key-file "$work/master" --allow-net 127.0.0.0/8 --allow-http
    --api-key-file "$key" $SERVE_ARGS "$@")
}

# on_postgres FLAGS: one run of the product on a new database.
on_postgres() {
  local status=0
  [[ -s $work/master ]] || (umask 077 && head -c 32 /dev/urandom | base64 >"$work/master")
  postgres || return
  serve_postgres "$ours"
  grapnel "${of[@]}" "$@" || status=$?
  end_postgres
  return "$status"
}

row_pg_c64() { forwarder pg_c64 1 -c 64 && on_postgres -label pg_c64 -c 64; }
row_pg_c256() { forwarder pg_c256 1 -c 256 && on_postgres -label pg_c256 -c 256; }
row_pg_batch() { forwarder pg_batch 1 -c 64 && on_postgres -label pg_batch -c "$BATCH_C" -batch "$BATCH"; }
# Two nodes on one database; the same load as pg_c64, half of it to each.
row_pg_two() {
  local status=0 other=127.0.0.1:$((PORT + 4))
  forwarder pg_two 1 -c 64 || return
  [[ -s $work/master ]] || (umask 077 && head -c 32 /dev/urandom | base64 >"$work/master")
  postgres || return
  serve_postgres "$other"
  "${server[@]}" >>"$work/serve.log" 2>&1 &
  second=$!
  until (exec 3<>"/dev/tcp/${other%:*}/${other#*:}") 2>/dev/null; do
    kill -0 "$second" || return
    sleep 0.1
  done
  serve_postgres "$ours"
  grapnel -pids "${of[1]},second=$second" -base "http://$ours,http://$other" -label pg_two -c 64 || status=$?
  if kill "$second" 2>/dev/null; then
    wait "$second" || true
  fi
  second=
  end_postgres
  return "$status"
}
row_pg_idle() { forwarder pg_idle 1 -rate 200 && on_postgres -label pg_idle -rate 200; }

failed=()
for row in $ROWS; do
  if ! declare -F "row_$row" >/dev/null; then
    echo "no row $row" >&2
    exit 2
  fi
  for ((i = 1; i <= N; i++)); do
    echo "$row $i/$N" >&2
    if ! "row_$row"; then
      failed+=("$row")
      tail -n 5 "$work/serve.log" >&2 2>/dev/null || true
      break
    fi
  done
done

echo "$(go version | cut -d' ' -f3-), $(nproc) processors, $(uname -sr), $(stat -f -c %T "$work" 2>/dev/null || echo unknown) file system; 1 KiB events, medians of $N runs of $D"
echo
touch "$results"
"$work/bench" table "$results"
if ((${#failed[@]})); then
  echo "rows that could not be measured: ${failed[*]}" >&2
  exit 1
fi
