"""Rows of OTLP/HTTP on connections, and of HTTP itself: methods, paths, media types."""

from . import http_wire, messages
from .http_ask import accepted
from .http_wire import Connection
from .media import JSON, PROTOBUF, own_status_of
from .rows import MAY, MUST, SHOULD, CannotProvoke, check, row
from .target import Target

SEQUENTIAL = 100
CONCURRENT = 16


@row("http.keep_alive", "OTLP/HTTP Connection", SHOULD,
     "The client SHOULD keep the connection alive between requests.")
def keep_alive(target: Target) -> str:
    with Connection(target) as connection:
        for number in range(SEQUENTIAL):
            check(not connection.closed, f"closed after {number} requests")
            request = messages.simple()
            accepted(target, request, connection.send(PROTOBUF.encode(request), PROTOBUF.header), PROTOBUF)
    return f"{SEQUENTIAL} requests on one connection"


@row("http.same_port", "OTLP/HTTP Connection", SHOULD,
     "Servers SHOULD accept both encodings on the same port, based on the Content-Type request header.")
def same_port(target: Target) -> str:
    with Connection(target) as connection:
        for media in (PROTOBUF, JSON, JSON, PROTOBUF):
            request = messages.simple()
            accepted(target, request, connection.send(media.encode(request), media.header), media)
    return "in turns on one connection"


@row("http.concurrent", "OTLP/HTTP Concurrent Requests", MAY,
     "The client MAY send requests using several parallel HTTP connections.")
def concurrent(target: Target) -> str:
    """All are begun before the first is complete, and completed in the opposite order."""
    requests = [messages.with_everything() for _ in range(CONCURRENT)]
    connections = [Connection(target) for _ in requests]
    try:
        for connection, request in zip(connections, requests):
            connection.begin(PROTOBUF.encode(request), PROTOBUF.header)
        for connection, request in reversed(list(zip(connections, requests))):
            accepted(target, request, connection.complete(), PROTOBUF)
    finally:
        for connection in connections:
            connection.socket.close()
    return f"{len(requests)} under way at once"


@row("http.unsupported_media", "RFC 9110, 15.5.16", SHOULD,
     "A Content-Type that is neither of the two is 415 Unsupported Media Type.")
def unsupported_media(target: Target) -> str:
    body = PROTOBUF.encode(messages.simple())
    for headers in ({"content-type": "text/plain"}, {"content-type": "application/jsonp"}, {}):
        answer = http_wire.send(target, body, headers)
        check(answer.status == 415, f"{answer} for {headers.get('content-type', 'no Content-Type')}")
    return "415 for text/plain, application/jsonp and none"


@row("http.method", "RFC 9110, 15.5.6", MUST,
     "A method that the resource does not have is 405, and the server MUST generate an Allow header field.")
def other_method(target: Target) -> str:
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        answer = http_wire.send(target, headers=PROTOBUF.header, method=method)
        check(answer.status == 405, f"{answer} for {method}")
        check("POST" in answer.headers.get("allow", ""), f"405 for {method} with Allow: {answer.headers.get('allow')}")
    return f"405 for GET, PUT, DELETE, HEAD; Allow: {answer.headers['allow']}"


@row("http.path", "OTLP/HTTP Request; RFC 9110, 15.5.5", MUST,
     "The default URL path for traces is /v1/traces; what is not there is 404.")
def other_path(target: Target) -> str:
    body = PROTOBUF.encode(messages.simple())
    for path in ("/", "/v1/trace", "/v1/traces/more", "/v2/traces"):
        answer = http_wire.send(target, body, PROTOBUF.header, path=path)
        check(answer.status == 404, f"{answer} for {path}")
    return "404 for /, /v1/trace, /v1/traces/more, /v2/traces"


@row("http.failures.status", "OTLP/HTTP Response, Failures", MUST,
     "The response body for all HTTP 4xx and HTTP 5xx responses MUST be a Protobuf-encoded Status: of 404, 405, 415.")
def failures_status(target: Target) -> str:
    body = PROTOBUF.encode(messages.simple())
    answers = [
        http_wire.send(target, body, PROTOBUF.header, path="/v1/nothing"),
        http_wire.send(target, headers=PROTOBUF.header, method="GET"),
        http_wire.send(target, body, {"content-type": "text/plain"}),
    ]
    for answer in answers:
        own_status_of(answer)
    return str(answers[0])


@row("http.port", "OTLP/HTTP Default Port", SHOULD, "The default network port for OTLP/HTTP is 4318.")
def port(target: Target) -> str:
    assert target.http is not None
    if target.http.port != 4318:
        raise CannotProvoke(f"this endpoint's port was chosen: {target.http.port}")
    return "4318"
