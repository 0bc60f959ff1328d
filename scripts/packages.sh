# shellcheck shell=bash
# Debian packages by purpose, and installing those that are missing.  Sourced.

packages_for() {
    case $1 in
    build)
        echo ca-certificates gcc libc6-dev cmake ninja-build pkg-config \
            protobuf-c-compiler libprotobuf-c-dev libxxhash-dev libconfig-dev libzstd-dev libdeflate-dev \
            liblmdb-dev libmongoc-dev libgrpc-dev libmicrohttpd-dev libnghttp2-dev libssl-dev libsnappy-dev libyajl-dev \
            libsystemd-dev libcurl4-openssl-dev
        ;;
    package) echo dpkg-dev file ;; # dpkg-shlibdeps
    package-test) echo debootstrap systemd-container binutils procps lintian git ;;
    python) echo python3 python3-venv ;;
    mongod) echo libcurl4 libssl3 ;; # what the mongod of the wheel is linked with
    # Small and broken disks, other users, wrong clocks, certificates; manual pages and the shells that complete.
    test) echo libcmocka-dev mount util-linux e2fsprogs libfaketime openssl man-db mandoc zsh fish ;;
    ci) echo git clang libclang-rt-14-dev clang-format llvm shellcheck ;; # the runtime: libFuzzer
    collector) echo git golang-go ;; # a Go that fetches the one it needs
    exporters) # a Node.js from elsewhere, which conflicts with Debian's npm, brings its own
        echo default-jdk-headless maven
        command -v npm >/dev/null || echo nodejs npm
        ;;
    *) die "no packages are known for '$1'" ;;
    esac
}

package_is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# packages_install PURPOSE...: does nothing, and needs no root, when all are there.
packages_install() {
    local purpose package missing=() advice
    for purpose in "$@"; do
        for package in $(packages_for "$purpose"); do
            package_is_installed "$package" || missing+=("$package")
        done
    done
    if [ ${#missing[@]} -eq 0 ]; then
        say "all packages for $* are installed"
        return
    fi
    command -v apt-get >/dev/null ||
        die "this is no Debian: apt-get is missing" "" "install what these packages hold: ${missing[*]}"
    say "installing ${#missing[@]} packages for $*: ${missing[*]}"
    advice="see that apt works (network, /etc/apt/sources.list), then: apt-get install ${missing[*]}"
    logged apt-update "$advice" as_root apt-get update -qq
    logged apt-install "$advice" as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# package_unpack PACKAGE DIR: its files under DIR, without installing it: no service is started, no user made.
package_unpack() {
    local package=$1 dir=$2
    rm -rf "$dir"
    mkdir -p "$dir"
    (cd "$dir" && apt-get download -qq "$package") >/dev/null 2>&1 ||
        logged apt-update "see that apt works (network, /etc/apt/sources.list)" as_root apt-get update -qq
    logged "unpack-$package" "see that apt works (network, /etc/apt/sources.list), and that the disk has room" \
        bash -euc "cd '$dir'; ls ./*.deb >/dev/null 2>&1 || apt-get download -qq '$package'; dpkg-deb -x ./*.deb .; rm ./*.deb"
}
