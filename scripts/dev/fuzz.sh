# ./dev fuzz: the property tests of the readers and of the whole rig, for minutes instead of a few cases.
# shellcheck shell=bash

dev_fuzz() {
    local minutes=${1:-10} family failed=0
    [[ $minutes =~ ^[1-9][0-9]*$ ]] || die "usage: ./dev fuzz [MINUTES]"
    install_rust
    cargo test --locked -p autorig-engine --test rig --test io --no-run || return 1
    # Seeds that nobody has tried: where it begins is the time of day, and a failure names where it was.
    export AUTORIG_FUZZ_SEED=${AUTORIG_FUZZ_SEED:-$(date +%s)} AUTORIG_FUZZ_SECONDS=$((minutes * 60 / 4))
    for family in any_things any_rubbish distorted_characters; do
        say "$family for $AUTORIG_FUZZ_SECONDS s from seed $AUTORIG_FUZZ_SEED"
        timeout $((AUTORIG_FUZZ_SECONDS + 300)) \
            cargo test --locked -p autorig-engine --test rig "fuzz::$family" -- --nocapture 2>&1 | tail -40 || failed=1
    done
    # Each run draws new cases; one that fails is kept beside the tests and tried first from then on.
    say "the readers for $AUTORIG_FUZZ_SECONDS s"
    local end=$((SECONDS + AUTORIG_FUZZ_SECONDS))
    while ((SECONDS < end && failed == 0)); do
        timeout 300 cargo test --locked -q -p autorig-engine --test io -- refused_or_read typed_error 2>&1 | tail -5 || failed=1
    done
    return "$failed"
}
