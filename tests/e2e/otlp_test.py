"""OTLP logs over HTTP: both forms, encodings, what becomes of attributes, errors, restart."""
import gzip
import json
import struct
import time
import unittest

from varve_process import NS, VarveTest

NOW = time.time_ns() // NS * NS
START, END = NOW - 3600 * NS, NOW + 60 * NS
PATH = "/otlp/v1/logs"
JSON, PROTOBUF = "application/json", "application/x-protobuf"


# ---- Requests, in protobuf ------------------------------------------------------------------------

def varint(n):
    out = b""
    while n >= 0x80:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """Of bytes or text: length-delimited; of a whole number: a varint."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def fixed64(number, value):
    return varint(number << 3 | 1) + struct.pack("<Q", value)


def fixed32(number, value):
    return varint(number << 3 | 5) + struct.pack("<I", value)


def text(value):
    return field(1, value)


def attribute(number, key, value):
    return field(number, field(1, key) + field(2, value))


def request(resource, scope, *records):
    return field(1, field(1, resource) + field(2, field(1, scope) + b"".join(field(2, r) for r in records)))


def record(ns, line, *more):
    return fixed64(1, ns) + field(5, text(line)) + b"".join(more)


def json_request(*records, resource=(), scope=None):
    attributes = [{"key": k, "value": v} for k, v in resource]
    return json.dumps({"resourceLogs": [{"resource": {"attributes": attributes},
                                         "scopeLogs": [{"scope": scope or {}, "logRecords": list(records)}]}]}).encode()


def zstd_frame(data):
    """Zstandard with raw blocks of up to 64 KiB: magic, single segment with a 4-byte size, blocks."""
    out = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data))
    blocks = [data[i:i + 65536] for i in range(0, len(data), 65536)] or [b""]
    for i, block in enumerate(blocks):
        out += struct.pack("<I", len(block) << 3 | (i + 1 == len(blocks)))[:3] + block
    return out


def xxh32(data):
    """For inputs below 16 bytes: all that the header of an LZ4 frame needs."""
    p = [2654435761, 2246822519, 3266489917, 668265263, 374761393]
    mask, h = 0xFFFFFFFF, (374761393 + len(data)) & 0xFFFFFFFF
    for byte in data:
        h = (h + byte * p[4]) & mask
        h = ((h << 11 | h >> 21) * p[0]) & mask
    h = ((h ^ h >> 15) * p[1]) & mask
    h = ((h ^ h >> 13) * p[2]) & mask
    return h ^ h >> 16


def lz4_frame(data):
    """LZ4's frame with one uncompressed block."""
    descriptor = b"\x60\x40"  # version 1, independent blocks, of at most 64 KiB
    return (b"\x04\x22\x4d\x18" + descriptor + bytes([xxh32(descriptor) >> 8 & 0xFF]) +
            struct.pack("<I", len(data) | 1 << 31) + data + b"\0\0\0\0")


def status_message(body):
    """The text of a google.rpc.Status that has only its message."""
    assert body[:1] == b"\x12", body
    size = shift = 0
    for i, byte in enumerate(body[1:], 1):
        size |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    assert len(body) == i + 1 + size, body
    return body[i + 1:].decode()


