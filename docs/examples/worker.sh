#!/bin/sh
# The work of a worker container: harvests the due seeds again and again, until SIGTERM.
# worker [PAUSE [LONG_PAUSE]]: seconds after a run, and after one whose log says what to do first.
pause=${1:-300}
long_pause=${2:-3600}
child=

stop() {
    trap - TERM INT
    # A crawl ends cleanly after the requests in flight.
    kill -TERM "$child"
    wait "$child"
    exit $?
}
trap stop TERM INT

while :; do
    scrapy crawl deep_harvest -a due=1 -a max_minutes=50 &
    child=$!
    wait "$child"
    code=$?
    # Read by the health check.
    echo "$code" >"${TMPDIR:-/tmp}/last_exit_code"
    case $code in
        # Complete, partial, locked, interrupted: the next run resumes.
        0 | 3 | 5 | 130) sleep "$pause" & ;;
        *) sleep "$long_pause" & ;;
    esac
    child=$!
    wait "$child"
done
