# Read by ./run and ./test from the top of the repository: installs what they need.
# Safe to repeat; when nothing changed it takes a moment. Only Debian's apt is taken for granted.

export UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy UV_NO_CONFIG=1
unset VIRTUAL_ENV PYTHONHOME PYTHONPATH

say() { printf '== %s\n' "$*"; }

# install_debian PACKAGE...
install_debian() {
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "Please install these, or what your system calls them: $*" >&2
    exit 1
  elif [ "$(id -u)" = 0 ]; then
    as_root=
  elif command -v sudo >/dev/null 2>&1; then
    as_root=sudo
  else
    echo "Please run this as root first: apt-get install --no-install-recommends $*" >&2
    exit 1
  fi
  say "Installing $*"
  $as_root apt-get -qq -o DPkg::Lock::Timeout=600 update
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=600 \
    --no-install-recommends install "$@" >/dev/null
}

# A Python we support that can make a virtual environment.
find_python() {
  for candidate in ${PYTHON-} python3.13 python3.12 python3.11 python3; do
    if "$candidate" -c 'import ensurepip, sys, venv
sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

# Of the packages named, those that Debian does not have yet.
missing_debian() {
  command -v dpkg-query >/dev/null 2>&1 || return 0
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
      printf '%s ' "$package"
  done
}

make_environment() {
  # A virtual environment does not survive being moved, nor its Python being removed.
  if grep -qF " $PWD/.venv" .venv/pyvenv.cfg 2>/dev/null && .venv/bin/python -c '' 2>/dev/null; then
    return
  fi
  if ! python=$(find_python); then
    install_debian python3 python3-venv
    if ! python=$(find_python); then
      echo "Bidwell needs Python 3.11, 3.12 or 3.13; set PYTHON to one." >&2
      exit 1
    fi
  fi
  say "Making a virtual environment with $("$python" --version)"
  "$python" -m venv --clear .venv
}

install_python_packages() {
  wanted=$(cat requirements/bootstrap.lock requirements/dev.lock | sha256sum)
  if [ "$(cat .venv/installed 2>/dev/null)" = "$wanted" ]; then
    return
  fi
  say "Installing Python packages"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
    --only-binary :all: -r requirements/bootstrap.lock
  .venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes --no-build \
    requirements/dev.lock
  printf '%s' "$wanted" >.venv/installed
}

# The matcher reads sentences with it and does with words alone where it cannot be built.
build_encoder() {
  wanted=$(cat requirements/dev.lock matching/engine/encoder_*.py | sha256sum)
  if [ "$(cat .venv/encoder/built 2>/dev/null)" = "$wanted" ]; then
    return
  fi
  say "Building the encoder of the matcher"
  if env -u DEBUG DJANGO_SETTINGS_MODULE=marketplace.settings.test \
    ENCODER_DIR="$PWD/.venv/encoder" .venv/bin/python manage.py build_encoder; then
    printf '%s' "$wanted" >.venv/encoder/built
  fi
}

install_browser() {
  # libatomic1 is for the driver inside Playwright; Debian's Chromium does without.
  if [ -n "${CHROMIUM-}" ]; then
    missing=$(missing_debian libatomic1)
  else
    missing=$(missing_debian chromium fonts-liberation libatomic1)
  fi
  if [ -n "$missing" ]; then
    install_debian $missing
  fi
}

# Two first starts at once must not build the same environment.
exec 9<marketplace/devstack/bootstrap.sh
if command -v flock >/dev/null 2>&1; then flock 9; fi
make_environment
install_python_packages
build_encoder
if [ "${WITH_BROWSER-}" = 1 ]; then install_browser; fi
exec 9<&-
