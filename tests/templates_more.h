/* The rest of tests/templates.c: elements, the builds, and the comparison. */

/* ---- reductions ------------------------------------------------------------------------------- */

static const struct {
	const char *init, *step, *join, *finish;
} reductions[] = {
	{ "0.0f", "a + v", "a + v", "a" },
	{ "0.0f", "a + v", "a + v", NULL }, /* mean */
	{ "-3e38f", "a < v ? v : a", "a < v ? v : a", "a" },
	{ "1.0f", "a * v", "a * v", "a" },
	{ "0.0f", "a + v * v", "a + v", "a" },
};

static double reduce_value(int kind, double a, double v)
{
	return kind <= 1 ? a + v : kind == 2 ? (a < v ? v : a) : kind == 3 ? a * v : a + v * v;
}

/* For `inner` dimensions d[4..] with strides s[4..], visits each position: its offset. */
static int offset_of(int i, int nd, const int *dim, const int *stride)
{
	int at = 0;

	for (int d = nd - 1; d >= 0; d--) {
		at += i % dim[d] * stride[d];
		i /= dim[d];
	}
	return at;
}

static int product(int nd, const int *dim)
{
	int n = 1;

	while (nd-- > 0)
		n *= dim[nd];
	return n;
}

/* The coordinates of element i of a shape. */
static const int *coord_of(int i, int nd, const int *dim)
{
	static int coord[MAX_DIM];

	for (int d = nd - 1; d >= 0; d--) {
		coord[d] = i % dim[d];
		i /= dim[d];
	}
	return coord;
}

static void reduce_case(void)
{
	const int kind = below(COUNT(reductions));
	int dim[6] = { between(1, 3), between(1, 3), between(1, 30), 1, between(1, 4), between(1, 150) };
	int s[6];
	struct writer y = { .epilogue = (enum epilogue)below(EPILOGUES) };
	struct item *t = new_item(&y, 4, (int[]){ dim[0], dim[1], 1, dim[2] }, "f");
	const int cb = between(1, 16), nx = lay_out(6, dim, s, 0), nr = dim[4] * dim[5];
	const float *x = operand(floats(nx), t, "f", "x");
	const struct param p[] = {
		{ "O0", dim[0] }, { "O1", dim[1] }, { "O2", 1 }, { "O3", dim[2] }, { "CB", cb },
		{ "RUN", 64 }, { "TAIL", dim[2] % cb != 0 }, { "R0", 1 }, { "R1", 1 }, { "R2", dim[4] },
		{ "R3", dim[5] }, { "X_O0", s[0] }, { "X_O1", s[1] }, { "X_O2", 0 }, { "X_O3", s[2] },
		{ "X_R0", 0 }, { "X_R1", 0 }, { "X_R2", s[4] }, { "X_R3", s[5] },
	};
	const struct subst sub[] = {
		{ "INIT", reductions[kind].init }, { "STEP", reductions[kind].step },
		{ "JOIN", reductions[kind].join },
		{ "FINISH", kind == 1 ? arena_printf(&arena, "a / %d.0f", nr) : reductions[kind].finish },
		{ NULL, NULL },
	};
	write_instance(t, &y, "c/reduce", p, COUNT(p), sub);
	for (int i = 0; i < dim[0] * dim[1] * dim[2]; i++) {
		const int *c = coord_of(i, 3, dim), at = offset_of(i, 3, dim, s);
		double a = kind == 2 ? -3e38 : kind == 3 ? 1.0 : 0.0;

		for (int r = 0; r < nr; r++)
			a = reduce_value(kind, a, (double)x[at + r / dim[5] * s[4] + r % dim[5] * s[5]]);
		expect(t, &y, (int[]){ c[0], c[1], 0, c[2] }, kind == 1 ? a / nr : a);
	}
}

static void softmax_case(void)
{
	const int dim[4] = { between(1, 3), between(1, 3), between(1, 4), between(1, 200) };
	const bool logarithm = below(2);
	int s[4];
	struct writer y = { .epilogue = below(2) ? RELU : ADD };
	struct item *t = new_item(&y, 4, dim, "f");
	const int nx = lay_out(4, dim, s, 0), a = dim[3];
	float *x = floats(nx);
	const struct param p[] = {
		{ "O0", dim[0] }, { "O1", dim[1] }, { "O2", dim[2] }, { "A", a },
		{ "X_O0", s[0] }, { "X_O1", s[1] }, { "X_O2", s[2] }, { "XA", s[3] }, { "LOG", logarithm },
	};

	for (int i = 0; i < nx; i++)
		x[i] *= 20.0f;
	operand(x, t, "f", "x");
	write_instance(t, &y, "c/softmax", p, COUNT(p), NULL);
	for (int i = 0; i < product(3, dim); i++) {
		const int at = offset_of(i, 3, dim, s);
		double most = -HUGE_VAL, sum = 0.0;

		for (int k = 0; k < a; k++)
			most = fmax(most, (double)x[at + k * s[3]]);
		for (int k = 0; k < a; k++)
			sum += exp((double)x[at + k * s[3]] - most);
		for (int k = 0; k < a; k++) {
			const int *c = coord_of(i, 3, dim);
			const double v = (double)x[at + k * s[3]] - most;

			expect(t, &y, (int[]){ c[0], c[1], c[2], k }, logarithm ? v - log(sum) : exp(v) / sum);
		}
	}
}

