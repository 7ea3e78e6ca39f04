/*
 * Every template on random awkward shapes: instances are compiled (all into one library, without a
 * warning), run, and compared with a plain reference in double. Strides are random, with gaps; what
 * surrounds the inputs is NaN, what surrounds the outputs must stay as it was. All builds of one
 * instance must give the same bits.
 */
#include <check.h>
#include <dlfcn.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "emit/template.h"

enum { MAX_CASES = 2000, MAX_DIM = 6, MAX_IN = 8, GUARD = 64 };

#define COUNT(a) (int)(sizeof(a) / sizeof((a)[0]))

/* ---- random shapes ---------------------------------------------------------------------------- */

static uint64_t seed = 20240607;

static int below(int n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (int)((seed >> 33) % (uint64_t)n);
}

static int between(int lo, int hi)
{
	return lo + below(hi - lo + 1);
}

static float value(void)
{
	return (float)(below(2001) - 1000) / 1000.0f;
}

/* Floats with guards of NaN around them. */
static float *floats(int n)
{
	float *p = malloc(((size_t)n + 2 * GUARD) * sizeof(*p));

	for (int i = 0; i < n + 2 * GUARD; i++)
		p[i] = i < GUARD || i >= n + GUARD ? NAN : value();
	return p + GUARD;
}

/* Strides for the dimensions in a random order, with gaps; in `order` 1 the second dimension is the
 * innermost one, without a gap. Returns the number of elements of the buffer. */
static int lay_out(int nd, const int *dim, int *stride, int order)
{
	int perm[MAX_DIM], n = 1;

	for (int i = 0; i < nd; i++)
		perm[i] = i;
	for (int i = nd - 1; i > 0; i--) {
		const int k = below(i + 1), t = perm[i];
		perm[i] = perm[k];
		perm[k] = t;
	}
	for (int i = 0; i < nd && order == 1; i++)
		if (perm[i] == 1) {
			perm[i] = perm[0];
			perm[0] = 1;
		}
	for (int i = 0; i < nd; i++) {
		stride[perm[i]] = n;
		n = n * dim[perm[i]] + (i > 0 || order == 0 ? below(3) : 0);
	}
	return n;
}

/* ---- cases ------------------------------------------------------------------------------------ */

enum epilogue { NONE, RELU, ADD, IN_PLACE, EPILOGUES };

/* An instance with its data. */
struct item {
	char what[200];
	const void *in[MAX_IN];
	const char *name[MAX_IN]; /* of the parameter */
	int nin;
	void *out, *work; /* as it is before a run; and the buffer of a run, guards included */
	void *bits;	  /* of the first build */
	double *want;
	int n; /* elements of the output's buffer */
	bool integers;
	double tolerance;
	const char *types; /* of in: 'f' or 'i' */
};

static struct item items[MAX_CASES];
static int nitems;
static struct buf source;
static struct arena arena;

/* What the callbacks of an instance need. */
struct writer {
	int stride[MAX_DIM], n, count; /* of the output; dimensions; elements */
	enum epilogue epilogue;
	const char *expression; /* of map */
	float *z;
};

static void write_index(struct buf *out, const char *name, const struct writer *w, char *const *coord)
{
	const char *plus = "";

	buf_printf(out, "%s[", name);
	for (int i = 0; i < w->n; i++) {
		const bool word = strspn(coord[i], "abcdefghijklmnopqrstuvwxyz0123456789") == strlen(coord[i]);

		if (w->stride[i] == 0)
			continue;
		buf_printf(out, word ? "%s%s * %d" : "%s(%s) * %d", plus, coord[i], w->stride[i]);
		plus = " + ";
	}
	buf_printf(out, *plus == '\0' ? "0]" : "]");
}

static void access_y(const void *ctx, struct buf *out, char letter, char *const *coord, int n)
{
	const struct writer *w = ctx;

	ck_assert_int_eq(letter, 'Y');
	ck_assert_int_eq(n, w->n);
	write_index(out, "y", w, coord);
}

