// Emits the spans of spans.json through an exporter of the SDK for Node.js.
// emit.js SPANS.JSON PROTOCOL COMPRESSION ENDPOINT; see tests/README.md.
'use strict';

const fs = require('node:fs');
const {diag, DiagConsoleLogger, DiagLogLevel, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace} = require('@opentelemetry/api');
const {resourceFromAttributes} = require('@opentelemetry/resources');
const {BatchSpanProcessor, NodeTracerProvider} = require('@opentelemetry/sdk-trace-node');

const BATCH = 64;
const SUCCESS = 0; // ExportResultCode

const PACKAGES = {
  'grpc': '@opentelemetry/exporter-trace-otlp-grpc',
  'http/protobuf': '@opentelemetry/exporter-trace-otlp-proto',
  'http/json': '@opentelemetry/exporter-trace-otlp-http',
};

function makeExporter(protocol, compression, endpoint) {
  const {OTLPTraceExporter} = require(PACKAGES[protocol]);
  const url = protocol === 'grpc' ? endpoint : `${endpoint}/v1/traces`;
  return new OTLPTraceExporter({url, compression});
}

// The real exporter; notes what it said.
function noting(exporter, results) {
  return {
    export: (spans, done) => exporter.export(spans, (result) => {
      results.push(result);
      done(result);
    }),
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}

function attributesOf(pairs) {
  return Object.fromEntries(pairs.map(({key, value}) => [key, value]));
}

function linkOf({traceId, spanId, attributes}) {
  const context = {traceId, spanId, traceFlags: TraceFlags.NONE, isRemote: true};
  return {context, attributes: attributesOf(attributes)};
}

function emit(tracer, spec, parent) {
  const options = {
    kind: SpanKind[spec.kind],
    attributes: attributesOf(spec.attributes),
    links: spec.links.map(linkOf),
    startTime: spec.start,
  };
  const span = tracer.startSpan(spec.name, options, parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT);
  for (const event of spec.events) {
    span.addEvent(event.name, attributesOf(event.attributes), event.time);
  }
  if (spec.status.code !== 'UNSET') {
    span.setStatus({code: SpanStatusCode[spec.status.code], message: spec.status.message || undefined});
  }
  span.end(spec.end);
  return span;
}

async function main(specFile, protocol, compression, endpoint) {
  diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN);
  const spec = JSON.parse(fs.readFileSync(specFile, 'utf8'));
  const results = [];
  const exporter = noting(makeExporter(protocol, compression, endpoint), results);
  const provider = new NodeTracerProvider({
    resource: resourceFromAttributes({'service.name': spec.service}),
    spanProcessors: [new BatchSpanProcessor(exporter, {maxExportBatchSize: BATCH})],
  });
  const tracer = provider.getTracer(spec.scope.name, spec.scope.version);
  const sent = [];
  for (let count = 0; count < spec.repeat; count++) {
    let root;
    spec.spans.forEach((one, number) => {
      const span = emit(tracer, one, root);
      root ??= span;
      const {traceId, spanId} = span.spanContext();
      sent.push({spec: number, traceId, spanId});
    });
  }
  await provider.forceFlush();
  await provider.shutdown();
  console.log(JSON.stringify({sent, requests: results.length}));
  for (const {error} of results.filter(({code}) => code !== SUCCESS)) {
    console.error(error);
    process.exitCode = 1;
  }
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
