/* The graph's text form: what is printed parses to the same, names survive, and mistakes are told with their line. */
#include "core/skipc.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct arena arena;
static struct diag diag;
static char *messages;
static size_t messages_size;

static void setup(void)
{
	messages = NULL;
	diag = (struct diag){ .path = "before", .to = open_memstream(&messages, &messages_size) };
}

static void teardown(void)
{
	fclose(diag.to);
	free(messages);
	arena_release(&arena);
}

static struct graph *parse(const char *text)
{
	struct graph *g = text_parse(&arena, &diag, "test", text);

	fflush(diag.to);
	ck_assert_msg(g != NULL && diag.errors == 0, "%s", messages);
	graph_check(g, false);
	return g;
}

static char *print(const struct graph *g)
{
	struct buf b = { 0 };

	text_print(&b, g);
	char *s = arena_strdup(&arena, b.data);
	buf_release(&b);
	return s;
}

/* A text as it is printed. */
static const char canonical[] =
	"input  %input.1__ : f32[2,8,8,8] as f16  # \"input.1\\042\\012\"\n"
	"input  %n : i64[]\n"
	"const  @w : f32[16,8,3,3] = 0.5\n"
	"const  @an_index : i64[2] = {1, -9223372036854775807}  # \"an index\"\n"
	"const  @b : f32[3] = {0.1, -2, 1e-30}\n"
	"const  @none : f32[0] = {}\n"
	"%1 = Conv(%input.1__, @w, _) {pads=[1,1,1,1], strides=[2,2], odd=[]} : f32[2,16,4,4]  <- \"/conv1/Conv\"\n"
	"%2, %3 = Split(%1, @an_index) {axis=1} : f32[2,8,4,4], f32[2,8,4,4]  <- \"s\"\n"
	"%4 = Mul(%2, 0.30000000000000004) : f32  <- \"b\" \"c\"\n"
	"%5 = Add(%4, @b) {alpha=1.0, f=[1.0,2.5e-20,-inf], s=\"a\\042b\", t=[\"x\",\"y\"]}  <- \"b\" \"a\"\n"
	"%6 = Cast(%5) {to=bf16} : f32  <-\n"
	"%7 = ConstantOfShape(@an_index) {value=f32[1] {2}}  <- \"s\" \"a\"\n"
	"%the_output = Concat(%6, %3, %7, @none) {axis=0}  <- \"8\"\n"
	"output %the_output  # \"the output\"\n"
	"output @b\n"
	"output %input.1__ as f16  # \"input.1\\042\\012\"\n";

START_TEST(test_round_trip)
{
	ck_assert_str_eq(print(parse(canonical)), canonical);
}
END_TEST

START_TEST(test_import_state)
{
	struct graph *g = parse(canonical);
	const struct node *conv = g->first;

	ck_assert_str_eq(g->input[0]->name, "input.1\"\n");
	ck_assert_int_eq(g->input[0]->io_type, DT_F16);
	ck_assert(g->input[0]->is_input && g->input[0]->is_output && g->output[0]->is_output);
	ck_assert_str_eq(g->output[0]->name, "the output");
	ck_assert_str_eq(g->onnx[prov_at(conv->prov, 0)].name, "/conv1/Conv");
	ck_assert_str_eq(g->onnx[prov_at(conv->prov, 0)].op_type, "Conv");
	ck_assert(conv->in[2] == NULL && conv->nin == 3);
	ck_assert_int_eq(g->nonnx, 6); /* /conv1/Conv s b c a 8 */
	ck_assert(const_i64(g->first->next->in[1], 1) == -9223372036854775807);
}
END_TEST

START_TEST(test_escapes)
{
	struct graph *g = parse("input %x : f32[3]  # \"a\\x22\\134\\q\\\"b\"\n");

	ck_assert_str_eq(g->input[0]->name, "a\"\\q\"b");
}
END_TEST

/* Labels are plain and unique, whatever the names are. */
START_TEST(test_labels)
{
	struct graph *g = parse("input %x : f32[3]\n%a = Relu(%x)\n%b = Relu(%a)\n%c = Relu(%b)\noutput %c\n");

	g->first->out[0]->name = "a/b";
	g->first->next->out[0]->name = "a*b";
	g->last->out[0]->name = "a_b.2";
	const char *text = print(g);
	ck_assert_msg(strstr(text, "%a_b = Relu(%x)") != NULL && strstr(text, "%a_b.2 = Relu(%a_b)") != NULL &&
			      strstr(text, "%a_b.2.2 = Relu(%a_b.2)") != NULL &&
			      strstr(text, "output %a_b.2.2  # \"a_b.2\"") != NULL,
		      "%s", text);
	ck_assert_str_eq(print(parse(text)), text);
}
END_TEST

