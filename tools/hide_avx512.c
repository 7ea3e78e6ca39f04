/*
 * Shows Python a processor without AVX-512, VNNI and AMX, on one that has them: how engines do on an AVX2 machine.
 *
 *     gcc -O2 -shared -fPIC tools/hide_avx512.c -o build/hide_avx512.so
 *     LD_PRELOAD=$PWD/build/hide_avx512.so build/skipc bench MODEL --peers ort,openvino
 *
 * For x86-64 Linux on processors that let CPUID fault (cpuid_fault in /proc/cpuinfo; Intel, also as a guest): the
 * instruction traps, and the handler answers with what CPUID says, less some bits (arch_prctl(2), ARCH_SET_CPUID;
 * Intel SDM, volume 2A, CPUID). Programs of other names are left alone, as gcc has a handler of its own.
 */
#define _GNU_SOURCE
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

enum { SET_CPUID = 0x1012, TRAPPED = 0, ALLOWED = 1 }; /* arch_prctl(), asm/prctl.h */

#define BIT(n) (1u << (n))

/* What is hidden of EAX, EBX, ECX and EDX of leaf 7. */
static const unsigned hidden[2][4] = {
	{ 0, /* AVX512F DQ IFMA PF ER CD BW VL */ BIT(16) | BIT(17) | BIT(21) | BIT(26) | BIT(27) | BIT(28) | BIT(30) | BIT(31),
		/* AVX512 VBMI VBMI2 VNNI BITALG VPOPCNTDQ */ BIT(1) | BIT(6) | BIT(11) | BIT(12) | BIT(14),
		/* AVX512 4VNNIW 4FMAPS VP2INTERSECT FP16, AMX BF16 TILE INT8 */ BIT(2) | BIT(3) | BIT(8) | BIT(22) | BIT(23) | BIT(24) | BIT(25) },
	{ /* AVX_VNNI AVX512_BF16 AMX_FP16 AVX_IFMA */ BIT(4) | BIT(5) | BIT(21) | BIT(23), 0, 0,
		/* AVX_VNNI_INT8 AVX_NE_CONVERT AMX_COMPLEX AVX_VNNI_INT16 AVX10 */ BIT(4) | BIT(5) | BIT(8) | BIT(10) | BIT(19) },
};

static void on_fault(int sig, siginfo_t *info, void *context)
{
	greg_t *const r = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint8_t *const at = (const uint8_t *)r[REG_RIP]; /* NOLINT(performance-no-int-to-ptr): an address */
	const unsigned leaf = (unsigned)r[REG_RAX], sub = (unsigned)r[REG_RCX];
	unsigned v[4] = { 0 };

	(void)info;
	if (at[0] != 0x0f || at[1] != 0xa2) { /* another fault: it comes again, and ends the program */
		signal(sig, SIG_DFL);
		return;
	}
	syscall(SYS_arch_prctl, SET_CPUID, ALLOWED);
	if (leaf != 0x1d && leaf != 0x1e) /* AMX's own */
		__cpuid_count(leaf, sub, v[0], v[1], v[2], v[3]);
	syscall(SYS_arch_prctl, SET_CPUID, TRAPPED);
	for (int i = 0; leaf == 7 && sub < 2 && i < 4; i++)
		v[i] &= ~hidden[sub][i];
	r[REG_RAX] = v[0];
	r[REG_RBX] = v[1];
	r[REG_RCX] = v[2];
	r[REG_RDX] = v[3];
	r[REG_RIP] += 2;
}

__attribute__((constructor)) static void hide(void)
{
	const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };

	if (strncmp(program_invocation_short_name, "python", 6) != 0)
		return;
	if (sigaction(SIGSEGV, &action, NULL) != 0 || syscall(SYS_arch_prctl, SET_CPUID, TRAPPED) != 0) {
		fprintf(stderr, "hide_avx512: this processor does not let CPUID fault\n");
		exit(1);
	}
}
