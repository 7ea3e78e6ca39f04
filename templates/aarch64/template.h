#include "../vector/template.h"