START_TEST(test_fill)
{
	struct graph *g = parse("const @w : f32[100,100] = fill(1)\nconst @v : f32[1000] = fill(1, 2, 3)\n"
				"const @k : i64[100] = fill(2)\n%y = Mul(@w, @v)\n%z = Neg(@k)\noutput %y\noutput %z\n");
	const struct tensor *w = g->first->in[0], *v = g->first->in[1];
	double sum = 0, squares = 0;

	for (int64_t k = 0; k < 10000; k++) {
		sum += const_f64(w, k);
		squares += const_f64(w, k) * const_f64(w, k);
	}
	ck_assert(sum > -50 && sum < 50 && squares > 95 && squares < 105);
	for (int64_t k = 0; k < 1000; k++)
		ck_assert(const_f64(v, k) >= 2 && const_f64(v, k) < 3);
	const char *text = print(g);
	ck_assert(strstr(text, "const  @w : f32[100,100] = hash(") != NULL);
	parse(text);
}
END_TEST

static const struct {
	const char *text, *message;
} mistakes[] = {
	{ "input %x : f32[3]\n\n%y = Rolu(%x)\n", "test:3: error: no operator is called `Rolu`: Relu is spelled most like it" },
	{ "input %x : f32[3]\n%y = Qwertyuiop(%x)\n", "no operator is called `Qwertyuiop`\n" },
	{ "%y = Relu(%x)\n", "test:1: error: x is not defined above" },
	{ "# comment\ninput %x : f32[3]\ninput %x : f32[3]\n", "test:3: error: x is defined twice" },
	{ "input %x : f33[3]\n", "test:1: error: expected an element type" },
	{ "input %x : f32[3,-1]\n", "a dimension is a whole number" },
	{ "input %x : f32[1,1,1,1,1,1,1,1,1]\n", "more than 8 dimensions" },
	{ "input %x : f32[1048576,1048576,2]\n", "2^31-1" },
	{ "const @x : f32[1048576,1024] = 1\n", "2^28" },
	{ "const @x : f32[2] = {1}\n", "expected `,`" },
	{ "const @x : i64[2] = {1, 2.5}\n", "expected a value of type i64" },
	{ "const @x : f32 = 1\n", "a constant has a shape" },
	{ "input %x : f32[3]\n%y = Relu(%x, %x)\n", "Relu has 2 operands" },
	{ "input %x : f32[3]\n%y = Relu(%x\n", "expected `)`" },
	{ "input %x : f32[3]\n%y = Relu(%x) {a}\n", "expected `=`" },
	{ "input %x : f32[3]\n%y = Relu(%x) {a=[1,\"b\"]}\n", "expected a list" },
	{ "input %x : f32[3]\n%y = Relu(%x) <- \"open\n", "a string without end" },
	{ "input %x : f32[3]\n%y = Relu(%x) what\n", "something is left: `what`" },
	{ "input x : f32[3]\n", "expected a tensor" },
	{ "output %y\n", "y is not defined above" },
	{ "what\n", "expected a tensor" },
};

START_TEST(test_mistake)
{
	ck_assert_ptr_null(text_parse(&arena, &diag, "test", mistakes[_i].text));
	fflush(diag.to);
	ck_assert_int_eq(diag.errors, 1);
	ck_assert_msg(strstr(messages, mistakes[_i].message) != NULL, "%s", messages);
	ck_assert_str_eq(diag.path, "before");
}
END_TEST

/* Cut anywhere, or with a byte changed, a text is refused or read, and nothing else. */
START_TEST(test_damage)
{
	const size_t n = strlen(canonical);

	for (size_t k = 0; k < n; k++) {
		char *s = arena_strdup(&arena, canonical);

		s[k] = '\0';
		text_parse(&arena, &diag, "test", s);
		s[k] = (char)('!' + (int)k % 90);
		text_parse(&arena, &diag, "test", s);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("text");
	TCase *t = tcase_create("text");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_round_trip);
	tcase_add_test(t, test_import_state);
	tcase_add_test(t, test_escapes);
	tcase_add_test(t, test_labels);
	tcase_add_test(t, test_fill);
	tcase_add_loop_test(t, test_mistake, 0, (int)(sizeof(mistakes) / sizeof(mistakes[0])));
	tcase_add_test(t, test_damage);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
