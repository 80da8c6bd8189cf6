#!/usr/bin/env bash
# Sends the shared log load to a fresh server and asks the shared query mix: the figures of docs/performance.md.
#
#   bench/scenarios/logs.sh [LINES] [SERVER_BINARY]        # 6000000 build/varve
#
# Needs ../shared/bench beside the checkout and Debian's python3-snappy. The load is generated once, in
# $VARVE_LOAD (default /tmp/varve-load); the data directory is removed at the end.
set -euo pipefail
lines=${1:-6000000}
binary=${2:-build/varve}
root=$(cd "$(dirname "$0")/../.." && pwd)
shared=${VARVE_SHARED:-$root/../shared}/bench
load=${VARVE_LOAD:-/tmp/varve-load}/logs-$lines
port=${PORT:-3177}
url=http://127.0.0.1:$port
[ -f "$load/manifest.json" ] || /usr/bin/python3 "$shared/gen_logs_load.py" --out "$load" --lines "$lines" >/dev/null

data=$(mktemp -d /tmp/varve-bench.XXXXXX)
"$binary" serve --data-dir "$data" --listen "127.0.0.1:$port" --log-level warn --set query_range.cache_results=false &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 100); do curl -sf "$url/ready" >/dev/null && break; sleep 0.1; done

echo "== ingest"
/usr/bin/python3 "$shared/send.py" --dir "$load" --url "$url/loki/api/v1/push" --pid "$server"
curl -sf -X POST "$url/flush"
echo "== after flush"
du -sb "$data" | awk '{printf "{\"disk_mb\": %.1f}\n", $1 / 1e6}'
du -s --block-size=1 "$data" | awk '{printf "{\"disk_allocated_mb\": %.1f}\n", $1 / 1e6}'
curl -sG "$url/loki/api/v1/query" --data-urlencode 'query=sum(count_over_time({job=~".+"}[6h]))' \
  --data-urlencode 'time=1793512799.999' | grep -o '"result":\[[^]]*\]*'
echo "== queries"
/usr/bin/python3 "$shared/query.py" --mix "$shared/query_mix_logs.json" --manifest "$load/manifest.json" --url "$url" \
  --dialect logql --pid "$server"
