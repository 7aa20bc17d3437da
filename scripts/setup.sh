#!/bin/sh
# Makes .venv with nco, its tools and the pinned versions of constraints.txt.
# Quick when that is done already; starts afresh when pyproject.toml or constraints.txt changed.
set -eu
cd "$(dirname "$0")/.."

ready=.venv/nco-ready
wanted=$(cat pyproject.toml constraints.txt | cksum)
if [ -f "$ready" ] && [ "$(cat "$ready")" = "$wanted" ]; then
    exit 0
fi

say() { printf '%s\n' "$*" >&2; }

# The first interpreter of 3.12 or later under any usual name. Each is run, not only found:
# version managers leave names on the path that answer with an error.
find_python() {
    for name in "${PYTHON:-}" python3.12 python3.13 python3.14 python3 python py; do
        [ -n "$name" ] || continue
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1; then
            printf '%s' "$name"
            return 0
        fi
    done
    return 1
}

if [ ! -x .venv/bin/python ] \
    || ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
    rm -rf .venv
    if python=$(find_python); then
        say "setting up .venv with $("$python" --version)"
        if ! "$python" -m venv .venv; then
            rm -rf .venv
            say "'$python -m venv' failed: install its venv module (Debian: python3-venv) or uv"
            exit 1
        fi
    elif command -v uv >/dev/null 2>&1; then
        say "setting up .venv through uv"
        uv venv --quiet --seed --python '>=3.12' .venv
    else
        say "nco needs Python 3.12 or later, and none of python3.12, python3.13, python3.14,"
        say "python3 and python is one; install it, or install uv, or set PYTHON=/path/to/python"
        exit 1
    fi
fi

say "installing the packages of constraints.txt (6 GB with PyTorch; a minute or two)"
if command -v uv >/dev/null 2>&1; then
    uv=uv
else
    # uv installs several times faster than pip; without it pip does the same.
    .venv/bin/python -m pip install --quiet uv || true
    uv=.venv/bin/uv
fi
set -- -c constraints.txt -e '.[maps,notebooks,web,dask,dev]'
"$uv" pip install --quiet --python .venv/bin/python "$@" \
    || .venv/bin/python -m pip install "$@"
printf '%s' "$wanted" > "$ready"