static void test_epilogue(const void *ctx, struct buf *out, const char *indent, const char *v,
			   bool vector, char *const *coord, int n)
{
	const struct writer *w = ctx;

	(void)vector;
	ck_assert_int_eq(n, w->n);
	if (w->expression != NULL) {
		buf_printf(out, "%s%s = %s", indent, v, w->expression);
		write_index(out, "z", w, coord);
		buf_printf(out, ";\n");
	}
	if (w->epilogue == RELU)
		buf_printf(out, "%s%s = %s > 0.0f ? %s : 0.0f;\n", indent, v, v, v);
	if (w->epilogue == ADD || w->epilogue == IN_PLACE) {
		buf_printf(out, "%s%s += ", indent, v);
		write_index(out, w->epilogue == ADD ? "z" : "y", w, coord);
		buf_printf(out, ";\n");
	}
}

static const void *operand(const void *p, struct item *t, const char *types, const char *name)
{
	t->name[t->nin] = name;
	t->in[t->nin++] = p;
	t->types = types;
	return p;
}

/* An output of the given dimensions in a random layout; its old content is the expected one so far. */
static struct item *new_item(struct writer *w, int nd, const int *dim, const char *types)
{
	struct item *t = &items[nitems++];

	ck_assert_int_lt(nitems, MAX_CASES);
	w->n = nd;
	t->n = w->count = lay_out(nd, dim, w->stride, below(2));
	for (int i = 0; i < nd; i++)
		if (dim[i] == 1)
			w->stride[i] = 0;
	t->types = types;
	t->out = floats(t->n);
	t->want = malloc((size_t)t->n * sizeof(double));
	for (int i = 0; i < t->n; i++)
		t->want[i] = (double)((float *)t->out)[i];
	w->z = floats(t->n);
	t->tolerance = 2e-6;
	return t;
}

/* Puts a reference value through the epilogue into the expected output. */
static void expect(struct item *t, const struct writer *w, const int *coord, double v)
{
	int at = 0;

	for (int i = 0; i < w->n; i++)
		at += coord[i] * w->stride[i];
	if (w->epilogue == RELU)
		v = v > 0.0 ? v : 0.0;
	if (w->epilogue == ADD)
		v += (double)w->z[at];
	if (w->epilogue == IN_PLACE)
		v += (double)((float *)t->out)[at];
	t->want[at] = v;
}

static const char *type_of(const struct item *t, int i)
{
	return t->types[i] == 'f' ? "float" : t->types[i] == 's' ? "int32_t" : "int64_t";
}

/* Parameters of the instance: the inputs, y, and what the epilogue adds. */
static void sign(struct signature *s, const struct item *t, bool z)
{
	s->n = 0;
	for (int i = 0; i < t->nin; i++)
		s->parameter[s->n++] = (struct parameter){ ROLE_INPUT,
			.type = arena_printf(&arena, "const %s", type_of(t, i)),
			.name = t->name[i],
			.pointer = true,
			.restricted = true };
	s->parameter[s->n++] = (struct parameter){
		ROLE_OUTPUT, .type = t->integers ? "int64_t" : "float", .name = "y", .pointer = true };
	if (z)
		s->parameter[s->n++] = (struct parameter){ ROLE_OPERAND,
			.type = "const float",
			.name = "z",
			.pointer = true,
			.restricted = true };
}

/* Of p, what the template has: windows have some sizes that not all of them look at. Then the switches that
 * only kernels of the plan set. */
static int known_params(const char *name, const struct param *p, int np, struct param *to)
{
	const struct param more[] = { { "STACK", 1 }, { "SKIP", 0 }, { "HELD", 0 } };
	int n = 0;

	for (int i = 0; i < np; i++)
		if (template_has(name, p[i].name))
			to[n++] = p[i];
	for (int i = 0; i < COUNT(more); i++)
		if (template_has(name, more[i].name))
			to[n++] = more[i];
	return n;
}

