#!/usr/bin/env bash
# Installs the Debian packages of scripts/packages.txt that are not there yet. Does nothing, quickly,
# when all are.
#
#   scripts/install_dependencies.sh             what building, testing and running need
#   scripts/install_dependencies.sh --develop   also clang, clang-format, clang-tidy
set -euo pipefail

list="$(dirname "$0")/packages.txt"
sections='^build '
if [ "${1:-}" = --develop ]; then sections='^(build|develop) '; fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "varve: this is not a Debian system; install the counterparts of $list by hand," >&2
  echo "       then run: cmake --preset release && cmake --build --preset release" >&2
  exit 1
fi

mapfile -t wanted < <(grep -E "$sections" "$list" | cut -d' ' -f2)
installed="$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null |
  sed -n 's/^installed //p' || true)"
missing=()
for package in "${wanted[@]}"; do
  grep -qxF -- "$package" <<<"$installed" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "varve: missing packages, and neither root nor sudo is at hand. As root, run:" >&2
    echo "       apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

echo "varve: installing ${#missing[@]} packages: ${missing[*]}"
apt_get() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@" </dev/null
}
apt_get update
apt_get install -y --no-install-recommends "${missing[@]}"
