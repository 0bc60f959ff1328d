# shellcheck shell=bash
# Running tests of a build tree.  Sourced; the caller sets VENV and exports TRACESPOOL_TEST_MONGOD.
# None of these fails when a test does: scripts/count_tests.py decides at the end.

# libmongoc keeps counters in /dev/shm/mongoc-PID from before main on. kill -9 leaves the file there, and a
# later process with that number then warns on its standard error.
export MONGOC_DISABLE_SHM=1

# unit_tests DIR [PATTERN]: results in DIR/unit.xml, failures on standard output.  TEST_LAUNCHER: what ctest is run by.
unit_tests() {
    # No test at all is an error, unless a pattern chose among them.
    local dir=$1 pattern=${2:-} arguments=(--no-tests=error) launcher
    read -ra launcher <<<"${TEST_LAUNCHER:-env}"
    [ -z "$pattern" ] || arguments=(--no-tests=ignore -R "$pattern")
    rm -f "$dir/unit.xml"
    # Many wait, for a mongod or a deadline: four at a time keep two cores busy.
    # The sizes keep cmocka's summaries, which are what is counted.
    "${launcher[@]}" ctest --test-dir "$dir" -j 4 "${arguments[@]}" --output-on-failure --output-junit unit.xml --test-output-size-passed 1000000 --test-output-size-failed 1000000 \
        >"$LOG_DIR/unit.log" 2>&1 || cat "$LOG_DIR/unit.log"
    [ -s "$dir/unit.xml" ] || die "ctest did not run" "$LOG_DIR/unit.log"
    say "$("$VENV/bin/python" "$ROOT/scripts/count_tests.py" "unit=$dir/unit.xml" || true)"
}

# with_pytest DIR NAME ARGUMENT...: the tests in tests/NAME, results in DIR/NAME.xml.
with_pytest() {
    local dir=$1 name=$2
    shift 2
    rm -f "$dir/$name.xml"
    TRACESPOOL_TEST_BIN=$dir/bin PYTHONDONTWRITEBYTECODE=1 \
        "$VENV/bin/python" -m pytest -c "$ROOT/tests/pytest.ini" --rootdir "$ROOT/tests" \
        --junitxml "$dir/$name.xml" --durations=10 "$@" "$ROOT/tests/$name" || true
    [ -s "$dir/$name.xml" ] || die "pytest did not run" "" "its message is above"
}

# Scenarios mostly wait: three at a time keep two cores busy.  A file stays in one process, since its tests may share a
# mongod.  More at a time make each one slower, and deadlines nearer.
SCENARIO_WORKERS=(-n 3 --dist loadfile)

# scenarios DIR [PATTERN...]: results in DIR/scenarios.xml.  Without a pattern those that take long are left out.
scenarios() {
    local dir=$1 pattern arguments=("${SCENARIO_WORKERS[@]}")
    shift
    for pattern in "$@"; do
        arguments+=(--only "$pattern")
    done
    with_pytest "$dir" scenarios "${arguments[@]}"
}

# long_scenarios DIR: the others.
long_scenarios() {
    with_pytest "$1" scenarios "${SCENARIO_WORKERS[@]}" --long
}

# crashes DIR [--kills N] [--seed S] [--only PATTERN]: the kill matrix, results in DIR/crash.xml.
crashes() {
    with_pytest "$1" crash "${@:2}"
}