/* Instantiates, and writes a function that calls the instance. */
static void write_instance(struct item *t, struct writer *w, const char *name, const struct param *p, int np,
		 const struct subst *extra)
{
	const bool z = w->epilogue == ADD || w->expression != NULL;
	struct param known[MAX_PARAM];
	struct signature signature;
	struct subst substs[8];
	int ns = 0;

	while (extra != NULL && extra->name != NULL)
		substs[ns++] = *extra++;
	sign(&signature, t, z);
	const struct instance_request r = {
		.template_name = name,
		.function = arena_printf(&arena, "%s_%d", name + 2, nitems),
		.comment = "An instance.",
		.params = known,
		.nparams = known_params(name, p, np, known),
		.substs = substs,
		.nsubsts = ns,
		.signature = &signature,
		.access = access_y,
		.epilogue = test_epilogue,
		.ctx = w,
	};
	const char *text = template_instantiate(&arena, &r);

	ck_assert_ptr_null(strstr(text, "#if"));
	buf_printf(&source, "\n%s", text);
	buf_printf(&source, "\nvoid run_%d(const void *const *in, void *y);\n", nitems);
	buf_printf(&source, "void run_%d(const void *const *in, void *y)\n{\n", nitems);
	if (t->nin == 0 && !z)
		buf_printf(&source, "\t(void)in;\n");
	buf_printf(&source, "\t%s(", r.function);
	for (int i = 0; i < t->nin; i++)
		buf_printf(&source, "(const %s *)in[%d], ", type_of(t, i), i);
	buf_printf(&source, "(%s *)y", t->integers ? "int64_t" : "float");
	if (z)
		buf_printf(&source, ", (const float *)in[%d]", t->nin);
	buf_printf(&source, ");\n}\n");
	if (z)
		t->in[t->nin++] = w->z;
	snprintf(t->what, sizeof(t->what), "%s_%d", name, nitems);
	for (int i = 0; i < np && strlen(t->what) < sizeof(t->what) - 30; i++)
		sprintf(t->what + strlen(t->what), " %s=%ld", p[i].name, p[i].value);
}


/* ---- windows: convolutions and pools ---------------------------------------------------------- */

/* A window over one to three dimensions: index 0 depth, 1 height, 2 width. */
struct window {
	int n, c, in[3], k[3], out[3], stride[3], pad[3], end[3], dil[3];
	int x[5]; /* strides of x: n c d h w */
	int nx;	  /* elements of x */
	bool depth, padded;
};

static struct window random_window(int c, int channels_last)
{
	struct window w = { .n = between(1, 2), .c = c };
	const int dims = between(1, 3);

	w.depth = dims == 3;
	for (int i = 0; i < 3; i++) {
		const bool used = i >= 3 - dims;
		do {
			w.in[i] = used ? between(1, 9) : 1;
			w.k[i] = used ? between(1, 4) : 1;
			w.stride[i] = used ? between(1, 3) : 1;
			w.dil[i] = used ? between(1, 2) : 1;
			w.pad[i] = used ? below(w.k[i]) : 0;
			w.end[i] = used ? below(w.k[i]) : 0;
			w.out[i] = w.in[i] + w.pad[i] + w.end[i] - w.dil[i] * (w.k[i] - 1) - 1;
		} while (w.out[i] < 0);
		w.out[i] = w.out[i] / w.stride[i] + 1;
		w.padded = w.padded || w.pad[i] > 0 ||
			   (w.out[i] - 1) * w.stride[i] + (w.k[i] - 1) * w.dil[i] - w.pad[i] >= w.in[i];
	}
	w.nx = lay_out(5, (int[]){ w.n, w.c, w.in[0], w.in[1], w.in[2] }, w.x, channels_last);
	return w;
}

/* Element of x under tap (q, r, s) of the window at p, or -1 outside. */
static int element(const struct window *w, int n, int c, int p, const int *tap)
{
	const int o[3] = { p / (w->out[1] * w->out[2]), p / w->out[2] % w->out[1], p % w->out[2] };
	int at = n * w->x[0] + c * w->x[1];

	for (int i = 0; i < 3; i++) {
		const int j = o[i] * w->stride[i] - w->pad[i] + tap[i] * w->dil[i];

		if (j < 0 || j >= w->in[i])
			return -1;
		at += j * w->x[2 + i];
	}
	return at;
}

