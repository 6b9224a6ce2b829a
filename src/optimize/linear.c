/* Linear constraints from their text: "2*thickness - Js <= 5 + count". */
#include "magtwin/memory.h"
#include "magtwin/space.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
  const MtSpace *space;
  const char *at;
  double *coef; /* of what stands left minus what stands right */
  double constant;
  char *why; /* [200] */
} Reader;

static void skip(Reader *r) {
  while (isspace((unsigned char)*r->at)) r->at++;
}

static bool fail(Reader *r, const char *what) {
  snprintf(r->why, 200, "%s at \"%.60s\"; a constraint is written like 2*a - b <= 5", what, r->at);
  return false;
}

static bool is_word(char c) {
  return isalnum((unsigned char)c) || c == '_' || c == '.' || c == '[' || c == ']';
}

static bool read_name(Reader *r, double factor) {
  char name[100];
  size_t n = 0;
  while (is_word(r->at[n]) && n + 1 < sizeof name) n++;
  snprintf(name, sizeof name, "%.*s", (int)n, r->at);
  int i = mt_space_find(r->space, name);
  if (i < 0) return fail(r, "no variable");
  if (r->space->var[i].type == MT_VAR_CATEGORICAL) return fail(r, "a categorical variable has no size,");
  r->coef[i] += factor;
  r->at += n;
  return true;
}

/* [number] [*] [name] */
static bool read_term(Reader *r, double factor) {
  char *end;
  bool number = isdigit((unsigned char)*r->at) || *r->at == '.';
  if (number) {
    factor *= strtod(r->at, &end);
    r->at = end;
    skip(r);
    bool times = *r->at == '*';
    if (times) r->at++;
    skip(r);
    if (!times && !isalpha((unsigned char)*r->at)) {
      r->constant += factor;
      return true;
    }
  }
  return isalpha((unsigned char)*r->at) || *r->at == '_' ? read_name(r, factor) : fail(r, "no number or name");
}

static bool read_sum(Reader *r, double side) {
  for (bool first = true;; first = false) {
    double sign = side;
    skip(r);
    if (*r->at == '-') sign = -side;
    if (*r->at == '-' || *r->at == '+')
      r->at++;
    else if (!first)
      return true;
    skip(r);
    if (!read_term(r, sign)) return false;
  }
}

static bool read_relation(Reader *r, double *sign) {
  if ((r->at[0] != '<' && r->at[0] != '>') || r->at[1] != '=') return fail(r, "no <= or >=");
  *sign = r->at[0] == '<' ? 1 : -1;
  r->at += 2;
  return true;
}

static bool read_all(Reader *r, double *sign) {
  if (!read_sum(r, 1) || !read_relation(r, sign) || !read_sum(r, -1)) return false;
  bool used = false;
  for (int i = 0; i < r->space->nvars; i++) used = used || r->coef[i] != 0;
  if (*r->at) return fail(r, "something left over");
  return used || fail(r, "no variable left");
}

bool mt_space_constrain(MtSpace *s, const char *text, char why[200]) {
  double sign = 1, *coef = mt_calloc((size_t)s->nvars, sizeof *coef);
  Reader r = {.space = s, .at = text, .coef = coef, .why = why};
  if (!read_all(&r, &sign)) {
    free(coef);
    return false;
  }
  for (int i = 0; i < s->nvars; i++) coef[i] *= sign;
  size_t n = strlen(text) + 1;
  s->linear = mt_realloc(s->linear, sizeof *s->linear * (size_t)(s->nlinear + 1));
  s->linear[s->nlinear++] = (MtLinear){mt_malloc(n), coef, -sign * r.constant};
  memcpy(s->linear[s->nlinear - 1].text, text, n);
  return true;
}
