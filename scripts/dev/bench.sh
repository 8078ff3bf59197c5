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
        quality)
            install_python requirements.txt || die "installing Python packages into .venv failed; is the network up?"
            bench_quality "$@"
            ;;
        stages) bench_stages "$@" ;;
        export)
            install_python requirements.txt || die "installing Python packages into .venv failed; is the network up?"
            install_npm scripts/validator || die "the glTF validator could not be installed; is the network up?"
            install_npm scripts/readback || die "three.js could not be installed; is the network up?"
            install_npm static || die "three.js could not be installed; is the network up?"
            install_blender || note "Blender could not be installed: its columns are skipped by name"
            bench_export "$@"
            ;;
        lod)
            install_python requirements.txt || die "installing Python packages into .venv failed; is the network up?"
            install_npm scripts/lodpeer || die "glTF-Transform could not be installed; is the network up?"
            bench_lod "$@"
            ;;
        *) die "unknown benchmark '$what': rig, quality, stages, export, lod" ;;
    esac
}

bench_stages() {
    say "building the engine (release)"
    cargo build --locked --release -p autorig-engine --examples
    cargo build --locked --release -p autorig-benches --bin cost
    "$VENV/bin/python" scripts/bench_stages.py --programs "$TARGET/release" --out "$ARTIFACTS/bench" "$@"
}

# Levels of detail against glTF-Transform's.
bench_lod() {
    say "building the engine (release)"
    cargo build --locked --release -p autorig-engine --examples
    "$VENV/bin/python" scripts/bench_lod.py --bin "$TARGET/release/examples" --out "$ARTIFACTS/bench" "$@"
}

# Every profile of every character, read back by other programs: an hour on two cores, most of it Blender's.
bench_export() {
    say "building the engine (release)"
    cargo build --locked --release -p autorig-engine --example export_file
    "$VENV/bin/python" scripts/bench_export.py --bin "$TARGET/release/examples/export_file" --out "$ARTIFACTS/bench" "$@"
}

bench_rig() {
    local against='' only='' program
    while [ $# -gt 0 ]; do
        case $1 in
            --against) against=${2:?--against needs a revision} && shift 2 ;;
            --only) only=${2:?--only needs a part of a case\'s name} && shift 2 ;;
            *) die "unknown flag '$1' of bench rig: --against REV, --only NAME" ;;
        esac
    done
    local out=$ARTIFACTS/bench args=()
    mkdir -p "$out"
    if [ -n "$against" ]; then
        program=$(build_revision "$against")
        args+=(--against-bin "$program" --against-name "$against")
    fi
    say "building the engine (release)"
    cargo build --locked --release -p autorig-engine --examples
    cargo build --locked --release -p autorig-benches --bin cost
    "$VENV/bin/python" scripts/bench_rig.py --bin "$TARGET/release/examples/rig_file" --out "$out" --only "$only" "${args[@]}"
}

bench_quality() {
    local only=''
    [ "${1:-}" != --only ] || only=${2:?--only needs a part of a case\'s name}
    mkdir -p "$ARTIFACTS/bench"
    say "building the engine (release)"
    cargo build --locked --release -p autorig-engine --examples
    "$VENV/bin/python" scripts/bench_quality.py --bin "$TARGET/release/examples/rig_file" --out "$ARTIFACTS/bench" --only "$only"
}

# Another revision's runner, built in a worktree of its own that shares nothing but the crates already downloaded. One
# from before the engine had a runner gives its whole command instead.
build_revision() {
    local commit tree name
    commit=$(git rev-parse --verify --quiet "$1^{commit}") || die "no revision '$1'"
    tree=$ARTIFACTS/revisions/$commit
    name=rig_file
    git cat-file -e "$commit:autorig-engine/examples/rig_file.rs" 2>/dev/null || name=autorig
    if [ ! -x "$tree.$name" ]; then
        say "building $1 (release)"
        git worktree add --force --detach -q "$tree" "$commit" >&2
        if [ "$name" = rig_file ]; then
            (cd "$tree" && CARGO_TARGET_DIR=$TARGET/against cargo build --locked --release -p autorig-engine --example rig_file >&2)
            cp "$TARGET/against/release/examples/rig_file" "$tree.$name"
        else
            (cd "$tree" && CARGO_TARGET_DIR=$TARGET/against cargo build --locked --release --bin autorig >&2)
            cp "$TARGET/against/release/autorig" "$tree.$name"
        fi
        git worktree remove --force "$tree" >&2
    fi
    printf '%s\n' "$tree.$name"
}
