#!/usr/bin/env bash
# Installs the named Debian packages that are missing; without root, or elsewhere than on Debian, says what to do.
set -eu
[ -n "${MAGTWIN_NO_DEPS:-}" ] && exit 0
command -v dpkg-query >/dev/null || exit 0 # not Debian: the site's modules provide the libraries
missing=()
for p in "$@"; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
  # a site's modules may provide the same without Debian's packages
  if pkg-config --exists PETSc SLEPc yaml-0.1 2>/dev/null; then exit 0; fi
  echo "Missing packages. Run:  sudo apt-get install ${missing[*]}" >&2
  echo "On a cluster without root: load the site's modules and set PETSC_DIR, see README.md." >&2
  exit 1
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
