# The image: one binary on glibc and CA certificates; no shell, no package manager, not root, and nothing that it writes.
#
#   docker build -t arouter .
#   docker buildx build --platform linux/amd64,linux/arm64 --build-arg COMMIT="$(git rev-parse --short=12 HEAD)" -t arouter .
#
# No stage runs a program of the other platform, so nothing is emulated.
#
# Names of the bases can move: a release gives both with the digests that scripts/pin-bases.sh found and checked, and the image
# tells the one that it was built on (org.opencontainers.image.base.name).
ARG BUILD_BASE=docker.io/library/node:24-slim
ARG RUNTIME_BASE=gcr.io/distroless/base-nossl-debian12:nonroot

FROM --platform=$BUILDPLATFORM ${BUILD_BASE} AS build
WORKDIR /src
# Bun comes as a locked package, like everything else; runtimes for other platforms are checked against the same lock.
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
ARG TARGETARCH
ARG COMMIT=unknown
RUN node_modules/.bin/bun scripts/build.ts --target "$TARGETARCH" --commit "$COMMIT" --outfile dist/arouter

# Said aloud, as some builders without BuildKit would take the builder's own platform.
# hadolint ignore=DL3065
FROM --platform=$TARGETPLATFORM ${RUNTIME_BASE}
ARG RUNTIME_BASE
ARG VERSION=0.1.0
ARG COMMIT=unknown
LABEL org.opencontainers.image.title="arouter" \
      org.opencontainers.image.description="A gateway between applications and the OpenAI and Anthropic APIs" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$COMMIT" \
      org.opencontainers.image.base.name="$RUNTIME_BASE" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /src/dist/arouter /usr/local/bin/arouter
COPY deploy/image/arouter.toml /etc/arouter/arouter.toml
COPY policies/default.yaml /etc/arouter/policies.yaml
# Where nothing lies that could be taken for a configuration.
WORKDIR /etc/arouter
USER 65532:65532
EXPOSE 8080
# No shell here: the binary asks itself.
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s --retries=3 CMD ["/usr/local/bin/arouter", "healthcheck", "--ready"]
ENTRYPOINT ["/usr/local/bin/arouter"]
CMD ["serve"]
