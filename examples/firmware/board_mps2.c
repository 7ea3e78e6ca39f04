/*
 * Arm's MPS2 boards (Cortex-M3 and M4) without a C library: vectors, start, the two functions that gcc takes for
 * granted, and semihosting, by which a debugger or QEMU prints and ends the program.
 */
#include "board.h"

#include <stddef.h>
#include <stdint.h>

/* From mps2.ld. */
extern uint32_t ram_top[], data_start[], data_end[], data_in_flash[], bss_start[], bss_end[];

int main(void);
void reset(void);
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

enum { SYS_WRITE0 = 0x04, SYS_EXIT_EXTENDED = 0x20, UNUSED_STACK = 0x5afe57ac };

/* ---- semihosting ---- */

static void semihost(int operation, const void *argument)
{
	register int r0 __asm__("r0") = operation;
	register const void *r1 __asm__("r1") = argument;

	__asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory", "cc");
}

void board_puts(const char *text)
{
	semihost(SYS_WRITE0, text);
}

static void finish(int status)
{
	const uint32_t argument[2] = { 0x20026u /* the application ends */, (uint32_t)status };

	semihost(SYS_EXIT_EXTENDED, argument);
	for (;;)
		;
}

/* ---- the stack ---- */

/* The stack grows down to the end of .bss; reset() fills it, and what has changed was used. */
unsigned board_stack(void)
{
	uintptr_t p = (uintptr_t)bss_end;

	while (p < (uintptr_t)ram_top && *(const uint32_t *)p == UNUSED_STACK)
		p += 4;
	return (uintptr_t)ram_top - p;
}

/* ---- what gcc calls even in freestanding code ---- */

void *memcpy(void *to, const void *from, size_t size)
{
	unsigned char *t = to;
	const unsigned char *f = from;

	while (size-- > 0)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int value, size_t size)
{
	unsigned char *t = to;

	while (size-- > 0)
		*t++ = (unsigned char)value;
	return to;
}

/* ---- start ---- */

static void fault(void)
{
	board_puts("fault\n");
	finish(99);
}

static const struct {
	uint32_t *stack;
	void (*handler[15])(void);
} vectors __attribute__((section(".vectors"), used)) = {
	ram_top, { reset, fault, fault, fault, fault, fault, NULL, NULL, NULL, NULL, fault, fault, NULL, fault, fault }
};

/* Apart from reset(), so that no floating-point register is saved before the unit is on. */
__attribute__((noinline, used)) static void start(void)
{
	const uint32_t *from = data_in_flash;
	uint32_t here;

	for (uintptr_t p = (uintptr_t)data_start; p < (uintptr_t)data_end; p += 4)
		*(uint32_t *)p = *from++;
	for (uintptr_t p = (uintptr_t)bss_start; p < (uintptr_t)bss_end; p += 4)
		*(uint32_t *)p = 0;
	for (uintptr_t p = (uintptr_t)bss_end; p < (uintptr_t)&here - 64; p += 4) /* 64: not this function's own */
		*(volatile uint32_t *)p = UNUSED_STACK;
	finish(main());
}

void reset(void)
{
	*(volatile uint32_t *)0xe000ed88u |= 0xfu << 20; /* CPACR: the floating-point unit, where there is one */
	__asm__ volatile("dsb\n\tisb" ::: "memory");
	start();
}
