# What every part of ./dev shares: messages, paths, one build environment.
# shellcheck shell=bash

VENV=$ROOT/.venv
ARTIFACTS=$ROOT/dev-artifacts
LOGS=$ARTIFACTS/logs
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}

export PATH="$VENV/bin:$ROOT/.tools/bin:$PATH"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
export npm_config_fund=false npm_config_audit=false npm_config_update_notifier=false
# The Python module finds its symbols in the interpreter that loads it. Set for every build alike, so that nothing is built twice.
export PYO3_BUILD_EXTENSION_MODULE=1

say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
note() { printf '   %s\n' "$*" >&2; }
die() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# need COMMAND: ends the part that asks, as skipped, when the command is not here.
need() {
    have "$1" || {
        echo "skipped: $1 is missing and could not be installed"
        return 77
    }
}

# Every crate but the Python module, which maturin builds: the same set, and so the same features, in every cargo call.
RUST_SET=(--workspace --exclude autorig-py)

# Files under version control, or about to be; never build outputs.
sources() { git ls-files --cached --others --exclude-standard -- "$@"; }

# A file that changes when any of its arguments does: what an installed thing is compared with.
fingerprint() { cat "$@" | sha256sum | cut -c1-16; }

# Builds the binary that everything below drives, in the profile of the tests. Before tests it is built together with
# them: what they need besides changes the features of some dependencies, and two sets would be built in turn.
build_binary() {
    if [ "${WITH_TESTS:-no}" = yes ]; then
        cargo test --locked --no-run "${RUST_SET[@]}"
    else
        cargo build --locked --bin autorig
    fi
    BIN=$TARGET/debug/autorig
}
