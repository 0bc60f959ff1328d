/*
 * manual_option.c - see manual_option.h.
 */
#include "manual_option.h"

#include <limits.h>

char manual_option_letter(const struct ctl_verb *verb, const struct ctl_option *option)
{
    /* What every verb takes has its letter for a value, and no verb's own option a letter unless it is marked. */
    if (verb == NULL)
        return option->value <= UCHAR_MAX ? (char)option->value : '\0';
    if ((option->value & CTL_OPTION_LETTER) != 0)
        return (char)(option->value & ~CTL_OPTION_LETTER);
    return '\0';
}

bool manual_option_is_optional(const struct ctl_option *option)
{
    return option->argument != NULL && option->argument[0] == '[';
}

void manual_option_choices(FILE *out, const char *const *choices)
{
    for (const char *const *choice = choices; *choice != NULL; choice++)
        fprintf(out, "%s%s", choice == choices ? "" : " ", *choice);
}
