"""Certificates for the sinks of the end-to-end tests, made by the openssl command.

    ca = Authority(directory)
    good = ca.issue("localhost", "127.0.0.1")   # .certificate, .key: paths; .context(): for a server
    ca.certificate                              # what a client has to trust
    ca.issue("localhost", days=-1)              # expired
    self_signed(directory, "localhost")         # nobody's
"""
import os
import ssl
import subprocess


def _openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"openssl {' '.join(arguments)}: {done.stderr.decode()}")


class Certificate:
    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key

    def context(self, client_ca=None, maximum_version=None):
        """Of a server with this certificate; with `client_ca` clients have to show one of that authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        if client_ca:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        if maximum_version:
            context.maximum_version = maximum_version
        return context


def _names(names):
    return ",".join(("IP:" if name.replace(".", "").isdigit() or ":" in name else "DNS:") + name for name in names)


def self_signed(directory, *names, label="self", authority=False):
    """A certificate that only those who have it trust."""
    os.makedirs(directory, exist_ok=True)
    key, certificate = os.path.join(directory, label + ".key"), os.path.join(directory, label + ".pem")
    extensions = ["-addext", "subjectAltName=" + _names(names)] if names else []
    if not authority:
        extensions += ["-addext", "basicConstraints=critical,CA:FALSE"]
    _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
             "-subj", f"/CN={names[0] if names else 'varve test authority'}", "-keyout", key, "-out", certificate,
             *extensions)
    return Certificate(certificate, key)


class Authority:
    def __init__(self, directory):
        self.directory, self.issued = directory, 0
        own = self_signed(directory, label="ca", authority=True)
        self.certificate, self._key = own.certificate, own.key

    def issue(self, *names, days=2):
        """For these host names and addresses; `days` below zero: expired that long ago."""
        self.issued += 1
        base = os.path.join(self.directory, f"issued{self.issued}")
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-subj", f"/CN={names[0]}", "-keyout", base + ".key", "-out", base + ".csr")
        with open(base + ".ext", "w") as extensions:
            extensions.write(f"subjectAltName={_names(names)}\nbasicConstraints=critical,CA:FALSE\n")
        _openssl("x509", "-req", "-in", base + ".csr", "-CA", self.certificate, "-CAkey", self._key,
                 "-set_serial", str(self.issued + 1000), "-days", str(days), "-extfile", base + ".ext",
                 "-out", base + ".pem")
        return Certificate(base + ".pem", base + ".key")