static void normalize_case(void)
{
	const int dim[6] = { between(1, 3), between(1, 3), between(1, 2), between(1, 3), between(2, 9),
			     between(2, 20) };
	int s[6];
	struct writer y = { .epilogue = (enum epilogue)below(IN_PLACE) };
	struct item *t = new_item(&y, 6, dim, "f");
	const int nx = lay_out(6, dim, s, 0), nr = product(3, dim + 3);
	const float *x = operand(floats(nx), t, "f", "x");
	const struct param p[] = {
		{ "O0", dim[0] }, { "O1", dim[1] }, { "O2", dim[2] }, { "R0", dim[3] }, { "R1", dim[4] },
		{ "R2", dim[5] }, { "X_O0", s[0] }, { "X_O1", s[1] }, { "X_O2", s[2] }, { "X_R0", s[3] },
		{ "X_R1", s[4] }, { "X_R2", s[5] },
	};

	write_instance(t, &y, "c/normalize", p, COUNT(p), (struct subst[]){ { "EPS", "1e-3f" }, { NULL, NULL } });
	for (int i = 0; i < product(3, dim); i++) {
		const float *v = x + offset_of(i, 3, dim, s);
		double mean = 0.0, var = 0.0;

		for (int r = 0; r < nr; r++)
			mean += (double)v[offset_of(r, 3, dim + 3, s + 3)] / nr;
		for (int r = 0; r < nr; r++)
			var += pow((double)v[offset_of(r, 3, dim + 3, s + 3)] - mean, 2) / nr;
		for (int r = 0; r < nr; r++)
			expect(t, &y, coord_of(i * nr + r, 6, dim),
			       ((double)v[offset_of(r, 3, dim + 3, s + 3)] - mean) / sqrt(var + 1e-3));
	}
}

/* Groups of channels that lie side by side. */
static void normalize_channels_case(void)
{
	const int n = between(1, 2), p = between(1, 150), cg = between(1, 5), block = cg * between(1, 6), k = block * between(1, 3);
	const int xp = k + between(0, 3), dim[3] = { n, p, k };
	struct writer y = { .epilogue = (enum epilogue)below(IN_PLACE) };
	struct item *t = new_item(&y, 3, dim, "f");
	const float *x = operand(floats(n * p * xp), t, "f", "x");
	const struct param params[] = { { "N", n }, { "P", p }, { "K", k }, { "KB", block }, { "CG", cg },
					{ "XN", p * xp }, { "XP", xp }, { "RUN", 64 } };

	write_instance(t, &y, "c/normalize_channels", params, COUNT(params),
		       (struct subst[]){ { "EPS", "1e-3f" }, { NULL, NULL } });
	for (int i = 0; i < n * k / cg; i++) {
		const float *v = x + i / (k / cg) * p * xp + i % (k / cg) * cg;
		const int count = p * cg;
		double mean = 0.0, var = 0.0;

		for (int r = 0; r < count; r++)
			mean += (double)v[r / cg * xp + r % cg] / count;
		for (int r = 0; r < count; r++)
			var += pow((double)v[r / cg * xp + r % cg] - mean, 2) / count;
		for (int r = 0; r < count; r++)
			expect(t, &y, (int[]){ i / (k / cg), r / cg, i % (k / cg) * cg + r % cg },
			       ((double)v[r / cg * xp + r % cg] - mean) / sqrt(var + 1e-3));
	}
}

/* ---- moving elements -------------------------------------------------------------------------- */

static const char *const dims[] = { "D0", "D1", "D2", "D3", "D4", "D5" };

static void map_case(void)
{
	const int rank = between(1, 6);
	int dim[6];
	struct param p[7] = { { "RANK", rank } };
	struct writer y = { .epilogue = below(2) ? RELU : NONE, .expression = "2.0f * " };

	for (int i = 0; i < rank; i++)
		p[i + 1] = (struct param){ dims[i], dim[i] = between(1, 4) };
	struct item *t = new_item(&y, rank, dim, "f");
	write_instance(t, &y, "c/map", p, rank + 1, NULL);
	for (int i = 0; i < product(rank, dim); i++) {
		int at = 0;

		for (int d = 0; d < rank; d++)
			at += coord_of(i, rank, dim)[d] * y.stride[d];
		expect(t, &y, coord_of(i, rank, dim), 2.0 * (double)y.z[at]);
	}
}

static void turn_case(void)
{
	const int dim[3] = { between(1, 2), between(1, 20), between(1, 40) };
	struct writer y = { .epilogue = below(2) ? RELU : NONE, .expression = "2.0f * " };
	struct item *t = new_item(&y, 3, dim, "f");
	const struct param p[] = { { "N", dim[0] }, { "Q", dim[1] }, { "P", dim[2] },
		{ "TILE", 16 } };

	write_instance(t, &y, "c/turn", p, COUNT(p), NULL);
	for (int i = 0; i < product(3, dim); i++) {
		int at = 0;

		for (int d = 0; d < 3; d++)
			at += coord_of(i, 3, dim)[d] * y.stride[d];
		expect(t, &y, coord_of(i, 3, dim), 2.0 * (double)y.z[at]);
	}
}

