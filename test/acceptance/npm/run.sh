#!/usr/bin/env bash
# Drives the built server with the clients of npm, unchanged, and compares package provider with the libraries of the providers
# themselves, all in the versions of package.json.
# GRAPNEL_BIN names another binary, SEED repeats the random bodies. Everything is installed into a folder that is gone afterwards.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
GRAPNEL_BIN=$(realpath "${GRAPNEL_BIN:-$here/../../../bin/grapnel}")
export GRAPNEL_BIN

fail() { printf 'npm acceptance: %s\n' "$1" >&2; exit 1; }
[ -x "$GRAPNEL_BIN" ] || fail "there is no server at $GRAPNEL_BIN; run: make build"
for tool in go node npm; do
  command -v "$tool" >/dev/null || fail "$tool is missing"
done

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$here" && CGO_ENABLED=0 go build -o "$folder/oracle" ../oracle)
export GRAPNEL_ORACLE=$folder/oracle
cp "$here"/package.json "$here"/*.mjs "$folder"
cd "$folder"
echo "npm acceptance: installing $(node -p 'Object.entries(require("./package.json").dependencies).map(d => d.join(" ")).join(", ")')"
npm install --package-lock=false --ignore-scripts --no-audit --no-fund --loglevel=error >npm.log 2>&1 || { cat npm.log >&2; fail 'npm install failed'; }
echo "npm acceptance: node $(node --version) against $("$GRAPNEL_BIN" version | head -n 1)"
node --test --test-reporter=spec
