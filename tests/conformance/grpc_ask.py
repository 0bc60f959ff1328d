"""What the rows of OTLP/gRPC ask of an answer."""

from google.rpc import error_details_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from .grpc_wire import CODES, RETRYABLE, Answer
from .rows import check
from .target import Target


def accepted(target: Target, request: ExportTraceServiceRequest, answer: Answer) -> ExportTraceServiceResponse:
    check(answer.ok, answer)
    response = ExportTraceServiceResponse.FromString(answer.message)
    check(response.partial_success.rejected_spans == 0, response)
    target.keeps(request)
    return response


def final(answer: Answer) -> str:
    """An answer that no client sends the same request again for."""
    check(answer.code in CODES and answer.code not in RETRYABLE | {"OK"}, answer)
    check(not retry_infos(answer), f"{answer} with RetryInfo")
    return str(answer)


def retry_infos(answer: Answer) -> list[error_details_pb2.RetryInfo]:
    return [detail for detail in answer.details if isinstance(detail, error_details_pb2.RetryInfo)]
