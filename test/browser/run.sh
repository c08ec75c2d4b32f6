#!/usr/bin/env bash
# Drives the dashboard and the portal of the built server with Chromium: everything on SQLite, what is marked @both on PostgreSQL too.
# GRAPNEL_BIN names another binary, UI_DIR a folder of pages in place of those in it, CHROMIUM another browser. Arguments go to `playwright test`, such as: specs/portal.spec.ts -g embedded
# Pictures of every page are left in the folder shots.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
GRAPNEL_BIN=$(realpath "${GRAPNEL_BIN:-$here/../../bin/grapnel}")
CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
export GRAPNEL_BIN CHROMIUM

fail() { printf 'browser tests: %s\n' "$1" >&2; exit 1; }
[ -x "$GRAPNEL_BIN" ] || fail "there is no server at $GRAPNEL_BIN; run: make build"
for tool in go node npm; do
  command -v "$tool" >/dev/null || fail "$tool is missing"
done

if [ ! -x "$CHROMIUM" ]; then
  [ "$CHROMIUM" = /usr/bin/chromium ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
    fail "there is no browser at $CHROMIUM: install Chromium, or name one with CHROMIUM"
  echo 'browser tests: installing Chromium'
  apt-get update -qq && apt-get install -y -qq chromium >/dev/null
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export GRAPNEL_TEST_POSTGRES=$folder/postgres
(cd "$here" && CGO_ENABLED=0 go build -o "$GRAPNEL_TEST_POSTGRES" ./postgres)

cd "$here"
../../web/scripts/install.sh >"$folder/npm.log" 2>&1 || { cat "$folder/npm.log" >&2; fail 'the packages cannot be installed'; }
npm run --silent check
rm -rf shots results
echo "browser tests: $("$CHROMIUM" --version 2>/dev/null) against $("$GRAPNEL_BIN" version | head -n 1)"
npx playwright test "$@"
