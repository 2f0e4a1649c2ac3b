# The builder has all that is needed: SQLite is compiled in, and the PostgreSQL driver is Rust.
FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package latchkey

FROM debian:bookworm-slim
# Not root, and with a place to write: the embedded database, where no other is configured.
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/latchkey latchkey
COPY --from=build /src/target/release/latchkey /usr/local/bin/latchkey
USER latchkey
WORKDIR /var/lib/latchkey
ENV LATCHKEY__SERVER__LISTEN=0.0.0.0
EXPOSE 4242
ENTRYPOINT ["latchkey"]
