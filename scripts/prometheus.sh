# shellcheck shell=bash
# prometheus and promtool to check deploy/ with: a folder that holds both.  Sourced.

prometheus_unpacked=$ROOT/build/prometheus

# prometheus_find: sets `prometheus` to a folder; unpacks Debian's package when neither $PROMETHEUS nor the PATH has one.
prometheus_find() {
    prometheus=${PROMETHEUS:-$(dirname "$(command -v promtool || true)")}
    if [ ! -x "$prometheus/promtool" ] || [ ! -x "$prometheus/prometheus" ]; then
        prometheus=$prometheus_unpacked/usr/bin
        if [ ! -x "$prometheus/promtool" ]; then
            say "unpacking Debian's package of Prometheus, 19 MB, into build/prometheus"
            package_unpack prometheus "$prometheus_unpacked"
        fi
    fi
    logged prometheus-version "set PROMETHEUS to a folder that holds prometheus and promtool" "$prometheus/prometheus" --version
    say "prometheus: $prometheus ($(sed -n 's/^prometheus, version \([^ ]*\).*/\1/p' "$LOG_DIR/prometheus-version.log"))"
}