static int taps(const struct window *w)
{
	return w->k[0] * w->k[1] * w->k[2];
}

static const int *tap_of(const struct window *w, int t)
{
	static int tap[3];

	tap[0] = t / (w->k[1] * w->k[2]);
	tap[1] = t / w->k[2] % w->k[1];
	tap[2] = t % w->k[2];
	return tap;
}

static int positions(const struct window *w)
{
	return w->out[0] * w->out[1] * w->out[2];
}

static int window_params(const struct window *w, struct param *p)
{
	const struct param all[] = {
		{ "N", w->n }, { "C", w->c }, { "D", w->in[0] }, { "H", w->in[1] }, { "W", w->in[2] },
		{ "Q", w->k[0] }, { "R", w->k[1] }, { "S", w->k[2] },
		{ "OD", w->out[0] }, { "OH", w->out[1] }, { "OW", w->out[2] }, { "P", positions(w) },
		{ "STRIDE_D", w->stride[0] }, { "STRIDE_H", w->stride[1] }, { "STRIDE_W", w->stride[2] },
		{ "PAD_D", w->pad[0] }, { "PAD_H", w->pad[1] }, { "PAD_W", w->pad[2] },
		{ "DIL_D", w->dil[0] }, { "DIL_H", w->dil[1] }, { "DIL_W", w->dil[2] },
		{ "XN", w->x[0] }, { "XC", w->x[1] }, { "XD", w->x[2] }, { "XH", w->x[3] },
		{ "XW", w->x[4] }, { "TAPS", taps(w) }, { "DEPTH", w->depth }, { "PADDED", w->padded },
		{ "END_D", w->in[0] + w->end[0] }, { "END_H", w->in[1] + w->end[1] },
		{ "END_W", w->in[2] + w->end[2] },
	};

	memcpy(p, all, sizeof(all));
	return COUNT(all);
}

/* Packs plain weights [g*K][C][taps] as conv.c documents; for depthwise [g][1][taps] with kb = all. */
static float *pack_conv(const float *w, int g, int k, int c, int tap, int kb)
{
	float *packed = floats(g * k * c * tap), *to = packed;

	for (int i = 0; i < g; i++)
		for (int k0 = 0; k0 < k; k0 += kb)
			for (int t = 0; t < tap; t++)
				for (int j = 0; j < c; j++)
					for (int b = k0; b < k0 + kb && b < k; b++)
						*to++ = w[((i * k + b) * c + j) * tap + t];
	return packed;
}

static void conv_case(void)
{
	const int g = below(3) == 0 ? between(2, 3) : 1, c = below(4) == 0 ? 1 : between(2, 9);
	const int k = between(1, 40), kb = (int[]){ 16, 8, 24, 5 }[below(4)], dim_k = g * k;
	struct window w = random_window(g * c, below(2));
	struct param p[48];
	int np = window_params(&w, p);
	struct writer y = { .epilogue = (enum epilogue)below(EPILOGUES) };
	struct item *t = new_item(&y, 3, (int[]){ w.n, dim_k, positions(&w) }, "fff");
	const bool bias = below(2);
	const float *x = operand(floats(w.nx), t, "fff", "x"), *weights = floats(dim_k * c * taps(&w));
	const float *b = floats(dim_k);

	operand(pack_conv(weights, g, k, c, taps(&w), kb), t, "fff", "w");
	if (bias)
		operand(b, t, "fff", "bias");
	p[np++] = (struct param){ "G", g };
	p[np++] = (struct param){ "K", k };
	p[np++] = (struct param){ "BIAS", bias };
	p[np++] = (struct param){ "TAIL", k % kb != 0 };
	p[np++] = (struct param){ "CHANNELS", kb };
	p[np++] = (struct param){ "PIXELS", kb <= 8 ? 12 : 6 };
	p[1].value = c;
	write_instance(t, &y, !w.padded ? "c/conv" : w.x[1] == 1 ? "c/conv_padded" : "c/conv_edges", p, np, NULL);
	for (int n = 0; n < w.n; n++)
		for (int o = 0; o < dim_k; o++)
			for (int at = 0; at < positions(&w); at++) {
				double sum = bias ? (double)b[o] : 0.0;

				for (int i = 0; i < taps(&w); i++)
					for (int j = 0; j < c; j++) {
						const int e = element(&w, n, o / k * c + j, at, tap_of(&w, i));
						const float v = weights[(o * c + j) * taps(&w) + i];

						sum += e < 0 ? 0.0 : (double)x[e] * (double)v;
					}
				expect(t, &y, (int[]){ n, o, at }, sum);
			}
}

