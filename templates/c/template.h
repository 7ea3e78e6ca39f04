/* Defaults with which every template compiles, is linted and is tested by itself. An instance has none
 * of this: skipc drops everything up to the line that includes this file. */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include <stdint.h>
#include <string.h>

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off", "no-loop-interchange")
#endif
#if defined(__GNUC__)
#pragma GCC diagnostic ignored "-Wunused-function"
#endif

#include "inline.h"

#define TARGET				 /* what the instruction set that an instance is for wants in front */
#ifndef EPILOGUE
#define EPILOGUE(v, ...) ((void)(v)) /* statements that change v, given ONNX's coordinates */
#endif
#define FROM(range) 0			 /* where a loop that may be cut in parts begins */
#define TO(range, end) (end)		 /* and where it ends */
#ifndef SCALAR
#define SCALAR 1			 /* sums are kept in variables: see interface/NAME.c */
#endif
#ifndef FPU
#define FPU 1				 /* the processor has floats: see there, too */
#endif
#define WIDENED(type, wide) type	 /* see there, too */
#define APART				 /* as this */
#define DSP 0				 /* as this */
#define T float				 /* element type */
#define I int64_t			 /* type of run-time indices */

#endif
