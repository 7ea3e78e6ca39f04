/* Recognises a handwritten digit. No allocation, no input or output; nothing of the C library. */
#ifndef INFER_H
#define INFER_H

enum { INFER_PIXELS = 64, INFER_CLASSES = 10 };

/* Once, before the first infer_digit(). 0, or a negative status of digits.h. */
int infer_init(void);

/* The digit, 0 to 9, or a negative status. pixels: 8 rows of 8, from 0 to 1. scores: one per digit, written. Not
 * re-entrant, as there is one arena. */
int infer_digit(const float *pixels, float *scores);

#endif
