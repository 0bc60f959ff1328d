# Generates C for the OTLP messages from proto/, which stays as released.
#
# The copy that protoc-c sees differs in two ways:
# - `string` becomes `bytes`, the same on the wire: protobuf-c makes a string a
#   C string, which ends at the first NUL, and NUL is legal in OTLP.
# - the package becomes `otlp`, so names read Otlp__Span and not
#   Opentelemetry__Proto__Trace__V1__Span.
find_program(PROTOC_C NAMES protoc-c protoc-gen-c REQUIRED)

set(OTLP_PROTO_SOURCE_DIR ${CMAKE_SOURCE_DIR}/proto)
set(OTLP_PROTO_DIR ${CMAKE_BINARY_DIR}/proto)
set(OTLP_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)
set(OTLP_PROTOS
    opentelemetry/proto/common/v1/common
    opentelemetry/proto/resource/v1/resource
    opentelemetry/proto/trace/v1/trace
    opentelemetry/proto/collector/trace/v1/trace_service)

set(OTLP_GENERATED_SOURCES)
set(OTLP_GENERATED_HEADERS)
foreach(proto ${OTLP_PROTOS})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${OTLP_PROTO_SOURCE_DIR}/${proto}.proto)
  file(READ ${OTLP_PROTO_SOURCE_DIR}/${proto}.proto text)
  string(REGEX REPLACE "([ \t])string ([a-z_]+ = [0-9]+;)" "\\1bytes \\2" text "${text}")
  string(REGEX REPLACE "\npackage [a-z0-9.]+;" "\npackage otlp;" text "${text}")
  string(REGEX REPLACE "opentelemetry\\.proto\\.[a-z]+\\.v1\\.([A-Z])" "\\1" text "${text}")
  file(CONFIGURE OUTPUT ${OTLP_PROTO_DIR}/${proto}.proto CONTENT "${text}" @ONLY)
  list(APPEND OTLP_GENERATED_SOURCES ${OTLP_GENERATED_DIR}/${proto}.pb-c.c)
  list(APPEND OTLP_GENERATED_HEADERS ${OTLP_GENERATED_DIR}/${proto}.pb-c.h)
  list(APPEND OTLP_PROTO_INPUTS ${OTLP_PROTO_DIR}/${proto}.proto)
  list(APPEND OTLP_PROTO_NAMES ${proto}.proto)
endforeach()

file(MAKE_DIRECTORY ${OTLP_GENERATED_DIR})
add_custom_command(
  OUTPUT ${OTLP_GENERATED_SOURCES} ${OTLP_GENERATED_HEADERS}
  COMMAND ${PROTOC_C} --c_out=${OTLP_GENERATED_DIR} -I ${OTLP_PROTO_DIR} ${OTLP_PROTO_NAMES}
  DEPENDS ${OTLP_PROTO_INPUTS}
  COMMENT "Generating C for the OTLP messages"
  VERBATIM)
