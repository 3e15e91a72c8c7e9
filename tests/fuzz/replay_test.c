/*
 * replay_test.c - every input of the corpus once more, in "make test": what a fuzzer has found
 * stays found. One check for each target.
 */
#include "../unit/tap.h"
#include "targets.h"

#include <dirent.h>
#include <stdlib.h>

static int replay_file(const struct fuzz_target *target, const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes = malloc(1 << 20);
	size_t length = 0;

	if (file != NULL && bytes != NULL)
		length = fread(bytes, 1, 1 << 20, file);
	if (file != NULL) {
		(void)fclose(file);
		target->run(bytes, length);
	}
	free(bytes);
	return file != NULL;
}

static int replay(const struct fuzz_target *target)
{
	char directory[128], path[512];
	int count = 0;

	snprintf(directory, sizeof directory, "tests/fuzz/corpus/%s", target->name);
	DIR *files = opendir(directory);
	for (const struct dirent *entry; files != NULL && (entry = readdir(files)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%.300s", directory, entry->d_name);
		count += replay_file(target, path);
	}
	if (files != NULL)
		(void)closedir(files);
	return count;
}

int main(void)
{
	for (size_t i = 0; i < fuzz_target_count; i++) {
		char what[80];
		int count = replay(&fuzz_targets[i]);
		snprintf(what, sizeof what, "%s: %d inputs of the corpus", fuzz_targets[i].name, count);
		CHECK(count > 0, what);
	}
	return tap_done();
}