class Otlp(VarveTest):
    def send(self, server, body, content_type=PROTOBUF, headers=None):
        return server.request("POST", PATH, body=body, headers={"Content-Type": content_type, **(headers or {})})

    def assert_taken(self, server, body, content_type=PROTOBUF, headers=None):
        answer = self.send(server, body, content_type, headers)
        self.assertEqual((204, b""), (answer.status, answer.body))

    def streams(self, server, query, **headers):
        flags = {"X-Loki-Response-Encoding-Flags": "categorize-labels"}
        answer = server.query_range(query, START, END, headers=flags, limit=100, direction="forward")
        self.assertEqual(200, answer.status, answer.text)
        return answer.json["data"]["result"]

    def test_every_part_of_a_request_is_found_again(self):
        resource = (attribute(1, "service.name", text("checkout")) + attribute(1, "k8s.pod.name", text("pod-1")) +
                    attribute(1, "host.name", text("h1")))
        scope = field(1, "lib") + field(2, "1.0") + attribute(3, "scope.attr", field(2, 1))
        line = record(NOW, "it failed", field(2, 17), field(3, "ERROR"),
                      attribute(6, "http.status", field(3, 500)),
                      attribute(6, "user", field(6, attribute(1, "id", text("u1")) + attribute(1, "tags", field(5, field(1, text("a")))))),
                      fixed32(8, 1), field(9, bytes(range(16))), field(10, bytes(range(8))), fixed64(11, NOW + 5))
        expected = [{"stream": {"service_name": "checkout", "k8s_pod_name": "pod-1"},
                     "values": [[str(NOW), "it failed", {"structuredMetadata": {
                         "detected_level": "error", "flags": "1", "host_name": "h1", "http_status": "500",
                         "observed_timestamp": str(NOW + 5), "scope_attr": "true", "scope_name": "lib",
                         "scope_version": "1.0", "severity_number": "17", "severity_text": "ERROR",
                         "span_id": "0001020304050607", "trace_id": "000102030405060708090a0b0c0d0e0f",
                         "user_id": "u1", "user_tags": '["a"]'}}]]}]
        server = self.started()
        self.assert_taken(server, request(resource, scope, line))
        self.assertEqual(expected, self.streams(server, '{service_name="checkout"}'))
        server.kill()  # what is journalled decodes to the same
        server.start()
        self.assertEqual(expected, self.streams(server, '{service_name="checkout"} | trace_id="000102030405060708090a0b0c0d0e0f"'))
        server.flush()
        self.assertEqual(expected, self.streams(server, '{k8s_pod_name="pod-1"}'))

    def test_every_form_and_encoding_stores_the_same(self):
        binary = request(attribute(1, "service.name", text("s")), b"", record(NOW, "line"), record(NOW + 1, "line 2"))
        plain = json_request({"timeUnixNano": str(NOW), "body": {"stringValue": "line"}},
                             {"timeUnixNano": NOW + 1, "body": {"stringValue": "line 2"}},
                             resource=[("service.name", {"stringValue": "s"})])
        server = self.started("--multi-tenant")
        cases = [(PROTOBUF, binary), (JSON, plain)]
        encodings = {None: lambda b: b, "gzip": gzip.compress, "zstd": zstd_frame, "lz4": lz4_frame}
        for content_type, body in cases:
            for encoding, encode in encodings.items():
                tenant = f"{content_type.split('/')[1]}-{encoding}"
                with self.subTest(tenant):
                    headers = {"X-Scope-OrgID": tenant, **({"Content-Encoding": encoding} if encoding else {})}
                    self.assert_taken(server, encode(body), content_type, headers)
                    answer = server.query_range('{service_name="s"}', START, END, direction="forward",
                                                headers={"X-Scope-OrgID": tenant})
                    values = [v for s in answer.json["data"]["result"] for v in s["values"]]
                    self.assertEqual([[str(NOW), "line"], [str(NOW + 1), "line 2"]], values)

    def test_errors_are_a_status_in_protobuf(self):
        server = self.started("--set", "limits.max_line_size=10")
        good = record(NOW, "ok")
        deep = text("leaf")
        for _ in range(70):
            deep = field(5, field(1, deep))
        cases = [
            (b"\xff\xff", PROTOBUF, {}, 400, "proto: "),
            (b"{", JSON, {}, 400, "otlp: "),
            (b"", JSON, {}, 400, "EOF"),
            (b"", PROTOBUF, {}, 422, "error at least one valid stream is required for ingestion"),
            (b"{}", JSON, {}, 422, "error at least one valid stream is required for ingestion"),
            (b"{}", "text/plain", {}, 400, "content type: text/plain is not supported"),
            (b"{}", "application/json; charset=utf-8", {}, 400,
             "content type: application/json; charset=utf-8 is not supported"),
            (b"{}", JSON, {"Content-Encoding": "br"}, 400,
             "unsupported content encoding br: only gzip, lz4 and zstd are supported"),
            (b"no gzip", JSON, {"Content-Encoding": "gzip"}, 400, "gzip: "),
            (request(b"", b"", fixed64(1, NOW) + field(5, deep)), PROTOBUF, {}, 400, "otlp: a value is nested more than 64 deep"),
            (request(b"", b"", good, record(NOW, "much too long")), PROTOBUF, {}, 400,
             "max entry size '10' bytes exceeded for stream '{service_name=\"unknown_service\"}'"),
        ]
        for body, content_type, headers, status, message in cases:
            with self.subTest(message):
                answer = self.send(server, body, content_type, headers)
                self.assertEqual(status, answer.status)
                self.assertEqual("application/octet-stream", answer.headers["Content-Type"])
                self.assertTrue(status_message(answer.body).startswith(message), answer.body)
        # Of a request with one bad record the others are stored.
        self.assertEqual([(NOW, "ok")], server.lines('{service_name="unknown_service"}', START, END))
        self.assertEqual(405, server.get(PATH).status)

    def test_a_body_that_is_too_large_is_told_so_in_protobuf_too(self):
        server = self.started("--set", "limits.max_recv_msg_size=1KB", "--set", "limits.max_decompressed_size=2KB")
        answer = self.send(server, request(b"", b"", record(NOW, "x" * 2000)))
        self.assertEqual((413, "application/octet-stream"), (answer.status, answer.headers["Content-Type"]))
        self.assertRegex(status_message(answer.body),
                         r"^request body too large: message size too large than max \(\d+ vs 1024\)$")
        packed = gzip.compress(request(b"", b"", record(NOW, "x" * 4000)))
        answer = self.send(server, packed, headers={"Content-Encoding": "gzip"})
        self.assertEqual(413, answer.status)
        self.assertRegex(status_message(answer.body), r"^request body too large: .*decompressed message size too large")

    def test_a_tenant_is_needed_where_there_are_several(self):
        server = self.started("--multi-tenant")
        answer = self.send(server, json_request({"body": {"stringValue": "x"}}), JSON)
        self.assertEqual((401, "no org id\n"), (answer.status, answer.text))

    def test_otlp_config_decides_what_becomes_a_label(self):
        config = self.folder + "/varve.yaml"
        with open(config, "w") as f:
            f.write("""
limits:
  otlp_config:
    resource_attributes:
      ignore_defaults: true
      attributes_config:
        - action: index_label
          attributes: [team]
        - action: drop
          regex: 'secret.*'
    log_attributes:
      - action: index_label
        attributes: [status]
    severity_text_as_label: true
""")
        server = self.started("--config", config)
        resource = [("team", {"stringValue": "a"}), ("secret.key", {"stringValue": "k"}),
                    ("service.name", {"stringValue": "s"})]
        self.assert_taken(server, json_request(
            {"timeUnixNano": str(NOW), "body": {"stringValue": "x"}, "severityText": "WARN",
             "attributes": [{"key": "status", "value": {"intValue": 200}}]}, resource=resource), JSON)
        expected = [{"stream": {"team": "a", "status": "200", "severity_text": "WARN"},
                     "values": [[str(NOW), "x", {"structuredMetadata": {
                         "service_name": "s", "detected_level": "warn", "severity_text_extracted": "WARN"}}]]}]
        self.assertEqual(expected, self.streams(server, '{team="a"}'))
        shown = server.get("/config").text
        self.assertIn("severity_text_as_label: true", shown)
        server.kill()
        other = self.started()  # without the configuration: replay goes by the one in the journal
        self.assertEqual(expected, self.streams(other, '{team="a"}'))


if __name__ == "__main__":
    unittest.main()
