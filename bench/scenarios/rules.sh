#!/usr/bin/env bash
# 10,000 alerting rules at 15 s over a metric load: what an evaluation costs beside the load alone, and the memory.
#
#   bench/scenarios/rules.sh [SERVER_BINARY] [RULES] [SECONDS]        # build/varve 10000 120
#
# Debian's prometheus as SERVER_BINARY: the same of it. 200 groups of 50 rules over 500 hosts with 40 series each, sent every 15 s. First the load alone, then with the
# rules, each for SECONDS. Needs Debian's python3-snappy. The data directory is removed at the end.
set -euo pipefail
binary=${1:-build/varve}
rules=${2:-10000}
seconds=${3:-120}
here=$(cd "$(dirname "$0")" && pwd)
port=${PORT:-3179}
url=http://127.0.0.1:$port
data=$(mktemp -d /tmp/varve-rules.XXXXXX)
server=
cleanup() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
  rm -rf "$data"
}
trap cleanup EXIT

mkdir "$data/rules"
cat >"$data/varve.yaml" <<YAML
rule_files: ["$data/rules/*.yml"]
global:
  evaluation_interval: 15s
YAML
if [ "$(basename "$binary")" = prometheus ]; then
  "$binary" --config.file="$data/varve.yaml" --storage.tsdb.path="$data/prometheus" --log.level=error \
    --web.listen-address="127.0.0.1:$port" --web.enable-remote-write-receiver --web.enable-lifecycle >"$data/log" 2>&1 &
else
  "$binary" serve --config "$data/varve.yaml" --data-dir "$data/varve" --listen "127.0.0.1:$port" --log-level warn \
    >"$data/log" 2>&1 &
fi
server=$!
for _ in $(seq 200); do curl -sf "$url/api/v1/query?query=1" >/dev/null && break; sleep 0.1; done

cpu_seconds() { awk -v hz="$(getconf CLK_TCK)" '{print ($14 + $15) / hz}' "/proc/$server/stat"; }
rss_mb() { awk '/VmRSS/ {print $2 / 1024}' "/proc/$server/status"; }
metric() { curl -sf "$url/metrics" | awk -v name="$1" '$1 == name || index($1, name "{") == 1 {sum += $2} END {print sum + 0}'; }
phase() {
  local before evaluations_before after evaluations_after
  before=$(cpu_seconds)
  evaluations_before=$(metric prometheus_rule_evaluations_total)
  /usr/bin/python3 "$here/rules_load.py" send --url "$url/api/v1/write" --hosts 500 --seconds "$seconds"
  after=$(cpu_seconds)
  evaluations_after=$(metric prometheus_rule_evaluations_total)
  phase_cpu=$(awk -v a="$before" -v b="$after" 'BEGIN {print b - a}')
  phase_evaluations=$(awk -v a="$evaluations_before" -v b="$evaluations_after" 'BEGIN {print b - a}')
  echo "{\"phase\": \"$1\", \"cpu_s\": $phase_cpu, \"seconds\": $seconds, \"evaluations\": $phase_evaluations, \"rss_mb\": $(rss_mb)}"
}

phase warm_up >/dev/null
phase load_alone
alone=$phase_cpu
/usr/bin/python3 "$here/rules_load.py" rules --out "$data/rules/rules.yml" --rules "$rules" --hosts 500
reload_begin=$(date +%s%N)
curl -sf -X POST "$url/-/reload"
echo "{\"reload_ms\": $((($(date +%s%N) - reload_begin) / 1000000))}"
phase with_rules
awk -v a="$alone" -v b="$phase_cpu" -v n="$phase_evaluations" \
  'BEGIN {printf "{\"us_per_evaluation\": %.1f}\n", n ? (b - a) / n * 1e6 : 0}'
echo "{\"alerts_firing\": $(curl -sf "$url/api/v1/alerts" | grep -o '"state":"firing"' | wc -l), \"missed\": $(metric prometheus_rule_group_iterations_missed_total)}"
cat "$data/log" | tail -5
