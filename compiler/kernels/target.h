/* Targets: what generated code is made for. A target is a folder of templates/ with a target.def, and a
 * row in target.c. */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* An instruction set. Functions with vector code have a version for each. */
struct isa {
	const char *suffix;    /* avx512: of functions; templates/FOLDER/SUFFIX.h has its words */
	const char *attribute; /* AVX512_CODE: in front of its functions; head.c defines it */
	const char *product;   /* template of small products: x86/gemm_avx512 */
	int lanes;             /* floats of a vector; 1: plain C */
	bool libxsmm;          /* which makes its products as machine code */
	const char *bytes;     /* the header instead of its own where products of two weights with bytes fit 16 bits */
	const char *more;      /* of one with products of bytes: the suffix of the set to which it adds them */
	const double
		*cost; /* by enum cost, where they are not the target's; 0, or no table: they are */
};

/* Sizes that kernels around small products are cut to. Bytes are those of a core. */
struct tiling {
	int64_t channels;       /* of a block: what a product has in registers */
	int64_t pixels;         /* of a row that may have any length: what a product likes best */
	int64_t chunk_bytes;    /* weights that stay in the second cache while rows go by */
	int64_t resident_bytes; /* the same while six pixels at a time go by */
	int64_t tile_bytes;     /* sums that stay in the first one */
	int64_t far_bytes;      /* weights that may come from afar once for each few rows */
	int64_t held_rows;      /* rows that hide where they come from */
	int64_t narrow_pixels;  /* of a tile of narrow groups */
	int64_t narrow_columns; /* of the input under it */
	int64_t winograd_bytes; /* between the transforms of some tiles .. */
	int64_t winograd_tiles; /* .. and the least of them */
	int64_t near_bytes; /* that stay in the last cache from one run to the next */
	int64_t sums;           /* of a fully connected layer, in registers */
	int64_t wide_bytes;     /* of an image of integers, widened, that stays in the second cache */
};

/* What a step costs, in multiply-adds of a perfect kernel of that target; 0: it is not taken. */
#define COST(name, text) COST_##name,
enum cost {
#include "kernels/costs.def"
	COST_COUNT
};
#undef COST

enum { MAX_ISA = 4, MAX_DOTS = 2 };

struct target {
	const char *name;          /* --target=NAME */
	const char *folder;        /* of templates/: what is its own */
	struct isa isa[MAX_ISA];   /* the best first, plain C last; none: plain C is all there is */
	int nisa;
	struct isa dots[MAX_DOTS]; /* with products of bytes: only kernels of bytes have versions for them; the best first */
	int ndots;
	const char *levels;        /* for people: what options.isa may be */
	struct tiling tiling;
	double cost[COST_COUNT];
};

/* The i-th instruction set, those with products of bytes behind the others; null behind the last. */
const struct isa *target_set(const struct target *t, int i);
/* The set's own cost, or that of the set to which it adds products of bytes; 0: it is the target's. */
double target_cost(const struct target *t, const struct isa *set, enum cost what);
/* Null: there is no such target. */
const struct target *target_find(const char *name);
const char *target_names(int k); /* the k-th; null behind the last */
bool target_has_vectors(const struct target *t);
/* Of the widest, and of the narrowest vectors. */
int target_lanes(const struct target *t);

/* ---- costs.c ---- */

const char *cost_name(enum cost what);
const char *cost_text(struct arena *a, double value); /* which reads as the value again */
/* Sets the cost of that name, of n characters, in a table. Null, or what is wrong. */
const char *cost_set(struct arena *a, const char *name, size_t n, const char *value, double cost[]);
/* Those of a file: `NAME VALUE` a line, # begins a comment. Null, or what is wrong with which line. */
const char *costs_read(struct arena *a, const char *path, double cost[]);

#endif