/* Where pad takes position i from, or -1. */
static int pad_from(int mode, int i, int n)
{
	if (mode == 0)
		return i < 0 || i >= n ? -1 : i;
	if (mode == 2)
		return i < 0 ? 0 : i < n ? i : n - 1;
	while (i < 0 || i >= n)
		i = mode == 3 ? (i < 0 ? i + n : i - n) : n == 1 ? 0 : i < 0 ? -i : 2 * (n - 1) - i;
	return i;
}

static void pad_case(void)
{
	static const char *const from[] = { "S0", "S1", "S2", "S3", "S4", "S5" };
	static const char *const begin[] = { "B0", "B1", "B2", "B3", "B4", "B5" };
	static const char *const strides[] = { "X0", "X1", "X2", "X3", "X4", "X5" };
	const int rank = between(1, 6), mode = below(4);
	int dim[6] = { 0 }, in[6] = { 0 }, at[6], s[6], np = 0;
	struct param p[32];
	struct writer y = { .epilogue = below(2) ? RELU : NONE };

	for (int i = 0; i < rank; i++) {
		dim[i] = between(1, 5);
		in[i] = between(1, 4);
		at[i] = between(-2, 3);
	}
	const int nx = lay_out(rank, in, s, 0);
	struct item *t = new_item(&y, rank, dim, "f");
	const float *x = operand(floats(nx), t, "f", "x");

	for (int i = 0; i < rank; i++) {
		p[np++] = (struct param){ dims[i], dim[i] };
		p[np++] = (struct param){ from[i], in[i] };
		p[np++] = (struct param){ begin[i], at[i] };
		p[np++] = (struct param){ strides[i], s[i] };
	}
	p[np++] = (struct param){ "RANK", rank };
	p[np++] = (struct param){ "MODE", mode };
	write_instance(t, &y, "c/pad", p, np, (struct subst[]){ { "VALUE", "0.75f" }, { NULL, NULL } });
	for (int i = 0; i < product(rank, dim); i++) {
		int e = 0;

		for (int d = 0; d < rank && e >= 0; d++) {
			const int j = pad_from(mode, coord_of(i, rank, dim)[d] - at[d], in[d]);
			e = j < 0 ? -1 : e + j * s[d];
		}
		expect(t, &y, coord_of(i, rank, dim), e < 0 ? 0.75 : (double)x[e]);
	}
}

static void gather_case(void)
{
	const int dim[3] = { between(1, 4), between(1, 5), between(1, 6) }, a = between(1, 6);
	int s[3];
	struct writer y = { .epilogue = (enum epilogue)below(EPILOGUES) };
	struct item *t = new_item(&y, 3, dim, "fi");
	const int nx = lay_out(3, (int[]){ dim[0], a, dim[2] }, s, 0);
	const float *x = operand(floats(nx), t, "fi", "x");
	int64_t *index = malloc(sizeof(*index) * (size_t)dim[1]);
	const struct param p[] = { { "O", dim[0] }, { "N", dim[1] }, { "R", dim[2] }, { "A", a },
				   { "XO", s[0] }, { "XA", s[1] }, { "XR", s[2] }, { "XI", 1 } };

	for (int i = 0; i < dim[1]; i++)
		index[i] = between(-a - 2, a + 2);
	operand(index, t, "fi", "index");
	write_instance(t, &y, "c/gather", p, COUNT(p), NULL);
	for (int i = 0; i < product(3, dim); i++) {
		const int *c = coord_of(i, 3, dim);
		int64_t at = index[c[1]] < 0 ? index[c[1]] + a : index[c[1]];

		at = at < 0 ? 0 : at >= a ? a - 1 : at;
		expect(t, &y, c, (double)x[c[0] * s[0] + at * s[1] + c[2] * s[2]]);
	}
}

static void argmax_case(void)
{
	const int dim[4] = { between(1, 3), between(1, 3), between(1, 4), between(1, 12) };
	const bool least = below(2), latest = below(2);
	int s[4];
	struct writer y = { .epilogue = NONE };
	struct item *t = new_item(&y, 3, dim, "f");
	const int nx = lay_out(4, dim, s, 0);
	float *x = floats(nx);
	const struct param p[] = { { "O0", dim[0] }, { "O1", dim[1] }, { "O2", dim[2] }, { "A", dim[3] },
				   { "X_O0", s[0] }, { "X_O1", s[1] }, { "X_O2", s[2] }, { "XA", s[3] },
				   { "LEAST", least }, { "LAST", latest } };

	for (int i = 0; i < nx; i++)
		x[i] = (float)below(4); /* many equal ones */
	operand(x, t, "f", "x");
	t->integers = true;
	t->out = calloc((size_t)t->n, sizeof(int64_t));
	for (int i = 0; i < t->n; i++)
		t->want[i] = 0.0;
	write_instance(t, &y, "c/argmax", p, COUNT(p), NULL);
	for (int i = 0; i < product(3, dim); i++) {
		const float *v = x + offset_of(i, 3, dim, s);
		int best = 0;

		for (int k = 1; k < dim[3]; k++) {
			const float d = (v[k * s[3]] - v[best * s[3]]) * (least ? -1.0f : 1.0f);
			best = d > 0.0f || (d >= 0.0f && latest) ? k : best;
		}
		expect(t, &y, coord_of(i, 3, dim), best);
	}
}

