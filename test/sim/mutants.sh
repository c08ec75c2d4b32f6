#!/usr/bin/env bash
# Breaks the server in known ways, one at a time, and runs the simulation against each: every one must be found.
# The repository itself stays as it is; each mutant lives in a copy.
#
#   test/sim/mutants.sh [SEEDS] [MUTANT...]    # default: 100 seeds, all of test/sim/mutants
#
# Prints for each how many seeds failed and which was the first. Exits 1 if one was not found or does not fit any more.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
seeds=${1:-100}
shift || true
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if (($# == 0)); then
	set -- "$here"/mutants/*.patch
fi

copy() {
	rm -rf "$work/copy"
	mkdir "$work/copy"
	(cd "$repository" && git ls-files -co --exclude-standard -z | xargs -0 sh -c 'for f; do [ -e "$f" ] && printf "%s\0" "$f"; done' sh |
		tar -c --null -T -) | tar -x -C "$work/copy"
}

survivors=0
for patch in "$@"; do
	name=$(basename "$patch" .patch)
	patch="$here/mutants/$name.patch"
	copy
	if ! (cd "$work/copy" && git apply -p1 "$patch"); then
		printf '%-16s the patch does not fit any more\n' "$name"
		survivors=$((survivors + 1))
		continue
	fi
	if ! (cd "$work/copy" && go vet ./test/sim); then
		printf '%-16s the mutant does not compile\n' "$name"
		survivors=$((survivors + 1))
		continue
	fi
	(cd "$work/copy" && go test ./test/sim -count 1 -timeout 30m -run TestSimulation -sim.seeds "$seeds") >"$work/out" 2>&1 || true
	failed=$(grep -o -- 'to run it again: .*=[0-9]*' "$work/out" | sed 's/.*=//' | sort -nu || true)
	if [ -z "$failed" ]; then
		printf '%-16s SURVIVED %s seeds\n' "$name" "$seeds"
		tail -n 5 "$work/out"
		survivors=$((survivors + 1))
		continue
	fi
	printf '%-16s found by %s of %s seeds, first by seed %s\n' "$name" "$(wc -l <<<"$failed")" "$seeds" "$(head -n 1 <<<"$failed")"
	if [ -n "${WHY:-}" ]; then
		grep -A 1 -- "--- FAIL: TestSimulation/seed=" "$work/out" | grep -v -e '^--$' -e '--- FAIL' | sed 's/^ *[a-z_]*\.go:[0-9]*: /    /' | head -n 5
	fi
done
exit $((survivors > 0))
