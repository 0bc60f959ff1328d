/*
 * receiver_reply.h - an answer on its way over gRPC.
 */
#ifndef TRACESPOOL_RECEIVER_REPLY_H
#define TRACESPOOL_RECEIVER_REPLY_H

#include <grpc/grpc.h>

#include "receiver_answer.h"

/*
 * Starts the last operations of a call: sends `answer` and waits for the end.
 * The event with `tag` comes whether the client is still there or not;
 * *cancelled, set by then, says which.  `answer` is not needed afterwards.
 */
void receiver_reply_start(grpc_call *call, const struct receiver_answer *answer, int *cancelled, void *tag);

#endif