/* An index as Gather and Scatter take it. */
static int wanted(int64_t index, int dim)
{
	const int64_t at = index < 0 ? index + dim : index;

	return at < 0 ? 0 : at >= dim ? dim - 1 : (int)at;
}

static double scatter_value(int how, double v, double w)
{
	return how == 0 ? w : how == 1 ? v + w : how == 2 ? v * w : how == 3 ? fmax(v, w) : fmin(v, w);
}

static void scatter_case(void)
{
	static const char *const joins[] = { "w", "v + w", "v * w", "v < w ? w : v", "w < v ? w : v" };
	const int dim[2] = { between(1, 5), between(1, 4) }, n = between(1, 7), how = below(5);
	const bool uniform = below(3) == 0;
	int s[2], us[2];
	struct writer y = { .epilogue = below(2) ? RELU : ADD }; /* y holds drafts */
	const char *types = uniform ? "if" : "fif";
	struct item *t = new_item(&y, 2, dim, types);
	const float *x = floats(lay_out(2, dim, s, 0)), *u = floats(lay_out(2, (int[]){ n, dim[1] }, us, 0));
	int64_t *index = malloc(sizeof(*index) * (size_t)n);
	double *want = malloc(sizeof(*want) * (size_t)(dim[0] * dim[1]));
	const struct param p[] = { { "A", dim[0] }, { "R", dim[1] }, { "N", n }, { "XA", s[0] }, { "XR", s[1] },
				   { "XI", 1 }, { "UN", us[0] }, { "UR", us[1] }, { "UNIFORM", uniform },
				   { "JOINS", how != 0 } };

	for (int i = 0; i < n; i++)
		index[i] = between(-dim[0] - 2, dim[0] + 2);
	if (!uniform)
		operand(x, t, types, "x");
	operand(index, t, types, "index");
	operand(u, t, types, "updates");
	write_instance(t, &y, "c/scatter", p, COUNT(p),
		       (struct subst[]){ { "JOIN", joins[how] }, { "VALUE", "0.5f" }, { NULL, NULL } });
	for (int i = 0; i < dim[0] * dim[1]; i++)
		want[i] = uniform ? 0.5 : (double)x[i / dim[1] * s[0] + i % dim[1] * s[1]];
	for (int i = 0; i < n * dim[1]; i++) {
		double *to = &want[wanted(index[i / dim[1]], dim[0]) * dim[1] + i % dim[1]];

		*to = scatter_value(how, *to, (double)u[i / dim[1] * us[0] + i % dim[1] * us[1]]);
	}
	for (int i = 0; i < dim[0] * dim[1]; i++)
		expect(t, &y, coord_of(i, 2, dim), want[i]);
	free(want);
}

static void topk_case(void)
{
	const int dim[4] = { between(1, 3), between(1, 3), between(1, 4), between(1, 12) }, k = between(1, dim[3]);
	const bool least = below(2);
	int s[4];
	struct writer y = { .epilogue = NONE };
	struct item *t = new_item(&y, 4, (int[]){ dim[0], dim[1], dim[2], k }, "f");
	const int nx = lay_out(4, dim, s, 0);
	float *x = floats(nx);
	const struct param p[] = { { "O0", dim[0] }, { "O1", dim[1] }, { "O2", dim[2] }, { "A", dim[3] }, { "K", k },
				   { "X_O0", s[0] }, { "X_O1", s[1] }, { "X_O2", s[2] }, { "XA", s[3] },
				   { "LEAST", least } };

	for (int i = 0; i < nx; i++)
		x[i] = (float)below(4); /* many equal ones */
	operand(x, t, "f", "x");
	t->integers = true;
	t->out = calloc((size_t)t->n, sizeof(int64_t));
	for (int i = 0; i < t->n; i++)
		t->want[i] = 0.0;
	write_instance(t, &y, "c/topk", p, COUNT(p), NULL);
	for (int i = 0; i < product(3, dim); i++) {
		const float *v = x + offset_of(i, 3, dim, s);
		const int *c = coord_of(i, 3, dim);

		for (int a = 0; a < dim[3]; a++) { /* its place: how many come before it */
			int place = 0;

			for (int b = 0; b < dim[3]; b++) {
				const float d = (v[b * s[3]] - v[a * s[3]]) * (least ? -1.0f : 1.0f);

				place += d > 0.0f || (d >= 0.0f && b < a);
			}
			if (place < k)
				expect(t, &y, (int[]){ c[0], c[1], c[2], place }, a);
		}
	}
}

