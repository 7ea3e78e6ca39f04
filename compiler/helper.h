/* helper.c: commands that programs of tools/ do. */
#ifndef HELPER_H
#define HELPER_H

/*
 * A program of tools/ instead of this one, with the words behind the command and --skipc, in the environment of
 * Python that lies beside tools/ if there is one. Returns if it could not be started, with the exit status;
 * what is wrong was said.
 */
int helper_run(const char *program, int argc, char **argv);

#endif
