/*
 * Every rule of rules.def on a small graph in text form: what comes out, written as an expression, and that it
 * computes the same, by evaluating both graphs in double. Then what the engine and the guards must refuse.
 */
#include "rules.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define X "input %x : f32[2,4,6,6]\n"
#define PAIR X "input %y : f32[2,4,6,6]\n"
#define ROW "input %x : f32[3,5]\n"
#define COLUMN4 "const @a : f32[4,1,1] = {0.5, -2, 3, 1}\n"
#define COLUMN8 "const @a : f32[8,1,1] = {0.5, -2, 3, 1, 4, 0.25, -1, 2}\n"
#define W "const @w : f32[8,4,3,3] = fill(1)\nconst @b : f32[8] = fill(2)\n"
#define CONV W "%c = Conv(%x, @w, @b) {pads=[1,1,1,1]}\n"
#define SPREAD W "%c = Conv(%x, @w, @b) {spread=[2,3], pads=[2,2,1,2]}\n"
#define MATRIX "const @w : f32[5,7] = fill(1)\nconst @b : f32[7] = fill(2)\n"
#define LINEAR ROW MATRIX "const @a : f32[7] = fill(3, 1, 2)\n%c = Linear(%x, @w, @b)\n"
#define CLIP6 "%p = Add(%x, 3)\n%q = Max(%p, 0)\n%r = Min(%q, 6)\n"
#define ERF1 "%d = Div(%x, 1.4142135)\n%e = Erf(%d)\n%f = Add(%e, 1)\n"
#define TANH1                                                                                             \
	"%p = Pow(%x, 3)\n%q = Mul(%p, 0.044715)\n%r = Add(%x, %q)\n%s = Mul(%r, 0.7978845608)\n%t = Tanh(%s)\n" \
	"%f = Add(%t, 1)\n"
#define MEAN(m, x) "%" m " = ReduceMean(%" x ") {axes=[1], keepdims=1}\n"
#define SPREAD1 MEAN("m", "x") "%d = Sub(%x, %m)\n%p = Pow(%d, 2)\n" MEAN("v", "p") "%w = Add(%v, 0.001)\n%s = Sqrt(%w)\n"
#define SPREAD2 MEAN("m", "x") "%d = Sub(%x, %m)\n%p = Mul(%d, %d)\n" MEAN("v", "p") "%w = Add(%v, 0.001)\n%s = Sqrt(%w)\n"
#define GAIN "const @g : f32[5] = fill(1, 1, 2)\n"
#define NORMALIZED "Normalize(x) {axes=[1], epsilon=0.001}"
#define ZEROS "{pads=[0,0,1,2,0,0,2,1], mode=\"constant\", value=0.0}\n"
#define BYTES "input %q : u8[1,2,4,4]\nconst @w : i8[3,2,3,3] = fill(1, -9, 9)\n"
#define SUMS "%z = ConvInteger(%a, @w) {pads=[1,0,0,1], zero=5, to=9}\n" Z
#define NHWC "%t = Transpose(%x) {perm=[0,2,3,1]}\n"
#define Y "output %y\n"
#define Z "output %z\n"

