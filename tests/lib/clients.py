"""OTLP/gRPC clients: raw requests with the whole answer, and load from several clients at once."""

import pathlib
import threading
import time
from typing import NamedTuple

import grpc
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from . import otlp
from .waiting import wait_until

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

# What the specification lets a client send again.
RETRYABLE = {
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS,
}


CLIENT_NUMBERS = 1 << 24  # a client's number is in the ids that it sends


class Answer(NamedTuple):
    code: grpc.StatusCode
    message: str
    rejected_spans: int = 0
    partial_message: str = ""
    retry_delay: float | None = None  # seconds, from RetryInfo
    bad_request: str | None = None  # from BadRequest
    from_server: bool = True  # not made up by the client, as for a refused connection

    @property
    def ok(self) -> bool:
        return self.code == grpc.StatusCode.OK


class Client:
    """Sends the bytes of a request as they are."""

    def __init__(
        self, endpoint: str, gzip: bool = False, tls: grpc.ChannelCredentials | None = None, token: str | None = None
    ):
        options = [
            ("grpc.max_send_message_length", -1),
            # Of its own, not shared through core's pool: a client is a connection.
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 200),
        ]
        if endpoint.startswith("unix:"):
            options.append(("grpc.default_authority", "localhost"))  # else the path, for which no certificate is
        compression = grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression
        if tls is None:
            self.channel = grpc.insecure_channel(endpoint, options, compression)
        else:
            self.channel = grpc.secure_channel(endpoint, tls, options, compression)
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()
        self.export = self.channel.unary_unary(METHOD, lambda data: data, ExportTraceServiceResponse.FromString)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.channel.close()

    def send(self, request: bytes, seconds: float = 30) -> Answer:
        try:
            answer = self.export(request, timeout=seconds, metadata=self.metadata)
        except grpc.RpcError as error:
            return refusal(error)
        partial = answer.partial_success
        return Answer(grpc.StatusCode.OK, "", partial.rejected_spans, partial.error_message)

    def send_until_ok(self, request: bytes, stop: threading.Event) -> bool:
        """As a Collector does: the same again while the answer allows it. True when it was acknowledged."""
        while True:
            answer = self.send(request, 10)
            if answer.ok:
                return True
            if answer.code not in RETRYABLE:
                raise AssertionError(f"an answer that makes a Collector drop the batch: {answer}")
            if stop.wait(0.02):
                return False


def refusal(error: grpc.RpcError) -> Answer:
    trailers = dict(error.trailing_metadata() or ())
    encoded = trailers.get("grpc-status-details-bin")
    delay, bad = None, None
    if encoded is not None:
        status = status_pb2.Status.FromString(encoded)
        assert status.code == error.code().value[0], status
        for detail in status.details:
            retry, request = error_details_pb2.RetryInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(retry):
                delay = retry.retry_delay.ToTimedelta().total_seconds()
            elif detail.Unpack(request):
                bad = str(request)
    # Core itself says UNAVAILABLE for a connection that is refused or lost.
    return Answer(
        error.code(), error.details() or "", retry_delay=delay, bad_request=bad, from_server=encoded is not None
    )


class Load:
    """Clients that send, each as fast as it is answered, requests that are like the captures and all different."""

    # Small ones, so that many are in flight; both agents, and shapes that no agent sends.
    TEMPLATES = ("java-0001", "node-0001", "java-0005", "python-awkward-0001", "python-awkward-0005", "node-sdk3-0005")

    def __init__(
        self,
        endpoint: str,
        clients: int = 4,
        seed: int = 1,
        requests_per_second: int = 200,
        noise_bytes: int = 0,
        start_unix_nano: int | None = None,
    ):
        """noise_bytes: so many bytes that do not compress are added to each request; start_unix_nano: its times."""
        self.endpoint = endpoint
        self.noise_bytes = noise_bytes
        self.start_unix_nano = start_unix_nano
        self.pause = clients / requests_per_second  # bounds what the comparison has to read afterwards
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.acknowledged: list[bytes] = []
        self.unacknowledged: list[bytes] = []
        self.failures: list[BaseException] = []
        self.seconds: list[float] = []  # that each acknowledgement took
        numbers = [(seed * 1000 + n) % CLIENT_NUMBERS for n in range(clients)]
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in numbers]

    def __enter__(self) -> "Load":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the load; a failure of a client is raised here."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    @property
    def count(self) -> int:
        return len(self.acknowledged)

    def wait_for(self, more: int, seconds: float = 60) -> None:
        """Until so many more requests have been acknowledged than now; at once when a client has failed."""
        target = self.count + more
        what = f"{more} more acknowledged requests"
        wait_until(lambda: self.failures or self.count >= target, what, seconds)

    def connect(self, client_number: int) -> Client:
        """A client of its own for each thread."""
        return Client(self.endpoint, gzip=client_number % 2 == 0)

    def run(self, client_number: int) -> None:
        try:
            templates = [otlp.Template(otlp.CAPTURES / f"{name}.pb") for name in self.TEMPLATES]
            with self.connect(client_number) as client:
                number = 0
                while not self.stopping.wait(self.pause):
                    number += 1
                    request = self.make(templates[number % len(templates)], nonce(client_number, number))
                    started = time.monotonic()
                    acknowledged = client.send_until_ok(request, self.stopping)
                    self.record(request, acknowledged, time.monotonic() - started)
        except BaseException as failure:  # pylint: disable=broad-except
            self.failures.append(failure)

    def make(self, template: otlp.Template, identity: int) -> bytes:
        if self.start_unix_nano is None:
            request = template.with_ids(identity)
        else:
            request = template.at(identity, self.start_unix_nano)
        return otlp.with_noise(request, self.noise_bytes) if self.noise_bytes > 0 else request

    def record(self, request: bytes, acknowledged: bool, seconds: float) -> None:
        with self.lock:
            (self.acknowledged if acknowledged else self.unacknowledged).append(request)
            if acknowledged:
                self.seconds.append(seconds)


def nonce(client_number: int, number: int) -> int:
    """128 bits, different in both halves for every pair: span ids are made from the lower half."""
    assert client_number < CLIENT_NUMBERS and number < 1 << 40
    half = client_number << 40 | number
    return half << 64 | half


def write_requests(folder: pathlib.Path, requests: list[bytes]) -> list[str]:
    """Files for `tracespool send`."""
    paths = []
    for number, request in enumerate(requests):
        path = folder / f"request-{number:05}.pb"
        path.write_bytes(request)
        paths.append(str(path))
    return paths