static void cumulate_case(void)
{
	const int dim[4] = { between(1, 3), between(1, 3), between(1, 4), between(1, 20) };
	const bool product_of = below(2), late = below(2), back = below(2);
	int s[4];
	struct writer y = { .epilogue = (enum epilogue)below(EPILOGUES) };
	struct item *t = new_item(&y, 4, dim, "f");
	const float *x = operand(floats(lay_out(4, dim, s, 0)), t, "f", "x");
	const struct param p[] = { { "O0", dim[0] }, { "O1", dim[1] }, { "O2", dim[2] }, { "A", dim[3] },
				   { "X_O0", s[0] }, { "X_O1", s[1] }, { "X_O2", s[2] }, { "XA", s[3] },
				   { "EXCLUSIVE", late }, { "REVERSE", back } };

	write_instance(t, &y, "c/cumulate", p, COUNT(p),
		       (struct subst[]){ { "INIT", product_of ? "1.0f" : "0.0f" },
					 { "STEP", product_of ? "a * v" : "a + v" },
					 { NULL, NULL } });
	for (int i = 0; i < product(3, dim); i++) {
		double sum = product_of ? 1.0 : 0.0;

		for (int j = 0; j < dim[3]; j++) {
			const int a = back ? dim[3] - 1 - j : j, *c = coord_of(i, 3, dim);
			const double before = sum, v = (double)x[offset_of(i, 3, dim, s) + a * s[3]];

			sum = product_of ? sum * v : sum + v;
			expect(t, &y, (int[]){ c[0], c[1], c[2], a }, late ? before : sum);
		}
	}
}

/* The sum over the elements of x that position o of a wide axis is made of, and of the axes behind it. */
static double wide_sum(const float *x, int axis, const int *o, int *const *at, float *const *part, int width,
		       const int *stride)
{
	double sum = 0.0;

	if (axis == 3)
		return (double)x[0];
	for (int i = at[axis][2 * o[axis]]; i < at[axis][2 * o[axis] + 1]; i++)
		sum += (double)part[axis][o[axis] * width + i - at[axis][2 * o[axis]]] *
		       wide_sum(x + i * stride[axis], axis + 1, o, at, part, width, stride);
	return sum;
}

static double linear_sum(const float *x, int axis, const int *o, int *const *at, float *const *part, bool linear,
			 const int *stride)
{
	const double second = axis < 3 && linear ? (double)part[axis][o[axis]] : 0.0;

	if (axis == 3)
		return (double)x[0];
	if (!linear)
		return linear_sum(x + at[axis][o[axis]] * stride[axis], axis + 1, o, at, part, linear, stride);
	return (1.0 - second) * linear_sum(x + at[axis][2 * o[axis]] * stride[axis], axis + 1, o, at, part, linear, stride) +
	       second * linear_sum(x + at[axis][2 * o[axis] + 1] * stride[axis], axis + 1, o, at, part, linear, stride);
}

/* Element i of n as GridSample continues a row; -1: zero. */
static int continued(int i, int n, int padding, bool corners)
{
	const int least = 0, most = n - 1;

	if (padding == 0)
		return i < 0 || i > most ? -1 : i;
	if (padding == 1 || (corners && n == 1))
		return i < least ? least : i > most ? most : i;
	while (i < least || i > most)
		i = i < least ? (corners ? -i : -1 - i) : (corners ? 2 * most - i : 2 * n - 1 - i);
	return i;
}

static double cubic(double d)
{
	const double a = -0.75, t = fabs(d);

	return t <= 1.0 ? ((a + 2.0) * t - (a + 3.0)) * t * t + 1.0 : t < 2.0 ? ((t - 5.0) * t + 8.0) * t * a - 4.0 * a : 0.0;
}

/* The share of the element that is d away. */
static double share_of(int mode, double d)
{
	return mode == 0 ? 1.0 : mode == 1 ? fmax(0.0, 1.0 - fabs(d)) : cubic(d);
}

static void gridsample_case(void)
{
	const int in[4] = { between(1, 2), between(1, 3), between(1, 6), between(1, 6) };
	const int places[4] = { in[0], between(1, 3), between(1, 4), 2 }, p = places[1] * places[2];
	const int mode = below(3), padding = below(3), taps = 1 << mode;
	const bool corners = below(2);
	int s[4], gs[4];
	struct writer y = { .epilogue = (enum epilogue)below(EPILOGUES) };
	struct item *t = new_item(&y, 3, (int[]){ in[0], in[1], p }, "ff");
	const float *x = operand(floats(lay_out(4, in, s, 0)), t, "ff", "x");
	float *grid = floats(lay_out(4, places, gs, 0));
	const struct param all[] = {
		{ "N", in[0] }, { "C", in[1] }, { "H", in[2] }, { "W", in[3] }, { "OW", places[2] }, { "P", p },
		{ "XN", s[0] }, { "XC", s[1] }, { "XH", s[2] }, { "XW", s[3] }, { "GN", gs[0] }, { "GH", gs[1] },
		{ "GW", gs[2] }, { "GK", gs[3] }, { "TAPS", taps }, { "FIRST", mode == 2 ? -1 : 0 },
		{ "CORNERS", corners }, { "PADDING", padding }, { "NEAREST", mode == 0 }, { "CUBIC", mode == 2 },
	};

	operand(grid, t, "ff", "grid");
	write_instance(t, &y, "c/gridsample", all, COUNT(all), NULL);
	t->tolerance = 1e-5;
	for (int i = 0; i < in[0] * p; i++) {
		float *g = grid + i / p * gs[0] + i % p / places[2] * gs[1] + i % places[2] * gs[2];
		double at[2];
		int first[2];

		for (int a = 0; a < 2; a++) { /* sixteenths: not where the nearest is in doubt */
			const int n = in[3 - a];

			first[a] = between(-3 * n, 3 * n);
			at[a] = first[a] + (1 + below(7)) / 16.0;
			g[a * gs[3]] = (float)(corners ? (n > 1 ? at[a] * 2.0 / (n - 1) - 1.0 : 7.0) : (at[a] * 2.0 + 1.0) / n - 1.0);
			if (corners && n == 1)
				first[a] = 0, at[a] = 0.0;
		}
		for (int c = 0; c < in[1]; c++) {
			double sum = 0.0;

			for (int k = 0; k < taps * taps; k++) {
				const int row = first[1] + k / taps - (mode == 2), column = first[0] + k % taps - (mode == 2);
				const int r = continued(row, in[2], padding, corners), q = continued(column, in[3], padding, corners);

				if (r >= 0 && q >= 0)
					sum += share_of(mode, at[1] - row) * share_of(mode, at[0] - column) *
					       (double)x[i / p * s[0] + c * s[1] + r * s[2] + q * s[3]];
			}
			expect(t, &y, (int[]){ i / p, c, i % p }, sum);
		}
	}
}