static const struct rule_case cases[] = {
	/* spellings */
	{ X "const @s : f32[4] = {1, 2, 3, 4}\nconst @b : f32[4] = {1, 0.5, 0, -1}\nconst @m : f32[4] = {0.5, 1, -1, 0.25}\n"
	  "const @v : f32[4] = {1, 0.5, 2, 0.1}\n%y = BatchNorm(%x, @s, @b, @m, @v) {epsilon=1e-05, training=0}\n" Y,
	  "Add(Mul(x, $[4,1,1]), $[4,1,1])" },
	{ X "input %m : f32[4]\ninput %v : f32[4]\n%u = Exp(%v)\nconst @s : f32[4] = {1, 2, 3, 4}\n"
	  "%y = BatchNorm(%x, @s, %m, %m, %u) {epsilon=0.001, training=0}\n" Y,
	  "Add(Mul(x, Reshape(Div($[4], Sqrt(Add(Exp(v), 0.001))))), "
	  "Reshape(Sub(m, Mul(m, Div($[4], Sqrt(Add(Exp(v), 0.001)))))))" },
	{ ROW "%z = Div(1, %x)\n" Z, "Reciprocal(x)" },
	{ ROW "%a = Neg(%x)\n%b = Exp(%a)\n%c = Add(%b, 1)\n%z = Div(1, %c)\n" Z, "Sigmoid(x)" },
	{ ROW "%a = Sigmoid(%x)\n%b = Log(%a)\n%z = Exp(%b)\n" Z, "Sigmoid(x)" },
	{ ROW "%z = Max(0, %x)\n" Z, "Relu(x)" },
	{ ROW "%a = Min(%x, 6)\n%z = Max(%a, 0)\n" Z, "Min(Relu(x), 6)" },
	{ ROW "%a = Abs(%x)\n%b = Add(1, %a)\n%z = Div(%x, %b)\n" Z, "Softsign(x)" },
	{ ROW "%a = Softplus(%x)\n%b = Tanh(%a)\n%z = Mul(%b, %x)\n" Z, "Mish(x)" },
	{ ROW "%a = Sigmoid(%x)\n%z = Mul(%x, %a)\n" Z, "Swish(x) {alpha=1.0}" },
	{ ROW "%a = Mul(%x, 1.5)\n%b = Sigmoid(%a)\n%z = Mul(%b, %x)\n" Z, "Swish(x) {alpha=1.5}" },
	{ ROW "%a = HardSigmoid(%x) {alpha=0.16666667, beta=0.5}\n%z = Mul(%x, %a)\n" Z, "HardSwish(x)" },
	{ ROW CLIP6 "%s = Mul(%x, %r)\n%z = Mul(%s, 0.16666667)\n" Z, "HardSwish(x)" },
	{ ROW CLIP6 "%s = Mul(%x, %r)\n%z = Div(%s, 6)\n" Z, "HardSwish(x)" },
	{ ROW CLIP6 "%z = Mul(%r, 0.16666667)\n" Z, "HardSigmoid(x) {alpha=0.16666666666666666, beta=0.5}" },
	{ ROW CLIP6 "%z = Div(%r, 6)\n" Z, "HardSigmoid(x) {alpha=0.16666666666666666, beta=0.5}" },
	{ ROW ERF1 "%g = Mul(%x, %f)\n%z = Mul(%g, 0.5)\n" Z, "Gelu(x)" },
	{ ROW ERF1 "%g = Mul(%x, 0.5)\n%z = Mul(%g, %f)\n" Z, "Gelu(x)" },
	{ ROW ERF1 "%g = Mul(%f, 0.5)\n%z = Mul(%x, %g)\n" Z, "Gelu(x)" },
	{ ROW TANH1 "%g = Mul(%x, %f)\n%z = Mul(0.5, %g)\n" Z, "GeluTanh(x)" },
	{ ROW TANH1 "%g = Mul(0.5, %x)\n%z = Mul(%g, %f)\n" Z, "GeluTanh(x)" },
	{ ROW TANH1 "%g = Mul(%f, 0.5)\n%z = Mul(%x, %g)\n" Z, "GeluTanh(x)" },
	/* an anchor in front does not take the spelling apart */
	{ X CONV "%n = Neg(%c)\n%e = Exp(%n)\n%f = Add(%e, 1)\n%z = Reciprocal(%f)\n" Z, "Sigmoid(Conv(x, $, $) {pads=[1,1,1,1]})" },

	/* normalisation */
	{ ROW SPREAD1 "%z = Div(%d, %s)\n" Z, NORMALIZED },
	{ ROW SPREAD2 "%z = Div(%d, %s)\n" Z, NORMALIZED },
	{ ROW SPREAD1 "%r = Reciprocal(%s)\n%z = Mul(%r, %d)\n" Z, NORMALIZED },
	{ ROW SPREAD2 "%r = Div(1, %s)\n%z = Mul(%d, %r)\n" Z, NORMALIZED },
	{ ROW GAIN SPREAD1 "%r = Reciprocal(%s)\n%q = Mul(%r, @g)\n%z = Mul(%d, %q)\n" Z, "Mul(" NORMALIZED ", $[5])" },
	/* Keras */
	{ ROW GAIN SPREAD2 "%r = Reciprocal(%s)\n%q = Mul(%r, @g)\n%a = Mul(%x, %q)\n%n = Neg(%m)\n%b = Mul(%n, %q)\n"
	  "%z = Add(%a, %b)\n" Z, "Mul(" NORMALIZED ", $[5])" },
	{ ROW GAIN SPREAD2 "%r = Reciprocal(%s)\n%q = Mul(%r, @g)\n%a = Mul(%x, %q)\n%b = Mul(%m, %q)\n%n = Sub(@g, %b)\n"
	  "%z = Add(%a, %n)\n" Z, "Add(Mul(" NORMALIZED ", $[5]), $[5])" },
	{ ROW "input %m : f32[3,1]\n%d = Sub(%x, %m)\n%p = Pow(%d, 2)\n" MEAN("v", "p")
	  "%w = Add(%v, 0.001)\n%s = Sqrt(%w)\n%z = Div(%d, %s)\n" Z,
	  "Div(Sub(x, m), Sqrt(Add(ReduceMean(Mul(Sub(x, m), Sub(x, m))) {axes=[1], keepdims=1}, 0.001)))" },

	/* what changes nothing */
	{ ROW "%a = Cast(%x) {to=f64}\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "%a = Reshape(%x) : f32[3,5]\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "%a = Expand(%x) : f32[3,5]\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "%a = Concat(%x) {axis=1}\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "const @c : bool[] = 1\n%a = Exp(%x)\n%b = Where(@c, %x, %a)\n%z = Relu(%b)\n" Z, "Relu(x)" },
	{ ROW "const @c : bool[5] = {0, 0, 0, 0, 0}\n%a = Exp(%x)\n%z = Where(@c, %x, %a)\n" Z, "Exp(x)" },
	{ ROW "%a = Transpose(%x) {perm=[0,1]}\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "%a = Slice(%x) {starts=[0,0], steps=[1,1]} : f32[3,5]\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "%a = Slice(%x) {starts=[0,4], steps=[1,-1]} : f32[3,5]\n%z = Relu(%a)\n" Z,
	  "Relu(Slice(x) {starts=[0,4], steps=[1,-1]})" },
	{ ROW "%a = Pad(%x) {pads=[0,0,0,0], mode=\"reflect\"}\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ X "%a = Resize(%x) {mode=\"linear\", coordinate=\"half_pixel\", scales=[1.0,1.0,1.0,1.0]} : f32[2,4,6,6]\n"
	  "%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "const @c : f32[1,1] = {1}\n%a = Mul(@c, %x)\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "%a = Div(%x, 1)\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "%a = Add(0, %x)\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "%a = Sub(%x, 0)\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "%a = Pow(%x, 1)\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ ROW "%a = Neg(%x)\n%b = Neg(%a)\n%z = Relu(%b)\n" Z, "Relu(x)" },
	{ X "%a = Relu(%x)\n%b = MaxPool(%a) {kernel_shape=[2,2]}\n%z = Relu(%b)\n" Z,
	  "MaxPool(Relu(x)) {kernel_shape=[2,2]}" },
	{ ROW "%a = Sigmoid(%x)\n%z = Abs(%a)\n" Z, "Sigmoid(x)" },
	/* an output cannot be an input, nor an output twice */
	{ ROW "%z = Mul(%x, 1)\n" Z, "Reshape(x)" },
	{ ROW "%a = Relu(%x)\n%z = Relu(%a)\noutput %a\n" Z, "Relu(x); Reshape(Relu(x))" },
	/* broadcasting is not nothing */
	{ ROW "const @c : f32[2,1,1] = 1\n%z = Mul(%x, @c)\n" Z, "Mul(x, 1)" },

	/* affine maps into weights */
	{ X COLUMN8 CONV "%z = Mul(@a, %c)\n" Z, "Conv(x, $, $) {pads=[1,1,1,1]}" },
	{ X COLUMN8 CONV "%z = Div(%c, @a)\n" Z, "Conv(x, $, $) {pads=[1,1,1,1]}" },
	{ X COLUMN8 W "%c = Conv(%x, @w)\n%z = Add(%c, @a)\n" Z, "Conv(x, $, $)" },
	{ X COLUMN8 CONV "%z = Sub(%c, @a)\n" Z, "Conv(x, $, $) {pads=[1,1,1,1]}" },
	{ X COLUMN8 CONV "%z = Sub(@a, %c)\n" Z, "Conv(x, $, $) {pads=[1,1,1,1]}" },
	{ X W "%c = Conv(%x, @w)\n%z = Sub(1, %c)\n" Z, "Conv(x, $, $)" },
	{ X CONV "%z = Neg(%c)\n" Z, "Conv(x, $, $) {pads=[1,1,1,1]}" },
	{ X W "%c = Conv(%x, @w)\n%z = Neg(%c)\n" Z, "Conv(x, $)" },
	{ X W "input %v : f32[8]\n%z = Conv(%x, @w, %v) {pads=[1,1,1,1]}\n" Z,
	  "Add(Conv(x, $) {pads=[1,1,1,1]}, Reshape(v))" },
	{ X CONV "const @k : f32[2,8,6,6] = 0.5\n%z = Mul(%c, @k)\n" Z, "Conv(x, $, $) {pads=[1,1,1,1]}" },
	{ X COLUMN8 "const @w : f32[8,2,3,3] = fill(1)\n%c = Conv(%x, @w) {group=2}\n%d = Mul(%c, @a)\n%z = Add(%d, @a)\n" Z,
	  "Conv(x, $, $) {group=2}" },
	{ LINEAR "%z = Mul(%c, @a)\n" Z, "Linear(x, $, $)" },
	{ LINEAR "%z = Div(%c, @a)\n" Z, "Linear(x, $, $)" },
	{ LINEAR "%z = Add(@a, %c)\n" Z, "Linear(x, $, $)" },
	{ LINEAR "%z = Sub(@a, %c)\n" Z, "Linear(x, $, $)" },
	{ LINEAR "%z = Neg(%c)\n" Z, "Linear(x, $, $)" },
	{ X COLUMN4 W "%s = Mul(%x, @a)\n%z = Conv(%s, @w, @b) {pads=[1,1,1,1]}\n" Z, "Conv(x, $, $) {pads=[1,1,1,1]}" },
	{ X COLUMN4 W "%s = Div(%x, @a)\n%z = Conv(%s, @w, @b) {pads=[1,1,1,1]}\n" Z, "Conv(x, $, $) {pads=[1,1,1,1]}" },
	{ X COLUMN4 W "%s = Add(%x, @a)\n%z = Conv(%s, @w)\n" Z, "Conv(x, $, $)" },
	{ X COLUMN4 "const @w : f32[8,2,3,3] = fill(1)\n%r = Mul(%x, @a)\n%s = Add(%r, @a)\n%z = Conv(%s, @w) {group=2}\n" Z,
	  "Conv(x, $, $) {group=2}" },
	{ ROW MATRIX "const @a : f32[5] = fill(3, 1, 2)\n%s = Mul(%x, @a)\n%z = Linear(%s, @w, @b)\n" Z, "Linear(x, $, $)" },
	{ ROW MATRIX "const @a : f32[5] = fill(3, 1, 2)\n%s = Div(%x, @a)\n%z = Linear(%s, @w, @b)\n" Z, "Linear(x, $, $)" },
	{ ROW MATRIX "const @a : f32[5] = fill(3, 1, 2)\n%s = Add(%x, @a)\n%z = Linear(%s, @w)\n" Z, "Linear(x, $, $)" },
	/* refused: a value a column, a larger result, padding between, another user, an output */
	{ X "const @w : f32[6,4,3,3] = fill(1)\n%c = Conv(%x, @w) {pads=[1,1,1,1]}\nconst @a : f32[6] = fill(3)\n"
	  "%z = Add(%c, @a)\n" Z, "Add(Conv(x, $) {pads=[1,1,1,1]}, $[6])" },
	{ "input %x : f32[1,4,6,6]\n" CONV "const @k : f32[2,1,1,1] = 0.5\n%z = Mul(%c, @k)\n" Z,
	  "Mul(Conv(x, $, $) {pads=[1,1,1,1]}, 0.5)" },
	{ X COLUMN4 W "%s = Add(%x, @a)\n%z = Conv(%s, @w) {pads=[1,1,1,1]}\n" Z,
	  "Conv(Add(x, $[4,1,1]), $) {pads=[1,1,1,1]}" },
	{ X COLUMN8 CONV "%z = Mul(%c, @a)\n%y = Add(%c, %z)\n" Y,
	  "Add(Conv(x, $, $) {pads=[1,1,1,1]}, Mul(Conv(x, $, $) {pads=[1,1,1,1]}, $[8,1,1]))" },
	{ X COLUMN8 CONV "%z = Mul(%c, @a)\noutput %c\n" Z,
	  "Conv(x, $, $) {pads=[1,1,1,1]}; Mul(Conv(x, $, $) {pads=[1,1,1,1]}, $[8,1,1])" },
	/* weights too large to be folded now */
	{ "input %x : f32[1,96,3,3]\nconst @w : f32[96,96,3,3] = fill(1)\nconst @a : f32[96,1,1] = fill(2, 1, 2)\n"
	  "%r = Mul(%x, @a)\n%s = Add(%r, @a)\n%c = Conv(%s, @w)\n%d = Mul(%c, @a)\n%z = Sub(@a, %d)\n" Z, "Conv(x, $, $)" },

	/* constants meet */
	{ ROW "%z = Sub(%x, 3)\n" Z, "Add(x, -3)" },
	{ ROW "%z = Div(%x, 4)\n" Z, "Mul(x, 0.25)" },
	{ ROW "%z = Div(%x, 3)\n" Z, "Div(x, 3)" },
	{ ROW "%z = Mul(%x, -1)\n" Z, "Neg(x)" },
	{ ROW "%a = Mul(%x, 3)\n%z = Mul(5, %a)\n" Z, "Mul(x, 15)" },
	{ ROW "%a = Mul(%x, 3)\n%z = Div(%a, 5)\n" Z, "Mul(x, 0.6)" },
	{ ROW "%a = Div(%x, 3)\n%z = Mul(%a, 6)\n" Z, "Mul(x, 2)" },
	{ ROW "%a = Div(%x, 3)\n%z = Div(%a, 5)\n" Z, "Div(x, 15)" },
	{ ROW "%a = Add(%x, 3)\n%z = Add(%a, 5)\n" Z, "Add(x, 8)" },
	{ ROW "%a = Sub(3, %x)\n%z = Add(%a, 5)\n" Z, "Sub(8, x)" },
	{ ROW "%a = Add(%x, 3)\n%z = Sub(5, %a)\n" Z, "Sub(2, x)" },
	{ ROW "%a = Sub(3, %x)\n%z = Sub(5, %a)\n" Z, "Add(x, 2)" },
	{ ROW "%a = Mul(%x, 3)\n%b = Add(%a, 2)\n%z = Mul(%b, 5)\n" Z, "Add(Mul(x, 15), 10)" },
	{ ROW "%a = Add(%x, 2)\n%z = Mul(%a, 5)\n" Z, "Mul(Add(x, 2), 5)" },
	{ PAIR "%a = Add(%x, 2)\n%z = Add(%a, %y)\n" Z, "Add(Add(x, 2), y)" },
	{ X COLUMN4 "const @c : f32[6] = fill(1)\n%m = Mul(%x, @a)\n%z = Mul(%m, @c)\n" Z, "Mul(Mul(x, $[4,1,1]), $[6])" },
	{ PAIR "%a = Neg(%y)\n%z = Add(%a, %x)\n" Z, "Sub(x, y)" },
	{ PAIR "%a = Neg(%y)\n%z = Sub(%x, %a)\n" Z, "Add(x, y)" },
	{ PAIR "%a = Sub(%x, %y)\n%z = Neg(%a)\n" Z, "Sub(y, x)" },
	{ ROW "%a = Add(%x, 3)\n%z = Neg(%a)\n" Z, "Sub(-3, x)" },
	{ ROW "%a = Neg(%x)\n%z = Add(%a, 1)\n" Z, "Sub(1, x)" },
	{ ROW "%z = Pow(%x, 2)\n" Z, "Mul(x, x)" },
	{ ROW "%a = Exp(%x)\n%z = Pow(%a, 0.5)\n" Z, "Sqrt(Exp(x))" },
	{ ROW "%z = Pow(%x, -1)\n" Z, "Reciprocal(x)" },

	/* Linear */
	{ "input %x : f32[2,3,5]\n" MATRIX "%m = MatMul(%x, @w)\n%z = Add(@b, %m)\n" Z, "Linear(x, $, $)" },
	{ "input %x : f32[2,3,5]\nconst @w : f32[1,5,7] = fill(1)\n%z = MatMul(%x, @w)\n" Z, "Linear(x, $)" },
	{ "input %x : f32[2,3,5]\nconst @w : f32[5] = fill(1)\n%z = MatMul(%x, @w)\n" Z, "Reshape(Linear(x, $))" },
	{ "input %x : f32[2,3,5]\n" MATRIX "%r = Reshape(%x) : f32[6,5]\n%l = MatMul(%r, @w)\n%s = Reshape(%l) : f32[2,3,7]\n"
	  "%z = Add(%s, @b)\n" Z, "Linear(x, $, $)" },
	{ "input %x : f32[2,3,5]\n" MATRIX "%r = Reshape(%x) : f32[6,5]\n%l = MatMul(%r, @w)\n%z = Reshape(%l) : f32[3,2,7]\n" Z,
	  "Reshape(Linear(Reshape(x), $))" },

	/* views of views */
	{ X "%a = Reshape(%x) : f32[2,144]\n%z = Reshape(%a) : f32[8,36]\noutput %a\n" Z, "Reshape(x); Reshape(x)" },
	{ "input %x : f32[1,5]\n%a = Expand(%x) : f32[3,5]\n%z = Expand(%a) : f32[2,3,5]\n" Z, "Expand(x)" },
	{ X NHWC "%z = Transpose(%t) {perm=[3,0,1,2]}\n" Z, "Transpose(x) {perm=[1,0,2,3]}" },
	{ X NHWC "%u = Transpose(%t) {perm=[0,3,1,2]}\n%z = Relu(%u)\noutput %t\n" Z, "Transpose(x) {perm=[0,2,3,1]}; Relu(x)" },
	{ "input %x : f32[2,5,1,1]\n%z = Transpose(%x) {perm=[0,2,3,1]}\n" Z, "Reshape(x)" },
	{ X "%a = Slice(%x) {starts=[0,0,1,0], steps=[1,1,2,1]} : f32[2,4,3,6]\n"
	  "%z = Slice(%a) {starts=[0,0,2,1], steps=[1,1,-1,2]} : f32[2,4,3,3]\n" Z,
	  "Slice(x) {starts=[0,0,5,1], steps=[1,1,-2,2]}" },
	{ X "%z = Pad(%x) {pads=[0,1,-2,0,0,0,1,-1]}\n" Z,
	  "Pad(Slice(x) {starts=[0,0,2,0], steps=[1,1,1,1]}) {pads=[0,1,0,0,0,0,1,0], mode=\"constant\", value=0.0}" },
	{ X "%a = Pad(%x) {pads=[0,1,0,0,0,0,0,0]}\n%z = Pad(%a) {pads=[0,0,1,0,0,2,0,0]}\n" Z,
	  "Pad(x) {pads=[0,1,1,0,0,2,0,0], mode=\"constant\", value=0.0}" },
	{ PAIR "%m = ReduceMean(%x) {axes=[2,3], keepdims=1}\n%e = Expand(%m) : f32[2,4,6,6]\n%z = Mul(%e, %y)\n" Z,
	  "Mul(ReduceMean(x) {axes=[2,3], keepdims=1}, y)" },
	{ PAIR "%m = ReduceMean(%x) {axes=[2,3], keepdims=1}\n%e = Expand(%m) : f32[2,4,6,6]\n%z = Sub(%y, %e)\n" Z,
	  "Sub(y, ReduceMean(x) {axes=[2,3], keepdims=1})" },
	{ "input %m : f32[2,4,1,1]\n%e = Expand(%m) : f32[2,4,6,6]\n%z = Add(%e, 1)\n" Z, "Expand(Add(m, 1))" },
	{ "input %m : f32[2,4,1,1]\n%e = Expand(%m) : f32[2,4,6,6]\n%s = Relu(%e)\n%z = Sub(1, %e)\noutput %s\n" Z,
	  "Relu(Expand(m)); Expand(Sub(1, m))" },
	{ PAIR "%c = Less(%x, 0)\n%m = Slice(%c) {starts=[0,0,0,0], steps=[1,1,1,1]} : bool[1,4,6,6]\n"
	  "%e = Expand(%m) : bool[2,4,6,6]\n%z = Where(%e, %x, %y)\n" Z,
	  "Where(Slice(Less(x, 0)) {starts=[0,0,0,0], steps=[1,1,1,1]}, x, y)" },
	{ PAIR "input %m : f32[1]\n%e = Expand(%m) : f32[2,4,6,6]\n%c = Less(%x, %y)\n%z = Where(%c, %e, %y)\n" Z,
	  "Where(Less(x, y), m, y)" },
	{ PAIR "input %m : f32[1]\n%e = Expand(%m) : f32[2,4,6,6]\n%c = Less(%x, %y)\n%z = Where(%c, %x, %e)\n" Z,
	  "Where(Less(x, y), x, m)" },

	/* pools and reductions */
	{ X "%z = AveragePool(%x) {kernel_shape=[1,1], strides=[2,2]}\n" Z, "Slice(x) {starts=[0,0,0,0], steps=[1,1,2,2]}" },
	{ X "%z = MaxPool(%x) {kernel_shape=[1,1], strides=[2,3]}\n" Z, "Slice(x) {starts=[0,0,0,0], steps=[1,1,2,3]}" },
	{ X "%a = MaxPool(%x) {kernel_shape=[1,1]}\n%z = Relu(%a)\n" Z, "Relu(x)" },
	{ X "%z = Resize(%x) {mode=\"nearest\", coordinate=\"asymmetric\", nearest_mode=\"floor\", "
	  "scales=[1.0,1.0,0.5,0.5]} : f32[2,4,3,3]\n" Z, "Slice(x) {starts=[0,0,0,0], steps=[1,1,2,2]}" },
	{ X "%a = Reshape(%x) : f32[2,2,72]\n%n = Normalize(%a) {axes=[2], epsilon=0.001}\n%z = Reshape(%n) : f32[2,4,6,6]\n" Z,
	  "Reshape(Normalize(Reshape(x)) {axes=[2,3,4], epsilon=0.001})" },
	{ X "%a = Reshape(%x) : f32[2,3,48]\n%z = Normalize(%a) {axes=[2], epsilon=0.001}\n" Z,
	  "Normalize(Reshape(x)) {axes=[2], epsilon=0.001}" },
	{ X "%a = AveragePool(%x) {kernel_shape=[6,6]}\n%z = Reshape(%a) : f32[2,4]\n" Z, "ReduceMean(x) {axes=[2,3], keepdims=0}" },
	{ X "%z = MaxPool(%x) {kernel_shape=[6,6]}\n" Z, "ReduceMax(x) {axes=[2,3], keepdims=1}" },
	{ X "%a = ReduceMean(%x) {axes=[3], keepdims=0}\n%z = ReduceMean(%a) {axes=[2], keepdims=0}\n" Z,
	  "ReduceMean(x) {axes=[2,3], keepdims=0}" },
	{ X "%a = ReduceMean(%x) {axes=[1], keepdims=0}\n%z = ReduceMean(%a) {axes=[1], keepdims=1}\n" Z,
	  "Reshape(ReduceMean(x) {axes=[1,2], keepdims=1})" },
	{ X "%a = ReduceSum(%x) {axes=[3], keepdims=1}\n%z = ReduceSum(%a) {axes=[2], keepdims=0}\n" Z,
	  "Reshape(ReduceSum(x) {axes=[2,3], keepdims=1})" },
	{ X "%a = ReduceMax(%x) {axes=[1], keepdims=0}\n%z = ReduceMax(%a) {axes=[0], keepdims=0}\n" Z,
	  "ReduceMax(x) {axes=[0,1], keepdims=0}" },
	{ X "%a = Reshape(%x) : f32[2,4,36]\n%z = ReduceMean(%a) {axes=[2], keepdims=0}\n" Z,
	  "ReduceMean(x) {axes=[2,3], keepdims=0}" },
	{ X "%a = Reshape(%x) : f32[8,36]\n%z = ReduceSum(%a) {axes=[1], keepdims=0}\n" Z,
	  "Reshape(ReduceSum(x) {axes=[2,3], keepdims=1})" },
	{ X "%a = Reshape(%x) : f32[2,144]\n%z = ReduceMax(%a) {axes=[0], keepdims=0}\n" Z,
	  "Reshape(ReduceMax(x) {axes=[0], keepdims=1})" },
	{ X "%a = Reshape(%x) : f32[2,12,12]\n%z = ReduceMax(%a) {axes=[1], keepdims=0}\n" Z,
	  "ReduceMax(Reshape(x)) {axes=[1], keepdims=0}" },
	{ X "%a = ReduceMean(%x) {axes=[2,3], keepdims=1}\n%z = Reshape(%a) : f32[2,4]\n" Z, "ReduceMean(x) {axes=[2,3], keepdims=0}" },
	{ X "%a = ReduceSum(%x) {axes=[2,3], keepdims=1}\n%z = Reshape(%a) : f32[2,4]\n" Z, "ReduceSum(x) {axes=[2,3], keepdims=0}" },
	{ X "%a = ReduceMax(%x) {axes=[2,3], keepdims=1}\n%z = Reshape(%a) : f32[2,4]\n" Z, "ReduceMax(x) {axes=[2,3], keepdims=0}" },
	{ X "%a = ReduceMean(%x) {axes=[2,3], keepdims=0}\n%z = Reshape(%a) : f32[2,4,1,1]\n" Z, "ReduceMean(x) {axes=[2,3], keepdims=1}" },
	{ X "%a = ReduceMax(%x) {axes=[2,3], keepdims=0}\n%z = Reshape(%a) : f32[2,4,1,1]\n" Z, "ReduceMax(x) {axes=[2,3], keepdims=1}" },

	/* zeros around */
	{ X W "%a = Pad(%x) " ZEROS "%z = Conv(%a, @w, @b) {pads=[1,0,0,1]}\n" Z, "Conv(x, $, $) {pads=[2,2,2,2]}" },
	{ BYTES "%a = Pad(%q) {pads=[0,0,1,2,0,0,2,1], mode=\"constant\", value=5.0}\n" SUMS, "ConvInteger(q, $) {pads=[2,2,2,2], zero=5, to=9}" },
	{ BYTES "%a = Pad(%q) {pads=[0,0,1,1,0,0,1,1], mode=\"constant\", value=0.0}\n" SUMS,
	  "ConvInteger(Pad(q) {pads=[0,0,1,1,0,0,1,1], mode=\"constant\", value=0.0}, $) {pads=[1,0,0,1], zero=5, to=9}" },
	{ X "%a = Pad(%x) " ZEROS "%z = AveragePool(%a) {kernel_shape=[3,3], strides=[2,2]}\n" Z,
	  "AveragePool(x) {kernel_shape=[3,3], strides=[2,2], pads=[1,2,2,1], count_include_pad=1}" },
	{ X "%a = Pad(%x) " ZEROS "%z = AveragePool(%a) {kernel_shape=[3,3], pads=[1,1,1,1]}\n" Z,
	  "AveragePool(Pad(x) {pads=[0,0,1,2,0,0,2,1], mode=\"constant\", value=0.0}) {kernel_shape=[3,3], pads=[1,1,1,1]}" },
	{ X "%r = Relu(%x)\n%a = Pad(%r) " ZEROS "%z = MaxPool(%a) {kernel_shape=[3,3], strides=[2,2]}\n" Z,
	  "MaxPool(Relu(x)) {kernel_shape=[3,3], strides=[2,2], pads=[1,2,2,1]}" },
	{ X "%a = Pad(%x) " ZEROS "%z = MaxPool(%a) {kernel_shape=[3,3], strides=[2,2]}\n" Z,
	  "MaxPool(Pad(x) {pads=[0,0,1,2,0,0,2,1], mode=\"constant\", value=0.0}) {kernel_shape=[3,3], strides=[2,2]}" },
	{ X "%r = Relu(%x)\n%a = Pad(%r) " ZEROS "%z = MaxPool(%a) {kernel_shape=[2,2]}\n" Z,
	  "MaxPool(Pad(Relu(x)) {pads=[0,0,1,2,0,0,2,1], mode=\"constant\", value=0.0}) {kernel_shape=[2,2]}" },
	{ X W "%a = Pad(%x) {pads=[0,0,1,1,0,0,1,1], mode=\"constant\", value=0.5}\n%z = Conv(%a, @w)\n" Z,
	  "Conv(Pad(x) {pads=[0,0,1,1,0,0,1,1], mode=\"constant\", value=0.5}, $)" },
	{ X "%s = MaxPool(%x) {kernel_shape=[1,1], strides=[2,2]}\n%o = Mul(%s, 0)\n%z = Concat(%s, %o) {axis=1}\n" Z,
	  "Pad(Slice(x) {starts=[0,0,0,0], steps=[1,1,2,2]}) {pads=[0,0,0,0,0,4,0,0], mode=\"constant\", value=0.0}" },
	{ X "const @o : f32[2,3,6,6] = 0\n%z = Concat(@o, %x, @o) {axis=1}\n" Z,
	  "Pad(x) {pads=[0,3,0,0,0,3,0,0], mode=\"constant\", value=0.0}" },

	/* a layer taken apart */
	{ "input %x : f32[3,8]\nconst @w : f32[8,6] = fill(1)\nconst @b : f32[6] = fill(2)\n%l = Linear(%x, @w, @b)\n"
	  "%a = Slice(%l) {starts=[0,0], steps=[1,2]} : f32[3,3]\n%c = Slice(%l) {starts=[0,1], steps=[1,2]} : f32[3,3]\n"
	  "%t = Sigmoid(%a)\n%z = Mul(%t, %c)\n" Z, "Mul(Sigmoid(Linear(x, $, $)), Linear(x, $, $))" },
	{ "input %x : f32[3,8]\nconst @w : f32[8,6] = fill(1)\n%l = Linear(%x, @w)\n%r = Reshape(%l) : f32[3,2,3]\n"
	  "%a = Slice(%r) {starts=[0,1,0], steps=[1,1,1]} : f32[3,1,3]\n%c = Reshape(%a) : f32[3,3]\n%z = Tanh(%c)\n" Z,
	  "Tanh(Linear(x, $))" },
	{ "input %x : f32[3,8]\nconst @w : f32[8,6] = fill(1)\n%l = Linear(%x, @w)\n%r = Reshape(%l) : f32[3,3,2]\n"
	  "%a = Slice(%r) {starts=[0,0,1], steps=[1,1,1]} : f32[3,3,1]\n%c = Reshape(%a) : f32[3,3]\n%z = Tanh(%c)\n" Z,
	  "Tanh(Linear(x, $))" },
	{ "input %x : f32[3,8]\nconst @w : f32[8,6] = fill(1)\n%l = Linear(%x, @w)\n"
	  "%a = Slice(%l) {starts=[0,0], steps=[1,1]} : f32[3,3]\n%t = Sigmoid(%a)\n%z = Softmax(%l) {axis=1}\noutput %t\n" Z,
	  "Sigmoid(Slice(Linear(x, $)) {starts=[0,0], steps=[1,1]}); Softmax(Linear(x, $)) {axis=1, to_end=0}" },
	{ X W "%c = Conv(%x, @w) {pads=[2,0,2,1], strides=[2,1]}\n%z = Slice(%c) {starts=[0,0,1,0], steps=[1,1,1,1]} : f32[2,8,2,4]\n" Z,
	  "Conv(x, $) {strides=[2,1]}" },
	{ X W "%c = Conv(%x, @w) {pads=[1,1,1,1]}\n%z = Slice(%c) {starts=[0,0,0,0], steps=[1,1,2,1]} : f32[2,8,3,6]\n" Z,
	  "Slice(Conv(x, $) {pads=[1,1,1,1]}) {starts=[0,0,0,0], steps=[1,1,2,1]}" },

	/* the same of an image that is spread: a transposed convolution */
	{ X COLUMN8 SPREAD "%d = Mul(%c, @a)\n%z = Add(%d, @a)\n" Z, "Conv(x, $, $) {spread=[2,3], pads=[2,2,1,2]}" },
	{ X COLUMN4 W "%s = Mul(%x, @a)\n%z = Conv(%s, @w, @b) {spread=[2,2], pads=[2,2,2,2]}\n" Z,
	  "Conv(x, $, $) {spread=[2,2], pads=[2,2,2,2]}" },
	{ X COLUMN4 W "%s = Add(%x, @a)\n%z = Conv(%s, @w) {spread=[2,2], pads=[0,0,0,0]}\n" Z,
	  "Conv(Add(x, $[4,1,1]), $) {spread=[2,2]}" },
	{ X W "%p = Pad(%x) " ZEROS "%z = Conv(%p, @w) {spread=[2,2], pads=[0,0,0,0]}\n" Z,
	  "Conv(Pad(x) {pads=[0,0,1,2,0,0,2,1], mode=\"constant\", value=0.0}, $) {spread=[2,2]}" },
	{ X SPREAD "%z = Slice(%c) {starts=[0,0,3,1], steps=[1,1,1,1]} : f32[2,8,6,15]\n" Z,
	  "Conv(x, $, $) {spread=[2,3], pads=[-1,1,-2,0]}" },

	/* parts of what Concat joined, and sums of them */
	{ PAIR "%c = Concat(%x, %y) {axis=1}\n%z = Slice(%c) {starts=[0,4,0,0], steps=[1,1,1,1]} : f32[2,4,6,6]\n" Z, "Reshape(y)" },
	{ PAIR "%c = Concat(%x, %y) {axis=2}\n%z = Slice(%c) {starts=[0,0,7,0], steps=[1,1,1,1]} : f32[2,4,4,6]\n" Z,
	  "Slice(y) {starts=[0,0,1,0], steps=[1,1,1,1]}" },
	{ PAIR "%c = Concat(%x, %y) {axis=1}\n%d = Concat(%y, %x) {axis=1}\n%e = Mul(%c, %d)\n"
	  "%z = Slice(%e) {starts=[0,0,0,0], steps=[1,1,1,1]} : f32[2,4,6,6]\n" Z, "Mul(x, y)" },
	{ PAIR "%c = Concat(%x, %y) {axis=1}\n%r = Reshape(%c) : f32[2,2,144]\n%z = ReduceSum(%r) {axes=[1], keepdims=0}\n" Z,
	  "Reshape(Add(x, y))" },
	{ PAIR "input %t : f32[1,2]\n%a = Reshape(%x) : f32[1,288]\n%b = Reshape(%y) : f32[1,288]\n%c = Concat(%a, %b) {axis=0}\n"
	  "%z = MatMul(%t, %c)\n" Z,
	  "Add(Mul(Slice(t) {starts=[0,0], steps=[1,1]}, Reshape(x)), Mul(Slice(t) {starts=[0,1], steps=[1,1]}, Reshape(y)))" },
	/* sums of a stack */
	{ PAIR "%a = Reshape(%x) : f32[1,2,4,6,6]\n%b = Reshape(%y) : f32[1,2,4,6,6]\n%c = Concat(%a, %b) {axis=0}\n"
	  "%z = ReduceSum(%c) {axes=[0], keepdims=0}\n" Z, "Add(x, y)" },
	{ PAIR "%a = Reshape(%x) : f32[1,2,4,6,6]\n%b = Reshape(%y) : f32[1,2,4,6,6]\n%c = Concat(%a, %b, %a) {axis=0}\n"
	  "%z = ReduceMean(%c) {axes=[0], keepdims=0}\n" Z, "Div(Add(Add(x, y), x), 3)" },
	{ PAIR "const @k : f32[2,1,1,1,1] = {0.25, 0.75}\n%a = Reshape(%x) : f32[1,2,4,6,6]\n%b = Reshape(%y) : f32[1,2,4,6,6]\n"
	  "%c = Concat(%a, %b) {axis=0}\n%d = Mul(@k, %c)\n%z = ReduceSum(%d) {axes=[0], keepdims=0}\n" Z,
	  "Add(Mul(0.25, x), Mul(0.75, y))" },
	{ PAIR "%a = Reshape(%x) : f32[2,1,4,6,6]\n%b = Reshape(%y) : f32[2,1,4,6,6]\n%c = Concat(%a, %b) {axis=1}\n"
	  "%d = Concat(%b, %a) {axis=1}\n%e = Mul(%c, %d)\n%z = ReduceSum(%e) {axes=[1], keepdims=1}\n" Z,
	  "Reshape(Add(Mul(y, x), Mul(y, x)))" },

	{ PAIR "input %k : f32[2,2,1,1,1]\n%a = Reshape(%x) : f32[2,1,4,6,6]\n%b = Reshape(%y) : f32[2,1,4,6,6]\n%c = Concat(%a, %b) {axis=1}\n"
	  "%s = Softmax(%k) {axis=1}\n%d = Mul(%s, %c)\n%z = ReduceSum(%d) {axes=[1], keepdims=0}\n" Z,
	  "Add(Mul(Reshape(Slice(Softmax(k) {axis=1, to_end=0}) {starts=[0,0,0,0,0], steps=[1,1,1,1,1]}), x), "
	  "Mul(Reshape(Slice(Softmax(k) {axis=1, to_end=0}) {starts=[0,1,0,0,0], steps=[1,1,1,1,1]}), y))" },
	/* Transpose and Reshape on their way down */
	{ X NHWC "%z = Relu(%t)\n" Z, "Transpose(Relu(x)) {perm=[0,2,3,1]}" },
	{ X NHWC "const @c : f32[4] = fill(1)\n%z = Add(%t, @c)\n" Z, "Transpose(Add(x, $[1,4,1,1])) {perm=[0,2,3,1]}" },
	{ X NHWC "const @c : f32[1,1] = {2}\n%z = Mul(@c, %t)\n" Z, "Transpose(Mul(2, x)) {perm=[0,2,3,1]}" },
	{ X NHWC "const @c : f32[6,6,1] = fill(1)\n%z = Sub(@c, %t)\n" Z, "Transpose(Sub($[1,1,6,6], x)) {perm=[0,2,3,1]}" },
	{ PAIR NHWC "%u = Transpose(%y) {perm=[0,2,3,1]}\n%z = Add(%t, %u)\noutput %u\n" Z,
	  "Transpose(y) {perm=[0,2,3,1]}; Transpose(Add(x, y)) {perm=[0,2,3,1]}" },
	{ X "input %g : f32[2,1,1,4]\n" NHWC "%z = Mul(%t, %g)\n" Z, "Transpose(Mul(x, Reshape(g))) {perm=[0,2,3,1]}" },
	{ X "input %g : f32[2,1,1,4]\n" NHWC "%z = Sub(%g, %t)\n" Z, "Transpose(Sub(Reshape(g), x)) {perm=[0,2,3,1]}" },
	{ X NHWC "%z = ReduceMean(%t) {axes=[1,2], keepdims=0}\n" Z, "ReduceMean(x) {axes=[2,3], keepdims=0}" },
	{ X NHWC "%z = ReduceSum(%t) {axes=[1,2], keepdims=1}\n" Z, "Reshape(ReduceSum(x) {axes=[2,3], keepdims=1})" },
	{ X NHWC "%z = ReduceMax(%t) {axes=[1,2], keepdims=1}\n" Z, "Reshape(ReduceMax(x) {axes=[2,3], keepdims=1})" },
	{ X NHWC "%z = ReduceMax(%t) {axes=[0], keepdims=0}\n" Z,
	  "ReduceMax(Transpose(x) {perm=[0,2,3,1]}) {axes=[0], keepdims=0}" },
	{ X NHWC "%z = Pad(%t) {pads=[0,1,2,3,0,0,0,4]}\n" Z,
	  "Transpose(Pad(x) {pads=[0,3,1,2,0,4,0,0], mode=\"constant\", value=0.0}) {perm=[0,2,3,1]}" },
	{ X NHWC "%z = Slice(%t) {starts=[0,1,0,2], steps=[1,2,3,1]} : f32[2,3,2,2]\n" Z,
	  "Transpose(Slice(x) {starts=[0,2,1,0], steps=[1,1,2,3]}) {perm=[0,2,3,1]}" },
	{ X NHWC "%z = Softmax(%t) {axis=3, to_end=0}\n" Z, "Transpose(Softmax(x) {axis=1, to_end=0}) {perm=[0,2,3,1]}" },
	{ PAIR NHWC "%u = Transpose(%y) {perm=[0,2,3,1]}\nconst @c : f32[2,6,6,3] = fill(1)\n"
	  "%z = Concat(%t, @c, %u) {axis=3}\n" Z, "Transpose(Concat(x, $[2,3,6,6], y) {axis=1}) {perm=[0,2,3,1]}" },
	/* a block of an NHWC exporter */
	{ X NHWC "%r = Relu(%t)\nconst @w : f32[4,4,3,3] = fill(1)\nconst @b : f32[4] = fill(2)\n"
	  "%i = Transpose(%r) {perm=[0,3,1,2]}\n%c = Conv(%i, @w) {pads=[1,1,1,1]}\n"
	  "%o = Transpose(%c) {perm=[0,2,3,1]}\n%p = Add(%o, @b)\n%s = Add(%p, %r)\n%q = Relu(%s)\n"
	  "%z = Transpose(%q) {perm=[0,3,1,2]}\n" Z, "Relu(Add(Conv(Relu(x), $, $) {pads=[1,1,1,1]}, Relu(x)))" },
	{ X CONV "%r = Reshape(%c) : f32[2,288]\n%s = Relu(%r)\n%z = Sigmoid(%s)\n" Z,
	  "Reshape(Sigmoid(Relu(Conv(x, $, $) {pads=[1,1,1,1]})))" },
	{ X CONV "%r = Reshape(%c) : f32[2,288]\n%z = Max(%r, 0.5)\n" Z, "Reshape(Max(Conv(x, $, $) {pads=[1,1,1,1]}, 0.5))" },
	{ X CONV "%r = Reshape(%c) : f32[2,288]\nconst @k : f32[1,1] = {2}\n%z = Sub(@k, %r)\n" Z,
	  "Reshape(Conv(x, $, $) {pads=[1,1,1,1]})" },
	/* a convolution over one dimension, as an exporter to two writes it */
	{ X CONV "const @k : f32[8,1] = fill(7)\nconst @l : f32[2,8,36] = fill(8)\n%r = Reshape(%c) : f32[2,8,36]\n%s = Add(%r, @k)\n"
	  "%u = Relu(%s)\n%z = Mul(%u, @l)\n" Z, "Reshape(Mul(Relu(Conv(x, $, $) {pads=[1,1,1,1]}), $[2,8,6,6]))" },
	{ X CONV "const @k : f32[36] = fill(7)\n%r = Reshape(%c) : f32[2,8,36]\n%z = Add(%r, @k)\n" Z,
	  "Reshape(Add(Conv(x, $, $) {pads=[1,1,1,1]}, $[1,1,6,6]))" },
	{ X CONV "const @k : f32[72] = fill(7)\n%r = Reshape(%c) : f32[2,4,72]\n%z = Add(%r, @k)\n" Z,
	  "Add(Reshape(Conv(x, $, $) {pads=[1,1,1,1]}), $[72])" },
	{ PAIR "%r = Reshape(%x) : f32[2,144]\n%s = Reshape(%y) : f32[2,144]\n%z = Add(%r, %s)\n" Z, "Reshape(Add(x, y))" },
	{ X "input %y : f32[2,6,6,4]\n" NHWC W "%u = Transpose(%y) {perm=[0,3,1,2]}\n%s = Conv(%u, @w)\n%z = Sub(%t, %y)\noutput %s\n" Z,
	  "Conv(Transpose(y) {perm=[0,3,1,2]}, $); Transpose(Sub(x, Transpose(y) {perm=[0,3,1,2]})) {perm=[0,2,3,1]}" },
	/* both are, elsewhere: nothing is gained either way */
	{ X "input %y : f32[2,6,6,4]\n" NHWC "%u = Transpose(%y) {perm=[0,3,1,2]}\n%s = Sigmoid(%u)\n%v = Transpose(%x) {perm=[0,2,3,1]}\n"
	  "%z = Sub(%y, %t)\noutput %u\noutput %s\noutput %v\n" Z,
	  "Transpose(y) {perm=[0,3,1,2]}; Sigmoid(Transpose(y) {perm=[0,3,1,2]}); Transpose(x) {perm=[0,2,3,1]}; "
	  "Sub(y, Transpose(x) {perm=[0,2,3,1]})" },
	{ X "input %y : f32[2,6,6,4]\n" NHWC W "%u = Transpose(%y) {perm=[0,3,1,2]}\n%s = Conv(%u, @w)\n%z = Sub(%y, %t)\noutput %s\n" Z,
	  "Conv(Transpose(y) {perm=[0,3,1,2]}, $); Transpose(Sub(Transpose(y) {perm=[0,3,1,2]}, x)) {perm=[0,2,3,1]}" },
	{ PAIR "%q = Reshape(%y) : f32[2,144]\n%u = Relu(%q)\n%r = Relu(%x)\n%s = Reshape(%r) : f32[2,144]\n%t = Softmax(%u) {axis=1}\n"
	  "%v = Reshape(%t) : f32[2,4,6,6]\n%z = Sub(%v, %y)\n" Z, "Reshape(Sub(Softmax(Relu(Reshape(y))) {axis=1, to_end=0}, Reshape(y)))" },
	{ PAIR "%q = Reshape(%y) : f32[2,144]\n%t = Softmax(%q) {axis=1}\n%v = Reshape(%t) : f32[2,4,6,6]\n%z = Sub(%y, %v)\n" Z,
	  "Reshape(Sub(Reshape(y), Softmax(Reshape(y)) {axis=1, to_end=0}))" },
	{ X "%a = Relu(%x)\n%r = Reshape(%a) : f32[2,144]\n%z = Div(1, %r)\n" Z, "Reshape(Reciprocal(Relu(x)))" },
	{ X "%a = Tanh(%x)\n%r = Reshape(%a) : f32[2,144]\n%z = Pow(2, %r)\n" Z, "Reshape(Pow(2, Tanh(x)))" },

	/* integers are left alone */
	{ "input %x : i32[3,5]\nconst @c : i32[] = {3}\nconst @d : i32[] = {2}\n%a = Mul(%x, @c)\n%z = Div(%a, @d)\n" Z,
	  "Div(Mul(x, 3), 2)" },
	{ "input %x : i32[3,5]\nconst @c : i32[] = {30}\n%z = Div(@c, %x)\n" Z, "Div(30, x)" },
};

static struct arena arena;
static struct diag diag;
static int *no_hits; /* nobody looks at them */

static void setup(void)
{
	diag = (struct diag){ .path = "test", .to = stderr };
	no_hits = arena_alloc(&arena, (size_t)rule_count() * sizeof(int));
}

static void teardown(void)
{
	arena_release(&arena);
}

/* Parsed, with shapes, folded; then rewritten if hits is not null. */
static struct graph *prepare(const char *text, int *hits)
{
	struct graph *g = text_parse(&arena, &diag, "test", text);

	ck_assert_msg(g != NULL, "%s", text);
	shapes(g);
	ck_assert_msg(diag.errors == 0, "%s", text);
	fold(g);
	graph_check(g, true);
	if (hits != NULL)
		rewrite_counting(g, hits);
	graph_check(g, true);
	ck_assert_msg(diag.errors == 0, "%s", text);
	return g;
}

START_TEST(test_case)
{
	struct graph *before = prepare(cases[_i].text, NULL), *after = prepare(cases[_i].text, no_hits);
	struct buf b = { 0 };

	outputs_print(&b, after);
	ck_assert_msg(strcmp(b.data, cases[_i].expected) == 0, "%sgives\n%s\nnot\n%s", cases[_i].text, b.data, cases[_i].expected);
	const double error = difference(&arena, before, after);
	ck_assert_msg(error < 2e-7, "%sdiffers by %g", cases[_i].text, error);
	buf_release(&b);
}
END_TEST

/* What the rules leave, they leave. */
START_TEST(test_fixed_point)
{
	int *hits = calloc((size_t)rule_count(), sizeof(int));

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct graph *g = prepare(cases[k].text, hits);

		memset(hits, 0, (size_t)rule_count() * sizeof(int));
		rewrite_counting(g, hits);
		for (int r = 0; r < rule_count(); r++)
			ck_assert_msg(hits[r] == 0, "%sapplies again to what is left of\n%s", rule_text(r), cases[k].text);
	}
	free(hits);
}
END_TEST

