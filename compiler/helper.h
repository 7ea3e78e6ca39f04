/* helper.c: commands that programs of tools/ do. */
#ifndef HELPER_H
#define HELPER_H

#include "options.h"

/*
 * A program of tools/ instead of this one, with --skipc and the words behind the command, if these are right, in the environment of
 * Python that lies beside tools/ if there is one. Returns if it could not be started, with the exit status;
 * what is wrong was said.
 */
int helper_run(enum command of, const char *program, int argc, char **argv);

#endif
