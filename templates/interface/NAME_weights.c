/* NAME_weights.c where the assembler takes in NAME_weights.bin: in a read-only section, as each format of object files
 * calls it. */
#include "template.h"
/* Weights of NAME: WEIGHTS bytes, in NAME_weights.bin beside this file. The assembler looks for it where -I says;
 * define NAME_WEIGHTS_FILE as its path (a string) where that does not suit, as with -flto, which forgets -I.
 * With NAME_NO_WEIGHTS nothing is linked in, and init wants the file's contents. */
#ifndef NAME_WEIGHTS_FILE
#define NAME_WEIGHTS_FILE "NAME_weights.bin"
#endif

#ifndef NAME_NO_WEIGHTS
ORDER_CHECK
#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)
#define SYMBOL TEXT_OF(__USER_LABEL_PREFIX__) "NAME_weights"
#if defined(__APPLE__) /* Mach-O */
#define SECTION ".pushsection __TEXT,__const\n\t.private_extern " SYMBOL
#define BACK ".popsection"
#elif defined(_WIN32) /* COFF */
#define SECTION ".section .rdata,\"dr\""
#define BACK ".text"
#elif defined(__wasm__)
#define SECTION ".section .rodata." SYMBOL ",\"\",@\n\t.hidden " SYMBOL
#define BACK ".size " SYMBOL ", . - " SYMBOL "\n\t.text"
#elif defined(__ELF__)
#define SECTION ".pushsection .rodata\n\t.hidden " SYMBOL
#define BACK ".popsection"
#endif

#if !defined(SECTION) || !(defined(__GNUC__) || defined(__clang__))
#error "this assembler takes in no file: compile the model with --weights=rows or text, or define NAME_NO_WEIGHTS everywhere and give init the file"
#endif
__asm__(SECTION "\n\t.balign 64\n\t.globl " SYMBOL "\n" SYMBOL
	":\n\t.incbin \"" NAME_WEIGHTS_FILE "\"\n\t" BACK "\n");
#endif

/* A translation unit may not be empty. */
extern const unsigned char NAME_weights[];
