// Emits the spans of spans.json through an exporter of the SDK for Java.
// Emit SPANS.JSON PROTOCOL COMPRESSION ENDPOINT; see tests/README.md.

import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.AttributesBuilder;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanBuilder;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.data.SpanData;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.StreamSupport;

public final class Emit {
  private static final int BATCH = 64;
  private static final int SECONDS = 60;

  /** The real exporter; notes what it said. */
  private record Noting(SpanExporter exporter, List<CompletableResultCode> results) implements SpanExporter {
    @Override
    public CompletableResultCode export(Collection<SpanData> spans) {
      CompletableResultCode result = exporter.export(spans);
      results.add(result);
      return result;
    }

    @Override
    public CompletableResultCode flush() {
      return exporter.flush();
    }

    @Override
    public CompletableResultCode shutdown() {
      return exporter.shutdown();
    }
  }

  private static SpanExporter makeExporter(String protocol, String compression, String endpoint) {
    if (protocol.equals("grpc")) {
      return OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).setCompression(compression).build();
    }
    return OtlpHttpSpanExporter.builder().setEndpoint(endpoint + "/v1/traces").setCompression(compression).build();
  }

  private static long nanoseconds(JsonObject holder, String key) {
    JsonArray time = holder.getAsJsonArray(key);
    return TimeUnit.SECONDS.toNanos(time.get(0).getAsLong()) + time.get(1).getAsLong();
  }

  private static <T> List<T> list(JsonElement array, Function<JsonElement, T> read) {
    return StreamSupport.stream(array.getAsJsonArray().spliterator(), false).map(read).toList();
  }

  private static void put(AttributesBuilder attributes, String type, String key, JsonElement value) {
    switch (type) {
      case "string" -> attributes.put(key, value.getAsString());
      case "bool" -> attributes.put(key, value.getAsBoolean());
      case "int" -> attributes.put(key, value.getAsLong());
      case "double" -> attributes.put(key, value.getAsDouble());
      case "strings" -> attributes.put(AttributeKey.stringArrayKey(key), list(value, JsonElement::getAsString));
      case "bools" -> attributes.put(AttributeKey.booleanArrayKey(key), list(value, JsonElement::getAsBoolean));
      case "ints" -> attributes.put(AttributeKey.longArrayKey(key), list(value, JsonElement::getAsLong));
      case "doubles" -> attributes.put(AttributeKey.doubleArrayKey(key), list(value, JsonElement::getAsDouble));
      default -> throw new IllegalArgumentException(type);
    }
  }

  private static Attributes attributesOf(JsonObject holder) {
    AttributesBuilder attributes = Attributes.builder();
    for (JsonElement element : holder.getAsJsonArray("attributes")) {
      JsonObject pair = element.getAsJsonObject();
      put(attributes, pair.get("type").getAsString(), pair.get("key").getAsString(), pair.get("value"));
    }
    return attributes.build();
  }

  private static SpanContext contextOf(JsonObject link) {
    String traceId = link.get("traceId").getAsString();
    String spanId = link.get("spanId").getAsString();
    return SpanContext.createFromRemoteParent(traceId, spanId, TraceFlags.getDefault(), TraceState.getDefault());
  }

  private static Span emit(Tracer tracer, JsonObject spec, Span parent) {
    SpanBuilder builder =
        tracer
            .spanBuilder(spec.get("name").getAsString())
            .setParent(parent == null ? Context.root() : Context.root().with(parent))
            .setSpanKind(SpanKind.valueOf(spec.get("kind").getAsString()))
            .setAllAttributes(attributesOf(spec))
            .setStartTimestamp(nanoseconds(spec, "start"), TimeUnit.NANOSECONDS);
    for (JsonElement element : spec.getAsJsonArray("links")) {
      builder.addLink(contextOf(element.getAsJsonObject()), attributesOf(element.getAsJsonObject()));
    }
    Span span = builder.startSpan();
    for (JsonElement element : spec.getAsJsonArray("events")) {
      JsonObject event = element.getAsJsonObject();
      long time = nanoseconds(event, "time");
      span.addEvent(event.get("name").getAsString(), attributesOf(event), time, TimeUnit.NANOSECONDS);
    }
    JsonObject status = spec.getAsJsonObject("status");
    span.setStatus(StatusCode.valueOf(status.get("code").getAsString()), status.get("message").getAsString());
    span.end(nanoseconds(spec, "end"), TimeUnit.NANOSECONDS);
    return span;
  }

  private static JsonObject noteOf(int number, SpanContext context) {
    JsonObject note = new JsonObject();
    note.addProperty("spec", number);
    note.addProperty("traceId", context.getTraceId());
    note.addProperty("spanId", context.getSpanId());
    return note;
  }

  private static JsonArray emitAll(Tracer tracer, JsonObject spec) {
    JsonArray sent = new JsonArray();
    JsonArray spans = spec.getAsJsonArray("spans");
    for (int count = 0; count < spec.get("repeat").getAsInt(); count++) {
      Span root = null;
      for (int number = 0; number < spans.size(); number++) {
        Span span = emit(tracer, spans.get(number).getAsJsonObject(), root);
        root = root == null ? span : root;
        sent.add(noteOf(number, span.getSpanContext()));
      }
    }
    return sent;
  }

  public static void main(String[] arguments) throws Exception {
    JsonObject spec = JsonParser.parseString(Files.readString(Path.of(arguments[0]))).getAsJsonObject();
    List<CompletableResultCode> results = new CopyOnWriteArrayList<>();
    SpanExporter exporter = new Noting(makeExporter(arguments[1], arguments[2], arguments[3]), results);
    Attributes service = Attributes.builder().put("service.name", spec.get("service").getAsString()).build();
    SdkTracerProvider provider =
        SdkTracerProvider.builder()
            .setResource(Resource.getDefault().merge(Resource.create(service)))
            .addSpanProcessor(BatchSpanProcessor.builder(exporter).setMaxExportBatchSize(BATCH).build())
            .build();
    JsonObject scope = spec.getAsJsonObject("scope");
    Tracer tracer = provider.get(scope.get("name").getAsString(), scope.get("version").getAsString());
    JsonObject report = new JsonObject();
    report.add("sent", emitAll(tracer, spec));
    boolean flushed = provider.forceFlush().join(SECONDS, TimeUnit.SECONDS).isSuccess();
    provider.shutdown().join(SECONDS, TimeUnit.SECONDS);
    report.addProperty("requests", results.size());
    new PrintStream(System.out, true, StandardCharsets.UTF_8).println(new Gson().toJson(report));
    boolean exported = results.stream().allMatch(result -> result.join(SECONDS, TimeUnit.SECONDS).isSuccess());
    System.exit(flushed && exported && !results.isEmpty() ? 0 : 1);
  }
}
