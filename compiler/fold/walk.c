/* What evaluation writes to and walks over: results, and elements of broadcast operands. */
#include "fold/fold.h"

#include <string.h>

bool store(struct node *n, enum dtype stored, const void *data)
{
	n->out[0]->stored = stored;
	n->out[0]->data = data;
	return true;
}

void *store_room(struct graph *g, const struct node *n, size_t size)
{
	int64_t count = shape_count(&n->out[0]->shape);

	return arena_alloc(g->arena, (size_t)(count > 0 ? count : 1) * size);
}

double *store_f64(struct graph *g, struct node *n)
{
	double *v = store_room(g, n, sizeof(*v));

	store(n, DT_F64, v);
	return v;
}

int64_t *store_i64(struct graph *g, struct node *n)
{
	int64_t *v = store_room(g, n, sizeof(*v));

	store(n, DT_I64, v);
	return v;
}

void walk_start(struct walk *w, const struct shape *s)
{
	*w = (struct walk){ .shape = *s };
}

void walk_broadcast(struct walk *w, int k, const struct shape *s)
{
	int64_t stride = 1;

	for (int i = 1; i <= s->rank; i++) {
		if (s->dim[s->rank - i] != 1)
			w->stride[k][w->shape.rank - i] = stride;
		stride *= s->dim[s->rank - i];
	}
}

void walk_next(struct walk *w)
{
	for (int k = w->shape.rank - 1; k >= 0; k--) {
		w->index[k]++;
		for (int i = 0; i < MAX_EXPR_IN; i++)
			w->at[i] += w->stride[i][k];
		if (w->index[k] < w->shape.dim[k])
			return;
		w->index[k] = 0;
		for (int i = 0; i < MAX_EXPR_IN; i++)
			w->at[i] -= w->stride[i][k] * w->shape.dim[k];
	}
}

int64_t narrow(int64_t v, enum dtype type)
{
	switch (type) {
	case DT_I8:
		return (int8_t)v;
	case DT_U8:
		return (uint8_t)v;
	case DT_I16:
		return (int16_t)v;
	case DT_U16:
		return (uint16_t)v;
	case DT_I32:
		return (int32_t)v;
	case DT_U32:
		return (uint32_t)v;
	case DT_BOOL:
		return v != 0;
	default:
		return v;
	}
}
