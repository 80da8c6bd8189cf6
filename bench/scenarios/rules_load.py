"""Rule files and a metric load for bench/scenarios/rules.sh.

    rules_load.py rules --out FILE --rules 10000 --hosts 500
    rules_load.py send  --url URL/api/v1/write --hosts 500 --seconds 60    # 40 series a host, every 15 s

One rule in a hundred has an alert that fires, one in a hundred one that comes and goes. Needs python3-snappy.
"""
import argparse
import math
import struct
import time
import urllib.request

import snappy

METRICS = ["cpu_busy_ratio", "memory_used_ratio", "disk_used_ratio", "load1"]
COUNTERS = ["http_requests_total", "http_errors_total"]
DEVICES = 4


def varint(n):
    out = bytearray()
    while n > 0x7F:
        out.append((n & 0x7F) | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def heads(hosts):
    """(labels in wire form, kind, host, number) of every series."""
    out = []
    for host in range(hosts):
        for name in METRICS + COUNTERS:
            for device in range(DEVICES if name in METRICS else 12):
                labels = {"__name__": name, "host": "host-%04d" % host, "job": "node", "device": "d%d" % device}
                wire = b"".join(field(1, field(1, k.encode()) + field(2, v.encode())) for k, v in sorted(labels.items()))
                out.append((wire, name, host, device))
    return out


def value(name, host, device, step):
    if name in COUNTERS:
        return float(step * (host % 7 + device + 1))
    base = 0.3 + 0.2 * math.sin(step / 20 + host + device)
    if host % 100 == 0 and device == 0:
        return 0.99
    if host % 100 == 1 and device == 0:
        return 0.99 if step // 8 % 2 else 0.1
    return round(base, 4)


def send(args):
    series = heads(args.hosts)
    end = time.time() + args.seconds
    shares = 15  # one share of the hosts each second
    while time.time() < end:
        begin = time.time()
        share = int(begin) % shares
        ts_ms = int(begin * 1000)
        step = int(begin) // 15
        body = bytearray()
        for wire, name, host, device in series:
            if host % shares != share:
                continue
            sample = field(2, b"\x09" + struct.pack("<d", value(name, host, device, step)) + b"\x10" + varint(ts_ms))
            body += field(1, wire + sample)
        request = urllib.request.Request(args.url, data=snappy.compress(bytes(body)), method="POST", headers={
            "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
            "X-Prometheus-Remote-Write-Version": "0.1.0"})
        urllib.request.urlopen(request).read()
        time.sleep(max(0.0, 1 - (time.time() - begin)))


EXPRESSIONS = [
    'cpu_busy_ratio{{host="{host}",device="d{device}"}} > 0.95',
    'memory_used_ratio{{host="{host}",device="d{device}"}} > 0.95',
    'rate(http_errors_total{{host="{host}",device="d{device}"}}[5m]) > 1e6',
    'sum by (host) (rate(http_requests_total{{host="{host}"}}[5m])) > 1e6',
    'avg_over_time(load1{{host="{host}",device="d{device}"}}[5m]) > 0.98',
    'disk_used_ratio{{host="{host}",device="d{device}"}} > 0.9 and on (host) memory_used_ratio{{host="{host}"}} > 0.9',
]


def rules(args):
    with open(args.out, "w", encoding="utf-8") as out:
        out.write("groups:\n")
        for number in range(args.rules):
            if number % 50 == 0:
                out.write("- name: group-%04d\n  interval: 15s\n  rules:\n" % (number // 50))
            expression = EXPRESSIONS[number % len(EXPRESSIONS)].format(
                host="host-%04d" % (number // len(EXPRESSIONS) % args.hosts), device=number // len(EXPRESSIONS) // args.hosts % 4)
            out.write("  - alert: Rule%05d\n    expr: '%s'\n    for: 1m\n    labels: {severity: page}\n"
                      "    annotations: {summary: \"{{ $labels.host }} is at {{ $value }}\"}\n" % (number, expression))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["rules", "send"])
    parser.add_argument("--out")
    parser.add_argument("--url")
    parser.add_argument("--rules", type=int, default=10000)
    parser.add_argument("--hosts", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=60)
    args = parser.parse_args()
    rules(args) if args.what == "rules" else send(args)


if __name__ == "__main__":
    main()
