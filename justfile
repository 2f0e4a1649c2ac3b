# Everyday recipes, one line each. `just` lists them.
_default:
    @just --list --unsorted

# Serve on the embedded database in data/
run *arguments:
    cargo run --release -- {{ arguments }}

# All checks and tests, with the setup that they need; `just test fast` for the part without PostgreSQL
test *mode:
    ./test {{ mode }}

# The tests of one crate, quickly: just check latchkey-service
check crate:
    cargo clippy -p {{ crate }} --all-targets && cargo test -p {{ crate }}

# Kill a server that writes, fifty times on each database (TEST_DATABASE_URL names a PostgreSQL): nothing acknowledged is lost
kill rounds="50":
    LATCHKEY_KILL_ROUNDS={{ rounds }} cargo test -p latchkey --test black_box kills -- --nocapture

# Send what the OpenAPI document allows and forbids, by Schemathesis (Python 3): just schemathesis --seed 7
schemathesis *arguments:
    schemathesis/run {{ arguments }}

# Check Latchkey with clients that others wrote, all or some (clients/README.md): just clients node python
clients *folders:
    cargo build -p latchkey
    clients/run {{ folders }}

# Fuzz the parsers of untrusted bytes, a minute each (needs rustup): just fuzz 600 requests
fuzz *arguments:
    fuzz/run {{ arguments }}

# Ten thousand secrets among a gibibyte of text, and none in the sources of all dependencies (release build)
scan:
    LATCHKEY_SCAN_MEBIBYTES=1024 cargo test --release -p latchkey-domain ten_thousand
    cargo run --release -- scan "${CARGO_HOME:-$HOME/.cargo}/registry/src"

# A full disk, a silent database, a clock that is set, 11,000 connections, a flood of bad credentials (as root; packages faketime, postgresql)
hostile:
    cargo build --release -p latchkey
    LATCHKEY_TEST_BINARY="$PWD/target/release/latchkey" unshare --mount \
        cargo test -p latchkey --test black_box hostile -- --ignored --nocapture --test-threads 1

# Pictures of every page of the console, light and dark, 320, 1280 and 2560 px wide, in target/screens (packages chromium, chromium-driver)
screens:
    cargo test -p latchkey --test browser screens -- --ignored

# Measure speed; the method is in docs/design/performance.md
bench *arguments:
    cargo build --release -p latchkey -p latchkey-bench && target/release/bench {{ arguments }}

# Format everything
fmt:
    cargo fmt --all

# Lints as the tests demand them
lint:
    cargo clippy --workspace --all-targets --all-features -- -D warnings

# The documentation of all crates
doc:
    cargo doc --workspace --no-deps --open

# Bring the configured database up to date
migrate *arguments:
    cargo run --quiet -- migrate {{ arguments }}

# The settings in effect, and where each comes from
config *arguments:
    cargo run --quiet -- config {{ arguments }}

# Print the OpenAPI document
openapi:
    cargo run --quiet -- openapi

compose := "docker compose --file deploy/compose/compose.yaml"

# Latchkey on PostgreSQL, in containers; the secrets come first: docs/operate/docker.md
up:
    {{ compose }} up --build --wait

# Stop it and keep its data
down:
    {{ compose }} down

# High availability, for real: PostgreSQL under Patroni, HAProxy and three replicas, three rounds of every fault (15 minutes); webhooks under kills (5 minutes; TEST_DATABASE_URL names a PostgreSQL), and fifty kills of servers that record notices
ha rounds="3":
    cargo build --release -p latchkey
    LATCHKEY_HA_ROUNDS={{ rounds }} LATCHKEY_TEST_BINARY="$PWD/target/release/latchkey" \
        cargo test -p latchkey --test ha -- --ignored --nocapture --test-threads 1
    LATCHKEY_NOTICE_KILLS=50 LATCHKEY_TEST_BINARY="$PWD/target/release/latchkey" \
        cargo test -p latchkey --test black_box notices -- --nocapture

# The image, the composition and the Kubernetes resources, against their linters and schemas (needs the network once)
check-deploy:
    deploy/check

# Everything of a release in target/dist: binary, Debian package, SBOM, notes and checksums
dist:
    deploy/dist

# Look at changed snapshots, one by one
snapshots:
    cargo insta review

# Links, wording, import cycles, licenses and unused dependencies
check-repository:
    cargo test -p latchkey --test repository

# Advisories, licenses, sources and bans of all dependencies (cargo install cargo-deny; needs the network)
deny:
    cargo deny check
