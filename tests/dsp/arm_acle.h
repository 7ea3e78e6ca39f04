/*
 * Arm's DSP instructions on other machines: with this folder before the system's (-isystem tests/dsp -D__ARM_FEATURE_DSP=1) generated
 * code believes to have them.
 */
#ifndef EMULATED_ARM_ACLE_H
#define EMULATED_ARM_ACLE_H

/* The first and the third byte, in the halves of the result. */
static inline uint32_t __uxtb16(uint32_t x)
{
	return x & 0x00ff00ffu;
}

static inline int32_t __sxtb16(int32_t x)
{
	const uint32_t low = (uint32_t)(int8_t)(x & 255) & 0xffffu, high = (uint32_t)(int8_t)(x >> 16 & 255);

	return (int32_t)(low | high << 16);
}

static inline int32_t __smlad(int32_t x, int32_t y, int32_t sum)
{
	return (int32_t)((uint32_t)sum + (uint32_t)((int16_t)(x & 0xffff) * (int16_t)(y & 0xffff)) +
			 (uint32_t)((int16_t)(x >> 16) * (int16_t)(y >> 16)));
}

#endif