static void resize_case(void)
{
	enum { WIDTH = 3 };
	const bool wide = below(2), linear = wide || below(2), depth = below(2), outside = wide && below(2);
	const int out[3] = { depth ? between(1, 4) : 1, between(1, 5), between(1, 6) };
	const int in[5] = { between(1, 2), between(1, 9), depth ? between(1, 4) : 1, between(1, 5),
			    between(1, 5) };
	int s[5], *at[3];
	float *part[3];
	struct writer y = { .epilogue = (enum epilogue)below(EPILOGUES) };
	struct item *t = new_item(&y, 3, (int[]){ in[0], in[1], product(3, out) }, NULL);
	const char *types = linear ? (depth ? "fsssfff" : "fssff") : depth ? "fsss" : "fss";
	const float *x = operand(floats(lay_out(5, in, s, below(2))), t, types, "x");
	const struct param p[] = {
		{ "N", in[0] }, { "C", in[1] }, { "OH", out[1] }, { "OW", out[2] }, { "P", product(3, out) },
		{ "XN", s[0] }, { "XC", s[1] }, { "XD", s[2] }, { "XH", s[3] }, { "XW", s[4] },
		{ "LINEAR", linear }, { "DEPTH", depth }, { "WIDE", wide }, { "OUTSIDE", outside },
		{ "TD", WIDTH }, { "TH", WIDTH }, { "TW", WIDTH },
	};

	for (int a = 0; a < 3; a++) {
		at[a] = malloc(sizeof(int) * 2 * (size_t)out[a]);
		part[a] = floats(out[a] * (wide ? WIDTH : 1));
		for (int i = 0; i < 2 * out[a]; i++) {
			const int first = below(in[2 + a]), rest = in[2 + a] - first;

			at[a][i] = !wide || i % 2 == 0 ? first
				 : at[a][i - 1] + between(!outside, WIDTH < rest ? WIDTH : rest);
			if (wide && i % 2 == 1 && at[a][i] > in[2 + a])
				at[a][i] = in[2 + a];
		}
		if (!depth && a == 0) { /* no parameters: the one element */
			at[a][0] = 0;
			at[a][1] = wide;
			part[a][0] = wide;
		}
	}
	for (int a = depth ? 0 : 1; a < 3; a++)
		operand(at[a], t, types, (const char *[]){ "at_d", "at_h", "at_w" }[a]);
	for (int a = depth ? 0 : 1; a < 3 && linear; a++)
		operand(part[a], t, types, (const char *[]){ "part_d", "part_h", "part_w" }[a]);
	write_instance(t, &y, "c/resize", p, COUNT(p), NULL);
	for (int i = 0; i < in[0] * in[1] * product(3, out); i++) {
		const int *c = coord_of(i, 5, (int[]){ in[0], in[1], out[0], out[1], out[2] });
		const int base = c[0] * s[0] + c[1] * s[1], o[3] = { c[2], c[3], c[4] };
		double sum = wide ? wide_sum(x + base, 0, o, at, part, WIDTH, s + 2)
				  : linear_sum(x + base, 0, o, at, part, linear, s + 2);

		for (int a = 0; a < 3; a++) /* no element: EXTRA, which is 0 */
			if (wide && at[a][2 * o[a]] == at[a][2 * o[a] + 1])
				sum = 0.0;
		expect(t, &y, (int[]){ c[0], c[1], i % product(3, out) }, sum);
	}
}

/* ---- helpers ---------------------------------------------------------------------------------- */

static void add_helper(void *ctx, const struct helper *h)
{
	const struct instance_request r = { .template_name = h->template, .function = h->function };

	buf_printf(ctx, "\n%s", template_instantiate(&arena, &r));
}

/* sqrt_f32, max_f32, min_f32 through an exported function. */
static const char exports[] = "\nfloat test_sqrt(float x);\nfloat test_sqrt(float x)\n{\n\treturn sqrt_f32(x);\n}\n"
			      "\nfloat test_max(float a, float b);\nfloat test_max(float a, float b)\n{\n"
			      "\treturn max_f32(a, b);\n}\n"
			      "\nfloat test_min(float a, float b);\nfloat test_min(float a, float b)\n{\n"
			      "\treturn min_f32(a, b);\n}\n";

