#!/usr/bin/env bash
# Everything that must hold of the web: types, linter, tests; and that what is generated and built from it is what is committed.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

scripts/install.sh >"$folder/npm.log" 2>&1 || { cat "$folder/npm.log" >&2; exit 1; }
npm run --silent check
npm run --silent test

npx openapi-typescript openapi.json -o "$folder/schema.gen.ts" >/dev/null
cmp -s "$folder/schema.gen.ts" src/lib/api/schema.gen.ts || { echo 'web: src/lib/api/schema.gen.ts is not what openapi.json says; run: npm run types' >&2; exit 1; }

node scripts/build.mjs "$folder/dist"
diff -rq "$folder/dist" ../internal/dash/dist || { echo 'web: internal/dash/dist is not what web/ builds; run: make web, and commit it' >&2; exit 1; }
