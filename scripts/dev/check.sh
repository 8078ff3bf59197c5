# ./dev check: everything that can be said without running the product.
# shellcheck shell=bash

dev_check() {
    install_for_run
    install_python requirements.txt || note "Python packages could not be installed: what needs them is skipped by name"
    check_parts
    summary
}

check_parts() {
    part "format" parse_check cargo fmt --all --check
    part "lints" parse_check cargo clippy --locked --workspace --all-targets -- -D warnings
    part "engine without H.264" parse_check cargo check --locked -p autorig-engine --no-default-features --tests
    part "documentation builds" parse_check check_docs
    part "shell scripts" parse_plain check_shell
    part "types of the scripts" parse_check check_scripts
    part "page types and lints" parse_check check_page
    part "API document is fresh" parse_check check_openapi
    part "invariants" parse_plain python3 scripts/invariants.py
    part "third-party crates" parse_check check_deny
}

# Broken links in the crates' documentation are errors; what it needs of the dependencies, the lints have made already.
check_docs() {
    RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps "${RUST_SET[@]}"
}

check_shell() {
    local file
    for file in dev .ci/run scripts/dev/*.sh; do bash -n "$file"; done
    bash scripts/dev/report_test.sh
}

check_scripts() {
    need mypy
    python -m mypy --strict scripts
}

check_page() {
    need npm
    install_npm static
    cd static
    npm run -s check
}

# The document in the repository against the one that the real server serves.
check_openapi() {
    build_binary
    local folder url='' code=0
    folder=$(mktemp -d)
    "$BIN" serve --listen 127.0.0.1:0 --data "$folder/data" >"$folder/log" 2>&1 &
    SERVER=$!
    for _ in $(seq 100); do
        url=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$folder/log" | head -1 || true)
        [ -z "$url" ] && kill -0 "$SERVER" || break
        sleep 0.1
    done
    curl -fsS "$url/openapi.json" -o "$folder/openapi.json" || cat "$folder/log"
    kill -TERM "$SERVER" 2>/dev/null || true
    wait "$SERVER" || true
    diff -u openapi/autorig.json "$folder/openapi.json" || code=1
    rm -rf "$folder"
    [ "$code" -eq 0 ] || echo "openapi/autorig.json is stale: UPDATE_OPENAPI=1 cargo nextest run -p autorig-server openapi"
    return "$code"
}

check_deny() {
    need cargo-deny # the invariants check its bans too
    cargo deny --offline check bans licenses sources
}
