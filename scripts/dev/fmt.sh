# ./dev fmt: formats every source file.
# shellcheck shell=bash

dev_fmt() {
    install_rust
    cargo fmt --all
    if [ -e static/package.json ]; then
        install_python requirements-ui.txt && install_npm static || die "the page's tools could not be installed"
        (cd static && npm run -s format)
    fi
}
