"""The command: asks an endpoint every row, prints the table; exit status 1 when one failed."""

import argparse
import pathlib
import sys

# Importing them registers their rows, in this order.
from . import (  # noqa: F401 pylint: disable=unused-import
    grpc_rows,
    grpc_size_rows,
    http_rows,
    http_body_rows,
    http_protocol_rows,
    json_rows,
    overload_rows,
)
from .report import as_json, as_markdown
from .rows import Result, ask_all
from .target import Target


def header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError("a header is NAME=VALUE")
    return name, value


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/conformance/run", description=__doc__)
    add = parser.add_argument
    add("--grpc", metavar="HOST:PORT", help="an OTLP/gRPC endpoint")
    add("--http", metavar="URL", help="an OTLP/HTTP endpoint, as http://HOST:PORT; /v1/traces is added")
    add("--tls-ca", metavar="FILE", help="speak TLS, and trust this certificate")
    add("--header", metavar="NAME=VALUE", type=header, action="append", default=[], help="with each request")
    add("--max-request-bytes", metavar="N", type=int, default=64 << 20, help="the endpoint's limit; 64 MiB unless said")
    add("--expect-overload", action="store_true", help="it is overloaded: ask the rows of that, and no others")
    add("--only", metavar="WORDS", default="", help="rows whose id holds this")
    add("--sent", metavar="DIR", type=pathlib.Path, help="write here, as protobuf, what was acknowledged")
    add("--report", choices=("md", "json"), default="md")
    chosen = parser.parse_args()
    if not chosen.grpc and not chosen.http:
        parser.error("say where: --grpc HOST:PORT, --http URL, or both")
    return chosen


def main() -> int:
    chosen = options()
    try:
        target = Target(
            chosen.grpc,
            chosen.http,
            chosen.tls_ca,
            dict(chosen.header),
            chosen.max_request_bytes,
            chosen.expect_overload,
            chosen.sent,
        )
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    outcomes = ask_all(target, chosen.only)
    print(as_json(outcomes) if chosen.report == "json" else as_markdown(outcomes))
    return 1 if not outcomes or any(outcome.result is Result.FAIL for outcome in outcomes) else 0


sys.exit(main())
