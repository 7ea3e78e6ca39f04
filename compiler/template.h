/* What template.c and its tests share beyond skipc.h. */
#ifndef SKIPC_TEMPLATE_H
#define SKIPC_TEMPLATE_H

#include "emission.h"

/* build/templates.c, made by tools/embed.sh: sorted by name, closed by a null name */
struct embedded {
	const char *name, *text; /* "c/conv" */
};
extern const struct embedded embedded_templates[];

#endif
