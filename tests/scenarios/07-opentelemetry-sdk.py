"""The OpenTelemetry SDK for Python with its own gRPC exporter, as an application uses it."""

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from lib import documents


class Counting(SpanExporter):
    """The real exporter; notes what it said."""

    def __init__(self, exporter: OTLPSpanExporter):
        self.exporter = exporter
        self.results: list[SpanExportResult] = []

    def export(self, spans):
        result = self.exporter.export(spans)
        self.results.append(result)
        return result

    def shutdown(self):
        self.exporter.shutdown()


def make_spans(tracer: trace.Tracer) -> None:
    for number in range(100):
        with tracer.start_as_current_span("GET /주문", kind=trace.SpanKind.SERVER) as root:
            root.set_attribute("http.request.method", "GET")
            root.set_attribute("shop.order_number", number)
            with tracer.start_as_current_span("SELECT orders", kind=trace.SpanKind.CLIENT) as child:
                child.set_attribute("db.system", "h2")
                try:
                    if number % 10 == 0:
                        raise ValueError("가격이 없습니다")
                except ValueError as error:
                    child.record_exception(error)
                    child.set_status(trace.StatusCode.ERROR, str(error))


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip], ids=["plain", "gzip"])
def test_sdk_exports(daemon, database, compression):
    exporter = Counting(OTLPSpanExporter(f"http://{daemon.endpoint}", insecure=True, compression=compression))
    provider = TracerProvider(resource=Resource.create({"service.name": "checkout", "k8s.pod.name": "checkout-0"}))
    provider.add_span_processor(BatchSpanProcessor(exporter, max_export_batch_size=50))
    make_spans(provider.get_tracer("scenario", "1.0"))
    provider.shutdown()
    assert exporter.results and set(exporter.results) == {SpanExportResult.SUCCESS}

    daemon.wait_delivered()
    spans = documents.read(database)
    assert len(spans) == len({(span.trace_id, span.span_id) for span in spans}) == 200
    assert {span.service for span in spans} == {"checkout"}
    roots = {span.span_id: span for span in spans if span.parent_span_id is None}
    children = [span for span in spans if span.parent_span_id is not None]
    assert sorted(dict(span.attributes)["shop.order_number"][1] for span in roots.values()) == list(range(100))
    assert all(roots[span.parent_span_id].trace_id == span.trace_id for span in children)
    failed = [span for span in children if span.status_code == 2]
    assert len(failed) == 10
    assert all(span.events[0].name == "exception" for span in failed)
    assert all("가격이 없습니다" in span.status_message for span in failed)
