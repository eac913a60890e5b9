#!/bin/sh
# Make a virtual environment from a hashed lock and install the project into it.
#
#   sh tools/setup.sh DIRECTORY LOCK VERSION      VERSION: 3.11+ or exactly 3.12
#
# The last step touches DIRECTORY/.ready, so an interrupted set-up is repeated.
set -eu

venv=$1 lock=$2 wanted=$3
export UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s\n' "$*" >&2; }

# A launcher on PATH may be a shim that fails, so ask each candidate to run.
accepts() {
    case $wanted in
    *+) "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ;;
    *) "$1" -c 'import sys; sys.exit("%d.%d" % sys.version_info[:2] != sys.argv[1])' \
        "$wanted" ;;
    esac 2>/dev/null
}

candidates() {
    printf '%s\n' ${PYTHON:-} python3 python3.12 python3.13 python3.11 python3.14 python
    # Version managers hide interpreters that are installed but not selected.
    for found in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
        printf '%s\n' "$found"
    done
    if has_uv; then uv python find "${wanted%+}" 2>/dev/null || true; fi
}

find_python() {
    candidates | while read -r candidate; do
        if accepts "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            break
        fi
    done
}

has_uv() { uv --version >/dev/null 2>&1; }

with_uv() {
    uv venv -q --clear --python "$python" "$venv" &&
        uv pip sync -q --python "$venv/bin/python" --require-hashes "$lock" &&
        uv pip install -q --python "$venv/bin/python" \
            --no-deps --no-build-isolation -e .
}

# Some systems split ensurepip off; the interpreter's own pip can then serve the venv.
with_pip() {
    if "$python" -m venv --clear "$venv" >/dev/null 2>&1; then
        pip="$venv/bin/python -m pip"
    else
        "$python" -m venv --clear --without-pip "$venv"
        pip="$python -m pip --python $venv/bin/python"
    fi
    $pip install -q --require-hashes -r "$lock" &&
        $pip install -q --no-deps --no-build-isolation -e .
}

python=$(find_python)
if [ -z "$python" ]; then
    say "pcmodel needs Python $wanted, and none was found on this machine;" \
        "install one, or name it: make PYTHON=/path/to/python3 ..."
    exit 1
fi
say "Setting up $venv with $("$python" --version) (once; a minute or two) ..."
if ! { has_uv && with_uv; }; then with_pip; fi
touch "$venv/.ready"
