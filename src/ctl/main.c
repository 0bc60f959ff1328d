/*
 * main.c - `tracespool`: see ctl.h.
 */
#include <stdio.h>

#include "ctl.h"
#include "fault.h"

int main(int argc, char **argv)
{
    fault_arm_from_environment();
    return ctl_run(argc, argv, stdout, stderr);
}
