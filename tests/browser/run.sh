#!/bin/sh
# The report in a real browser, and the types of its scripts. As root on Debian this installs what is missing;
# elsewhere it says what to install.
set -eu
cd "$(dirname "$0")"

browser=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || true)}
missing=
[ -n "$browser" ] || missing="$missing chromium fonts-dejavu-core"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -q
        # shellcheck disable=SC2086 # a list of packages
        DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing
        browser=${CHROMIUM:-$(command -v chromium)}
    else
        echo "The browser tests need these packages; on Debian: sudo apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
fi

npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
./node_modules/.bin/tsc -p .
CHROMIUM=$browser exec node --test .
