"""A mail server that keeps what it gets, for the end-to-end tests. Python's standard library only.

    sink = SmtpSink().start()                                   # plain, no login
    sink = SmtpSink(tls="starttls", certificate=ca.issue("localhost"), users={"me": "secret"}).start()
    … smtp to sink.address ("127.0.0.1:40123") …
    mail = sink.wait_for(lambda m: "disk" in m.subject, 5)      # a Mail; AssertionError after 5 s
    sink.mode = "refuse"                                        # from now on
    sink.stop()

Modes: "accept"; "refuse" (550 to every recipient); "refuse_data" (554 after the text); "greet_554" (turns every
client away); "hang" (greets nobody); "hang_data" (never answers after the text); "drop" (closes after the text);
`fail_times = n` answers 451 to the next n messages, whatever the mode is.
"""
import base64
import email
import email.policy
import socket
import socketserver
import ssl
import threading
import time

LINE_BYTES_MAX = 65536


class Mail:
    """One message as it came: envelope, bytes (dots unstuffed, CRLF) and the parsed form."""

    def __init__(self, session, raw):
        self.arrived = time.time()
        self.sender, self.recipients = session.sender, list(session.recipients)
        self.helo, self.user, self.tls = session.helo, session.user, session.secure
        self.raw = raw
        self.message = email.message_from_bytes(raw, policy=email.policy.default)

    @property
    def subject(self):
        return str(self.message["Subject"] or "")

    def part(self, subtype):
        """The decoded text of the part text/<subtype>, lines ended by \\n, or None."""
        for part in self.message.walk():
            if part.get_content_type() == "text/" + subtype:
                return part.get_content().replace("\r\n", "\n")
        return None

    @property
    def text(self):
        return self.part("plain")

    @property
    def html(self):
        return self.part("html")


class _Closed(Exception):
    pass


