"""The two encodings of OTLP/HTTP, and reading answers in them."""

import json
from typing import Callable, NamedTuple

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from . import messages
from .http_wire import Answer
from .rows import Failed, check


class Media(NamedTuple):
    kind: str
    type: str
    encode: Callable[[ExportTraceServiceRequest], bytes]
    read: Callable[[bytes, Message], object]
    empty: bytes  # a request without data
    garbage: dict[str, bytes]

    @property
    def header(self) -> dict[str, str]:
        return {"content-type": self.type}


def read_json(body: bytes, message: Message) -> None:
    json_format.Parse(body, message)


PROTOBUF = Media(
    "protobuf",
    "application/x-protobuf",
    lambda request: request.SerializeToString(),
    lambda body, message: message.ParseFromString(body),
    b"",
    {
        "a length past the end": b"\x0a\xff\xff\xff\xff\x0f",
        "text": b"resourceSpans: none",
        "a truncated span": messages.simple().SerializeToString()[:-3],
    },
)
JSON = Media(
    "json",
    "application/json",
    lambda request: messages.json_text(messages.json_tree(request)),
    read_json,
    b"{}",
    {
        "no JSON": b"resourceSpans: none",
        "a truncated object": b'{"resourceSpans":[{"scopeSpans":[',
        "a string for a list": b'{"resourceSpans":"none"}',
        "an array": b"[]",
    },
)
MEDIA = (PROTOBUF, JSON)


def decoded(answer: Answer, media: Media, message: Message) -> Message:
    """The answer's body, which has to be in the encoding of the request and to say so."""
    check(answer.media == media.type, f"Content-Type {answer.headers.get('content-type')!r} with {answer.status}")
    try:
        media.read(answer.body, message)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError) as error:
        raise Failed(f"the body of {answer} is no {message.DESCRIPTOR.name}: {error}") from error
    return message


def response_of(answer: Answer, media: Media) -> ExportTraceServiceResponse:
    check(answer.status == 200, answer)
    return decoded(answer, media, ExportTraceServiceResponse())


def status_of(answer: Answer, media: Media) -> status_pb2.Status:
    check(answer.status >= 400, answer)
    return decoded(answer, media, status_pb2.Status())


def own_status_of(answer: Answer) -> status_pb2.Status:
    """A Status in whichever encoding the answer says it is: there was no request to take it from."""
    for media in MEDIA:
        if answer.media == media.type:
            return status_of(answer, media)
    raise Failed(f"no Status: {answer}")


def bad_requests(status: status_pb2.Status) -> list[error_details_pb2.BadRequest]:
    return [detail for any_ in status.details if any_.Unpack(detail := error_details_pb2.BadRequest())]


def json_body(answer: Answer) -> object:
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise Failed(f"no JSON: {answer}") from error
