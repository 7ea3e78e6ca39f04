/* What main.c asks of the machine that it runs on: board_host.c, board_mps2.c. */
#ifndef BOARD_H
#define BOARD_H

void board_puts(const char *text);

/* Bytes of stack used since reset, at most; 0 where that is not known. */
unsigned board_stack(void);

#endif