enum pool { DEPTHWISE, MAXPOOL, AVGPOOL };

/* The value of one output element of a channel-wise window. */
static double pool_value(enum pool kind, const struct window *w, const float *x, const float *weights,
			 bool include, const int *coord)
{
	double sum = kind == MAXPOOL ? -HUGE_VAL : 0.0;
	int count = 0;

	for (int i = 0; i < taps(w); i++) {
		const int *tap = tap_of(w, i), p = coord[2];
		const int e = element(w, coord[0], coord[1], p, tap);
		const int o[3] = { p / (w->out[1] * w->out[2]), p / w->out[2] % w->out[1], p % w->out[2] };
		bool counts = include;

		for (int d = 0; d < 3 && counts; d++)
			counts = o[d] * w->stride[d] - w->pad[d] + tap[d] * w->dil[d] < w->in[d] + w->end[d];
		count += counts || e >= 0;
		if (e < 0)
			continue;
		if (kind == MAXPOOL)
			sum = sum < (double)x[e] || isnan(x[e]) ? (double)x[e] : sum;
		else
			sum += (double)x[e] * (kind == DEPTHWISE ? (double)weights[coord[1] * taps(w) + i] : 1.0);
	}
	return kind == AVGPOOL ? sum / count : sum;
}

static void pool_case(enum pool kind)
{
	struct window w = random_window(between(1, 40), below(2));
	struct param p[48];
	struct writer y = { .epilogue = (enum epilogue)below(EPILOGUES) };
	const bool bias = below(2), include = below(2);
	const int cb = between(1, 16);
	int np;

	/* a rounded up output size reaches beyond the padding, but starts inside it */
	if (kind != DEPTHWISE && (w.out[2] * w.stride[2] < w.in[2] + w.pad[2]))
		w.out[2]++;
	if (kind == AVGPOOL) /* a divisor of 0 has no meaning */
		for (int i = 0; i < 3; i++)
			w.dil[i] = 1;
	np = window_params(&w, p);
	struct item *t = new_item(&y, 3, (int[]){ w.n, w.c, positions(&w) }, "fff");
	float *x = floats(w.nx);
	const float *weights = floats(w.c * taps(&w)), *b = floats(w.c);

	if (kind == MAXPOOL && below(3) == 0)
		x[below(w.nx)] = NAN;
	operand(x, t, "fff", "x");
	if (kind == DEPTHWISE)
		operand(pack_conv(weights, 1, w.c, 1, taps(&w), w.c), t, "fff", "w");
	if (kind == DEPTHWISE && bias)
		operand(b, t, "fff", "bias");
	p[np++] = (struct param){ "BIAS", bias };
	p[np++] = (struct param){ "CB", cb };
	p[np++] = (struct param){ "TAIL", w.c % cb != 0 };
	p[np++] = (struct param){ "INCLUDE", include };
	p[np++] = (struct param){ "FLOATS", 1 };
	write_instance(t, &y, (const char *[]){ "c/depthwise", "c/maxpool", "c/avgpool" }[kind], p, np, NULL);
	for (int n = 0; n < w.n; n++)
		for (int c = 0; c < w.c; c++)
			for (int at = 0; at < positions(&w); at++) {
				const int coord[] = { n, c, at };
				const double v = pool_value(kind, &w, x, weights, include, coord);

				expect(t, &y, coord, kind == DEPTHWISE && bias ? v + (double)b[c] : v);
			}
}

/* ---- matrices --------------------------------------------------------------------------------- */