static bool same_float(float a, float b)
{
	return a == b ? signbit(a) == signbit(b) : isnan(a) && isnan(b);
}

static void check_helpers(void *library)
{
	float (*root)(float), (*most)(float, float), (*least)(float, float);

	*(void **)&root = dlsym(library, "test_sqrt");
	*(void **)&most = dlsym(library, "test_max");
	*(void **)&least = dlsym(library, "test_min");
	for (uint32_t i = 0; i < 1u << 25; i += 3) { /* mantissas of two exponents, thinned */
		union {
			uint32_t u;
			float f;
		} x = { 0x3f000000 + i };
		ck_assert_msg(root(x.f) == sqrtf(x.f), "sqrt_f32(%a)", (double)x.f);
	}
	for (int i = 0; i < 200000; i++) { /* all exponents, subnormals, negative ones, NaN, infinity */
		union {
			uint32_t u;
			float f;
		} x = { (uint32_t)below(1 << 16) << 16 | (uint32_t)below(1 << 16) };
		x.u = i < 16 ? (uint32_t[]){ 0, 1, 2, 3, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000,
					     0x80000000, 0x80000001, 0xff800000, 0x7fc00000, 0xffc00000,
					     0x3f800000, 0x3f7fffff, 0x400000 }[i] : x.u;
		ck_assert_msg(same_float(root(x.f), sqrtf(x.f)), "sqrt_f32(%a)", (double)x.f);
	}
	ck_assert(most(1.0f, 2.0f) == 2.0f && least(1.0f, 2.0f) == 1.0f);
	ck_assert(isnan(most(NAN, 1.0f)) && isnan(least(NAN, 1.0f)));
}

/* ---- builds ----------------------------------------------------------------------------------- */

#define WARNINGS "-std=c99 -pedantic -Wall -Wextra -Wconversion -Wshadow -Werror "
static const struct {
	const char *compiler, *flags;
} builds[] = {
	{ "gcc", WARNINGS "-O2 -DSCALAR=0" },
	{ "clang", WARNINGS "-O2 -DSCALAR=1" },
	{ "gcc", WARNINGS "-O1 -fsanitize=undefined -fsanitize-undefined-trap-on-error -DSCALAR=1" },
	{ "gcc", "-O3 -march=native -std=gnu17 -Wall -DSCALAR=0" },
};

static void compare(struct item *t, const char *build)
{
	double scale = 1e-30;

	for (int i = 0; i < t->n; i++)
		if (isfinite(t->want[i]))
			scale = fmax(scale, fabs(t->want[i]));
	for (int i = 0; i < t->n; i++) {
		const double got = t->integers ? (double)((int64_t *)t->work)[i]
					       : (double)((float *)t->work)[i];
		const double want = t->want[i];

		ck_assert_msg(fabs(got - want) <= t->tolerance * scale || (isnan(got) && isnan(want)) ||
				      got == want,
			      "%s, %s: element %d is %g, not %g", t->what, build, i, got, want);
	}
}

static void run_item(struct item *t, int number, void *library, const char *build)
{
	const size_t size = t->integers ? sizeof(int64_t) : sizeof(float), bytes = (size_t)t->n * size;
	void (*run)(const void *const *, void *);
	char *room = malloc(bytes + 2 * GUARD);

	*(void **)&run = dlsym(library, arena_printf(&arena, "run_%d", number));
	ck_assert_msg(run != NULL, "%s", t->what);
	memset(room, 0x5a, bytes + 2 * GUARD);
	t->work = room + GUARD;
	memcpy(t->work, t->out, bytes);
	run(t->in, t->work);
	for (int i = 0; i < GUARD; i++)
		ck_assert_msg(room[i] == 0x5a && room[GUARD + bytes + (size_t)i] == 0x5a,
			      "%s, %s: wrote outside y", t->what, build);
	compare(t, build);
	if (t->bits == NULL) {
		t->bits = room;
		return;
	}
	for (size_t i = 0; i < bytes; i++)
		ck_assert_msg(room[GUARD + i] == ((char *)t->bits)[GUARD + i], "%s, %s: other bits in element %d of %d: %a",
			      t->what, build, (int)(i / size), t->n, (double)((float *)t->work)[i / size]);
	free(room);
}

/* TEMPLATE_ROUNDS=n in the environment: n times as many cases. */
static void make_cases(void)
{
	const char *rounds = getenv("TEMPLATE_ROUNDS");
	const int n = rounds != NULL ? atoi(rounds) : 1;

	for (int i = 0; i < 24 * n; i++)
		conv_case();
	for (int i = 0; i < 6 * n; i++) {
		pool_case(DEPTHWISE);
		pool_case(MAXPOOL);
		pool_case(AVGPOOL);
		linear_case();
		matmul_case();
		reduce_case();
		softmax_case();
		normalize_case();
		normalize_channels_case();
		map_case();
		turn_case();
		pad_case();
		gather_case();
		argmax_case();
		scatter_case();
		gridsample_case();
		topk_case();
		cumulate_case();
		resize_case();
	}
}

