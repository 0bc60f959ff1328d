# shellcheck shell=bash
# A Python environment with pinned packages.  Sourced.

# venv_make DIR REQUIREMENTS: makes it, or again when the list has changed.
venv_make() {
    local dir=$1 requirements=$2 stamp
    stamp="$(sha256sum <"$requirements") $(python3 --version)"
    if [ -f "$dir/stamp" ] && [ "$(cat "$dir/stamp")" = "$stamp" ]; then
        say "the Python environment in ${dir#"$ROOT"/} is up to date"
        return
    fi
    say "making a Python environment in ${dir#"$ROOT"/}"
    local advice="see that pip reaches a package index (network, proxy, pip.conf), then run this again"
    rm -rf "$dir"
    mkdir -p "$(dirname "$dir")"
    logged venv "install python3-venv, then run this again" python3 -m venv "$dir"
    logged pip "$advice" "$dir/bin/pip" install -q --disable-pip-version-check -r "$requirements"
    printf '%s\n' "$stamp" >"$dir/stamp"
}
