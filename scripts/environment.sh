# Sourced by the scripts beside it, from the root of the project: a Python environment, made once and kept up to date.
# shellcheck shell=bash

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "$*"
  exit 2
}

# The first Python that is new enough; PYTHON=... is asked first.
find_python() {
  local name
  for name in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.14 python; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      command -v "$name"
      return
    fi
  done
  return 1
}

# make_environment FOLDER WHAT: the project with WHAT ("." or ".[dev]") installed in FOLDER, as constraints.txt pins it.
make_environment() {
  local folder=$1 what=$2 python wanted
  wanted="$what $(cat pyproject.toml constraints.txt hatch_build.py src/jwtgate/gateway/heads/*.pyx | sha256sum)"
  if "$folder/bin/python" -c '' 2>/dev/null && [ "$(cat "$folder/installed" 2>/dev/null)" = "$wanted" ]; then
    return
  fi
  python=$(find_python) || fail "jwtgate needs Python 3.11 or newer, and none was found.
Install it (Debian 12, Ubuntu 24.04: apt install python3 python3-venv), or name one: PYTHON=/path/to/python3 $0"
  "$python" -c 'import venv, ensurepip' 2>/dev/null ||
    fail "$python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv"
  say "Making $folder with $("$python" --version); this takes a minute the first time ..."
  "$folder/bin/python" -c '' 2>/dev/null || "$python" -m venv --clear "$folder"
  "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --constraint constraints.txt --editable "$what" || fail "The packages could not be installed; see above."
  printf '%s' "$wanted" >"$folder/installed"
}

# want_programs WHAT NAME PACKAGE...: NAME is there, installed with Debian's PACKAGEs where we may, or we say what is left out.
want_programs() {
  local what=$1 name=$2
  shift 2
  PATH=$PATH:/usr/sbin command -v "$name" >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "Installing Debian packages for $what ..."
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends "$@"; } >/dev/null 2>&1 && return
  fi
  say "Without $name (Debian and Ubuntu: apt install $*) $what are left out."
}

# need_program NAME PACKAGE: NAME is there, installed from Debian's PACKAGE where we may, or we say what to do.
need_program() {
  local name=$1 package=$2
  command -v "$name" >/dev/null && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "Installing the Debian package $package, which the tests need ..."
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends "$package"; } >/dev/null && return
  fi
  fail "The tests need $name. Install it (Debian and Ubuntu: apt install $package) and start again."
}
