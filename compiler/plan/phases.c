/*
 * Transposed convolutions. One of stride s is a convolution of an image with s - 1 zeros between
 * its elements (`spread`). Every s-th element of the result meets the same taps with elements that
 * are no zeros, side by side: these phases are ordinary convolutions of the image with parts of the
 * weights, and together they are the result, each element once.
 */
#include "plan/plan.h"

/* One dimension of a phase: taps r0, r0 + step .. see elements side by side. */
struct axis {
	int64_t tap, step, taps; /* of the weights; taps 0: none sees the image */
	int64_t pad, end;        /* zeros around the image; negative: elements that no tap sees */
	int64_t dilation;
};

static int64_t common_divisor(int64_t x, int64_t y)
{
	return y == 0 ? x : common_divisor(y, x % y);
}

static struct axis axis_in(int64_t image, int64_t spread, int64_t kernel, int64_t dilation,
	int64_t first, int64_t size)
{
	const int64_t g = common_divisor(spread, dilation);
	struct axis a = { .step = spread / g, .dilation = dilation / g };

	/* element `first` of the result begins at tap 0 with element `first` of what is spread */
	while (a.tap < a.step && a.tap < kernel && (first + a.tap * dilation) % spread != 0)
		a.tap++;
	if (a.tap == a.step || a.tap == kernel)
		return a;
	a.taps = (kernel - a.tap + a.step - 1) / a.step;
	a.pad = -(first + a.tap * dilation) / spread;
	/* taps that see only padding */
	for (; a.taps > 0 && size - 1 - a.pad < 0; a.taps--) {
		a.tap += a.step;
		a.pad -= a.dilation;
	}
	while (a.taps > 0 && (a.taps - 1) * a.dilation - a.pad >= image)
		a.taps--;
	a.end = size - 1 + (a.taps - 1) * a.dilation + 1 - image - a.pad;
	return a;
}

static struct tensor *made(struct graph *g, struct node *n)
{
	if (!infer(g, n))
		die("a phase of %s has no shape", n->op->name);
	struct tensor *t = n->out[0];

	if (shape_count(&t->shape) <= LAZY_COUNT)
		evaluate(g, n);
	return t;
}

/* The taps of the weights that a phase meets. */
static struct tensor *taps_of(struct graph *g, struct node *conv, const struct axis *axis)
{
	struct tensor *w = conv->in[1];
	struct node *n = graph_node(g, conv, op_find("Slice"), 1, &w, 1, conv->prov);
	int64_t starts[MAX_RANK] = { 0 }, steps[MAX_RANK] = { 1, 1 };
	struct shape *s = &n->out[0]->shape;

	*s = w->shape;
	for (int d = 2; d < s->rank; d++) {
		starts[d] = axis[d].tap;
		steps[d] = axis[d].taps > 1 ? axis[d].step : 1;
		s->dim[d] = axis[d].taps;
	}
	n->out[0]->known = true;
	set_ints(g, n, "starts", s->rank, starts);
	set_ints(g, n, "steps", s->rank, steps);
	return made(g, n);
}

/* The bias, or zero, beside y: what a phase is that no tap reaches. */
static struct tensor *bias_of(struct graph *g, struct node *conv)
{
	struct tensor *b = conv->nin > 2 ? conv->in[2] : NULL;

	if (b == NULL)
		return graph_scalar(g, DT_F32, 0.0);
	struct node *n = graph_node(g, conv, op_find("Reshape"), 1, &b, 1, conv->prov);
	struct shape *s = &n->out[0]->shape;

	s->rank = conv->out[0]->shape.rank - 1;
	s->dim[0] = b->shape.dim[0];
	for (int d = 1; d < s->rank; d++)
		s->dim[d] = 1;
	n->out[0]->known = true;
	return made(g, n);
}

/* The ordinary convolution of the image's part that a phase sees. */
static void set_conv(struct graph *g, struct node *conv, const struct axis *axis, struct phase *to)
{
	struct tensor *in[3] = { conv->in[0], taps_of(g, conv, axis),
		conv->nin > 2 ? conv->in[2] : NULL };
	int64_t ones[MAX_RANK], dilations[MAX_RANK], pads[2 * MAX_RANK];
	const int spatial = to->shape.rank - 2;

	to->read = in[0]->shape;
	for (int k = 0; k < spatial; k++) {
		const struct axis *a = &axis[2 + k];

		to->from[2 + k] = a->pad < 0 ? -a->pad : 0;
		to->read.dim[2 + k] -= to->from[2 + k] + (a->end < 0 ? -a->end : 0);
		ones[k] = 1;
		dilations[k] = a->dilation;
		pads[k] = a->pad > 0 ? a->pad : 0;
		pads[spatial + k] = a->end > 0 ? a->end : 0;
	}
	to->conv = graph_node(g, conv, conv->op, in[2] != NULL ? 3 : 2, in, 1, conv->prov);
	set_ints(g, to->conv, "strides", spatial, ones);
	set_ints(g, to->conv, "dilations", spatial, dilations);
	set_ints(g, to->conv, "pads", 2 * spatial, pads);
	set_int(g, to->conv, "group", attr_int(conv, "group", 1));
	to->conv->out[0]->type = DT_F32;
	to->conv->out[0]->shape = to->shape;
	to->conv->out[0]->known = true;
	to->conv->mark = conv->mark;
}

/* Phases along dimension d: no more than the result has elements. */
static int64_t count_along(const struct node *conv, int d)
{
	int n;
	const int64_t size = conv->out[0]->shape.dim[d],
		      step = d < 2 ? 1 : attr_ints(conv, "spread", &n)[d - 2];

	return step < size ? step : size;
}

static void set_phase(struct graph *g, struct node *conv, int64_t k, struct phase *to)
{
	const struct shape *x = &conv->in[0]->shape, *w = &conv->in[1]->shape,
			   *y = &conv->out[0]->shape;
	int n;
	const int64_t *spread = attr_ints(conv, "spread", &n), *pads = attr_ints(conv, "pads", &n),
		      *dilations = attr_ints(conv, "dilations", &n);
	struct axis axis[MAX_RANK] = { { 0 } };
	bool sees = true;

	to->shape = *y;
	to->step[0] = to->step[1] = 1;
	for (int d = y->rank - 1; d >= 2; d--) {
		const int64_t step = spread[d - 2], start = k % count_along(conv, d);

		k /= count_along(conv, d);
		to->start[d] = start;
		to->step[d] = step;
		to->shape.dim[d] = (y->dim[d] - start + step - 1) / step;
		axis[d] = axis_in(x->dim[d], step, w->dim[d], dilations[d - 2], start - pads[d - 2],
			to->shape.dim[d]);
		sees = sees && axis[d].taps > 0;
	}
	if (sees)
		set_conv(g, conv, axis, to);
	else
		to->constant = bias_of(g, conv);
}

bool is_spread(const struct node *n)
{
	return is_op(n, "Conv") && node_attr(n, "spread") != NULL;
}

struct phase *phases(struct graph *g, struct node *conv, int *count)
{
	struct phase *v;

	*count = 1;
	for (int d = 2; d < conv->out[0]->shape.rank; d++)
		*count *= (int)count_along(conv, d);
	v = arena_alloc(g->arena, (size_t)*count * sizeof(*v));
	for (int k = 0; k < *count; k++)
		set_phase(g, conv, k, &v[k]);
	return v;
}
