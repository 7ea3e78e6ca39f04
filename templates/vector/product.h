/*
 * A small matrix product, all sizes built in: c [n][m] = (or +=) the sum over i < *count of b_i [n][k] a_i [k][m],
 * where a_i lies at_a[i] bytes behind a, and b_i at_b[i] behind b.
 */
typedef void gemm_fn(const float *a, const float *b, float *c, const uint64_t *count, const uint64_t *at_a,
		     const uint64_t *at_b);

#define GEMM(attribute, name, function, ...) \
	static attribute void name(const float *a, const float *b, float *c, const uint64_t *count, \
		const uint64_t *at_a, const uint64_t *at_b) \
	{ \
		function(a, b, c, count, at_a, at_b, __VA_ARGS__); \
	}
