/* What the setup functions of kernels.def share. */
#ifndef SKIPC_KERNEL_H
#define SKIPC_KERNEL_H

#include "plan/plan.h"

/* ---- setup.c ---- */

/* Parameters and texts of the template. */
void param(struct kernel *k, const char *name, int64_t value);
void subst(struct kernel *k, const char *name, const char *text);
const char *spatial_name(struct plan *p, const char *prefix, char axis); /* PAD_ and H: PAD_H */

/* Dimensions: a coordinate is some of them, flattened. */
struct coord span(int first, int last); /* dimensions first..last-1 */
void add_coord(struct kernel *k, struct coord c);
/* The template's vector epilogue goes along that coordinate, over blocks of so many elements and a last one; 0: there is none. */
void lanes(struct kernel *k, int coord, int64_t block, int64_t tail);
unsigned all_dims(const struct shape *s); /* as a bit set */
int64_t size_of(const struct shape *s, const struct coord *c);
/* The single stride by which the coordinate's elements follow each other in r, if there is one. */
bool stride_of(const struct region *r, const struct coord *c, int64_t *stride);
int64_t need_stride(const struct region *r, struct coord c); /* there is one */
int merge_dims(const struct region *r, unsigned set, struct coord *c);

/* A loop that threads may share; see struct share. */
void share(struct kernel *k, const char *name, int64_t end, int64_t step, enum divides divides);

int64_t whole_vectors(int64_t floats); /* so many, in vectors of sixteen */

/* Numbers of the target. */
double cost_of(const struct kernel *k, enum cost what);
const struct tiling *tiling_of(const struct kernel *k);

/* Arguments. */
const struct region *input(const struct kernel *k);
/* Appends constant t, plain; or input `which` of the anchor, and of those stacked on it, packed:
 * weights that are computed at run time are an argument already. */
void constant(struct plan *p, struct kernel *k, const char *name, struct tensor *t);
/* The tensors of a blob, in another packing. */
void same_weights(struct plan *p, struct kernel *k, const char *name, const struct blob *how,
	const struct blob *like);
void weights(struct plan *p, struct kernel *k,
	const struct blob *how); /* input 1: packing, group, block, chunk */
void bias(struct plan *p, struct kernel *k, int group,
	int block);                                   /* input 2, where it is not zero; BIAS */
void stacking(struct kernel *k);                      /* STACK, of templates that have it */
void skipping(struct kernel *k);                      /* SKIP */
const char *constant_weights(const struct kernel *k); /* why they are not, or null */

/* ---- kernel_window.c ---- */

/* Tiles of a convolution, and of a Linear that is computed as one. */
bool window(
	struct plan *p, struct kernel *k, const int64_t *kernel); /* true: it leaves the image */
const char *applies_image(const struct kernel *k);
/* In plain C; padded: windows leave the image; planar: its channels are not neighbours. */
const char *conv_template(bool padded, bool planar);
char *window_text(struct plan *p, const struct kernel *k); /* 3x3_s2 */
int channel_block(const struct kernel *k, int64_t outputs);
/* block: outputs of one of the stacked anchors. The pixels of a tile. */
int tile(struct kernel *k, int64_t pixels, int64_t outputs, int block);

/* ---- kernel_reduce.c ---- */

const char *least_text(enum dtype type); /* the least value of that type, in C */

/* ---- kernel_matrix.c ---- */

int64_t row_count(const struct kernel *k);
void linear_shape(struct kernel *k, int64_t *rows, int64_t *xm, int64_t *xk);
/* Arguments u and v of those names, a constant one too, and what templates of products want to know of them. */
void matmul_parameters(struct plan *p, struct kernel *k, const char *u, const char *v);
struct coord rows_of(const struct shape *s);
/* A Linear that copies so many rows of its input, computes theirs from the copy, and so on: its
 * result may lie where the input does. Is that so, and worth it? Says it of k. */
bool may_hold(const struct kernel *k, int64_t rows);
void hold(struct kernel *k, int64_t rows);
bool streams(const struct kernel *k, int64_t rows); /* vector code: weights may be read anew for so many */

/* ---- kernel_product.c ---- */

/* A convolution as conv_gemm sees it: one or two dimensions. */
struct image {
	int64_t n, groups, channels, outputs; /* channels and outputs of a group */
	int64_t h, w, oh, ow, r, s, stride_h, stride_w, pad_h, pad_w, dil_h, dil_w;
	int64_t xn, xh, xw;
};

void image_of(const struct kernel *k, struct image *m);
/* The parameters of these names: sizes and strides of the image. */
void image_params(struct kernel *k, const struct image *m, const char *names);
/* Why kernels do not apply that read vectors of channels and know their weights; null: they may. */
const char *channels_apart(const struct kernel *k);

/* ---- kernel_integer.c ---- */

/* The types of a template's input, weights, sums and results. */
void integer_types(struct kernel *k, const char *tx, const char *tw);
/* The bias, one for each of `outputs` in v (null: nowhere), of sums of x less `less` instead of the zero point; false: such a sum, or
 * one of these, might not fit; and as a constant, or null. */
bool fold_zero(const struct node *n, int64_t outputs, int64_t less, int32_t *v);
struct tensor *folded_bias(struct plan *p, const struct node *n, int64_t outputs, int64_t less);

/* ---- kernels.def ---- */

/* The functions of the rows: why not, cost, parameters. */
#define KERNEL(row, operator, machine, file, when, price, prepare)                                 \
	const char *applies_##when(const struct kernel *k);                                        \
	double cost_##price(const struct kernel *k);                                               \
	void setup_##prepare(struct plan *p, struct kernel *k);
#define PREPARES(row) void prepares_##row(const struct kernel *k, struct blob *b);
#include "kernels/kernels.def"
#define PREPARED(row, elements, file, setup, words)                                                \
	void prepare_##setup(struct plan *p, struct kernel *k, const struct blob *b);
#include "plan/packings.def"

#endif
