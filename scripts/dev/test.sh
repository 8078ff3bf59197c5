# ./dev test: everything, ending with the plain line that counts it.
# shellcheck shell=bash

dev_test() {
    local start=$SECONDS
    WITH_TESTS=yes
    install_for_test
    rm -rf "$LOGS"
    mkdir -p "$LOGS"
    part "page build" parse_check test_build_page
    check_parts
    part "Rust tests" parse_nextest test_rust
    part "Rust documentation tests" parse_cargo_test cargo test --locked --doc "${RUST_SET[@]}"
    part "Python tests" parse_pytest test_python
    part "Python types" parse_check test_stubs
    part "training tests" parse_pytest test_training
    part "page unit tests" parse_node test_page test
    part "page in a browser" parse_node test_page test:browser
    part "glTF validator over rigs" parse_plain test_validator
    part "FBX in Blender and three.js" parse_plain test_fbx
    part "exports read back by other programs" parse_plain test_exports
    note "everything took $((SECONDS - start)) s"
    summary
}

# What cannot be had without a network is said here, and counted as skipped where it is needed.
install_for_test() {
    install_debian "${DEBIAN_RUN[@]}" || have cc || die "installing Debian packages failed; is the network up?"
    install_rust
    install_debian "${DEBIAN_TEST[@]}" || note "Chromium or PostgreSQL could not be installed: what needs them is skipped by name"
    install_python requirements.txt || note "Python packages could not be installed: what needs them is skipped by name"
    install_nextest || note "cargo-nextest could not be installed: cargo test runs instead"
    install_npm scripts/readback || note "three.js could not be installed: what needs it is skipped by name"
    install_npm scripts/validator || note "the glTF validator could not be installed: what needs it is skipped by name"
    install_blender || note "Blender could not be installed: reading back by its importers is skipped by name"
}

test_build_page() {
    need npm
    build_page
}

test_rust() {
    local left_out=() # what nextest leaves out, it counts as skipped
    if ! have_postgres; then
        note "PostgreSQL is missing and could not be installed: the tests on it are skipped"
        left_out=(-E 'not test(postgres)')
    fi
    build_binary
    if cargo nextest --version >/dev/null 2>&1; then
        cargo nextest run --locked --profile ci "${RUST_SET[@]}" "${left_out[@]}"
    else
        cargo test --locked --no-fail-fast --lib --bins --tests --examples "${RUST_SET[@]}"
    fi
}

# The tests start a cluster of their own from the installed programs, unless they are told of one.
have_postgres() {
    [ -n "${AUTORIG_TEST_POSTGRES:-}" ] || have postgres || compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null
}

test_python() {
    need maturin
    build_binary
    (cd autorig-py && maturin develop -q --locked)
    AUTORIG_BIN=$BIN python -m pytest -q -p no:cacheprovider autorig-py/tests
}

test_stubs() {
    need maturin
    python -m mypy.stubtest autorig --ignore-missing-stub
}

# The generator of training data; learning itself needs torch and hours, and is no test.
test_training() {
    python -c 'import numba' 2>/dev/null || need numba
    python -m pytest -q -p no:cacheprovider training/tests
}

test_page() { # SCRIPT
    need npm
    [ "$1" = test ] || need chromium
    install_npm static
    build_binary
    cd static
    AUTORIG_BIN=$BIN ARTIFACTS=$ARTIFACTS/screenshots npm run -s "$1"
}

# Every sample and, where the benchmark is at hand, every one of its characters: a valid GLB or a refusal with a reason.
test_validator() {
    build_binary
    [ -e scripts/validator/node_modules/gltf-validator ] || need gltf-validator
    python scripts/validate_rigs.py --bin "$BIN" --out "$ARTIFACTS/rigs"
}

# Samples as FBX, seen by other programs as the engine poses them.
test_fbx() {
    cargo build --locked "${RUST_SET[@]}" --example fbx_file
    python scripts/check_fbx.py --bin "$TARGET/debug/examples/fbx_file"
}

# Every profile of a generated character, by every reader that is installed.
test_exports() {
    cargo build --locked "${RUST_SET[@]}" --example export_file
    python scripts/bench_export.py --bin "$TARGET/debug/examples/export_file" --samples-only --only cartoon
}

# shellcheck source=/dev/null
source "$ROOT/scripts/dev/check.sh"
