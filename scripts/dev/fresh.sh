# ./dev fresh: a clean clone in a bare Debian root; the Rust toolchain is the only gift. Then what the README says.
# shellcheck shell=bash
#
# Network and certificates are this machine's: its resolver, its certificate bundle and its package managers' settings go
# in at run time, so nothing about them is written here.

FRESH_SUITE=bookworm
FRESH_ENV='^(https?_proxy|HTTPS?_PROXY|no_proxy|NO_PROXY|all_proxy|ALL_PROXY|SSL_CERT_(FILE|DIR)|CURL_CA_BUNDLE|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS|GIT_SSL_CAINFO|PIP_(CERT|INDEX_URL|EXTRA_INDEX_URL|DEFAULT_TIMEOUT|TRUSTED_HOST)|npm_config_[a-z_]+|CARGO_(HTTP|NET|REGISTRIES|SOURCE)_[A-Z_]+|AUTORIG_[A-Z_]+)='

dev_fresh() {
    local what=${1:-all}
    case $what in all | run | test) ;; *) die "usage: ./dev fresh [run|test]" ;; esac
    [ "$(id -u)" -eq 0 ] || die "a bare root needs root: sudo ./dev fresh"
    [ -z "$(git status --porcelain --untracked-files=no)" ] || note "uncommitted changes are not part of the clone"
    install_debian mmdebstrap || die "installing mmdebstrap failed; is the network up?"
    install_rust
    FRESH=$(mktemp -d "${TMPDIR:-/tmp}/autorig-fresh.XXXXXX")
    trap remove_fresh EXIT
    make_root
    give_toolchain
    give_clone
    enter_fresh "$what"
}

make_root() {
    say "making a bare Debian root ($FRESH_SUITE) in $FRESH"
    # Proxy settings of apt, if this machine has any, are read by mmdebstrap from the environment and apt's own configuration.
    mmdebstrap --quiet --variant=minbase "$FRESH_SUITE" "$FRESH/root" ${AUTORIG_FRESH_MIRROR:+"$AUTORIG_FRESH_MIRROR"}
    cp -L /etc/resolv.conf "$FRESH/root/etc/resolv.conf"
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$FRESH/root/etc/hosts" # a bootstrap has none; an installer writes it
    copy_in /etc/ssl/certs/ca-certificates.crt
    local config
    for config in /usr/local/share/ca-certificates /etc/pip.conf /etc/apt/apt.conf /etc/apt/apt.conf.d/*proxy* \
        "$HOME/.npmrc" "$HOME/.config/pip" "$HOME/.pip" "${CARGO_HOME:-$HOME/.cargo}/config.toml"; do
        [ ! -e "$config" ] || copy_in "$config"
    done
}

# Home becomes /root there, whoever this is here.
copy_in() {
    local to=$FRESH/root${1/#$HOME//root}
    mkdir -p "$(dirname "$to")"
    cp -rL "$1" "$to"
}

give_toolchain() {
    local toolchain
    toolchain=$(rustc --print sysroot)
    mkdir -p "$FRESH/root/opt/rust"
    cp -a "$toolchain/." "$FRESH/root/opt/rust/"
}

give_clone() {
    git clone -q --no-local --no-hardlinks "file://$ROOT" "$FRESH/root/autorig"
    local bench
    bench=${AUTORIG_RIGBENCH:-$ROOT/../shared/rigbench}
    [ ! -d "$bench" ] || {
        mkdir -p "$FRESH/root/shared"
        cp -rL "$bench" "$FRESH/root/shared/rigbench"
        local other
        for other in prototype humans; do
            [ ! -d "$bench/../$other" ] || cp -rL "$bench/../$other" "$FRESH/root/shared/$other"
        done
    }
}

# Its own mounts and processes: everything inside ends with it, and nothing stays mounted.
enter_fresh() {
    local passed=()
    while IFS= read -r line; do passed+=("$line"); done < <(env | grep -E "$FRESH_ENV" | grep -v '^AUTORIG_RIGBENCH=' || true)
    env -i "${passed[@]}" AUTORIG_LISTEN="$(free_address)" HOME=/root TERM="${TERM:-dumb}" LANG=C.UTF-8 CI=true WHAT="$1" FRESH="$FRESH" \
        PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        unshare --mount --pid --fork --kill-child bash -c '
            set -euo pipefail
            mount --make-rprivate /
            mount -t proc proc "$FRESH/root/proc"
            mount --rbind /dev "$FRESH/root/dev"
            mount -t tmpfs tmpfs "$FRESH/root/dev/shm" 2>/dev/null || true
            exec chroot "$FRESH/root" bash /autorig/scripts/dev/fresh_inside.sh "$WHAT"
        '
}

# The usual address, or another one where it is taken: the network is shared with this machine.
free_address() {
    local port=7070
    while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((20000 + RANDOM % 20000)); done
    echo "127.0.0.1:$port"
}

remove_fresh() {
    [ -n "${FRESH:-}" ] || return 0
    if [ -n "${AUTORIG_FRESH_KEEP:-}" ]; then
        note "kept: $FRESH"
    else
        rm -rf --one-file-system "$FRESH"
    fi
}
