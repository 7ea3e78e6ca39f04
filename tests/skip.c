/*
 * Residual sums and gates in text form: every algebraic spelling is recognised, near misses are not, and the graph
 * computes the same afterwards, by evaluating both in double.
 */
#include "rules.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LAYER(y, x, s) "const @w" s " : f32[8,8] = fill(" s ")\nconst @c" s " : f32[8] = fill(1" s ")\n%" y " = Linear(%" x ", @w" s ", @c" s ")\n"
#define X "input %x : f32[3,8]\n"
#define TH X LAYER("a", "x", "1") LAYER("b", "x", "2") "%h = Relu(%b)\n"
#define T TH "%t = Sigmoid(%a)\n"
#define HARD TH "%k = Greater(%a, 0)\n"
#define CONV(y, x, s) "const @v" s " : f32[4,4,3,3] = fill(" s ")\n%" y " = Conv(%" x ", @v" s ") {pads=[1,1,1,1]}\n"
#define IMAGE "input %x : f32[2,4,6,6]\n"
#define BASIC IMAGE CONV("c", "x", "1") "%r = Relu(%c)\n" CONV("f", "r", "2")
#define Z "output %z\n"

static const struct skip_case {
	const char *text, *kinds; /* in order, with spaces; pre-: pre-activation */
} cases[] = {
	/* highway: t*h + (1-t)*x */
	{ T "%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ T "%d = Sub(%h, %x)\n%m = Mul(%t, %d)\n%z = Add(%x, %m)\n" Z, "highway" },
	{ T "%d = Sub(%x, %h)\n%m = Mul(%t, %d)\n%z = Sub(%x, %m)\n" Z, "highway" },
	{ T "%m = Mul(%h, %t)\n%s = Add(%m, %x)\n%n = Mul(%x, %t)\n%z = Sub(%s, %n)\n" Z, "highway" },
	{ T "%n = Mul(%x, %t)\n%s = Sub(%x, %n)\n%m = Mul(%h, %t)\n%z = Add(%s, %m)\n" Z, "highway" },
	{ T "%d = Sub(%x, %h)\n%c = Sub(1, %t)\n%m = Mul(%c, %d)\n%z = Add(%h, %m)\n" Z, "highway" },
	{ T "%p = Neg(%t)\n%c = Add(%p, 1)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ T "%p = Mul(%t, -1)\n%c = Add(%p, 1)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ T "%c = Sub(%t, 1)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Sub(%m, %n)\n" Z, "highway" },
	{ T "%q = Neg(%a)\n%c = Sigmoid(%q)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ T "const @o : f32[3,8] = 1\n%c = Sub(@o, %t)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	/* the carried value is what the gate multiplies */
	{ T "%m = Mul(%x, %t)\n%c = Sub(1, %t)\n%n = Mul(%h, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	/* torch.lerp */
	{ T "%d = Sub(%h, %x)\n%k = Less(%t, 0.5)\n%m = Mul(%t, %d)\n%p = Add(%x, %m)\n%c = Sub(1, %t)\n%n = Mul(%d, %c)\n"
	  "%q = Sub(%h, %n)\n%z = Where(%k, %p, %q)\n" Z, "highway" },
	/* tanh's gate */
	{ TH "%u = Tanh(%a)\n%v = Add(%u, 1)\n%t = Mul(%v, 0.5)\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n"
	  "%z = Add(%m, %n)\n" Z, "highway" },
	{ TH "%u = Tanh(%a)\n%v = Mul(%u, 0.5)\n%t = Add(0.5, %v)\n%d = Sub(%h, %x)\n%m = Mul(%d, %t)\n%z = Add(%x, %m)\n" Z, "highway" },
	{ TH "%u = Tanh(%a)\n%p = Mul(%x, 0.5)\n%q = Sub(1, %u)\n%m = Mul(%p, %q)\n%r = Mul(%h, 0.5)\n%s = Add(%u, 1)\n"
	  "%n = Mul(%r, %s)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ TH "%t = Tanh(%a)\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	/* other gates */
	{ TH "%t = HardSigmoid(%a) {alpha=0.2, beta=0.5}\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z,
	  "highway" },
	{ TH "%p = Mul(%a, 0.2)\n%q = Add(%p, 0.5)\n%r = Max(%q, 0)\n%t = Min(%r, 1)\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n"
	  "%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ T "%g = Round(%t)\n%m = Mul(%h, %g)\n%c = Sub(1, %g)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ TH "%p = Neg(%a)\n%q = Exp(%p)\n%r = Add(%q, 1)\n%t = Reciprocal(%r)\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n"
	  "%z = Add(%m, %n)\n" Z, "highway" },
	/* (h + x e^-z) / (1 + e^-z) */
	{ TH "%p = Neg(%a)\n%q = Exp(%p)\n%m = Mul(%x, %q)\n%n = Add(%h, %m)\n%r = Add(%q, 1)\n%z = Div(%n, %r)\n" Z, "highway" },
	{ TH "%q = Exp(%a)\n%m = Mul(%h, %q)\n%n = Add(%m, %x)\n%r = Add(1, %q)\n%z = Div(%n, %r)\n" Z, "highway" },
	/* normalised gates */
	{ TH "%p = Exp(%a)\n%q = Softplus(%b)\n%s = Add(%p, %q)\n%m = Mul(%h, %p)\n%n = Mul(%x, %q)\n%r = Add(%m, %n)\n"
	  "%z = Div(%r, %s)\n" Z, "highway" },
	/* t = 1 - e^-softplus(z), with torch's threshold */
	{ TH "%p = Softplus(%a)\n%k = Greater(%a, 20)\n%q = Where(%k, %a, %p)\n%r = Neg(%q)\n%c = Exp(%r)\n%t = Sub(1, %c)\n"
	  "%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ T "%l = Log(%t)\n%g = Exp(%l)\n%m = Mul(%h, %g)\n%c = Sub(1, %g)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	/* what the formula needs of the gate comes before what is equal to it */
	{ TH "%i = Neg(%a)\n%c = Sigmoid(%i)\n%m = Mul(%x, %c)\n%d = Sub(1, %c)\n%n = Mul(%h, %d)\n%y = Add(%m, %n)\n%t = Sigmoid(%a)\n"
	  "%z = Add(%y, %t)\n" Z, "highway" },
	{ TH "%m = ReduceMean(%a) {axes=[1], keepdims=1}\n%e = Expand(%m) : f32[3,8]\n%p = Greater(%e, %a)\n%z = Where(%p, %x, %h)\n"
	  "%q = LessOrEqual(%m, %a)\n%y = Where(%q, %h, 0)\n" Z "output %y\n", "highway" },
	/* a gate that is computed in the sum's own cone */
	{ T "%u = Sigmoid(%b)\n%g = Mul(%t, %u)\n%m = Mul(%h, %g)\n%c = Sub(1, %g)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ T "%g = Mul(%t, %t)\n%d = Sub(%h, %x)\n%m = Mul(%d, %g)\n%z = Add(%m, %x)\n" Z, "highway" },
	{ T "%k = Less(%t, 0.1)\n%g = Where(%k, 0, %t)\n%m = Mul(%h, %g)\n%c = Sub(1, %g)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ T "%s = Sub(%t, 0.5)\n%g = Ceil(%s)\n%m = Mul(%h, %g)\n%c = Sub(1, %g)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ TH "%i = Sub(0, %a)\n%t = Sigmoid(%a)\n%c = Sigmoid(%i)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	/* a gate expanded, layers on another shape */
	{ X LAYER("b", "x", "2") "%h = Relu(%b)\nconst @w1 : f32[8,1] = fill(1)\n%a = Linear(%x, @w1)\n%t = Sigmoid(%a)\n%e = Expand(%t) : f32[3,8]\n"
	  "%m = Mul(%h, %e)\n%c = Sub(1, %e)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ X LAYER("b", "x", "2") "%h = Relu(%b)\nconst @w1 : f32[8,1] = fill(1)\n%a = Linear(%x, @w1)\n%t = Sigmoid(%a)\n%e = Expand(%t) : f32[3,8]\n"
	  "%m = Neg(%e)\n%n = Mul(%m, %h)\n%c = Sub(1, %t)\n%o = Mul(%x, %c)\n%z = Sub(%o, %n)\n" Z, "highway" },
	{ X LAYER("b", "x", "2") "%h = Relu(%b)\nconst @w1 : f32[8,1] = fill(1)\n%a = Linear(%x, @w1)\n%t = Sigmoid(%a)\n%e = Expand(%t) : f32[3,8]\n"
	  "%n = Mul(%e, %h)\n%c = Add(%t, -1)\n%f = Expand(%c) : f32[3,8]\n%g = Neg(%f)\n%o = Mul(%x, %g)\n%z = Add(%o, %n)\n" Z, "highway" },
	{ "input %i : f32[3,2,4]\n%x = Reshape(%i) : f32[3,8]\n" LAYER("a", "x", "1") LAYER("b", "x", "2") "%h = Relu(%b)\n%t = Sigmoid(%a)\n"
	  "%p = Reshape(%h) : f32[3,2,4]\n%q = Reshape(%t) : f32[3,2,4]\n%m = Mul(%p, %q)\n%c = Sub(1, %q)\n%n = Mul(%i, %c)\n"
	  "%z = Add(%m, %n)\n" Z, "highway" },
	/* a stack of both, weighted by a softmax */
	{ X LAYER("b", "x", "2") "%h = Relu(%b)\nconst @w1 : f32[8,2] = fill(1)\n%a = Linear(%x, @w1)\n%s = Softmax(%a) {axis=1, to_end=0}\n"
	  "%r = Reshape(%s) : f32[3,2,1]\n%i = Reshape(%h) : f32[3,1,8]\n%j = Reshape(%x) : f32[3,1,8]\n%k = Concat(%i, %j) {axis=1}\n"
	  "%m = Mul(%r, %k)\n%z = ReduceSum(%m) {axes=[1], keepdims=0}\n" Z, "highway" },
	/* joined and added up; a part of what was joined; weighted by einsum */
	{ T "%c = Sub(1, %t)\n%i = Concat(%t, %c) {axis=1}\n%j = Concat(%h, %x) {axis=1}\n%m = Mul(%i, %j)\n%r = Reshape(%m) : f32[3,2,8]\n"
	  "%z = ReduceSum(%r) {axes=[1], keepdims=0}\n" Z, "highway" },
	{ T "%c = Sub(1, %t)\n%i = Concat(%t, %c) {axis=1}\n%j = Concat(%h, %x) {axis=1}\n%m = Mul(%i, %j)\n"
	  "%p = Slice(%m) {starts=[0,0], steps=[1,1]} : f32[3,8]\n%q = Slice(%m) {starts=[0,8], steps=[1,1]} : f32[3,8]\n"
	  "%z = Add(%p, %q)\n" Z, "highway" },
	{ X LAYER("b", "x", "2") "%h = Relu(%b)\nconst @w1 : f32[8,2] = fill(1)\n%a = Linear(%x, @w1)\n%s = Softmax(%a) {axis=1, to_end=0}\n"
	  "%r = Reshape(%s) : f32[3,1,2]\n%i = Reshape(%h) : f32[3,1,8]\n%j = Reshape(%x) : f32[3,1,8]\n%k = Concat(%i, %j) {axis=1}\n"
	  "%m = MatMul(%r, %k)\n%z = Reshape(%m) : f32[3,8]\n" Z, "highway" },
	{ BASIC "%i = Reshape(%x) : f32[1,2,4,6,6]\n%j = Reshape(%f) : f32[1,2,4,6,6]\n%k = Concat(%i, %j) {axis=0}\n"
	  "%z = ReduceSum(%k) {axes=[0], keepdims=0}\n" Z, "identity" },
	/* selections */
	{ HARD "%z = Where(%k, %h, %x)\n" Z, "highway" },
	{ HARD "%z = Where(%k, %x, %h)\n" Z, "highway" },
	{ HARD "%t = Cast(%k) {to=f32}\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ HARD "%t = Cast(%k) {to=f32}\n%l = Not(%k)\n%c = Cast(%l) {to=f32}\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z,
	  "highway" },
	{ HARD "%i = Cast(%k) {to=i64}\n%t = Cast(%i) {to=f32}\n%d = Sub(%h, %x)\n%m = Mul(%d, %t)\n%z = Add(%x, %m)\n" Z, "highway" },
	{ HARD "%m = Where(%k, %h, 0)\n%n = Where(%k, 0, %x)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ HARD "%l = Not(%k)\n%m = Where(%k, %h, 0)\n%n = Where(%l, %x, 0)\n%z = Add(%m, %n)\n" Z, "highway" },
	/* two tests of one thing, which is one gate: masked_fill twice */
	{ TH "%p = LessOrEqual(%a, 0)\n%q = Greater(%a, 0)\n%m = Where(%p, 0, %h)\n%n = Where(%q, 0, %x)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ TH "%p = Less(0, %a)\n%q = LessOrEqual(%a, 0)\n%m = Where(%p, %h, 0)\n%n = Where(%q, %x, 0)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ TH "%p = Less(%a, %b)\n%q = LessOrEqual(%b, %a)\n%t = Cast(%p) {to=f32}\n%c = Cast(%q) {to=f32}\n%m = Mul(%h, %t)\n"
	  "%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ T "%g = Round(%t)\n%p = Equal(%g, 0)\n%q = Greater(%g, 0.5)\n%m = Where(%q, %h, 0)\n%n = Where(%p, %x, 0)\n%z = Add(%m, %n)\n" Z,
	  "highway" },
	{ HARD "%t = Where(%k, 1, 0)\n%c = Where(%k, 0, 1)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ HARD "%t = Where(%k, 0.9, 0.2)\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ HARD "const @i1 : i64[] = 1\n%i = Cast(%k) {to=i64}\n%j = Sub(@i1, %i)\n%t = Cast(%i) {to=f32}\n%c = Cast(%j) {to=f32}\n"
	  "%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ HARD "const @i0 : i64[] = 0\n%i = Cast(%k) {to=i64}\n%l = Equal(%i, @i0)\n%m = Where(%k, %h, 0)\n%n = Where(%l, %x, 0)\n"
	  "%z = Add(%m, %n)\n" Z, "highway" },
	{ HARD "%f = Cast(%k) {to=f32}\n%c = Sub(1, %f)\n%l = Cast(%c) {to=bool}\n%z = Where(%l, %x, %h)\n" Z, "highway" },
	{ HARD "%f = Cast(%k) {to=f32}\n%g = Mul(%f, %f)\n%c = Sub(1, %f)\n%m = Mul(%h, %g)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ TH "%u = Sign(%a)\n%v = Add(%u, 1)\n%t = Mul(%v, 0.5)\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z,
	  "highway" },
	{ TH "%u = Relu(%a)\n%t = Sign(%u)\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ HARD "%l = Less(%b, 0.1)\n%o = And(%k, %l)\n%e = Not(%o)\n%m = Where(%o, %h, 0)\n%n = Where(%e, %x, 0)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ HARD "%l = Less(%b, 0.1)\n%o = Or(%k, %l)\n%e = Not(%o)\n%m = Where(%o, %h, 0)\n%n = Where(%e, %x, 0)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ HARD "%l = Less(%b, 0.1)\n%o = Xor(%k, %l)\n%z = Where(%o, %h, %x)\n" Z, "highway" },
	/* a gate around a gate */
	{ HARD "%l = Greater(%b, 0.1)\n%y = Where(%k, %h, %x)\n%z = Where(%l, %y, %x)\n" Z, "highway highway" },
	{ T "%k = Greater(%b, 0)\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%y = Add(%m, %n)\n%l = Cast(%k) {to=f32}\n"
	  "%d = Sub(%y, %x)\n%e = Mul(%d, %l)\n%z = Add(%x, %e)\n" Z, "highway highway" },
	/* gates that broadcast, and their views */
	{ X LAYER("b", "x", "2") "%h = Relu(%b)\nconst @w1 : f32[8,1] = fill(1)\n%a = Linear(%x, @w1)\n%t = Sigmoid(%a)\n"
	  "%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ IMAGE CONV("h", "x", "1") "%p = ReduceMean(%x) {axes=[2,3], keepdims=0}\nconst @w : f32[4,4] = fill(3)\n"
	  "%a = Linear(%p, @w)\n%t = Sigmoid(%a)\n%c = Sub(1, %t)\n%u = Reshape(%t) : f32[2,4,1,1]\n%v = Reshape(%c) : f32[2,4,1,1]\n"
	  "%m = Mul(%h, %u)\n%n = Mul(%x, %v)\n%z = Add(%m, %n)\n" Z, "highway" },
	/* a gate that is a parameter: two constants */
	{ TH "const @t : f32[8] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}\nconst @u : f32[8] = {0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2}\n"
	  "%m = Mul(%h, @t)\n%n = Mul(%x, @u)\n%z = Add(%m, %n)\n" Z, "highway" },
	{ TH "const @t : f32[8] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8}\n%d = Sub(%h, %x)\n%m = Mul(%d, @t)\n%z = Add(%m, %x)\n" Z,
	  "highway" },
	/* all of it scaled, after and before the sum */
	{ T "%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%s = Add(%m, %n)\n%z = Mul(%s, 0.7071)\n" Z, "highway" },
	{ T "%p = Mul(%h, 0.7071)\n%q = Mul(%x, 0.7071)\n%m = Mul(%p, %t)\n%c = Sub(1, %t)\n%n = Mul(%q, %c)\n%z = Add(%m, %n)\n" Z,
	  "highway" },
	/* one layer for both, taken apart or interleaved */
	{ X "const @w : f32[8,16] = fill(1)\n%l = Linear(%x, @w)\n%a = Slice(%l) {starts=[0,0], steps=[1,2]} : f32[3,8]\n"
	  "%b = Slice(%l) {starts=[0,1], steps=[1,2]} : f32[3,8]\n%t = Sigmoid(%a)\n%h = Tanh(%b)\n"
	  "%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	/* h is a sum itself */
	{ T "%g = Add(%h, %b)\n%m = Mul(%g, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	/* two in a row; the second carries the first's input */
	{ T "%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%y = Add(%m, %n)\n" LAYER("a3", "y", "3") LAYER("b3", "y", "4")
	  "%t2 = Sigmoid(%a3)\n%h2 = Tanh(%b3)\n%d2 = Sub(%h2, %y)\n%m2 = Mul(%t2, %d2)\n%z = Add(%y, %m2)\n" Z, "highway highway" },
	/* a transposed copy is carried */
	{ IMAGE CONV("a", "x", "1") CONV("b", "x", "2") "%i = Transpose(%x) {perm=[0,2,3,1]}\n%p = Transpose(%a) {perm=[0,2,3,1]}\n"
	  "%h = Transpose(%b) {perm=[0,2,3,1]}\n%t = Sigmoid(%p)\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%i, %c)\n"
	  "%z = Add(%m, %n)\n" Z, "highway" },
	/* a residual sum around it */
	{ T "%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%x, %c)\n%y = Add(%m, %n)\n%z = Add(%x, %y)\n" Z, "highway identity" },

	/* two gates */
	{ T LAYER("e", "x", "3") "%c = Sigmoid(%e)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway-carry" },
	/* signs, and gates that are made: (1 - t) h + c x, -(c x) - t h, -(t h + (1 - t) x) with -h */
	{ T LAYER("e", "x", "3") "%c = Sigmoid(%e)\n%o = Sub(%t, 1)\n%m = Mul(%o, %h)\n%n = Mul(%x, %c)\n%z = Sub(%n, %m)\n" Z, "highway-carry" },
	{ T LAYER("e", "x", "3") "%c = Sigmoid(%e)\n%m = Mul(%t, %h)\n%o = Sub(%h, %m)\n%n = Mul(%x, %c)\n%z = Add(%o, %n)\n" Z, "highway-carry" },
	{ T LAYER("e", "x", "3") "%c = Sigmoid(%e)\n%p = Neg(%t)\n%m = Mul(%p, %h)\n%o = Neg(%c)\n%n = Mul(%x, %o)\n%z = Add(%m, %n)\n" Z, "highway-carry" },
	{ T "%p = Sub(0, %h)\n%c = Sub(1, %t)\n%m = Mul(%p, %t)\n%n = Mul(%x, %c)\n%z = Sub(%m, %n)\n" Z, "highway" },
	{ T "%p = Mul(%t, %t)\n%q = Sub(1, %p)\n%c = Sqrt(%q)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway-carry" },
	{ T LAYER("e", "x", "3") "%u = Sigmoid(%e)\n%c = Sub(1, %u)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z,
	  "highway-carry" },
	{ X LAYER("b", "x", "2") "%h = Relu(%b)\nconst @w1 : f32[8,2] = fill(1)\n%a = Linear(%x, @w1)\n%s = Softmax(%a) {axis=1, to_end=0}\n"
	  "%t = Slice(%s) {starts=[0,0], steps=[1,1]} : f32[3,1]\n%c = Slice(%s) {starts=[0,1], steps=[1,1]} : f32[3,1]\n"
	  "%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "highway" },
	/* tests that are not each other's opposite; beside 0 neither lets anything through */
	{ TH "%p = Less(%a, 0)\n%q = Greater(%a, 0)\n%m = Where(%p, %h, 0)\n%n = Where(%q, %x, 0)\n%z = Add(%m, %n)\n" Z, "highway-carry" },
	{ TH LAYER("e", "x", "3") "%t = Sigmoid(%a)\n%c = Sigmoid(%e)\n%n = Sub(0, %c)\n%m = Mul(%h, %t)\n%o = Mul(%n, %x)\n%z = Sub(%m, %o)\n" Z,
	  "highway-carry" }, /* -c is nearer than c */
	{ TH "%p = LessOrEqual(%a, 0)\n%q = Greater(%b, 0)\n%m = Where(%p, 0, %h)\n%n = Where(%q, 0, %x)\n%z = Add(%m, %n)\n" Z, "highway-carry" },
	{ HARD LAYER("e", "x", "3") "%c = Sigmoid(%e)\n%t = Cast(%k) {to=f32}\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Sub(%m, %n)\n" Z, "gated" },
	{ HARD "%t = Sigmoid(%b)\n%l = Cast(%k) {to=f32}\n%m = Mul(%t, %l)\n%c = Sigmoid(%a)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "gated" },

	/* blends: nothing is carried, or it comes from elsewhere */
	{ T LAYER("e", "x", "3") "%m = Mul(%h, %t)\n%c = Sub(1, %t)\n%n = Mul(%e, %c)\n%z = Add(%m, %n)\n" Z, "blend" },
	{ "input %s : f32[3,8]\n" X "const @w1 : f32[16,8] = fill(1)\nconst @w2 : f32[16,8] = fill(2)\n%i = Concat(%s, %x) {axis=1}\n"
	  "%a = Linear(%i, @w1)\n%t = Sigmoid(%a)\n%b = Linear(%i, @w2)\n%h = Tanh(%b)\n%m = Mul(%h, %t)\n%c = Sub(1, %t)\n"
	  "%n = Mul(%s, %c)\n%z = Add(%m, %n)\n" Z, "blend" },

	/* near misses */
	{ T "%z = Mul(%h, %t)\n" Z, "" },				   /* GLU */
	{ X LAYER("b", "x", "2") "%k = Greater(%b, 0)\n%n = Mul(%b, 0.1)\n%z = Where(%k, %b, %n)\n" Z, "" }, /* LeakyRelu */
	{ X LAYER("b", "x", "2") "%k = Greater(%b, 0)\n%e = Exp(%b)\n%n = Add(%e, -1)\n%z = Where(%k, %b, %n)\n" Z, "" }, /* Elu */
	{ "input %s : f32[3,8]\n" T "%f = Sigmoid(%b)\n%g = Tanh(%a)\n%m = Mul(%s, %f)\n%n = Mul(%g, %t)\n%z = Add(%m, %n)\n" Z, "" }, /* LSTM */
	{ "input %k : bool[3,8]\n" X LAYER("a", "x", "1") "%z = Where(%k, -1e9, %a)\n" Z, "" },
	{ T "%m = Mul(%h, %t)\n%n = Mul(%x, %t)\n%z = Add(%m, %n)\n" Z, "gated" }, /* t*(h + x): a residual sum let through */

	/* no gates: of 1 and 2, x + t (h + x) */
	{ T "%c = Add(1, %t)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%m, %n)\n" Z, "gated" },
	{ T "%c = Sub(2, %t)\n%m = Mul(%h, %t)\n%n = Mul(%x, %c)\n%z = Add(%n, %m)\n" Z, "gated" },
	{ T "%m = Mul(%h, %a)\n%n = Mul(%x, %b)\n%z = Add(%n, %m)\n" Z, "gated" },
	{ HARD "%m = Where(%k, %h, 0)\n%z = Add(%x, %m)\n" Z, "gated" },

	/* residual sums */
	{ BASIC "%y = Add(%f, %x)\n%z = Relu(%y)\n" Z, "identity" },
	{ BASIC "%z = Sub(%x, %f)\n" Z, "identity" },
	{ BASIC "%g = Mul(%f, 0.17)\n%h = Relu(%g)\n%z = Add(%x, %h)\n" Z, "identity" },
	{ BASIC "%g = Mul(%f, 0.17)\n%z = Add(%x, %g)\n" Z, "scaled" },
	{ BASIC "const @s : f32[4,1,1] = {0.1, 0.2, 0.3, 0.4}\n%g = Mul(%f, @s)\n%z = Add(%x, %g)\n" Z, "scaled" },
	{ BASIC "%y = Add(%f, %x)\n%z = Mul(%y, 0.5)\n" Z, "scaled" },
	{ BASIC "const @s : f32[4,1,1] = {1, 2, 3, 4}\n%p = Mul(%x, @s)\n%q = Add(%p, @s)\n%z = Add(%f, %q)\n" Z, "identity" },
	{ BASIC CONV("p", "x", "3") "%y = Add(%f, %p)\n%z = Relu(%y)\n" Z, "projection" },
	{ IMAGE CONV("f", "x", "1") "const @u : f32[4,4,1,1] = fill(4)\n%g = Conv(%x, @u)\n%y = Add(%f, %g)\n%y2 = Add(%y, %x)\n%z = Relu(%y2)\n" Z,
	  "identity projection" },
	{ IMAGE CONV("c", "x", "1") "%r = Relu(%c)\nconst @u : f32[8,4,3,3] = fill(2)\n%f = Conv(%r, @u) {pads=[1,1,1,1], strides=[2,2]}\n"
	  "%s = Slice(%x) {starts=[0,0,0,0], steps=[1,1,2,2]} : f32[2,4,3,3]\n%p = Pad(%s) {pads=[0,2,0,0,0,2,0,0], mode=\"constant\", value=0.0}\n"
	  "%z = Add(%f, %p)\n" Z, "option-a" },
	{ IMAGE "%b = Relu(%x)\n" CONV("c", "b", "1") "%r = Relu(%c)\n" CONV("f", "r", "2") "%z = Add(%x, %f)\n" Z, "pre-identity" },
	{ BASIC "%p = ReduceMean(%f) {axes=[2,3], keepdims=1}\nconst @u : f32[4,4,1,1] = fill(4)\n%e = Conv(%p, @u)\n%s = Sigmoid(%e)\n"
	  "%g = Mul(%f, %s)\n%y = Add(%g, %x)\n%z = Relu(%y)\n" Z, "gated" },
	{ BASIC "%y = Add(%f, %x)\n" CONV("c2", "y", "3") "%r2 = Relu(%c2)\n" CONV("f2", "r2", "4") "%y2 = Add(%y, %f2)\n%y3 = Add(%x, %y2)\n"
	  "%z = Relu(%y3)\n" Z, "identity identity identity" },
	/* no residual sums */
	{ BASIC "const @p : f32[2,4,6,6] = fill(5)\n%y = Add(%f, @p)\n%z = Relu(%y)\n" Z, "" },
	{ BASIC "%p = ReduceMean(%x) {axes=[2,3], keepdims=1}\n%z = Add(%f, %p)\n" Z, "" },
	{ BASIC "%z = Add(%f, %f)\n" Z, "" },
	{ "input %y : f32[2,4,6,6]\n" BASIC "%z = Add(%f, %y)\n" Z, "" },
	{ BASIC CONV("c2", "x", "3") "%r2 = Relu(%c2)\n" CONV("f2", "r2", "4") "%z = Add(%f, %f2)\n" Z, "" },
	{ X "%m = ReduceMean(%x) {axes=[1], keepdims=1}\n%z = Sub(%x, %m)\n" Z, "" },
};

static struct arena arena;
static struct diag diag;

static void setup(void)
{
	diag = (struct diag){ .path = "test", .to = stderr };
}

static void teardown(void)
{
	arena_release(&arena);
}

static struct graph *prepare(const char *text, bool skips)
{
	struct graph *g = text_parse(&arena, &diag, "test", text);

	if (g == NULL)
		return NULL;
	shapes(g);
	ck_assert_msg(diag.errors == 0, "%s", text);
	fold(g);
	skip_scan(g);
	rewrite(g);
	graph_check(g, true);
	if (skips)
		skip(g);
	graph_check(g, true);
	ck_assert_msg(diag.errors == 0, "%s", text);
	return g;
}

static const char *kinds_of(const struct graph *g)
{
	const char *text = "";

	for (int k = 0; k < g->nblock; k++)
		text = arena_printf(&arena, "%s%s%s%s", text, k > 0 ? " " : "", g->block[k].preactivation ? "pre-" : "",
				    block_kind_name(g->block[k].kind));
	return text;
}

static int sort_words(const void *x, const void *y)
{
	return strcmp(*(char *const *)x, *(char *const *)y);
}

/* The same words, in any order. */
static bool same_words(const char *x, const char *y)
{
	char *word[2][16];
	int n[2] = { 0, 0 };
	const char *from[2] = { x, y };

	for (int k = 0; k < 2; k++) {
		char *copy = arena_strdup(&arena, from[k]);

		for (char *w = strtok(copy, " "); w != NULL; w = strtok(NULL, " "))
			word[k][n[k]++] = w;
		qsort(word[k], (size_t)n[k], sizeof(char *), sort_words);
	}
	for (int k = 0; k < n[0] && n[0] == n[1]; k++)
		if (strcmp(word[0][k], word[1][k]) != 0)
			return false;
	return n[0] == n[1];
}

START_TEST(test_case)
{
	const struct skip_case *c = &cases[_i];

	struct graph *before = prepare(c->text, false), *after = prepare(c->text, true);

	ck_assert_msg(before != NULL && after != NULL, "%s", c->text);
	struct buf b = { 0 };

	outputs_print(&b, after);
	ck_assert_msg(same_words(kinds_of(after), c->kinds), "%sis \"%s\", not \"%s\"\n%s", c->text, kinds_of(after), c->kinds, b.data);
	const double error = difference(&arena, before, after);
	ck_assert_msg(error < 2e-7, "%sdiffers by %g\n%s", c->text, error, b.data);
	buf_release(&b);
}
END_TEST

/* ---- depth ---- */

static char *deep(int layers, bool highway)
{
	struct buf b = { 0 };
	char *text;

	buf_puts(&b, highway ? "input %x0 : f32[1,8]\nconst @w : f32[8,8] = fill(1)\nconst @u : f32[8,8] = fill(2)\n"
			     : "input %x0 : f32[1,4,6,6]\nconst @w : f32[4,4,3,3] = fill(1)\n");
	for (int k = 0; k < layers; k++) {
		if (highway)
			buf_printf(&b,
				   "%%a%d = Linear(%%x%d, @w)\n%%t%d = Sigmoid(%%a%d)\n%%b%d = Linear(%%x%d, @u)\n%%h%d = Relu(%%b%d)\n"
				   "%%m%d = Mul(%%h%d, %%t%d)\n%%c%d = Sub(1, %%t%d)\n%%n%d = Mul(%%x%d, %%c%d)\n%%x%d = Add(%%m%d, %%n%d)\n",
				   k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k + 1, k, k);
		else
			buf_printf(&b,
				   "%%a%d = Conv(%%x%d, @w) {pads=[1,1,1,1]}\n%%b%d = Relu(%%a%d)\n%%c%d = Conv(%%b%d, @w) {pads=[1,1,1,1]}\n"
				   "%%s%d = Add(%%c%d, %%x%d)\n%%x%d = Relu(%%s%d)\n",
				   k, k, k, k, k, k, k, k, k, k + 1, k);
	}
	buf_printf(&b, "output %%x%d\n", layers);
	text = arena_strdup(&arena, b.data);
	buf_release(&b);
	return text;
}

START_TEST(test_depth)
{
	const bool highway = _i == 0;

	for (int layers = 250; layers <= 1000; layers *= 2) {
		struct graph *g = prepare(deep(layers, highway), false);
		const clock_t start = clock();

		skip(g);
		const double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;

		graph_check(g, true);
		ck_assert_int_eq(g->nblock, layers);
		printf("%4d %s: %.1f ms\n", layers, highway ? "highway layers" : "residual blocks", 1000 * seconds);
		ck_assert(seconds < 2);
	}
}
END_TEST

START_TEST(test_record)
{
	struct graph *g = prepare(T "%m = Mul(%h, %t) <- \"m\"\n%c = Sub(1, %t) <- \"c\"\n%n = Mul(%x, %c) <- \"n\"\n"
				    "%y = Add(%m, %n) <- \"add\"\n%z = Add(%y, 3) <- \"bias\"\n" Z, true);

	ck_assert_int_eq(g->nblock, 1);
	ck_assert_str_eq(g->block[0].shortcut, "x");
	ck_assert_str_eq(g->block[0].branch, "h");
	ck_assert_str_eq(g->block[0].gate, "t");
	ck_assert_int_eq(g->block[0].join->n, 4);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("skip");
	TCase *t = tcase_create("skip");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_case, 0, (int)(sizeof(cases) / sizeof(cases[0])));
	tcase_add_loop_test(t, test_depth, 0, 2);
	tcase_add_test(t, test_record);
	suite_add_tcase(s, t);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? 0 : 1;
}
