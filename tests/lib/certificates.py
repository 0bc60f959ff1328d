"""Authorities and the certificates that they sign, by the openssl command; and files of secrets."""

import pathlib
import ssl
import subprocess
from typing import NamedTuple

import grpc

# Not the system's openssl.cnf: what a certificate says is said here.
CONFIG = "[req]\ndistinguished_name = name\n[name]\n"

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
NAMES = "DNS:localhost,IP:127.0.0.1,IP:::1"


def write_secret(path: pathlib.Path, *lines: str) -> pathlib.Path:
    """That nobody but its owner may read, as the daemon wants it."""
    path.write_text("".join(f"{line}\n" for line in lines))
    path.chmod(0o600)
    return path


class Certificate(NamedTuple):
    cert: pathlib.Path
    key: pathlib.Path

    @property
    def settings(self) -> dict[str, object]:
        """Of a daemon that shows it."""
        return {"receiver.tls.cert_file": self.cert, "receiver.tls.key_file": self.key}

    @property
    def der(self) -> bytes:
        """What a peer is shown."""
        return ssl.PEM_cert_to_DER_cert(self.cert.read_text(encoding="ascii"))


class Authority:
    """Its own certificate is `ca`; what it signs lies beside it, as NAME.crt and NAME.key."""

    def __init__(self, folder: pathlib.Path, name: str = "authority"):
        self.folder = folder
        (folder / "openssl.cnf").write_text(CONFIG)
        self.ca = self.make(name, ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"])

    def issue(self, name: str) -> Certificate:
        """For a server on this machine, or for a client."""
        signer = ["-CA", str(self.ca.cert), "-CAkey", str(self.ca.key)]
        return self.make(name, ["basicConstraints=critical,CA:FALSE", f"subjectAltName={NAMES}"], signer)

    def make(self, name: str, extensions: list[str], signer: list[str] | None = None) -> Certificate:
        made = Certificate(self.folder / f"{name}.crt", self.folder / f"{name}.key")
        command = ["openssl", "req", "-x509", "-config", str(self.folder / "openssl.cnf"), *KEY, "-days", "2"]
        command += ["-subj", f"/CN={name}", "-out", str(made.cert), "-keyout", str(made.key), *(signer or [])]
        for extension in [*extensions, "subjectKeyIdentifier=hash", "authorityKeyIdentifier=keyid"]:
            command += ["-addext", extension]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        made.key.chmod(0o600)
        return made

    # --- clients that trust this authority, and may have a certificate of their own ---

    def for_grpc(self, own: Certificate | None = None) -> grpc.ChannelCredentials:
        pair = (own.key.read_bytes(), own.cert.read_bytes()) if own else (None, None)
        return grpc.ssl_channel_credentials(self.ca.cert.read_bytes(), *pair)

    def for_http(self, own: Certificate | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.ca.cert))
        if own:
            context.load_cert_chain(own.cert, own.key)
        return context