START_TEST(test_every_rule)
{
	int *hits = calloc((size_t)rule_count(), sizeof(int)), missing = 0;

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++)
		prepare(cases[k].text, hits);
	for (int k = 0; k < rule_count(); k++) {
		if (rule_text(k) == NULL || hits[k] > 0)
			continue;
		fprintf(stderr, "never used: %s\n", rule_text(k));
		missing++;
	}
	free(hits);
	ck_assert_int_eq(missing, 0);
}
END_TEST

/* Equal nodes become one, outputs excepted, and stand before all who use them. */
START_TEST(test_equal_nodes)
{
	struct graph *g = prepare(X "%a = Sigmoid(%x)\n%b = Sub(1, %a)\n%c = Tanh(%b)\n%d = Sigmoid(%x)\n%e = Sub(1, %d)\n"
				    "%f = Exp(%e)\n%y = Mul(%c, %f)\n%z = Sub(1, %d)\n" Y Z,
				  no_hits);
	const struct node *mul = g->output[0]->def;
	int nodes = 0;

	for (const struct node *n = g->first; n != NULL; n = n->next)
		nodes++;
	ck_assert_int_eq(nodes, 5);
	ck_assert_ptr_eq(mul->in[0]->def->in[0], mul->in[1]->def->in[0]);
	ck_assert_str_eq(g->output[1]->name, "z");
	ck_assert_ptr_eq(mul->in[0]->def->in[0], g->output[1]);
	ck_assert_int_eq(g->output[1]->def->prov->n, 3);
}
END_TEST

