"""How the rows of OTLP/HTTP ask, and what they ask of an answer."""

from typing import Callable

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from . import http_wire, messages
from .http_wire import Answer
from .media import MEDIA, Media, response_of
from .rows import check, row
from .target import Target


def in_both(identity: str, section: str, level: str, clause: str) -> Callable:
    """Two rows, http.protobuf.IDENTITY and http.json.IDENTITY, of a function of target and encoding."""

    def register(ask: Callable[[Target, Media], str]) -> Callable[[Target, Media], str]:
        for media in MEDIA:
            asked_in(media, ask)
        return ask

    def asked_in(media: Media, ask: Callable[[Target, Media], str]) -> None:
        @row(f"http.{media.kind}.{identity}", section, level, clause)
        def one(target: Target) -> str:
            return ask(target, media)

    return register


def accepted(
    target: Target, request: ExportTraceServiceRequest, answer: Answer, media: Media
) -> ExportTraceServiceResponse:
    response = response_of(answer, media)
    check(response.partial_success.rejected_spans == 0, response)
    target.keeps(request)
    return response


def sent_with(target: Target, media: Media, headers: dict[str, str] | None = None, **options) -> str:
    """A request that uses every field, accepted."""
    request = messages.with_everything()
    answer = http_wire.send(target, media.encode(request), {**media.header, **(headers or {})}, **options)
    accepted(target, request, answer, media)
    return "200"
