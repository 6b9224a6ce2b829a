/* Memory that is there: for the buffers of steps that have no way to fail (one grain, one face).  Where it ends, the
 * run ends with a message and exit code 1 on all ranks.  Freed with free().  Not collective. */
#ifndef MAGTWIN_MEMORY_H
#define MAGTWIN_MEMORY_H

#include <stdlib.h>

/* Says how much was asked for and ends all ranks. */
_Noreturn void mt_memory_end(size_t bytes);

/* As in stdlib.h, but never NULL, also for a size of 0. */
static inline void *mt_malloc(size_t size) {
  void *p = malloc(size ? size : 1);
  if (!p) mt_memory_end(size);
  return p;
}

static inline void *mt_calloc(size_t n, size_t size) {
  void *p = calloc(n ? n : 1, size ? size : 1);
  if (!p) mt_memory_end(n * size);
  return p;
}

static inline void *mt_realloc(void *old, size_t size) {
  void *p = realloc(old, size ? size : 1);
  if (!p) mt_memory_end(size);
  return p;
}

#endif
