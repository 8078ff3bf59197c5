# ./dev bench: how good and how fast. Everything in a release build.
# shellcheck shell=bash

dev_bench() {
    local what=${1:-rig}
    [ $# -eq 0 ] || shift
    install_for_run
    case $what in
        rig)
            install_python requirements.txt || die "installing Python packages into .venv failed; is the network up?"
            install_npm scripts/validator || die "the glTF validator could not be installed; is the network up?"
            bench_rig "$@"
            ;;
        stages) cargo bench --locked -p autorig-benches "$@" ;;
        *) die "unknown benchmark '$what': rig, stages" ;;
    esac
}

bench_rig() {
    local against='' only=''
    while [ $# -gt 0 ]; do
        case $1 in
            --against) against=${2:?--against needs a revision} && shift 2 ;;
            --only) only=${2:?--only needs a part of a case\'s name} && shift 2 ;;
            *) die "unknown flag '$1' of bench rig: --against REV, --only NAME" ;;
        esac
    done
    local out=$ARTIFACTS/bench args=()
    mkdir -p "$out"
    say "building autorig (release)"
    cargo build --locked --release --bin autorig
    if [ -n "$against" ]; then
        args+=(--against-bin "$(build_revision "$against")" --against-name "$against")
    fi
    "$VENV/bin/python" scripts/bench_rig.py --bin "$TARGET/release/autorig" --out "$out" --only "$only" "${args[@]}"
}

# Another revision's binary, built in a worktree of its own that shares nothing but the crates already downloaded.
build_revision() {
    local commit tree
    commit=$(git rev-parse --verify --quiet "$1^{commit}") || die "no revision '$1'"
    tree=$ARTIFACTS/revisions/$commit
    if [ ! -x "$tree.bin" ]; then
        say "building autorig of $1 (release)"
        git worktree add --force --detach -q "$tree" "$commit" >&2
        (cd "$tree" && CARGO_TARGET_DIR=$TARGET/against cargo build --locked --release --bin autorig >&2)
        cp "$TARGET/against/release/autorig" "$tree.bin"
        git worktree remove --force "$tree" >&2
    fi
    printf '%s\n' "$tree.bin"
}
