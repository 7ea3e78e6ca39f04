/* The rows of opset.def for who lists them. */
#include "core/skipc.h"

#include <string.h>

static const struct operator_version versions[] = {
#define ROW(dom, op, version, min, max, outs, function, argument, attributes) \
	{ dom, #op, version, min, max, outs, attributes },
#include "import/opset.def"
};

static const struct refused_operator refusals[] = {
#define REFUSED(dom, op, why)   { dom, op, why, NULL },
#define REFUSED_BY(dom, op, by) { dom, op, NULL, NULL },
#define OTHERS(dom, list)       { dom, NULL, NULL, list },
#include "import/opset.def"
};

const struct operator_version *catalogue_version(int k)
{
	return k < (int)(sizeof(versions) / sizeof(versions[0])) ? &versions[k] : NULL;
}

const struct operator_version *catalogue_next(const struct operator_version *v)
{
	const struct operator_version *next = v + 1, *end = versions + sizeof(versions) / sizeof(versions[0]);

	while (next < end && (strcmp(next->domain, v->domain) != 0 || strcmp(next->name, v->name) != 0))
		next++;
	return next < end ? next : NULL;
}

bool catalogue_is_first(const struct operator_version *v)
{
	for (const struct operator_version *u = versions; u < v; u++)
		if (strcmp(u->domain, v->domain) == 0 && strcmp(u->name, v->name) == 0)
			return false;
	return true;
}

const struct refused_operator *catalogue_refusal(int k)
{
	return k < (int)(sizeof(refusals) / sizeof(refusals[0])) ? &refusals[k] : NULL;
}
