"""Rows of OTLP/HTTP that an endpoint has to refuse for now: see --expect-overload."""

from . import http_wire, messages
from .http_wire import Answer
from .media import MEDIA, Media, status_of
from .rows import MAY, MUST, SHOULD, NotOffered, check, row
from .target import Target

OVERLOAD_BYTES = 256 << 10
RETRYABLE = (429, 502, 503, 504)


def refused(target: Target, media: Media) -> Answer:
    return http_wire.send(target, media.encode(messages.of_size(OVERLOAD_BYTES, noise=True)), media.header)


def overload_rows(media: Media) -> None:
    @row(f"http.{media.kind}.overload", "OTLP/HTTP Response, OTLP/HTTP Throttling", SHOULD,
         "If the server is overloaded it SHOULD respond with HTTP 429 or HTTP 503.", overload=True)
    def status(target: Target) -> str:
        answer = refused(target, media)
        check(answer.status in (429, 503), answer)
        return str(answer)

    @row(f"http.{media.kind}.overload.retry_after", "OTLP/HTTP Response, OTLP/HTTP Throttling", MAY,
         "[The server] MAY include a Retry-After header: an HTTP-date or a number of seconds.", overload=True)
    def retry_after(target: Target) -> str:
        answer = refused(target, media)
        value = answer.headers.get("retry-after")
        if value is None:
            raise NotOffered(f"no Retry-After with {answer}")
        check(http_wire.is_retry_after(value), f"Retry-After: {value}")
        return f"Retry-After: {value}"

    @row(f"http.{media.kind}.overload.status", "OTLP/HTTP Response, Failures", MUST,
         "The response body for all HTTP 4xx and HTTP 5xx responses MUST be a Protobuf-encoded Status.", overload=True)
    def body(target: Target) -> str:
        answer = refused(target, media)
        check(answer.status in RETRYABLE, answer)
        status_of(answer, media)
        return str(answer)


for each in MEDIA:
    overload_rows(each)
