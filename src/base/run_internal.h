/* The phases, for the summary. */
#ifndef BASE_RUN_INTERNAL_H
#define BASE_RUN_INTERNAL_H

#include <stdbool.h>

enum { MT_MAX_PHASES = 64 };

typedef struct {
  char name[48];
  int depth; /* how often it is open; only the outermost counts */
  long calls;
  double start;                      /* s, of the open one */
  double seconds;                    /* s, of the closed ones */
  double processor_start, processor; /* s, of this process, in the same way */
} MtPhase;

MtPhase *mt_phase_find(const char *name, bool add); /* NULL if unknown, or too many */
const MtPhase *mt_phase_list(int *n);

#endif
