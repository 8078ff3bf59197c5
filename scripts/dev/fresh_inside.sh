#!/usr/bin/env bash
# The second half of ./dev fresh, inside of the bare root: the two commands of the README, as a stranger would type them.
set -euo pipefail
cd /autorig
what=$1
start=$SECONDS

try_run() {
    set -m # so that the background job can be interrupted like a foreground one
    ./dev run >/tmp/run.log 2>&1 &
    local pid=$! page=http://$AUTORIG_LISTEN/
    until grep -q 'the sample is done' /tmp/run.log; do
        kill -0 "$pid" 2>/dev/null || {
            cat /tmp/run.log
            echo "fresh: ./dev run ended by itself"
            return 1
        }
        sleep 2
    done
    cat /tmp/run.log
    curl -fsS "$page" | grep -qi '<!doctype html' || {
        echo "fresh: no page at $page"
        return 1
    }
    curl -fsS "${page}api/history" | grep -q '"done"'
    kill -INT "$pid"
    wait "$pid" || true
    ! curl -fsS -o /dev/null "$page" 2>/dev/null || {
        echo "fresh: the server is still there after Ctrl-C"
        return 1
    }
    echo "fresh: ./dev run works after $((SECONDS - start)) s"
}

case $what in all | run) try_run ;; esac
case $what in all | test) ./dev test ;; esac
