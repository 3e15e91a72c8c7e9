/* model.c - the table of serving models; see model.h. */
#include "model.h"

#include "kit/text.h"

#include <string.h>

static const struct model *const all[] = {
    &model_iterative, &model_fork, &model_thread, &model_poll, &model_epoll,
};

const struct model *const *models(size_t *count)
{
	*count = sizeof all / sizeof all[0];
	while (all[*count - 1]->run == NULL) /* epoll, where the system has none */
		--*count;
	return all;
}

const struct model *model_default(void)
{
	size_t count;
	const struct model *const *table = models(&count);

	return table[count - 1];
}

const char *model_names(void)
{
	static char names[80];
	size_t count;
	const struct model *const *table = models(&count);

	names[0] = '\0';
	for (size_t i = 0; i < count; i++)
		text_add(names, sizeof names, "%s%s", i > 0 ? ", " : "", table[i]->name);
	return names;
}

const struct model *model_find(const char *name)
{
	size_t count;
	const struct model *const *table = models(&count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(table[i]->name, name) == 0)
			return table[i];
	return NULL;
}
