#!/bin/sh
# Prints what CHANGELOG.md says of one version, without its heading:
#
#   sh scripts/release-notes.sh 1.2.3
set -eu

notes=$(awk -v version="${1:?which version}" '
  /^## / { found = $2 == version; next }
  found' "$(dirname "$0")/../CHANGELOG.md")
[ -n "$notes" ] || {
  echo "release-notes.sh: CHANGELOG.md says nothing of $1" >&2
  exit 1
}
printf '%s\n' "$notes" | sed '/./,$!d'
