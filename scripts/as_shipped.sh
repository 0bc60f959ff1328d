# shellcheck shell=bash
# What tests/hostile, tests/large and tests/soak are run by: a program beside binaries that are built as they are
# shipped, and a real mongod.  Sourced, with ROOT set.

BUILD_DIR=$ROOT/build/bench
# shellcheck disable=SC2034 # read by scripts/common.sh
LOG_DIR=$BUILD_DIR/log

# shellcheck source=scripts/common.sh
. "$ROOT/scripts/common.sh"
# shellcheck source=scripts/packages.sh
. "$ROOT/scripts/packages.sh"
# shellcheck source=scripts/python.sh
. "$ROOT/scripts/python.sh"
# shellcheck source=scripts/mongod.sh
. "$ROOT/scripts/mongod.sh"
# shellcheck source=scripts/build.sh
. "$ROOT/scripts/build.sh"
trap 'report_unexpected "$?" "$LINENO"' ERR

# run_as_shipped TITLE PROGRAM ARGUMENT...: installs what it needs, builds, and runs PROGRAM, a file of Python.
run_as_shipped() {
    local title=$1 venv=$ROOT/.venv
    shift
    cd "$ROOT" || exit 1
    step "Packages, Python and mongod"
    packages_install build python
    venv_make "$venv" "$ROOT/tests/requirements.txt"
    mongod_find "$venv/bin/python"
    export TRACESPOOL_TEST_MONGOD=$mongod

    step "Build as shipped"
    build_tree "$BUILD_DIR" -DCMAKE_BUILD_TYPE=Release -DTRACESPOOL_WERROR=ON -DBUILD_TESTING=OFF

    step "$title"
    TRACESPOOL_TEST_BIN=$BUILD_DIR/bin MONGOC_DISABLE_SHM=1 PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" "$@"
}
