#!/usr/bin/env bash
# Sends the shared metric load to a fresh server and asks the shared query mix; the same of Debian's prometheus and
# victoria-metrics, one after the other, where they are installed: the figures of docs/performance.md.
#
#   bench/scenarios/metrics.sh [SERVER_BINARY] [PEER...]        # build/varve prometheus victoria-metrics
#
# Needs ../shared/bench beside the checkout and Debian's python3-snappy. The load (14.7 million samples) is generated
# once, in $VARVE_LOAD (default /tmp/varve-load); the data directories are removed at the end.
set -euo pipefail
binary=${1:-build/varve}
shift || true
peers=${*:-prometheus victoria-metrics}
root=$(cd "$(dirname "$0")/../.." && pwd)
shared=${VARVE_SHARED:-$root/../shared}/bench
load=${VARVE_LOAD:-/tmp/varve-load}/metrics
port=${PORT:-3178}
url=http://127.0.0.1:$port
[ -f "$load/manifest.json" ] || /usr/bin/python3 "$shared/gen_metrics_load.py" --out "$load" >/dev/null
samples=$(/usr/bin/python3 -c "import json; print(json.load(open('$load/manifest.json'))['samples'])")

data=
server=
cleanup() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
  [ -z "$data" ] || rm -rf "$data"
  server=
  data=
}
trap cleanup EXIT

# start NAME COMMAND…: a server with an empty $data.
start() {
  echo "==== $1"
  shift
  "$@" >"$data/log" 2>&1 &
  server=$!
  for _ in $(seq 200); do curl -sf "$url/api/v1/query?query=1" >/dev/null && return; sleep 0.1; done
  cat "$data/log"
  exit 1
}
ingest() { /usr/bin/python3 "$shared/send.py" --dir "$load" --url "$url/api/v1/write" --pid "$server" "$@"; }
# size NAME DIRECTORY
size() {
  du -sb "$2" | awk -v n="$1" -v s="$samples" '{printf "{\"%s_bytes_per_sample\": %.3f}\n", n, $1 / s}'
}
queries() {
  /usr/bin/python3 - "$url" "$load/manifest.json" <<'PY'
import json, sys, urllib.parse, urllib.request
url, manifest = sys.argv[1], json.load(open(sys.argv[2]))
def get(path, **params):
    return json.load(urllib.request.urlopen(url + path + "?" + urllib.parse.urlencode(params)))["data"]
total = 0
for name in get("/api/v1/label/__name__/values", start=manifest["start_s"], end=manifest["end_s"]):
    query = 'sum(count_over_time({__name__="%s"}[181m]))' % name
    result = get("/api/v1/query", query=query, time=manifest["end_s"])["result"]
    total += int(result[0]["value"][1]) if result else 0
print(json.dumps({"samples_counted": total, "samples_sent": manifest["samples"]}))
PY
  /usr/bin/python3 "$shared/query.py" --mix "$shared/query_mix_metrics.json" --manifest "$load/manifest.json" \
    --url "$url" --dialect promql --pid "$server"
}

data=$(mktemp -d /tmp/varve-bench.XXXXXX)
start varve "$binary" serve --data-dir "$data/varve" --listen "127.0.0.1:$port" --log-level warn
ingest
echo "-- queries, in the head"
queries
curl -sf -X POST "$url/flush"
size flushed "$data/varve"
curl -sf -X POST "$url/compact" >/dev/null
curl -sf -X POST "$url/flush"
size compacted "$data/varve"
echo "-- queries, compacted"
queries
cleanup

for peer in $peers; do
  command -v "$peer" >/dev/null || { echo "==== $peer is not installed"; continue; }
  data=$(mktemp -d /tmp/varve-bench.XXXXXX)
  case $peer in
    prometheus)
      : >"$data/prometheus.yml"
      start "$peer" prometheus --config.file="$data/prometheus.yml" --storage.tsdb.path="$data/tsdb" \
        --storage.tsdb.retention.time=100y --web.listen-address="127.0.0.1:$port" --web.enable-remote-write-receiver \
        --web.enable-admin-api
      ingest --conns 1
      queries
      curl -sf -X POST "$url/api/v1/admin/tsdb/snapshot" >/dev/null
      size snapshot "$data/tsdb/snapshots"
      ;;
    victoria-metrics)
      start "$peer" victoria-metrics -storageDataPath="$data/vm" -retentionPeriod=100y -search.disableCache \
        -httpListenAddr="127.0.0.1:$port"
      ingest
      curl -sf "$url/internal/force_flush" || true
      queries
      curl -sf "$url/internal/force_merge" || true
      sleep 5
      size merged "$data/vm/data"
      ;;
  esac
  cleanup
done