START_TEST(test_provenance)
{
	struct graph *g = prepare(X COLUMN8 W "%c = Conv(%x, @w) <- \"conv\"\n%d = Mul(%c, @a) <- \"scale\"\n"
					  "%t = Transpose(%d) {perm=[0,2,3,1]} <- \"move\"\n%z = Relu(%t) <- \"relu\"\n" Z,
				  no_hits);
	struct buf b = { 0 };

	text_print(&b, g);
	ck_assert_msg(strstr(b.data, "Conv(%x, @t") != NULL && strstr(b.data, "<- \"conv\" \"scale\"\n") != NULL, "%s", b.data);
	ck_assert_msg(strstr(b.data, "<- \"relu\"\n") != NULL && strstr(b.data, "<- \"move\"\n") != NULL, "%s", b.data);
	ck_assert_msg(strstr(b.data, "output %z\n") != NULL, "%s", b.data);
	buf_release(&b);
}
END_TEST

/* A shared weight: each convolution gets its own, the constant stays as it was. */
START_TEST(test_shared_weights)
{
	struct graph *g = prepare(X COLUMN8 W "%c = Conv(%x, @w)\n%d = Conv(%x, @w)\n%e = Mul(%d, @a)\n%z = Add(%c, %e)\n" Z,
				  no_hits);
	const struct node *add = g->output[0]->def;

	ck_assert(add->in[0]->def->in[1] != add->in[1]->def->in[1]);
	ck_assert_str_eq(add->in[0]->def->in[1]->name, "w");
}
END_TEST