class _Session:
    def __init__(self, sink, connection):
        self.sink, self.connection = sink, connection
        self.secure, self.user, self.helo, self.esmtp = False, None, None, False
        self.reset()

    def reset(self):
        self.sender, self.recipients = None, []

    def open(self):
        self.stream = self.connection.makefile("rb")

    def say(self, text):
        self.connection.sendall(text.encode() + b"\r\n")

    def line(self):
        line = self.stream.readline(LINE_BYTES_MAX)
        if not line:
            raise _Closed()
        self.sink.transcript.append(line.rstrip(b"\r\n"))
        return line

    def to_tls(self):
        self.connection = self.sink.certificate.context().wrap_socket(self.connection, server_side=True)
        self.secure = True
        self.open()

    def hang(self):
        self.sink.stopping.wait()
        raise _Closed()

    def run(self):
        if self.sink.mode == "hang":
            self.hang()
        self.open() if self.sink.tls != "implicit" else self.to_tls()
        if self.sink.mode == "greet_554":
            self.say("554 no mail here")
            return
        self.say("220 sink ESMTP")
        while True:
            verb, _, rest = self.line().decode("utf-8", "replace").strip().partition(" ")
            handler = getattr(self, "do_" + verb.lower(), None)
            if verb.upper() == "QUIT":
                self.say("221 bye")
                return
            if handler is None:
                self.say("502 what?")
            else:
                handler(rest)

    def do_helo(self, rest):
        self.helo = rest
        self.say("250 sink")

    def do_ehlo(self, rest):
        self.helo, self.esmtp = rest, True
        offers = ["sink", "8BITMIME", "SIZE 33554432"]
        if self.sink.tls == "starttls" and not self.secure:
            offers.append("STARTTLS")
        if self.sink.users and (self.secure or not self.sink.tls):
            offers.append("AUTH " + self.sink.mechanisms)
        self.say("\r\n".join(f"250{'-' if i + 1 < len(offers) else ' '}{offer}" for i, offer in enumerate(offers)))

    def do_starttls(self, _):
        if self.sink.tls != "starttls" or self.secure:
            return self.say("503 not now")
        self.say("220 go ahead")
        self.to_tls()
        self.reset()

    def do_auth(self, rest):
        mechanism, _, first = rest.partition(" ")
        if mechanism.upper() not in self.sink.mechanisms.split():
            return self.say("504 unknown mechanism")
        if mechanism.upper() == "PLAIN":
            if not first:
                self.say("334 ")
                first = self.line().decode().strip()
            parts = base64.b64decode(first).split(b"\0")
            name, password = parts[-2].decode(), parts[-1].decode()
        else:  # LOGIN
            if not first:
                self.say("334 " + base64.b64encode(b"Username:").decode())
                first = self.line().decode().strip()
            name = base64.b64decode(first).decode()
            self.say("334 " + base64.b64encode(b"Password:").decode())
            password = base64.b64decode(self.line().strip()).decode()
        if self.sink.users.get(name) != password:
            return self.say("535 authentication failed")
        self.user = name
        self.say("235 welcome")

    def do_mail(self, rest):
        if self.sink.users and self.user is None:
            return self.say("530 authentication required")
        self.sender = rest.partition(":")[2].strip().partition(">")[0].lstrip("<")
        self.say("250 ok")

    def do_rcpt(self, rest):
        if self.sink.mode == "refuse":
            return self.say("550 no such mailbox")
        self.recipients.append(rest.partition(":")[2].strip().partition(">")[0].lstrip("<"))
        self.say("250 ok")

    def do_data(self, _):
        if not self.recipients:
            return self.say("503 no recipients")
        self.say("354 go on")
        lines = []
        while (line := self.line()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        if self.sink.mode == "hang_data":
            self.hang()
        if self.sink.mode == "drop":
            raise _Closed()
        if self.sink.mode == "refuse_data":
            self.say("554 not that")
        elif self.sink.take_failure():
            self.say("451 try again later")
        else:
            self.sink.keep(Mail(self, b"".join(lines)))
            self.say("250 kept")
        self.reset()

    def do_rset(self, _):
        self.reset()
        self.say("250 ok")

    def do_noop(self, _):
        self.say("250 ok")


class SmtpSink:
    def __init__(self, tls=None, certificate=None, users=None, mode="accept", fail_times=0, mechanisms="PLAIN LOGIN",
                 host="127.0.0.1", port=0):
        """`tls`: None, "starttls" or "implicit", which need a certificates.Certificate; `users`: name → password."""
        self.tls, self.certificate, self.users, self.mode = tls, certificate, users or {}, mode
        self.fail_times, self.mechanisms, self.host, self.port = fail_times, mechanisms, host, port
        self.messages, self.transcript, self.failed = [], [], 0  # transcript: every line that clients said
        self.connections, self.attempts = 0, []  # attempts: when each connection came
        self.arrival, self.stopping = threading.Condition(), threading.Event()

    def start(self):
        sink = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                sink.connections += 1
                sink.attempts.append(time.time())
                session = _Session(sink, self.request)
                try:
                    session.run()
                except (_Closed, OSError, ssl.SSLError):
                    pass
                finally:
                    try:
                        session.connection.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass
                    session.connection.close()

        class Listener(socketserver.ThreadingTCPServer):
            allow_reuse_address, daemon_threads, block_on_close = True, True, False

        self.listener = Listener((self.host, self.port), Handler)
        self.port = self.listener.server_address[1]
        threading.Thread(target=self.listener.serve_forever, args=(0.05,), daemon=True).start()
        return self

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def take_failure(self):
        with self.arrival:
            if self.fail_times <= 0:
                return False
            self.fail_times -= 1
            self.failed += 1
            return True

    def keep(self, mail):
        with self.arrival:
            self.messages.append(mail)
            self.arrival.notify_all()

    def wait_for(self, predicate=lambda _: True, seconds=10, count=1):
        """The `count`-th message that the predicate takes, from the beginning."""
        deadline = time.monotonic() + seconds
        with self.arrival:
            while True:
                found = [mail for mail in self.messages if predicate(mail)]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if left <= 0:
                    raise AssertionError(f"no such mail in {seconds} s; there are {[m.subject for m in self.messages]}")
                self.arrival.wait(left)

    def clear(self):
        with self.arrival:
            self.messages.clear()

    def stop(self):
        self.stopping.set()
        self.listener.shutdown()
        self.listener.server_close()
