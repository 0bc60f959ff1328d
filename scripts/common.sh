# shellcheck shell=bash
# What quickstart, test and .ci/run share: messages, root, steps that log.
# Sourced, never run.  The sourcing script sets ROOT (the repository) and LOG_DIR.

step_name="starting"

# A heading on standard output; from here on a failure names this step.
step() {
    step_name=$1
    printf '\n== %s\n' "$1"
}

say() {
    printf '   %s\n' "$*"
}

# die MESSAGE [LOGFILE] [ADVICE]: what failed, the end of the log, what to do.
die() {
    {
        printf '\nFAILED: %s\n   %s\n' "$step_name" "$1"
        if [ -n "${2:-}" ] && [ -s "$2" ]; then
            printf '   the last lines of %s:\n' "$2"
            tail -n 20 "$2" | cut -c 1-300 | sed 's/^/   | /'
        fi
        if [ -n "${3:-}" ]; then
            printf '   What to do: %s\n' "$3"
        fi
    } >&2
    exit 1
}

# For what no message foresaw: set -e ends the script, this says where, once.
report_unexpected() {
    local status=$1 line=$2
    [ "$BASH_SUBSHELL" -eq 0 ] || exit "$status"
    printf '\nFAILED: %s\n   unexpected exit status %s at line %s; run again with bash -x to see why\n' \
        "$step_name" "$status" "$line" >&2
    exit "$status"
}

# logged NAME ADVICE COMMAND...: runs quietly; on failure shows the log's end.
logged() {
    local log=$LOG_DIR/$1.log advice=$2
    shift 2
    mkdir -p "$LOG_DIR"
    "$@" >"$log" 2>&1 || die "this did not work: $(printf '%s' "$*" | cut -c 1-200)" "$log" "$advice"
}

# as_root COMMAND...: as root, or through sudo.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "this needs root: $*" "" "run it as root, or install sudo"
    fi
}
