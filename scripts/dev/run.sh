# ./dev run: from a fresh clone to a page with one rigged character on it.
# shellcheck shell=bash

dev_run() {
    install_for_run
    build_page || die "the page could not be built"
    say "building autorig"
    build_binary
    local listen=${AUTORIG_LISTEN:-127.0.0.1:7070} data=${AUTORIG_DATA_DIR:-$ROOT/autorig-data}
    # In a session of its own, so that Ctrl-C reaches it once, through the trap: the first ends it cleanly, a second at once.
    setsid "$BIN" serve --listen "$listen" --data "$data" </dev/null &
    SERVER=$!
    trap 'kill -TERM "$SERVER" 2>/dev/null || true' INT TERM EXIT
    wait_until_ready "http://$listen" || die "the server did not come up on $listen"
    rig_first_sample "http://$listen" || note "the sample could not be rigged; the page works all the same"
    say "AutoRig is at http://$listen/ (Ctrl-C stops it)"
    local code=0
    while kill -0 "$SERVER" 2>/dev/null; do
        code=0
        wait "$SERVER" || code=$?
    done
    trap - EXIT
    return "$code"
}

wait_until_ready() {
    local attempt
    for attempt in $(seq 150); do
        kill -0 "$SERVER" 2>/dev/null || return 1
        if curl -fsS -o /dev/null "$1/ready" 2>/dev/null; then
            # Another server on this address answers as well, while ours is about to give up.
            sleep 0.5
            kill -0 "$SERVER" 2>/dev/null
            return
        fi
        sleep 0.2
    done
    note "not ready after $attempt attempts"
    return 1
}

# An empty page teaches nothing: the first start rigs one sample, through the API like any visitor.
rig_first_sample() {
    local base=$1 items id status page file
    items=$(curl -fsS "$base/api/history?limit=1" | json_get 'len(d["items"])') || return 1
    [ "$items" = 0 ] || return 0
    say "rigging a sample character"
    file=$(mktemp -d)/human.glb
    "$BIN" sample human -o "$file" --quiet || return 1
    local made
    made=$(curl -fsS -F "file=@$file" "$base/api/task/create") || return 1
    rm -rf "$(dirname "$file")"
    id=$(json_get 'd["task_id"]' <<<"$made") || return 1
    page=$(json_get 'd["urls"]["page"]' <<<"$made") || return 1
    status=created
    while [ "$status" = created ] || [ "$status" = processing ]; do
        status=$(curl -fsS "$base/api/task/$id?wait=30" | json_get 'd["status"]') || return 1
    done
    note "the sample is $status: $base${page#"$base"}"
    [ "$status" = done ]
}

json_get() { "$VENV/bin/python" -c "import json, sys; d = json.load(sys.stdin); print($1)"; }
