/*
 * secret_file.h - files that hold keys and tokens, as a client needs them.
 *
 * What is read is cleared before it is freed, and no text of a failure holds
 * any of it.  Any thread; may block.
 */
#ifndef TRACESPOOL_SECRET_FILE_H
#define TRACESPOOL_SECRET_FILE_H

#include <stddef.h>

#include "err.h"

/* All of a file of less than `size` bytes, as text with its NUL; to be forgotten.  -1: ERR_CONFIG. */
int secret_file_read(char **text, const char *path, size_t size, struct err *err);

/*
 * The first token of a file as receiver.bearer_tokens_file has it (one a line;
 * blank lines and those that begin with # are passed over), as a value of the
 * header Authorization: "Bearer TOKEN".  To be forgotten.  -1: ERR_CONFIG.
 */
int secret_file_read_bearer(char **authorization, const char *path, struct err *err);

/* Clears and frees; *text becomes NULL, which is allowed before. */
void secret_file_forget(char **text);

#endif
