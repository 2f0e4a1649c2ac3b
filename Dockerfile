# syntax=docker/dockerfile:1
# Latchkey in an image without a shell. docs/operate/docker.md says how to run it.

# Dependencies are compiled in a layer of their own, which changes only with Cargo.lock.
FROM rust:1.95-slim-bookworm AS chef
RUN cargo install --locked cargo-chef@0.1.73
WORKDIR /src

FROM chef AS recipe
COPY . .
RUN cargo chef prepare --bin latchkey --recipe-path recipe.json

# SQLite is compiled in, and the PostgreSQL driver is Rust: no system library is needed.
FROM chef AS build
COPY rust-toolchain.toml .
COPY .cargo .cargo
COPY --from=recipe /src/recipe.json .
RUN cargo chef cook --release --locked --package latchkey --recipe-path recipe.json
COPY . .
RUN cargo build --release --locked --package latchkey \
    && mkdir --parents /image/usr/bin /image/var/lib/latchkey \
    && cp target/release/latchkey /image/usr/bin/

# The C library, certificates of authorities, and a user without privileges (65532).
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build --chown=root:root /image/usr/bin/latchkey /usr/bin/latchkey
COPY --from=build --chown=nonroot:nonroot --chmod=700 /image/var/lib/latchkey /var/lib/latchkey
WORKDIR /var/lib/latchkey
# The embedded database and its key, where no other database is configured. Nothing else is written.
VOLUME /var/lib/latchkey
ENV LATCHKEY__SERVER__LISTEN=0.0.0.0
EXPOSE 4242
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["latchkey", "health"]
ENTRYPOINT ["latchkey"]
CMD ["serve"]