static void linear_case(void)
{
	const bool tiles = below(2);
	const int m = between(1, tiles ? 25 : 3), n = between(16, 50), k = between(1, 70), nb = below(2) ? 16 : 7;
	const int rows = nb == 16 ? 6 : 12; /* of a tile */
	struct writer y = { .epilogue = (enum epilogue)below(EPILOGUES) };
	struct item *t = new_item(&y, 2, (int[]){ m, n }, "fff");
	const bool bias = below(2);
	int sx[2];
	const int nx = lay_out(2, (int[]){ m, k }, sx, below(2));
	const float *x = operand(floats(nx), t, "fff", "x"), *w = floats(n * k), *b = floats(n);

	operand(pack_conv(w, 1, n, k, 1, nb), t, "fff", "w");
	if (bias)
		operand(b, t, "fff", "bias");
	const struct param p[] = { { "M", m }, { "N", n }, { "K", k }, { "NB", nb }, { "XM", sx[0] },
				   { "XK", sx[1] }, { "BIAS", bias }, { "TAIL", n % nb != 0 },
				   { "OUTPUTS", nb }, { "STEP", nb }, { "ROWS", rows }, { "MB", rows } };
	write_instance(t, &y, tiles ? "c/linear_rows" : "c/linear", p, COUNT(p), NULL);
	for (int i = 0; i < m; i++)
		for (int j = 0; j < n; j++) {
			double sum = bias ? (double)b[j] : 0.0;

			for (int l = 0; l < k; l++)
				sum += (double)x[i * sx[0] + l * sx[1]] * (double)w[j * k + l];
			expect(t, &y, (int[]){ i, j }, sum);
		}
}

static void matmul_case(void)
{
	const int b0 = between(1, 2), b1 = between(1, 2), b2 = between(1, 3);
	const int m = between(1, 9), n = between(1, 40), k = between(1, 20), nb = below(2) ? 16 : 6;
	struct writer y = { .epilogue = (enum epilogue)below(EPILOGUES) };
	struct item *t = new_item(&y, 5, (int[]){ b0, b1, b2, m, n }, "ff");
	const int whole = below(2), da[] = { b0, whole ? b1 : 1, b2, m, k };
	const int db[] = { whole ? 1 : b0, b1, b2, k, n };
	int sa[5], sb[5];
	const int na = lay_out(5, da, sa, 0), size_b = lay_out(5, db, sb, 0);
	const float *a = operand(floats(na), t, "ff", "a"), *b = operand(floats(size_b), t, "ff", "b");

	for (int i = 0; i < 3; i++) {
		sa[i] = da[i] == 1 ? 0 : sa[i];
		sb[i] = db[i] == 1 ? 0 : sb[i];
	}
	const struct param p[] = {
		{ "B0", b0 }, { "B1", b1 }, { "B2", b2 }, { "M", m }, { "N", n }, { "K", k },
		{ "MB", 4 }, { "NB", nb }, { "A0", sa[0] }, { "A1", sa[1] }, { "A2", sa[2] },
		{ "AM", sa[3] }, { "AK", sa[4] }, { "S0", sb[0] }, { "S1", sb[1] }, { "S2", sb[2] },
		{ "SK", sb[3] }, { "SN", sb[4] }, { "TAIL", n % nb != 0 },
	};
	write_instance(t, &y, "c/matmul", p, COUNT(p), NULL);
	for (int i = 0; i < b0 * b1 * b2 * m * n; i++) {
		const int j = i % n, r = i / n % m, c2 = i / n / m % b2, c1 = i / n / m / b2 % b1;
		const int c0 = i / n / m / b2 / b1;
		const int at_a = c0 * sa[0] + c1 * sa[1] + c2 * sa[2] + r * sa[3];
		const int at_b = c0 * sb[0] + c1 * sb[1] + c2 * sb[2] + j * sb[4];
		double sum = 0.0;

		for (int l = 0; l < k; l++)
			sum += (double)a[at_a + l * sa[4]] * (double)b[at_b + l * sb[3]];
		expect(t, &y, (int[]){ c0, c1, c2, r, j }, sum);
	}
}
#include "templates_more.h"
