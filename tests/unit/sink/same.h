/*
 * same.h - whether two requests say the same, and where they do not.
 */
#ifndef TRACESPOOL_TEST_SAME_H
#define TRACESPOOL_TEST_SAME_H

#include <stddef.h>

#include "otlp_decode.h"

#define SAME_TEXT_MAX 4096

/*
 * Compares messages of one type field by field, with all that is in them; a
 * message that is not there differs from an empty one, save for an attribute's
 * value, and doubles are compared by their bits.  Returns the number of
 * differences; the first of them are listed in `text`, a line each, with
 * lengths and bytes: "attributes[3].key: (1) 61 / (1) 62".
 */
size_t same_compare(char text[SAME_TEXT_MAX], const ProtobufCMessage *sent, const ProtobufCMessage *restored);

#endif
