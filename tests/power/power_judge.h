/*
 * power_judge.h - is this what a daemon may find after a power loss, and does it go on from there?
 */
#ifndef TRACESPOOL_POWER_JUDGE_H
#define TRACESPOOL_POWER_JUDGE_H

#include "power_image.h"
#include "power_work.h"

#define POWER_VERDICT_MAX 600

struct power_judge;

/* A directory of its own for the images of a workload. */
struct power_judge *power_judge_new(const struct power_work *work);
void power_judge_free(struct power_judge *judge);

/*
 * Starts a spool on the image, in a process of its own, and compares it with
 * the model.  True when all holds; else `verdict` says what does not, a crash
 * included.
 */
bool power_judge_image(struct power_judge *judge, const struct power_image *image, const struct power_model *model,
                       char verdict[POWER_VERDICT_MAX]);

#endif
