#!/usr/bin/env bash
# Tests of report.sh: what each runner's output counts as. Ends with the plain line.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
source "$ROOT/scripts/dev/lib.sh"
source "$ROOT/scripts/dev/report.sh"
LOGS=$(mktemp -d)
trap 'rm -rf "$LOGS"' EXIT
good=0 bad=0

# expect SENTENCE COUNTS PARSER OUTPUT [EXIT_CODE]
expect() {
    local got
    got=$(
        PASSED=0 FAILED=0 SKIPPED=0
        part "sample" "$3" print_and_exit "$4" "${5:-0}" >/dev/null 2>&1
        echo "$PASSED $FAILED $SKIPPED"
    )
    if [ "$got" = "$2" ]; then
        good=$((good + 1))
    else
        bad=$((bad + 1))
        echo "FAIL $1: expected '$2', got '$got'"
    fi
}
print_and_exit() {
    printf '%b\n' "$1"
    return "$2"
}

nextest='     Summary [  12.345s] 120 tests run: 117 passed (2 slow), 2 failed, 1 timed out, 4 skipped'
expect "nextest's summary is counted" "117 3 4" parse_nextest "$nextest" 100
expect "nextest in colour is counted" "5 0 0" parse_nextest '\033[32;1m     Summary\033[0m [   0.1s] \033[1m5\033[0m tests run: \033[1m5\033[0m \033[32;1mpassed\033[0m, \033[1m0\033[0m skipped'
expect "a build that fails before any test is one failure" "0 1 0" parse_nextest "error: could not compile" 101
expect "cargo test's lines are summed" "5 1 2" parse_cargo_test 'test result: FAILED. 3 passed; 1 failed; 2 ignored; 0 measured\ntest result: ok. 2 passed; 0 failed; 0 ignored' 101
expect "pytest's last line is counted" "7 2 1" parse_pytest '.......\n===== 1 failed, 7 passed, 1 skipped, 1 error in 3.21s =====' 1
expect "a quiet pytest is counted" "12 0 0" parse_pytest '............ [100%]\n12 passed in 0.31s'
expect "node's runner is counted" "9 1 2" parse_node 'ℹ tests 12\nℹ pass 9\nℹ fail 1\nℹ cancelled 0\nℹ skipped 2\nℹ todo 0' 1
expect "node's TAP is counted" "3 0 0" parse_node '# pass 3\n# fail 0\n# skipped 0'
expect "the plain line is counted" "4 0 1" parse_plain '4 passed, 0 failed, 1 skipped'
expect "a check that passes is one test" "1 0 0" parse_check "fine"
expect "a check that fails is one failure" "0 1 0" parse_check "not fine" 1
expect "a part that cannot run here is skipped" "0 0 1" parse_node "skipped: node is missing" 77
expect "a part may not skip without saying why" "0 1 0" parse_check "not here" 77
expect "an exit code beats a summary without failures" "4 1 0" parse_plain '4 passed, 0 failed, 0 skipped' 1
expect "tests that vanish are not a success" "0 1 0" parse_node "nothing was printed"

fails_in_the_middle() {
    false
    echo "1 passed, 0 failed, 0 skipped"
}
got=$(part "middle" parse_plain fails_in_the_middle >/dev/null 2>&1; echo "$PASSED $FAILED")
if [ "$got" = "0 1" ]; then good=$((good + 1)); else bad=$((bad + 1)) && echo "FAIL a part stops at its first error: $got"; fi

printf '%d passed, %d failed, 0 skipped\n' "$good" "$bad"
[ "$bad" -eq 0 ]
