"""A WebSocket client (RFC 6455) on Python's standard library, and the tail endpoint seen through it.

    tail = Tail(server.port, '{app="x"}', limit=10)
    entries = tail.entries(3)          # waits for three: [(labels, timestamp, line, extra), ...]
    tail.close()                       # a clean close; tail.abort() just drops the connection

Pings are answered while `receive` waits. Every wait is bounded, so that a silent server fails a test instead of
hanging it. Not thread-safe.
"""
import base64
import hashlib
import json
import os
import socket
import struct
import time
import urllib.parse

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
ABNORMAL = 1006  # what a client reports when the connection ends without a close frame
PATIENCE_SECONDS = 30


class HandshakeRefused(Exception):
    """The server answered the upgrade with something else than 101."""

    def __init__(self, status, headers, body):
        super().__init__(f"{status}: {body.decode(errors='replace')}")
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()


class ConnectionClosed(Exception):
    """The other side ended the connection; `code` is 1006 when it did so without a close frame."""

    def __init__(self, code, reason=""):
        super().__init__(f"{code} {reason}".strip())
        self.code, self.reason = code, reason


class WebSocketClient:
    def __init__(self, port, target, headers=None, host="127.0.0.1", timeout=PATIENCE_SECONDS, receive_buffer=None):
        self.timeout, self.pings, self.buffer, self.closed = timeout, 0, b"", None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:  # before connecting, so that the window starts small
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect((host, port))
            self._shake_hands(f"{host}:{port}", target, headers or {})
        except BaseException:
            self.socket.close()
            raise

    def _shake_hands(self, host, target, headers):
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {target} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {key.decode()}", "Sec-WebSocket-Version: 13"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = self._read_until(b"\r\n\r\n", time.monotonic() + self.timeout)
        first, *rest = head.decode("latin-1").split("\r\n")
        status = int(first.split(" ")[1])
        self.response_headers = {}
        for line in filter(None, rest):
            name, value = line.split(":", 1)
            self.response_headers[name.strip().lower()] = value.strip()
        if status != 101:
            length = int(self.response_headers.get("content-length", 0))
            raise HandshakeRefused(status, self.response_headers,
                                   self._read_exactly(length, time.monotonic() + self.timeout))
        expected = base64.b64encode(hashlib.sha1(key + MAGIC).digest()).decode()
        if self.response_headers.get("sec-websocket-accept") != expected:
            raise AssertionError("the server's Sec-WebSocket-Accept is wrong")

    def __del__(self):
        self.socket.close()

    # ---- Bytes ----

    def _read_more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("nothing came from the server in time")
        self.socket.settimeout(left)
        try:
            data = self.socket.recv(65536)
        except socket.timeout as error:
            raise TimeoutError("nothing came from the server in time") from error
        except OSError:
            data = b""
        if not data:
            raise self._ended(ConnectionClosed(ABNORMAL))
        self.buffer += data

    def _read_exactly(self, count, deadline):
        while len(self.buffer) < count:
            self._read_more(deadline)
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def _read_until(self, end, deadline):
        while end not in self.buffer:
            self._read_more(deadline)
        data, self.buffer = self.buffer.split(end, 1)
        return data

    def _ended(self, error):
        self.closed = error
        self.socket.close()
        return error

    # ---- Frames ----

    def _read_frame(self, deadline):
        # A frame is taken whole or not at all: a timeout in its middle loses nothing.
        while True:
            frame = self._parse_frame()
            if frame is not None:
                return frame
            self._read_more(deadline)

    def _parse_frame(self):
        data = self.buffer
        if len(data) < 2:
            return None
        length, at = data[1] & 0x7F, 2
        if length == 126:
            length, at = (struct.unpack(">H", data[2:4])[0], 4) if len(data) >= 4 else (None, 0)
        elif length == 127:
            length, at = (struct.unpack(">Q", data[2:10])[0], 10) if len(data) >= 10 else (None, 0)
        if length is None or len(data) < at + length:
            return None
        if data[1] & 0x80:
            raise AssertionError("a server must not mask its frames")
        self.buffer = data[at + length:]
        return bool(data[0] & 0x80), data[0] & 0x0F, data[at:at + length]

    def send_frame(self, opcode, payload=b"", final=True):
        mask = os.urandom(4)
        head = bytes([(0x80 if final else 0) | opcode])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        elif len(payload) < 65536:
            head += bytes([0x80 | 126]) + struct.pack(">H", len(payload))
        else:
            head += bytes([0x80 | 127]) + struct.pack(">Q", len(payload))
        self.socket.sendall(head + mask + bytes(b ^ mask[i % 4] for i, b in enumerate(payload)))

    def send_text(self, text):
        self.send_frame(TEXT, text.encode())

    # ---- Messages ----

    def receive(self, timeout=None):
        """The next text message. ConnectionClosed when there will be none, TimeoutError when none came in time."""
        if self.closed is not None:
            raise self.closed
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        message = b""
        while True:
            final, opcode, payload = self._read_frame(deadline)
            if opcode == PING:
                self.pings += 1
                try:
                    self.send_frame(PONG, payload)
                except OSError:
                    pass  # what the server sent before it went away can still be read
            elif opcode == CLOSE:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                try:
                    self.send_frame(CLOSE, payload[:2])
                except OSError:
                    pass
                raise self._ended(ConnectionClosed(code, payload[2:].decode()))
            elif opcode in (TEXT, CONTINUATION):
                message += payload
                if final:
                    return message.decode()
            elif opcode != PONG:
                raise AssertionError(f"a frame with opcode {opcode}")

    def receive_close(self, timeout=None):
        """Reads until the connection ends; the ConnectionClosed that says how."""
        try:
            while True:
                self.receive(timeout)
        except ConnectionClosed as closed:
            return closed

    def close(self, code=1000, reason=""):
        """A clean close: says so, and waits for the server's answer."""
        if self.closed is not None:
            return self.closed
        try:
            self.send_frame(CLOSE, struct.pack(">H", code) + reason.encode())
        except OSError:
            return self._ended(ConnectionClosed(ABNORMAL))
        return self.receive_close()

    def abort(self):
        """Drops the connection with a reset, as a machine that goes away does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._ended(ConnectionClosed(ABNORMAL))


class Tail(WebSocketClient):
    """GET /loki/api/v1/tail. `params`: limit, start, delay_for."""

    def __init__(self, port, query, headers=None, path="/loki/api/v1/tail", timeout=PATIENCE_SECONDS,
                 receive_buffer=None, **params):
        target = path + "?" + urllib.parse.urlencode({"query": query, **params})
        super().__init__(port, target, headers, timeout=timeout, receive_buffer=receive_buffer)
        self.dropped = []   # of all frames so far
        self.pending = []   # entries of frames that were read and not handed out

    def frame(self, timeout=None):
        """The next frame, parsed and checked for its shape."""
        frame = json.loads(self.receive(timeout))
        assert isinstance(frame["streams"], list), frame
        assert frame["dropped_entries"] is None or isinstance(frame["dropped_entries"], list), frame
        for stream in frame["streams"]:
            assert isinstance(stream["stream"], dict) and set(stream) == {"stream", "values"}, stream
            for value in stream["values"]:
                assert isinstance(value[0], str) and value[0].lstrip("-").isdigit(), value
                assert isinstance(value[1], str), value
        self.dropped += frame["dropped_entries"] or []
        return frame

    def entries(self, count, timeout=None):
        """The next `count` entries as (labels, timestamp in ns, line, third element or None), as they came."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while len(self.pending) < count:
            frame = self.frame(max(deadline - time.monotonic(), 0))
            self.pending += [(stream["stream"], int(value[0]), value[1], value[2] if len(value) > 2 else None)
                             for stream in frame["streams"] for value in stream["values"]]
        taken, self.pending = self.pending[:count], self.pending[count:]
        return taken

    def lines(self, count, timeout=None):
        return [line for _, _, line, _ in self.entries(count, timeout)]
