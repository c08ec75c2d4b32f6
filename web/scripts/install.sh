#!/usr/bin/env bash
# Installs into the current folder what its package-lock.json pins, by hash, and fails where that would change the lock.
# Not `npm ci`: it refuses a lock that does not list the optional packages of every other platform, and a lock made where
# a registry serves only this platform's packages cannot list them.
set -euo pipefail

before=$(sha256sum package-lock.json)
npm install --ignore-scripts --no-audit --no-fund --no-save --loglevel=error
[ "$(sha256sum package-lock.json)" = "$before" ] || { echo 'package-lock.json does not hold what package.json asks for; run: npm install' >&2; exit 1; }
# npm keeps what it finds in node_modules; a package there that is not the locked one is an error.
npm ls --all --loglevel=error >/dev/null
