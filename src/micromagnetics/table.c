/* Lists of records made of doubles: they go into a checkpoint and come back as they are. */
#include "magtwin/error.h"
#include "site.h"
#include <stdlib.h>
#include <string.h>

PetscErrorCode mt_table_add(MtTable *t, const void *row) {
  if (t->n == t->capacity) {
    int capacity = t->capacity ? 2 * t->capacity : 16;
    double *grown = realloc(t->data, (size_t)capacity * (size_t)t->width * sizeof *grown);
    if (!grown) return mt_error(MT_ERR_FAIL, "out of memory for a list of %d records", capacity);
    t->data = grown;
    t->capacity = capacity;
  }
  memcpy(t->data + (size_t)t->n++ * (size_t)t->width, row, (size_t)t->width * sizeof *t->data);
  return 0;
}

void mt_table_free(MtTable *t) {
  free(t->data);
  *t = (MtTable){.width = t->width};
}

char *mt_path_join(const char *folder, const char *name) {
  size_t n = strlen(folder) + strlen(name) + 2;
  char *path = malloc(n);
  if (!path) abort();
  snprintf(path, n, "%s/%s", folder, name);
  return path;
}