/* Builds run two at a time. A compiler that is not installed is left out, and said. */
static void compile_all(const char *dir)
{
	struct buf command = { 0 };

	for (int i = 0; i < COUNT(builds); i++) {
		if (system(arena_printf(&arena, "command -v %s >/dev/null", builds[i].compiler)) != 0) {
			printf("NOT RUN: %s %s\n", builds[i].compiler, builds[i].flags);
			continue;
		}
		buf_printf(&command, "(cd %s && %s %s -shared -fPIC -o %d.so all.c || touch failed) & ", dir,
			   builds[i].compiler, builds[i].flags, i);
		if (i % 2 == 1)
			buf_printf(&command, "wait; ");
	}
	buf_printf(&command, "wait; test ! -e %s/failed", dir);
	ck_assert_msg(system(command.data) == 0, "instances do not compile without a warning: %s/all.c", dir);
	free(command.data);
}

START_TEST(test_templates)
{
	char dir[] = "/tmp/skipc-templates-XXXXXX";
	struct buf text = { 0 };

	ck_assert_ptr_nonnull(mkdtemp(dir));
	make_cases();
	buf_printf(&text, "#include <float.h>\n#include <stdint.h>\n#include <string.h>\n\n#if defined(__clang__)\n"
			  "#pragma STDC FP_CONTRACT OFF\n#elif defined(__GNUC__)\n"
			  "#pragma GCC optimize (\"fp-contract=off\", \"no-loop-interchange\")\n#endif\n");
	buf_printf(&text, "%s", template_source("c/inline.h"));
	buf_printf(&source, "%s", exports);
	template_helpers(source.data, add_helper, &text);
	buf_add(&text, source.data, source.len);
	FILE *f = fopen(arena_printf(&arena, "%s/all.c", dir), "w");
	ck_assert_ptr_nonnull(f);
	fputs(text.data, f);
	fclose(f);
	compile_all(dir);
	for (int i = 0; i < COUNT(builds); i++) {
		void *library = dlopen(arena_printf(&arena, "%s/%d.so", dir, i), RTLD_NOW);

		if (library == NULL)
			continue;
		for (int k = 0; k < nitems; k++)
			run_item(&items[k], k + 1, library,
				 arena_printf(&arena, "%s %s", builds[i].compiler, builds[i].flags));
		if (i == 0)
			check_helpers(library);
	}
	ck_assert_int_eq(system(arena_printf(&arena, "rm -r %s", dir)), 0);
	arena_release(&arena);
}
END_TEST

/* What an instance with these parameters dies of: exit status 3 and a message. */
static const char *last_words(const struct param *p, int n)
{
	const struct instance_request r = {
		.template_name = "c/avgpool", .function = "f", .params = p, .nparams = n
	};
	char words[500] = { 0 };
	int ends[2], status;
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0) {
		dup2(ends[1], 2);
		template_instantiate(&arena, &r);
		_exit(0);
	}
	close(ends[1]);
	for (ssize_t at = 0, more = 1; more > 0; at += more)
		more = read(ends[0], words + at, sizeof(words) - 1 - (size_t)at);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	return arena_strdup(&arena, words);
}

/* A misspelt parameter, and a switch that nothing sets: our bugs, and their names are said. */
START_TEST(test_parameters)
{
	const struct param misspelt[] = { { "DEPTH", 0 }, { "TAIL", 0 }, { "INCLUDE", 0 }, { "INCLDE", 1 } };

	ck_assert_ptr_nonnull(strstr(last_words(misspelt, 4), "no parameter INCLDE; its switches are DEPTH TAIL INCLUDE"));
	ck_assert_ptr_nonnull(strstr(last_words(misspelt, 2), "nothing sets its switch INCLUDE"));
}
END_TEST

/* Does a parameter between s and end point to what the function may write? */
static bool writes(const char *s, const char *end)
{
	for (const char *e; s < end; s = e + 1) {
		e = s + strcspn(s, ",)");
		if (memchr(s, '*', (size_t)(e - s)) != NULL || memchr(s, '[', (size_t)(e - s)) != NULL)
			if (strncmp(s + strspn(s, "( \t\n"), "const ", 6) != 0)
				return true;
	}
	return false;
}

/* Helpers that have their caller's sums are INLINE, or APART where their own helpers have them: else those are in memory, and kernels take twice as long. */
START_TEST(test_helpers)
{
	int helpers = 0;

	for (const struct embedded *t = embedded_templates; t->name != NULL; t++) {
		const char *base = strrchr(t->name, '/') != NULL ? strrchr(t->name, '/') + 1 : t->name;

		for (const char *s = t->text; (s = strstr(s, "\nstatic TARGET ")) != NULL; s++) {
			const char *open = strchr(s, '('), *end = strstr(s, ")\n{");
			const bool own = memcmp(open - strlen(base), base, strlen(base)) == 0; /* no helper */

			if (own || !writes(open, end))
				continue;
			ck_assert_msg(strncmp(s + 1, "static TARGET INLINE ", 21) == 0 || strncmp(s + 1, "static TARGET APART ", 20) == 0,
				"%s:%.80s", t->name, s);
			helpers++;
		}
	}
	ck_assert_int_gt(helpers, 5);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("templates");
	TCase *c = tcase_create("instances");
	SRunner *r = srunner_create(s);

	tcase_set_timeout(c, 1200); /* compilers on a busy machine */
	tcase_add_test(c, test_templates);
	tcase_add_test(c, test_parameters);
	tcase_add_test(c, test_helpers);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
