/*
 * ctl_guess.c - guessing by how few steps of typing lie between two words.
 *
 * Pure.  Names are compared by the optimal string alignment distance (insert,
 * delete, replace, swap neighbours); two steps are near, and the beginning of
 * a name is the name.
 */
#include "ctl_guess.h"

#include <string.h>

#define NAME_MAX_COMPARED 16 /* a longer name is no typing error for one of ours */
#define NEAR_STEPS 2

void ctl_guess_init(struct ctl_guess *guess, const char *typed, size_t len)
{
    *guess = (struct ctl_guess){.typed = typed, .len = len, .best_steps = NEAR_STEPS + 1};
}

static unsigned min_of(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned d[NAME_MAX_COMPARED + 1][NAME_MAX_COMPARED + 1];

    for (size_t i = 0; i <= a_len; i++)
        d[i][0] = (unsigned)i;
    for (size_t j = 0; j <= b_len; j++)
        d[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_len; i++) {
        for (size_t j = 1; j <= b_len; j++) {
            unsigned change = a[i - 1] == b[j - 1] ? 0 : 1;
            d[i][j] = min_of(min_of(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = min_of(d[i][j], d[i - 2][j - 2] + 1);
        }
    }
    return d[a_len][b_len];
}

void ctl_guess_offer(struct ctl_guess *guess, const char *name)
{
    size_t name_len = strlen(name), len = guess->len;

    if (len == 0 || len > NAME_MAX_COMPARED || name_len > NAME_MAX_COMPARED)
        return;
    unsigned steps = distance(guess->typed, len, name, name_len);
    /* All of a short name can be replaced in two steps: then nothing of it was typed. */
    if (steps >= name_len && steps >= len)
        return;
    if (len >= 2 && strncmp(guess->typed, name, len) == 0)
        steps = 0;
    if (steps < guess->best_steps) {
        guess->best = name;
        guess->best_steps = steps;
    }
}
