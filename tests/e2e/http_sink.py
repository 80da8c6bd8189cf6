"""An HTTP server that keeps what it gets (webhooks, Slack, PagerDuty, Alertmanager), for the end-to-end tests.

    sink = HttpSink().start()
    sink = HttpSink(certificate=ca.issue("localhost")).start()    # https; a bad one: certificates.self_signed(…)
    … POST to sink.url + "/hook" …
    request = sink.wait_for(lambda r: r.json["status"] == "resolved", 5)   # a Request; AssertionError after 5 s
    sink.status = 500                                             # from now on
    sink.fail_times = 2                                           # the next two are answered fail_status (503)
    sink.mode = "hang"                                            # keeps the request, never answers; "drop": closes
    sink.stop()

Requests that were refused are kept too, in `refused`. Python's standard library only.
"""
import base64
import http.server
import json
import threading
import time

BODY_BYTES_MAX = 64 << 20


class Request:
    """One request as it came."""

    def __init__(self, method, path, headers, body):
        self.arrived = time.time()
        self.method, self.path, self.headers, self.body = method, path, headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def basic_auth(self):
        """(name, password), or None."""
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        return tuple(base64.b64decode(value).decode().split(":", 1)) if kind == "Basic" else None


class HttpSink:
    def __init__(self, certificate=None, client_ca=None, status=200, body=b"ok", headers=None, mode="accept",
                 fail_times=0, fail_status=503, basic_auth=None, bearer=None, host="127.0.0.1", port=0):
        """`basic_auth` (name, password) and `bearer`: others get 401. `client_ca`: clients need a certificate of it."""
        self.certificate, self.client_ca = certificate, client_ca
        self.status, self.body, self.headers, self.mode = status, body, headers or {}, mode
        self.fail_times, self.fail_status = fail_times, fail_status
        self.basic_auth, self.bearer, self.host, self.port = basic_auth, bearer, host, port
        self.messages, self.refused = [], []
        self.arrival, self.stopping = threading.Condition(), threading.Event()

    def start(self):
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 120
            disable_nagle_algorithm = True

            def setup(self):
                if sink.certificate:  # here and not at accept(), so that one slow client stops no other
                    self.request.settimeout(30)
                    self.request = sink.certificate.context(sink.client_ca).wrap_socket(self.request, server_side=True)
                super().setup()

            def finish(self):
                super().finish()
                self.request.close()

            def answer(self):
                length = min(int(self.headers.get("Content-Length") or 0), BODY_BYTES_MAX)
                if "chunked" in self.headers.get("Transfer-Encoding", ""):
                    body = b""
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        body += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    body = self.rfile.read(length)
                sink.answer(self, Request(self.command, self.path, self.headers, body))

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        class Listener(http.server.ThreadingHTTPServer):
            daemon_threads, block_on_close, request_queue_size = True, False, 128

            def handle_error(self, *_):
                pass  # clients that go away, handshakes that fail: what is tested is what the client says

        self.listener = Listener((self.host, self.port), Handler)
        self.port = self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    @property
    def url(self):
        return f"{'https' if self.certificate else 'http'}://{self.address}"

    def _verdict(self, request):
        """The status of the answer."""
        if self.basic_auth and request.basic_auth != tuple(self.basic_auth):
            return 401
        if self.bearer and request.headers.get("Authorization") != "Bearer " + self.bearer:
            return 401
        if self.fail_times > 0:
            self.fail_times -= 1
            return self.fail_status
        return self.status

    def answer(self, handler, request):
        with self.arrival:
            status = self._verdict(request)
            (self.messages if 200 <= status < 300 and self.mode == "accept" else self.refused).append(request)
            self.arrival.notify_all()
        if self.mode == "hang":
            self.stopping.wait()
        if self.mode in ("hang", "drop"):
            handler.close_connection = True
            return
        body = self.body if isinstance(self.body, bytes) else self.body.encode()
        handler.send_response(status)
        for name, value in self.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def wait_for(self, predicate=lambda _: True, seconds=10, count=1, refused=False):
        """The `count`-th request (of those that were refused, if so) that the predicate takes, from the beginning."""
        deadline = time.monotonic() + seconds
        with self.arrival:
            while True:
                found = [r for r in (self.refused if refused else self.messages) if predicate(r)]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"no such request in {seconds} s; there are "
                                         f"{[(r.method, r.path, r.body[:200]) for r in self.messages]}")
                self.arrival.wait(left)

    def clear(self):
        with self.arrival:
            self.messages.clear()
            self.refused.clear()

    def stop(self):
        self.stopping.set()
        self.listener.shutdown()
        self.listener.server_close()
