/* Variables and the unit cube of the surrogate (space.h). */
#include "magtwin/space.h"
#include "magtwin/input.h"
#include "magtwin/json.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static char *copy(const char *text) {
  size_t n = strlen(text) + 1;
  return memcpy(mt_malloc(n), text, n);
}

void mt_space_add(MtSpace *s, const char *name, MtVarType type, double min, double max, bool log, int nvalues,
                  const char *const *values) {
  s->var = mt_realloc(s->var, sizeof *s->var * (size_t)(s->nvars + 1));
  MtVariable *v = &s->var[s->nvars++];
  *v = (MtVariable){.name = copy(name), .type = type, .min = min, .max = max, .log = log, .nvalues = nvalues};
  if (type != MT_VAR_CATEGORICAL) return;
  v->max = nvalues - 1;
  v->value = mt_malloc(sizeof *v->value * (size_t)nvalues);
  for (int i = 0; i < nvalues; i++) v->value[i] = copy(values[i]);
}

void mt_space_free(MtSpace *s) {
  for (int i = 0; i < s->nvars; i++) {
    for (int j = 0; j < s->var[i].nvalues; j++) free(s->var[i].value[j]);
    free(s->var[i].value);
    free(s->var[i].name);
  }
  for (int i = 0; i < s->nlinear; i++) {
    free(s->linear[i].text);
    free(s->linear[i].coef);
  }
  free(s->var);
  free(s->linear);
  free(s->pool);
  *s = (MtSpace){0};
}

int mt_space_find(const MtSpace *s, const char *name) {
  for (int i = 0; i < s->nvars; i++)
    if (!strcmp(s->var[i].name, name)) return i;
  return -1;
}

const char *mt_space_text(const MtVariable *v, double x, char buf[32]) {
  return v->type == MT_VAR_CATEGORICAL ? v->value[(int)x] : mt_real_text(x, buf);
}

static bool category(const MtVariable *v, const char *text, double *x, char why[200]) {
  for (int i = 0; i < v->nvalues; i++)
    if (!strcmp(v->value[i], text)) {
      *x = i;
      return true;
    }
  const char *near = mt_suggest(text, v->nvalues, (const char *const *)v->value);
  snprintf(why, 200, "%s is none of the values of %s%s%s%s", text, v->name, near ? "; did you mean " : "",
           near ? near : "", near ? "?" : "");
  return false;
}

static bool in_range(const MtVariable *v, double x, char why[200]) {
  if (x >= v->min && x <= v->max && (v->type == MT_VAR_REAL || x == floor(x))) return true;
  if (!why) return false;
  if (v->type != MT_VAR_REAL && x != floor(x))
    snprintf(why, 200, "%s is a whole number, not %g", v->name, x);
  else
    snprintf(why, 200, "%s = %g lies outside %g .. %g", v->name, x, v->min, v->max);
  return false;
}

bool mt_space_value(const MtVariable *v, const char *text, double *x, char why[200]) {
  char *end;
  if (v->type == MT_VAR_CATEGORICAL) return category(v, text, x, why);
  *x = strtod(text, &end);
  if (end == text || *end || !isfinite(*x)) {
    snprintf(why, 200, "%s: %s is not a number", v->name, text);
    return false;
  }
  return in_range(v, *x, why);
}

/* sum - bound, and its size for what counts as rounding */
static double excess(const MtSpace *s, const MtLinear *c, const double *x, double *size) {
  double sum = -c->bound;
  *size = fabs(c->bound);
  for (int i = 0; i < s->nvars; i++) {
    sum += c->coef[i] * x[i];
    *size += fabs(c->coef[i] * x[i]);
  }
  return sum;
}

bool mt_space_contains(const MtSpace *s, const double *x, char why[200]) {
  double size;
  for (int i = 0; i < s->nvars; i++)
    if (!in_range(&s->var[i], x[i], why)) return false;
  for (int k = 0; k < s->nlinear; k++) {
    if (excess(s, &s->linear[k], x, &size) <= 1e-9 * size) continue;
    if (why) snprintf(why, 200, "the constraint %.120s does not hold", s->linear[k].text);
    return false;
  }
  return true;
}

int mt_space_dim(const MtSpace *s) {
  int dim = 0;
  for (int i = 0; i < s->nvars; i++) dim += s->var[i].type == MT_VAR_CATEGORICAL ? s->var[i].nvalues : 1;
  return dim;
}

void mt_space_encode(const MtSpace *s, const double *x, double *u) {
  for (int i = 0; i < s->nvars; i++) {
    const MtVariable *v = &s->var[i];
    if (v->type == MT_VAR_CATEGORICAL)
      for (int j = 0; j < v->nvalues; j++) *u++ = j == (int)x[i];
    else if (v->max == v->min)
      *u++ = 0;
    else
      *u++ = v->log ? log(x[i] / v->min) / log(v->max / v->min) : (x[i] - v->min) / (v->max - v->min);
  }
}

static double largest(const double *u, int n) {
  int best = 0;
  for (int j = 1; j < n; j++)
    if (u[j] > u[best]) best = j;
  return best;
}

void mt_space_decode(const MtSpace *s, const double *u, double *x) {
  for (int i = 0; i < s->nvars; i++) {
    const MtVariable *v = &s->var[i];
    if (v->type == MT_VAR_CATEGORICAL) {
      x[i] = largest(u, v->nvalues);
      u += v->nvalues;
      continue;
    }
    x[i] = v->log ? v->min * pow(v->max / v->min, *u) : v->min + *u * (v->max - v->min);
    if (v->type == MT_VAR_INTEGER) x[i] = round(x[i]);
    x[i] = fmin(fmax(x[i], v->min), v->max);
    u++;
  }
}
