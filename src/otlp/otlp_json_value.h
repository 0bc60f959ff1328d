/*
 * otlp_json_value.h - OTLP/JSON's members and values.  For this folder.
 *
 * Each writes a key and its value, or nothing when the value is empty or zero.
 */
#ifndef TRACESPOOL_OTLP_JSON_VALUE_H
#define TRACESPOOL_OTLP_JSON_VALUE_H

#include "otlp_json.h"

void otlp_json_value_text(struct json *json, const char *key, ProtobufCBinaryData text);
void otlp_json_value_id(struct json *json, const char *key, ProtobufCBinaryData id);
void otlp_json_value_count(struct json *json, const char *key, uint32_t count);
void otlp_json_value_enum(struct json *json, const char *key, int value);
void otlp_json_value_time(struct json *json, const char *key, uint64_t unix_nano);
void otlp_json_value_attributes(struct json *json, const char *key, Otlp__KeyValue *const *attributes, size_t count);

#endif