/* A ResNet of 1,400 blocks as an exporter without folding leaves it, and the same from an NHWC one. */
static char *long_chain(int blocks)
{
	struct buf b = { 0 };

	buf_puts(&b, "input %r0 : f32[1,2,3,3]\nconst @w : f32[2,2,3,3] = fill(1)\nconst @s : f32[2] = fill(3, 1, 2)\n");
	for (int k = 0; k < blocks; k++)
		buf_printf(&b,
			   "%%n%d = Transpose(%%r%d) {perm=[0,2,3,1]}\n%%m%d = Transpose(%%n%d) {perm=[0,3,1,2]}\n"
			   "%%c%d = Conv(%%m%d, @w) {pads=[1,1,1,1]}\n"
			   "%%b%d = BatchNorm(%%c%d, @s, @s, @s, @s) {epsilon=1e-05, training=0}\n"
			   "%%a%d = Add(%%b%d, %%r%d)\n%%r%d = Relu(%%a%d)\n",
			   k, k, k, k, k, k, k, k, k, k, k, k + 1, k);
	buf_printf(&b, "output %%r%d\n", blocks);
	return b.data;
}

START_TEST(test_long_chain)
{
	enum { BLOCKS = 1400 };
	char *text = long_chain(BLOCKS);
	struct graph *g = text_parse(&arena, &diag, "test", text);
	int nodes = 0;

	shapes(g);
	fold(g);
	const clock_t start = clock();
	rewrite(g);
	const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
	graph_check(g, true);
	for (const struct node *n = g->first; n != NULL; n = n->next)
		nodes++;
	ck_assert_int_eq(nodes, 3 * BLOCKS);
	ck_assert_msg(seconds < 5, "%g s", seconds); /* 0.05 without sanitizers */
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rules");
	TCase *t = tcase_create("rules");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_case, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_test(t, test_fixed_point);
	tcase_add_test(t, test_every_rule);
	tcase_add_test(t, test_equal_nodes);
	tcase_add_test(t, test_provenance);
	tcase_add_test(t, test_shared_weights);
	tcase_add_test(t, test_long_chain);
	tcase_set_timeout(t, 60);
	suite_add_tcase(s, t);
	SRunner *r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	const int failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed > 0;
}
