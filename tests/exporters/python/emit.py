"""Emits the spans of spans.json through an exporter of the SDK for Python.

emit.py SPANS.JSON PROTOCOL COMPRESSION ENDPOINT; see tests/README.md.
"""

import json
import logging
import pathlib
import sys
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

BATCH = 64


class Noting(SpanExporter):
    """The real exporter; notes what it said."""

    def __init__(self, exporter: SpanExporter):
        self.exporter = exporter
        self.results: list[SpanExportResult] = []

    def export(self, spans):
        result = self.exporter.export(spans)
        self.results.append(result)
        return result

    def shutdown(self):
        self.exporter.shutdown()


def make_exporter(protocol: str, compression: str, endpoint: str) -> SpanExporter:
    # Imported where they are used: not every environment has all of them.
    # pylint: disable=import-outside-toplevel
    if protocol == "grpc":
        import grpc
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc

        kinds = {"none": "NoCompression", "gzip": "Gzip", "deflate": "Deflate"}
        return Grpc(endpoint, insecure=True, compression=getattr(grpc.Compression, kinds[compression]))
    if protocol == "http/protobuf":
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Http

        return Http(f"{endpoint}/v1/traces", compression=Compression(compression))
    from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter as Json
    from opentelemetry.exporter.otlp.common.http import Compression as JsonCompression

    return Json(f"{endpoint}/v1/traces", compression=JsonCompression(compression))


def nanoseconds(time: list[int]) -> int:
    return time[0] * 10**9 + time[1]


def attributes_of(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    return {pair["key"]: pair["value"] for pair in pairs}


def link_of(link: dict[str, Any]) -> trace.Link:
    context = trace.SpanContext(int(link["traceId"], 16), int(link["spanId"], 16), is_remote=True)
    return trace.Link(context, attributes_of(link["attributes"]))


def emit(tracer: trace.Tracer, spec: dict[str, Any], parent: trace.Span | None) -> trace.Span:
    span = tracer.start_span(
        spec["name"],
        trace.set_span_in_context(parent) if parent else None,
        trace.SpanKind[spec["kind"]],
        attributes_of(spec["attributes"]),
        [link_of(link) for link in spec["links"]],
        nanoseconds(spec["start"]),
    )
    for event in spec["events"]:
        span.add_event(event["name"], attributes_of(event["attributes"]), nanoseconds(event["time"]))
    status = spec["status"]
    if status["code"] != "UNSET":
        span.set_status(trace.StatusCode[status["code"]], status["message"] or None)
    span.end(nanoseconds(spec["end"]))
    return span


def main() -> int:
    logging.basicConfig(level=logging.WARNING)
    spec = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    exporter = Noting(make_exporter(*sys.argv[2:5]))
    provider = TracerProvider(resource=Resource.create({"service.name": spec["service"]}))
    provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=BATCH))
    tracer = provider.get_tracer(spec["scope"]["name"], spec["scope"]["version"])
    sent = []
    for _ in range(spec["repeat"]):
        root = None
        for number, one in enumerate(spec["spans"]):
            span = emit(tracer, one, root)
            root = root or span
            context = span.get_span_context()
            sent.append({"spec": number, "traceId": f"{context.trace_id:032x}", "spanId": f"{context.span_id:016x}"})
    flushed = provider.force_flush()
    provider.shutdown()
    print(json.dumps({"sent": sent, "requests": len(exporter.results)}))
    return 0 if flushed and set(exporter.results) == {SpanExportResult.SUCCESS} else 1


sys.exit(main())
