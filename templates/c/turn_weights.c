/*
 * Weights of a convolution from the model's order, [STACK][G][K][C][TAPS], to c/conv's: [G][block][TAPS][C][STACK][KB], K and
 * C being the channels of one group, the last block of which holds only what is left; zeros behind them up to SIZE.
 */
#include "template.h"

/* Weights of a convolution from the model's order to the kernel's: see the top of this file. */
static TARGET void turn_weights(const float *restrict w, float *y)
{
	enum { STACK = 1, G = 1, K = 20, KB = 16, C = 4, TAPS = 9, SIZE = 720 };
	int n = 0;

	for (int g = 0; g < G; g++)
	for (int k0 = 0; k0 < K; k0 += KB)
	for (int i = 0; i < TAPS * C; i++)
	for (int s = 0; s < STACK; s++)
	for (int k = k0; k < k0 + KB && k < K; k++)
		y[n++] = w[(((s * G + g) * K + k) * C + i % C) * TAPS + i / C];
	while (n < SIZE)
		y[n++] = 0.0f;
}
