#!/bin/sh
# Installs arouter on Linux or macOS from the files of a release: finds the archive for this machine, holds it to its checksum,
# and puts the program into place in one step, so that one that runs goes on running.
#
#   sh install.sh --from ADDRESS [--to FOLDER] [--target TARGET]
#
#   --from ADDRESS   where the release's files are: https://…, which needs curl, or a folder. Also $AROUTER_RELEASE
#   --to FOLDER      where the program goes; /usr/local/bin by itself. Also $AROUTER_TO
#   --target TARGET  instead of what is found out: linux-x64, linux-arm64, linux-x64-musl, linux-arm64-musl, darwin-arm64, darwin-x64
#
# It asks for no rights that it has not: without root give a folder of your own, such as ~/.local/bin.
set -eu

say() {
  printf '%s\n' "$*" >&2
}

fail() {
  say "install.sh: $*"
  exit 1
}

usage() {
  say "usage: sh install.sh --from ADDRESS [--to FOLDER] [--target TARGET]"
  exit 2
}

has() {
  command -v "$1" >/dev/null 2>&1
}

# Alpine and its like: their C library tells its name, on standard error, or lies where only it does.
is_musl() {
  case "$(ldd --version 2>&1 || true)" in
    *musl*) return 0 ;;
    *GNU* | *GLIBC* | *glibc*) return 1 ;;
  esac
  ls /lib/ld-musl-* >/dev/null 2>&1
}

find_target() {
  system=$(uname -s)
  machine=$(uname -m)
  case "$machine" in
    x86_64 | amd64) machine=x64 ;;
    aarch64 | arm64) machine=arm64 ;;
    *) fail "there is no program for $system on $machine" ;;
  esac
  case "$system" in
    Linux)
      if is_musl; then printf '%s\n' "linux-$machine-musl"; else printf '%s\n' "linux-$machine"; fi
      ;;
    Darwin)
      # A shell that is translated on Apple's own processors takes itself to be on Intel's.
      if [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ]; then machine=arm64; fi
      printf '%s\n' "darwin-$machine"
      ;;
    *) fail "this installs on Linux and macOS, not on $system; docs/deployment.md tells of others" ;;
  esac
}

# fetch NAME FILE: one file of the release.
fetch() {
  case "$from" in
    https://*) curl --proto '=https' --tlsv1.2 -fsSL -o "$2" "$from/$1" ;;
    http://*)
      if has curl; then curl -fsS -o "$2" "$from/$1"; else wget -q -O "$2" "$from/$1"; fi
      ;;
    *) cp "$from/$1" "$2" ;;
  esac || fail "cannot get $1 from $from"
}

sha256() {
  if has sha256sum; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  elif has openssl; then
    openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
  else
    fail "none of sha256sum, shasum and openssl is here to check the download"
  fi
}

read_arguments() {
  from=${AROUTER_RELEASE:-}
  to=${AROUTER_TO:-/usr/local/bin}
  target=
  while [ $# -gt 0 ]; do
    case "$1" in
      --from | --to | --target)
        [ $# -ge 2 ] || usage
        case "$1" in
          --from) from=$2 ;;
          --to) to=$2 ;;
          --target) target=$2 ;;
        esac
        shift 2
        ;;
      *) usage ;;
    esac
  done
  if [ -z "$from" ] || [ -z "$to" ]; then usage; fi
  from=${from%/}
  case "$from" in
    https://* | http://127.0.0.1:* | http://localhost:*) ;;
    # Whoever can change the archive on its way can change its checksum too.
    *://*) fail "$from: only https:// can be trusted on the way" ;;
    *) [ -d "$from" ] || fail "$from: no such folder" ;;
  esac
  case "$from" in
    # wget would follow a redirect to http://.
    https://*) has curl || fail "curl is not here to download with, or get the files yourself and give their folder: --from FOLDER" ;;
    *://*) has curl || has wget || fail "neither curl nor wget is here to download with" ;;
  esac
  case "$target" in
    "" | linux-x64 | linux-arm64 | linux-x64-musl | linux-arm64-musl | darwin-arm64 | darwin-x64) ;;
    *) fail "there is no target $target" ;;
  esac
}

# The program's first words, or why it does not start here.
try_program() {
  if version=$("$1" version 2>&1); then return 0; fi
  say "$version"
  case "$target" in
    *-musl) fail "it does not start; it needs libstdc++: apk add libstdc++" ;;
    linux-*) fail "it does not start; it needs glibc 2.17 or newer (--target $target-musl for musl)" ;;
    *) fail "it does not start" ;;
  esac
}

main() {
  read_arguments "$@"
  [ -n "$target" ] || target=$(find_target)

  scratch=$(mktemp -d)
  staged=
  trap 'rm -rf "$scratch"; [ -z "$staged" ] || rm -f "$staged"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM

  fetch SHA256SUMS "$scratch/SHA256SUMS"
  line=$(grep -E "^[0-9a-f]{64}  arouter-[0-9][0-9A-Za-z.-]*-$target\\.tar\\.gz\$" "$scratch/SHA256SUMS" || true)
  case "$(printf '%s' "$line" | grep -c .)" in
    1) ;;
    0) fail "the release has no archive for $target" ;;
    *) fail "the release has more than one archive for $target" ;;
  esac
  expected=${line%% *}
  archive=${line##* }
  folder=${archive%.tar.gz}

  fetch "$archive" "$scratch/$archive"
  found=$(sha256 "$scratch/$archive")
  [ "$found" = "$expected" ] || fail "$archive is not what SHA256SUMS says: $found instead of $expected. Nothing was installed."

  tar -xzf "$scratch/$archive" -C "$scratch" "$folder/arouter"
  [ -d "$to" ] || mkdir -p "$to" 2>/dev/null || fail "$to cannot be made; without root: --to \"\$HOME/.local/bin\""
  [ -w "$to" ] || fail "$to cannot be written; without root: --to \"\$HOME/.local/bin\""
  staged="$to/.arouter.$$"
  cp "$scratch/$folder/arouter" "$staged"
  chmod 755 "$staged"
  try_program "$staged"
  mv -f "$staged" "$to/arouter"
  staged=

  say "$version in $to/arouter"
  case ":$PATH:" in
    *":$to:"*) ;;
    *) say "$to is not in PATH" ;;
  esac
}

# At the very end: a script that was cut on its way does nothing.
main "$@"
