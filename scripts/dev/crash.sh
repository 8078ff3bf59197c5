# ./dev crash: nodes in processes of their own, killed without a word, with every task looked at afterwards.
# shellcheck shell=bash

dev_crash() {
    local kills=${1:-200}
    [[ $kills =~ ^[1-9][0-9]*$ ]] || die "usage: ./dev crash [KILLS]"
    install_debian postgresql || note "PostgreSQL could not be installed"
    install_rust
    # Other kills in every run; a failure is repeated with its seed.
    export AUTORIG_CRASH_KILLS=$kills AUTORIG_CRASH_SEED=${AUTORIG_CRASH_SEED:-$(date +%s)}
    say "$kills kills from seed $AUTORIG_CRASH_SEED"
    cargo test --locked -p autorig-core --test crash -- --nocapture
}
