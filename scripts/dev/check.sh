# ./dev check: everything that can be said without running the product.
# shellcheck shell=bash

dev_check() {
    install_for_run
    install_python requirements.txt || die "installing Python packages into .venv failed; is the network up?"
    check_parts
    summary
}

check_parts() {
    part "format" parse_check cargo fmt --all --check
    part "lints" parse_check cargo clippy --locked --workspace --all-targets -- -D warnings
    part "shell scripts" parse_plain check_shell
    part "types of the scripts" parse_check python -m mypy --strict scripts
    part "page types and lints" parse_check check_page
    part "API document is fresh" parse_check check_openapi
    part "invariants" parse_plain python3 scripts/invariants.py
    part "third-party crates" parse_check check_deny
}

check_shell() {
    local file
    for file in dev .ci/run scripts/dev/*.sh; do bash -n "$file"; done
    bash scripts/dev/report_test.sh
}

check_page() {
    install_npm static
    cd static
    npm run -s check
}

check_openapi() {
    build_binary
    local made
    made=$(mktemp)
    "$AUTORIG_BIN" openapi >"$made"
    diff -u openapi/autorig.json "$made" || {
        echo "openapi/autorig.json is stale: write it again with '$AUTORIG_BIN openapi > openapi/autorig.json'"
        return 1
    }
}

check_deny() {
    cargo deny --version >/dev/null 2>&1 || {
        echo "skipped: cargo-deny is not installed (the invariants check the bans too)"
        return 77
    }
    cargo deny --offline check bans licenses sources
}
