"""A handler for Python's logging that sends to Varve (or Loki) in the background. Standard library only."""
import atexit, collections, json, logging, queue, threading, time, urllib.error, urllib.request


class VarveHandler(logging.Handler):
    """Never blocks: what does not fit into the queue is counted and dropped. An error takes the lines before it along."""

    def __init__(self, url, labels, capacity=10_000, batch=1_000, interval=0.2, context=5, timeout=5):
        super().__init__()
        self.url, self.labels, self.batch = url.rstrip("/") + "/loki/api/v1/push", labels, batch
        self.interval, self.timeout, self.dropped, self.last_ns = interval, timeout, 0, 0
        self.queue, self.recent = queue.Queue(capacity), collections.deque(maxlen=context)
        self.closing, self.thread = threading.Event(), threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        atexit.register(self.close)

    def emit(self, record):  # one at a time: the caller holds the handler's lock
        line = self.format(record)
        fields = {"level": record.levelname, "logger": record.name, "where": f"{record.filename}:{record.lineno}"}
        if record.levelno >= logging.ERROR:
            fields["context"] = "\n".join(self.recent)
        self.recent.append(line[:500])
        self.last_ns = max(time.time_ns(), self.last_ns + 1)  # each line is one of its own
        try:
            self.queue.put_nowait([str(self.last_ns), line, fields])
        except queue.Full:
            self.dropped += 1

    def _run(self):
        while not (self.closing.is_set() and self.queue.empty()):
            time.sleep(0 if self.closing.is_set() else self.interval)
            entries = [self.queue.get_nowait() for _ in range(min(self.batch, self.queue.qsize()))]
            body = json.dumps({"streams": [{"stream": self.labels, "values": entries}]}).encode()
            request = urllib.request.Request(self.url, body, {"Content-Type": "application/json"})
            while entries and not self._sent(request) and not self.closing.wait(1):
                pass  # again, the very same lines: a server that has them already keeps them once

    def _sent(self, request):
        try:
            return urllib.request.urlopen(request, timeout=self.timeout).close() or True
        except urllib.error.HTTPError as error:
            return error.code in (400, 413, 422)  # it will never take them
        except OSError:
            return False

    def close(self):
        self.closing.set()
        self.thread.join(self.timeout)
        super().close()
