/* opset.def's functions for ai.onnx.ml: what stands around a network that scikit-learn trained. */
#include "import/opset.h"

#include <string.h>

static const char label_hint[] =
	"train with integers as labels, or leave the label out: the greatest score says it";

/* A list of floats as a constant of `rows` rows; null where it is absent or does not divide. */
static struct tensor *float_table(struct site *s, const char *name, int64_t rows)
{
	const struct attr *a = site_attr(s, name);

	if (a == NULL || a->n == 0 || rows < 1 || a->n % rows != 0)
		return NULL;
	const struct shape shape = { .rank = rows > 1 ? 2 : 1,
		.dim = { rows > 1 ? rows : a->n, a->n / rows } };

	return graph_constant(s->g, NULL, DT_F32, &shape, DT_F64, a->f);
}

/* (x - offset) * scale, a number for each feature or one for all. */
bool convert_scaler(struct site *s, const char *arg)
{
	struct tensor *offset = float_table(s, "offset", 1), *scale = float_table(s, "scale", 1);
	struct tensor *y = put_floats(s, s->in[0]);

	(void)arg;
	y = offset != NULL ? put2(s, "Sub", y, offset) : y;
	s->out[0] = scale != NULL ? put2(s, "Mul", y, scale) : y;
	return true;
}

/* Each row over its norm; a norm of 0 leaves it as it is. */
bool convert_normalizer(struct site *s, const char *arg)
{
	static const char *const norms[3][2] = { { "MAX", "ReduceMax" }, { "L1", "ReduceL1" },
		{ "L2", "ReduceL2" } };
	static const int64_t last[1] = { -1 };
	const char *norm = site_string(s, "norm", "MAX");
	struct tensor *x = put_floats(s, s->in[0]), *zero = graph_scalar(s->g, DT_F32, 0.0);

	(void)arg;
	for (int k = 0; k < 3; k++) {
		if (strcmp(norm, norms[k][0]) != 0)
			continue;
		struct tensor *y = put2(s, norms[k][1], x, graph_ints(s->g, 1, last));

		set_int(s->g, y->def, "keepdims", 1);
		struct tensor *in[3] = { put2(s, "Equal", y, zero), graph_scalar(s->g, DT_F32, 1.0), y };

		s->out[0] = put2(s, "Div", x, site_put(s, "Where", 3, in, 1)->out[0]);
		return true;
	}
	return site_error(s, "MAX, L1 or L2", "norm \"%s\"", escape(s->g->arena, norm));
}

/* x times the coefficients, a row for each of `rows` outputs, and the intercepts. Null: reported. */
static struct tensor *put_scores(struct site *s, int64_t rows)
{
	static const int64_t perm[2] = { 1, 0 };
	struct tensor *w = float_table(s, "coefficients", rows), *y;
	const struct attr *b = site_attr(s, "intercepts");

	if (w == NULL || (b != NULL && b->n != 0 && b->n != rows)) {
		site_error(s, NULL, "its coefficients and intercepts are not those of %lld outputs",
			(long long)rows);
		return NULL;
	}
	if (rows == 1) {
		static const int64_t column[2] = { -1, 1 };

		w = put2(s, "Reshape", w, graph_ints(s->g, 2, column));
	} else {
		w = put1(s, "Transpose", w);
		set_ints(s->g, w->def, "perm", 2, perm);
	}
	y = put2(s, "MatMul", put_floats(s, s->in[0]), w);
	return b != NULL && b->n > 0 ? put2(s, "Add", y, float_table(s, "intercepts", 1)) : y;
}

/* post_transform. Null: reported. */
static struct tensor *put_transform(struct site *s, struct tensor *y)
{
	const char *how = site_string(s, "post_transform", "NONE");

	if (strcmp(how, "NONE") == 0)
		return y;
	if (strcmp(how, "LOGISTIC") == 0)
		return put1(s, "Sigmoid", y);
	if (strcmp(how, "SOFTMAX") == 0) {
		y = put1(s, "Softmax", y);
		set_int(s->g, y->def, "axis", -1);
		return y;
	}
	site_error(s, "NONE, LOGISTIC and SOFTMAX are compiled", "post_transform \"%s\"",
		escape(s->g->arena, how));
	return NULL;
}

bool convert_linearregressor(struct site *s, const char *arg)
{
	struct tensor *y = put_scores(s, site_int(s, "targets", 1));

	(void)arg;
	s->out[0] = y != NULL ? put_transform(s, y) : NULL;
	return s->out[0] != NULL;
}

/* The labels of the greatest scores, where they are integers; and the scores. */
bool convert_linearclassifier(struct site *s, const char *arg)
{
	const struct attr *ints = site_attr(s, "classlabels_ints"),
			  *strings = site_attr(s, "classlabels_strings");
	const bool named = strings != NULL && strings->n > 0;
	const int64_t classes = named ? strings->n : ints != NULL ? ints->n : 0;
	struct tensor *y, *best;

	(void)arg;
	if (named && s->raw->out[0][0] != '\0' && s->nout > 0)
		return site_error(s, label_hint, "its labels are strings");
	if (classes < 2)
		return site_error(s, NULL, "it has %lld classes", (long long)classes);
	y = put_scores(s, classes);
	if (y == NULL)
		return false;
	if (!named) {
		best = put1(s, "ArgMax", y);
		set_int(s->g, best->def, "axis", -1);
		set_int(s->g, best->def, "keepdims", 0);
		best->type = best->io_type = DT_I64;
		s->out[0] = put2(s, "Gather", site_ints(s, "classlabels_ints"), best);
	}
	if (s->nout > 1)
		s->out[1] = put_transform(s, y);
	return s->nout < 2 || s->out[1] != NULL;
}

/* Some of the last axis; those of a vector are a row. */
bool convert_arrayfeature(struct site *s, const char *arg)
{
	static const int64_t flat[1] = { -1 }, row[2] = { 1, -1 };
	struct tensor *places = put2(s, "Reshape", s->in[1], graph_ints(s->g, 1, flat));
	struct tensor *y = put2(s, "Gather", s->in[0], places);

	(void)arg;
	set_int(s->g, y->def, "axis", -1);
	if (is_const(s->in[0]) && s->in[0]->shape.rank == 1)
		y = put2(s, "Reshape", y, graph_ints(s->g, 2, row));
	s->out[0] = y;
	return true;
}
