# shellcheck shell=bash
# Configure and build.  Sourced.

# build_tree DIR CMAKE-ARGUMENT...: incremental; a tree of another checkout is started over.
build_tree() {
    local dir=$1 name
    shift
    name=$(basename "$dir")
    if [ -f "$dir/CMakeCache.txt" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ROOT" "$dir/CMakeCache.txt"; then
        rm -rf "$dir"
    fi
    logged "configure-$name" "the line that begins with 'CMake Error' names what is missing" \
        cmake -S "$ROOT" -B "$dir" -G Ninja "$@"
    logged "build-$name" "if the checkout is unchanged, please report this with the log" ninja --quiet -C "$dir"
}
