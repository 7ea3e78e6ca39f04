/* Provenance sets against arrays of bools, and uses of tensors against the inputs of nodes. */
#include "core/skipc.h"

#include <check.h>
#include <math.h>

enum { INDICES = 200, SETS = 400, NODES = 12, CHANGES = 3000 };

static struct arena arena;
static unsigned state;

static int below(int n)
{
	state = state * 1664525u + 1013904223u;
	return (int)((state >> 8) % (unsigned)n);
}

/* Random unions of random sets have the elements that they should, once and in order. */
START_TEST(test_provenance)
{
	static bool in[SETS][INDICES];
	const struct prov *set[SETS] = { NULL };
	const int scale = 1 << 2 * _i; /* indices of all sizes */

	for (int s = 0; s < SETS; s++) {
		const int x = s > 0 ? below(s) : 0, y = s > 0 ? below(s) : 0, more = below(INDICES);

		set[s] = s == 0 ? NULL : prov_union(&arena, set[x], set[y]);
		if (s == 0 || below(2)) {
			set[s] = prov_union(&arena, prov_one(&arena, more * scale), set[s]);
			in[s][more] = true;
		}
		for (int k = 0; s > 0 && k < INDICES; k++)
			in[s][k] = in[s][k] || in[x][k] || in[y][k];
		for (int k = 0, i = 0; k < INDICES; k++)
			if (in[s][k])
				ck_assert_int_eq(prov_at(set[s], i++), k * scale);
			else if (k == INDICES - 1)
				ck_assert_int_eq(set[s]->n, i);
	}
}
END_TEST

/* What a union adds nothing to is the same set, and takes no memory. */
START_TEST(test_sharing)
{
	const struct prov *p = NULL, *empty = arena_alloc(&arena, sizeof(*empty));

	for (int k = 0; k < INDICES; k++)
		p = prov_union(&arena, p, prov_one(&arena, 7 * k));
	ck_assert_ptr_eq(prov_union(&arena, p, prov_one(&arena, 7 * below(INDICES))), p);
	ck_assert_ptr_eq(prov_union(&arena, prov_one(&arena, 7), p), p);
	ck_assert_ptr_eq(prov_union(&arena, p, empty), p);
	ck_assert_ptr_eq(prov_union(&arena, empty, p), p);
	ck_assert_ptr_eq(prov_union(&arena, empty, NULL), empty);
}
END_TEST

/* Numbers of a model that no integer holds. */
START_TEST(test_to_integer)
{
	struct diag diag = { .path = "test", .to = stderr };
	struct graph *g = graph_new(&arena, &diag);

	ck_assert(to_i64(INFINITY) == INT64_MAX && to_i64(-INFINITY) == INT64_MIN && to_i64(NAN) == 0);
	ck_assert(to_i64(1e19) == INT64_MAX && to_i64(-9223372036854775808.0) == INT64_MIN && to_i64(-2.9) == -2);
	ck_assert(const_i64(graph_scalar(g, DT_I64, INFINITY), 0) == INT64_MAX);
}
END_TEST

static int uses_of(const struct node *n, const struct tensor *t)
{
	int uses = 0;

	for (const struct use *u = t->user; u != NULL; u = u->next)
		uses += u->node == n;
	return uses;
}

/* Inputs change at random; lists of uses stay what the inputs say. */
START_TEST(test_uses)
{
	struct diag diag = { .path = "test", .to = stderr };
	struct graph *g = graph_new(&arena, &diag);
	struct tensor *t[NODES + 1] = { graph_tensor(g, "x", DT_F32) };
	struct node *n[NODES];

	for (int k = 0; k < NODES; k++) {
		struct tensor *in[4] = { t[below(k + 1)], t[below(k + 1)], NULL, t[below(k + 1)] };

		n[k] = graph_node(g, NULL, op_find("Concat"), 4, in, 1, prov_one(&arena, k));
		t[k + 1] = n[k]->out[0];
	}
	for (int k = 0; k < CHANGES; k++) {
		const int i = below(NODES), from = below(i + 1);

		if (below(50) == 0)
			tensor_replace(g, t[from + 1], t[below(from + 1)]);
		else if (below(400) == 0)
			node_drop_inputs(n[i], below(n[i]->nin + 1));
		else if (n[i]->nin > 0)
			node_set_input(n[i], below(n[i]->nin), below(8) == 0 ? NULL : t[from]);
		graph_check(g, false);
		for (int j = 0; j < NODES; j++)
			for (int q = 0; q <= NODES; q++) {
				int reads = 0;

				for (int a = 0; a < n[j]->nin; a++)
					reads += n[j]->in[a] == t[q];
				ck_assert_int_eq(uses_of(n[j], t[q]), reads);
			}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("graph");
	TCase *t = tcase_create("graph");

	tcase_add_loop_test(t, test_provenance, 0, 10);
	tcase_add_test(t, test_sharing);
	tcase_add_test(t, test_uses);
	tcase_add_test(t, test_to_integer);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);

	srunner_free(r);
	arena_release(&arena);
	return failed > 0;
}
