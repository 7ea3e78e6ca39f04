/* The host, as a board. */
#include "board.h"

#include <stdio.h>

void board_puts(const char *text)
{
	fputs(text, stdout);
}

unsigned board_stack(void)
{
	return 0;
}
