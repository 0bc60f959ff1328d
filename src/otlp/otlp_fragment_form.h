/*
 * otlp_fragment_form.h - a fragment's hash.  For this folder.
 */
#ifndef TRACESPOOL_OTLP_FRAGMENT_FORM_H
#define TRACESPOOL_OTLP_FRAGMENT_FORM_H

#include "checksum.h"
#include "otlp_fragment.h"

/* Fills fragment->hash from the rest of it. `state` is the caller's, and is reset first. */
void otlp_fragment_form_hash(struct otlp_fragment *fragment, struct checksum_128 *state);

#endif
