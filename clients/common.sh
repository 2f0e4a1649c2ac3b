# What the checks in these folders share, to be sourced: a place below target/ for what they install, Latchkey servers with a
# known admin token, and nginx as docs/guide/unleash-edge.md shows it, in front of a server with two flags. All that a check
# starts ends with it. LATCHKEY_BINARY names the program (target/debug/latchkey if unset).
set -euo pipefail

clients=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(dirname "$clients")
latchkey=${LATCHKEY_BINARY:-$root/target/debug/latchkey}
# Latchkey refuses settings that it does not know.
export -n LATCHKEY_BINARY
# No folders of byte code beside the checks.
export PYTHONDONTWRITEBYTECODE=1
export ADMIN_TOKEN='*:*.clients-clients-clients-clients-clients'

fail() { printf '%s: %s\n' "$name" "$*" >&2; exit 1; }
require() { local program; for program in "$@"; do command -v "$program" >/dev/null || fail "please install $program"; done; }

# Names the check. `place` is where it installs; `scratch` lasts for one run.
begin() {
    name=$1
    place=$root/target/clients/$name
    scratch=$(mktemp -d)
    processes=()
    mkdir -p "$place"
    trap finish EXIT
    trap 'exit 130' INT TERM
    [ -x "$latchkey" ] || fail "$latchkey is missing: run cargo build -p latchkey, or set LATCHKEY_BINARY"
}

finish() {
    local status=$? process
    for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
    for process in "${processes[@]}"; do wait "$process" 2>/dev/null || true; done
    if [ "$status" -eq 0 ] && grep -hs '"level":"ERROR"' "$scratch"/latchkey*.log; then
        status=1
    elif [ "$status" -ne 0 ]; then
        tail -n 20 "$scratch"/*.log >&2 || true
    fi
    rm -rf "$scratch"
    exit "$status"
}

# Prints the title of a table of calls: the client, and its version.
title() { printf '\n## %s\n\n| call | result |\n| --- | --- |\n' "$*"; }

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Waits until a URL is answered with 200 while the process lives.
wait_for() {
    local url=$1 process=$2
    until [ "$(curl --silent --output /dev/null --write-out '%{http_code}' "$url")" = 200 ]; do
        kill -0 "$process" 2>/dev/null || fail "what should answer at $url has ended"
        sleep 0.1
    done
}

# Starts a Latchkey server, and exports its URL under this name (which must not begin with LATCHKEY_, as settings do) and the id
# of the process as SERVER_PID. All servers of a check are processes on one database.
serve_latchkey() {
    local variable=$1 port log=$scratch/latchkey-$1.log
    export DATABASE_URL=sqlite://$scratch/latchkey.db LATCHKEY__LIMITS__API_TOKENS=100000 LATCHKEY__LAST_USED__FLUSH_INTERVAL=1s
    : "${LATCHKEY_MASTER_KEY:=$("$latchkey" keys generate 2>/dev/null)}"
    export LATCHKEY_MASTER_KEY
    port=$(free_port)
    INIT_ADMIN_API_TOKENS=$ADMIN_TOKEN "$latchkey" serve --port "$port" --log-format json >"$log" 2>&1 &
    processes+=($!)
    export SERVER_PID=$! "$variable=http://127.0.0.1:$port"
    wait_for "${!variable}/ready" $!
}

# Starts nginx with the text on standard input in its `http` block.
serve_nginx() {
    local kind
    {
        echo "daemon off; master_process off; worker_rlimit_nofile 20000; pid $scratch/nginx.pid; error_log stderr;"
        echo "events { worker_connections 10000; }"
        echo "http {"
        for kind in client_body proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $scratch/$kind;"; done
        cat
        echo "}"
    } >"$scratch/nginx.conf"
    PATH=$PATH:/usr/sbin nginx -e stderr -p "$scratch" -c "$scratch/nginx.conf" 2>"$scratch/nginx.log" &
    processes+=($!)
    until [ -s "$scratch/nginx.pid" ]; do
        kill -0 $! 2>/dev/null || fail "nginx does not start"
        sleep 0.1
    done
}

# Starts nginx with the block of docs/guide/unleash-edge.md, and a server with flags behind it. Exports the URL for clients of
# flags as FLAGS_URL. REQUEST_LOG has a line for each request of a client, and one for each that reached the flags:
# `client|flags <method> <path> <status> <name of the client>`.
serve_flags() {
    local port flags block kind
    port=$(free_port) flags=$(free_port)
    export FLAGS_URL=http://127.0.0.1:$port REQUEST_LOG=$scratch/requests
    block=$(sed -n '/^```nginx$/,/^```$/{/^```/d;p}' "$root/docs/guide/unleash-edge.md")
    block=${block//127.0.0.1:4242/${SERVER_URL#http://}}
    block=${block//127.0.0.1:9000/127.0.0.1:$flags}
    block=${block//listen 4343;/listen 127.0.0.1:$port; access_log $REQUEST_LOG client;}
    serve_nginx < <(
        for kind in client flags; do
            echo "log_format $kind '$kind \$request_method \$uri \$status \$http_unleash_appname';"
        done
        echo "$block"
        cat <<END
        server {
            listen 127.0.0.1:$flags;
            access_log $REQUEST_LOG flags;
            default_type application/json;
            location = /api/client/features { return 200 '$(tr -d '\n' <"$clients/flags.json")'; }
            location = /api/client/register { return 202; }
            location = /api/client/metrics { return 202; }
            location /api/client/metrics/ { return 202; }
        }
END
    )
}
