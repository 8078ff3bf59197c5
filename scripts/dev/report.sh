# Runs the parts of a test and counts honestly: a part that dies without counts, or runs nothing, is one failure.
# shellcheck shell=bash

PASSED=0 FAILED=0 SKIPPED=0
TABLE=()

# count NAME PASSED FAILED SKIPPED SECONDS
count() {
    PASSED=$((PASSED + $2)) FAILED=$((FAILED + $3)) SKIPPED=$((SKIPPED + $4))
    TABLE+=("$(printf '%-34s %7d %7d %7d %7ds' "$@")")
}

# Sums every match of an extended regular expression's first number in a log.
sum_of() { # LOG REGEX
    { grep -oE "$2" "$1" || true; } | { grep -oE '[0-9]+' || true; } | awk '{ n += $1 } END { print n + 0 }'
}

plain_log() { sed -e 's/\x1b\[[0-9;]*m//g' "$1"; }

# part NAME PARSER COMMAND...: runs it, shows and keeps its output, reads the counts with PARSER ("passed failed skipped").
# Exit code 77 with a line "skipped: why" means that what the part needs is not on this machine (see `need`).
part() {
    local name=$1 parser=$2 log start code=0 counts p f s
    shift 2
    mkdir -p "$LOGS"
    log=$LOGS/$(tr -c 'a-z0-9\n' '-' <<<"${name,,}").log
    say "$name"
    start=$SECONDS
    # Outside of any condition, so that errexit holds inside of the part.
    set +e
    (
        set -euo pipefail
        "$@"
    ) </dev/null 2>&1 | tee "$log.raw"
    code=${PIPESTATUS[0]}
    set -e
    plain_log "$log.raw" >"$log"
    rm -f "$log.raw"
    if [ "$code" -eq 77 ] && grep -q '^skipped: ' "$log"; then
        counts='0 0 1'
    else
        counts=$("$parser" "$log" "$code")
    fi
    read -r p f s <<<"$counts"
    [ "$code" -eq 0 ] || [ "$f" -gt 0 ] || [ "$counts" = '0 0 1' ] || f=1
    [ $((p + f + s)) -gt 0 ] || f=1 # a runner that ran nothing has lost its tests
    count "$name" "$p" "$f" "$s" $((SECONDS - start))
    [ "$f" -eq 0 ] || note "$name: FAILED (its output: ${log#"$ROOT"/})"
}

# A check is one test: it passes or fails.
parse_check() {
    if [ "$2" -eq 0 ]; then echo 1 0 0; else echo 0 1 0; fi
}
parse_nextest() {
    local line
    line=$(grep -E '^ *Summary \[' "$1" | tail -1 || true)
    if [ -n "$line" ]; then
        echo "$(first_number "$line" passed) $(($(first_number "$line" failed) + $(first_number "$line" 'timed out'))) $(first_number "$line" skipped)"
    else
        parse_cargo_test "$@"
    fi
}
parse_cargo_test() {
    echo "$(sum_of "$1" '[0-9]+ passed') $(sum_of "$1" '[0-9]+ failed') $(sum_of "$1" '[0-9]+ ignored')"
}
parse_pytest() {
    local line
    line=$(grep -E '^=* ?[0-9]+ .* in [0-9.]+s' "$1" | tail -1 || true)
    echo "$(first_number "$line" passed) $(($(first_number "$line" failed) + $(first_number "$line" 'errors?'))) $(first_number "$line" skipped)"
}
# Node's own runner: "ℹ pass 12" or "# pass 12".
parse_node() {
    echo "$(sum_of "$1" '^(ℹ|#) pass [0-9]+') $(sum_of "$1" '^(ℹ|#) (fail|cancelled) [0-9]+') $(sum_of "$1" '^(ℹ|#) (skipped|todo) [0-9]+')"
}
# Our own tools close with the plain line.
parse_plain() {
    local line
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -1 || true)
    echo "$(first_number "$line" passed) $(first_number "$line" failed) $(first_number "$line" skipped)"
}
first_number() { # LINE WORD
    local n
    n=$(grep -oE "[0-9]+ $2" <<<"$1" | head -1 | grep -oE '^[0-9]+' || true)
    echo "${n:-0}"
}

# The closing table and the plain last line; the exit code says whether anything failed or nothing ran.
summary() {
    printf '\n%-34s %7s %7s %7s %8s\n' part passed failed skipped time >&2
    printf '%s\n' "${TABLE[@]}" >&2
    printf '\n%d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
    [ "$FAILED" -eq 0 ] && [ "$PASSED" -gt 0 ]
}
