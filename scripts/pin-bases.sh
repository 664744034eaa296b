#!/bin/sh
# Tells the bases of the Dockerfile with the digests that their names have today, as build arguments, one on each line:
#
#   docker buildx build $(sh scripts/pin-bases.sh | sed 's/^/--build-arg /') .
#
# The base of what runs is held to its signature first. Needs docker with buildx, and cosign.
set -eu

dockerfile=$(dirname "$0")/../Dockerfile

# named NAME: what the Dockerfile calls it.
named() {
  name=$(sed -n "s/^ARG $1=//p" "$dockerfile")
  [ -n "$name" ] || {
    echo "pin-bases.sh: the Dockerfile has no ARG $1=" >&2
    exit 1
  }
  printf '%s\n' "$name"
}

# pinned NAME: the image with its digest.
pinned() {
  # As JSON: the bare template is not taken by every version of buildx.
  digest=$(docker buildx imagetools inspect --format '{{json .Manifest.Digest}}' "$1" | tr -d '"')
  printf '%s\n' "$digest" | grep -Eqx 'sha256:[0-9a-f]{64}' || {
    echo "pin-bases.sh: $1 has no digest" >&2
    exit 1
  }
  printf '%s\n' "$1@$digest"
}

build=$(named BUILD_BASE)
build=$(pinned "$build")
runtime=$(named RUNTIME_BASE)
runtime=$(pinned "$runtime")

# As the project says that it signs: https://github.com/GoogleContainerTools/distroless#how-do-i-verify-distroless-images
cosign verify --certificate-oidc-issuer https://accounts.google.com \
  --certificate-identity keyless@distroless.iam.gserviceaccount.com "$runtime" >/dev/null

printf 'BUILD_BASE=%s\nRUNTIME_BASE=%s\n' "$build" "$runtime"
