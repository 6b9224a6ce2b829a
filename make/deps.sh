#!/usr/bin/env bash
# deps.sh libraries|tools|optional PACKAGE...: installs the Debian packages that are missing; without root, or elsewhere than on Debian,
# says what to do.  `libraries` may also come from a site's modules, `tools` are commands named like their package; without
# `optional` ones tests are skipped, and nothing more.
set -eu
kind=$1
shift
[ -n "${MAGTWIN_NO_DEPS:-}" ] && exit 0
command -v dpkg-query >/dev/null || exit 0 # not Debian: the site's modules provide the libraries
have=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
missing=()
for p in "$@"; do
  [ "$kind" = tools ] && command -v "$p" >/dev/null && continue
  grep -qx "$p installed" <<<"$have" || missing+=("$p")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$kind" = optional ]; then
  # services are not for tests to set up on a machine that runs its own
  if [ "$(id -u)" -ne 0 ] || [ -d /run/systemd/system ]; then exit 0; fi
  { DEBIAN_FRONTEND=noninteractive timeout 300 apt-get update -qq && DEBIAN_FRONTEND=noninteractive timeout 300 \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null 2>&1 || echo "cannot install ${missing[*]}: the tests that need them are skipped"
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  if [ "$kind" = libraries ] && pkg-config --exists PETSc SLEPc yaml-0.1 libxml-2.0 zlib 2>/dev/null; then exit 0; fi
  echo "Missing packages. Run:  sudo apt-get install ${missing[*]}" >&2
  echo "On a cluster without root: load the site's modules and set PETSC_DIR, see README.md." >&2
  exit 1
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
