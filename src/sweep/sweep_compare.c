/* How numbers change along one axis of a grid, from its first value on. */
#include "magtwin/log.h"
#include "sweep_impl.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN = 40 }; /* lines on the log; results.csv has all */

/* Points of a grid follow each other with the repeats innermost, then the last axis. */
static int first_of(const MtSweep *s, int i) {
  int stride = s->repeats;
  for (int a = s->space.nvars - 1; a > s->compared; a--) stride *= s->levels[a];
  return i - i / stride % s->levels[s->compared] * stride;
}

double mt_sweep_change(const MtSweep *s, int i, int k, double *percent) {
  const MtPoint *p = &s->point[i], *first = &s->point[first_of(s, i)];
  const bool both = p->state == MT_POINT_DONE && first->state == MT_POINT_DONE;
  const double change = both ? p->y[k] - first->y[k] : NAN;
  *percent = both && first->y[k] != 0 ? 100 * change / fabs(first->y[k]) : NAN;
  return change;
}

static void print_number(FILE *f, const MtSweep *s, int i, int k) {
  double percent, change = mt_sweep_change(s, i, k, &percent);
  fprintf(f, "  %s %.6g", s->number[k].name, s->point[i].y[k]);
  if (first_of(s, i) == i || !isfinite(change)) return;
  fprintf(f, " (%+.4g", change);
  if (isfinite(percent)) fprintf(f, ", %+.3g %%", percent);
  fputc(')', f);
}

static void print_value(FILE *f, const MtSweep *s, int i, int axis) {
  const MtVariable *v = &s->space.var[axis];
  const double x = s->point[i].x[axis];
  if (v->type == MT_VAR_CATEGORICAL)
    fprintf(f, "  %s %s", v->name, v->value[(int)x]);
  else
    fprintf(f, "  %s %.6g", v->name, x);
  if (s->unit[axis][0]) fprintf(f, " %s", s->unit[axis]);
}

static void tell_point(const MtSweep *s, int i) {
  char *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) abort();
  for (int a = 0; a < s->space.nvars; a++) print_value(f, s, i, a);
  for (int k = 0; k < s->nnumbers; k++) print_number(f, s, i, k);
  fclose(f);
  mt_log("  point %d:%s", i + 1, text);
  free(text);
}

void mt_sweep_tell_changes(const MtSweep *s) {
  int shown = 0;
  for (int i = 0; i < s->npoints && shown < SHOWN; i++) {
    if (s->point[i].state != MT_POINT_DONE) continue;
    tell_point(s, i);
    shown++;
  }
}
