/* Laying out the points of a sweep: grid, Latin hypercube, Sobol's sequence; repeats with seeds. */
#include "magtwin/error.h"
#include "magtwin/json.h"
#include "magtwin/memory.h"
#include "sweep_impl.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_POINTS = 100000 };

static void add_point(const MtInput *in, MtSweep *s, const double *x) {
  if (!mt_space_contains(&s->space, x, NULL)) return;
  for (int r = 0; r < s->repeats; r++) {
    s->point = mt_realloc(s->point, sizeof *s->point * (size_t)(s->npoints + 1));
    MtPoint *p = &s->point[s->npoints++];
    *p = (MtPoint){.seed = s->repeats > 1 ? mt_input_int(in, "sweep.seed") + r : -1};
    p->x = mt_malloc(sizeof *x * (size_t)s->space.nvars);
    memcpy(p->x, x, sizeof *x * (size_t)s->space.nvars);
    p->y = mt_malloc(sizeof *p->y * (size_t)s->nnumbers);
    for (int k = 0; k < s->nnumbers; k++) p->y[k] = NAN;
  }
}

static double level(const MtSweep *s, int axis, int k) {
  const MtVariable *v = &s->space.var[axis];
  if (v->type == MT_VAR_CATEGORICAL) return k;
  double t = (double)k / (s->levels[axis] - 1);
  double x = v->log ? v->min * pow(v->max / v->min, t) : v->min + t * (v->max - v->min);
  return k == s->levels[axis] - 1 ? v->max : v->type == MT_VAR_INTEGER ? round(x) : x;
}

/* The last axis runs fastest. */
static PetscErrorCode grid(const MtInput *in, MtSweep *s) {
  const int n = s->space.nvars;
  double total = 1, *x = mt_malloc(sizeof *x * (size_t)n);
  for (int i = 0; i < n; i++) total *= s->levels[i];
  for (long p = 0; total <= MAX_POINTS && p < (long)total; p++) {
    long rest = p;
    for (int i = n - 1; i >= 0; rest /= s->levels[i], i--) x[i] = level(s, i, (int)(rest % s->levels[i]));
    add_point(in, s, x);
  }
  free(x);
  return total <= MAX_POINTS
             ? 0
             : mt_input_error(in, "sweep.axes", "a grid of %.0f points is more than %d", total, (int)MAX_POINTS);
}

static void latin(const MtInput *in, MtSweep *s, int n) {
  const size_t d = (size_t)s->space.nvars;
  double *u = mt_malloc(sizeof *u * (size_t)n * d), *x = mt_malloc(sizeof *x * d);
  mt_latin((int)d, n, (uint64_t)mt_input_int(in, "sweep.seed"), u);
  for (int i = 0; i < n; i++) {
    mt_space_spread(&s->space, u + (size_t)i * d, x);
    add_point(in, s, x);
  }
  free(u);
  free(x);
}

static void sobol(const MtInput *in, MtSweep *s, int n) {
  const size_t d = (size_t)s->space.nvars;
  const int wanted = n * s->repeats;
  double *u = mt_malloc(sizeof *u * 2 * d), *x = u + d;
  for (uint32_t i = 0; s->npoints < wanted && i < 1000u * (uint32_t)n; i++) {
    mt_sobol((int)d, (uint64_t)mt_input_int(in, "sweep.seed"), i, u);
    mt_space_spread(&s->space, u, x);
    add_point(in, s, x);
  }
  free(u);
}

PetscErrorCode mt_sweep_lay_out(const MtInput *in, MtSweep *s) {
  const char *design = mt_input_string(in, "sweep.design");
  s->repeats = (int)mt_input_int(in, "sweep.repeats");
  PetscErrorCode rc = 0;
  if (!strcmp(design, "grid"))
    rc = grid(in, s);
  else if (!strcmp(design, "latin"))
    latin(in, s, (int)mt_input_int(in, "sweep.points"));
  else
    sobol(in, s, (int)mt_input_int(in, "sweep.points"));
  if (rc || s->npoints) return rc;
  return mt_input_error(in, "sweep.constraints", "no point of the design satisfies them");
}

char *mt_sweep_points_text(const MtSweep *s) {
  char *text = NULL, buf[32];
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) abort();
  fprintf(f, "id");
  for (int i = 0; i < s->space.nvars; i++)
    fprintf(f, ",%s", s->key && s->evaluator.key ? s->key[i] : s->space.var[i].name);
  fprintf(f, ",seed\n");
  for (int p = 0; p < s->npoints; p++) {
    fprintf(f, "%d", p + 1);
    for (int i = 0; i < s->space.nvars; i++) {
      const char *value = mt_space_text(&s->space.var[i], s->point[p].x[i], buf);
      bool quote = strpbrk(value, ",\"") != NULL;
      fprintf(f, quote ? ",\"%s%s%s\"" : ",%s%s%s", value, s->unit[i][0] ? " " : "", s->unit[i]);
    }
    if (s->point[p].seed >= 0) fprintf(f, ",%lld\n", (long long)s->point[p].seed);
    if (s->point[p].seed < 0) fprintf(f, ",\n");
  }
  fclose(f);
  return text;
}
