/* The table of targets. */
#include "kernels/target.h"

#include <stddef.h>
#include <string.h>

static const struct target targets[] = {
	{
#include "../../templates/x86/target.def"
	},
	{
#include "../../templates/aarch64/target.def"
	},
	{
#include "../../templates/c/target.def"
	},
};

enum { NTARGET = sizeof(targets) / sizeof(targets[0]) };

const struct target *target_find(const char *name)
{
	for (int k = 0; k < NTARGET; k++)
		if (strcmp(targets[k].name, name) == 0)
			return &targets[k];
	return NULL;
}

const char *target_names(int k)
{
	return k < NTARGET ? targets[k].name : NULL;
}

bool target_has_vectors(const struct target *t)
{
	return t->nisa > 0;
}

int target_lanes(const struct target *t)
{
	int lanes = target_has_vectors(t) ? t->isa[0].lanes : 1;

	for (int k = 0; k < t->nisa; k++)
		if (t->isa[k].lanes > 1 && t->isa[k].lanes < lanes)
			lanes = t->isa[k].lanes;
	return lanes;
}

const struct isa *target_set(const struct target *t, int i)
{
	if (i < t->nisa)
		return &t->isa[i];
	return i < t->nisa + t->ndots ? &t->dots[i - t->nisa] : NULL;
}

double target_cost(const struct target *t, const struct isa *set, enum cost what)
{
	for (int i = 0; set->more != NULL && i < t->nisa; i++)
		if ((set->cost == NULL || set->cost[what] == 0.0) &&
			strcmp(t->isa[i].suffix, set->more) == 0)
			set = &t->isa[i];
	return set->cost != NULL ? set->cost[what] : 0.0;
}
