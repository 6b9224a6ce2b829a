/* Formulas: recursive descent into postfix operations, evaluated on a small stack. */
#include "magtwin/formula.h"
#include "magtwin/memory.h"
#include "magtwin/units.h"
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MAX_STACK = 64, MAX_NAMES = 32, MAX_NAME = 32, MAX_NESTING = 100 };

typedef enum {
  OP_NUMBER,
  OP_VARIABLE,
  OP_NAME, /* value of an earlier name */
  OP_KEEP, /* takes the top as the value of the next name */
  OP_ADD,
  OP_SUBTRACT,
  OP_MULTIPLY,
  OP_DIVIDE,
  OP_POWER,
  OP_NEGATE,
  OP_ONE, /* function of one argument */
  OP_TWO
} Op;

typedef struct {
  Op op;
  int index;     /* of variable, name, function */
  double number; /* OP_NUMBER */
} Instruction;

struct MtFormula {
  int n, capacity;
  Instruction *code; /* [n] owned */
  unsigned used;     /* bit v: variable v */
};

static double step(double x) {
  return x < 0 ? 0 : 1;
}

static const struct {
  const char *name;
  double (*value)(double);
} ONE[] = {{"abs", fabs},  {"acos", acos}, {"asin", asin},   {"atan", atan}, {"cos", cos},
           {"cosh", cosh}, {"exp", exp},   {"floor", floor}, {"log", log},   {"sin", sin},
           {"sinh", sinh}, {"sqrt", sqrt}, {"step", step},   {"tan", tan},   {"tanh", tanh}};

static const struct {
  const char *name;
  double (*value)(double, double);
} TWO[] = {{"atan2", atan2}, {"max", fmax}, {"min", fmin}};

typedef struct {
  const char *text, *at;
  MtFormula *f;
  char *why;
  bool failed;
  int depth, nesting; /* of the stack when it runs; of brackets and signs */
  int nnames;
  char name[MAX_NAMES][MAX_NAME];
} Parser;

static void fail(Parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void fail(Parser *p, const char *format, ...) {
  char what[120];
  va_list args;
  if (p->failed) return;
  va_start(args, format);
  vsnprintf(what, sizeof what, format, args);
  va_end(args);
  snprintf(p->why, 200, "%s at character %d", what, (int)(p->at - p->text) + 1);
  p->failed = true;
}

static void emit(Parser *p, Op op, int index, double number, int change) {
  MtFormula *f = p->f;
  if (f->n == f->capacity) {
    f->capacity = f->capacity ? 2 * f->capacity : 32;
    f->code = mt_realloc(f->code, (size_t)f->capacity * sizeof *f->code);
  }
  f->code[f->n++] = (Instruction){op, index, number};
  p->depth += change;
  if (p->depth > MAX_STACK) fail(p, "too many values in one expression");
}

static void skip(Parser *p) {
  while (isspace((unsigned char)*p->at)) p->at++;
}

static bool take(Parser *p, char c) {
  skip(p);
  if (*p->at != c) return false;
  p->at++;
  return true;
}

static void expect(Parser *p, char c) {
  if (!take(p, c)) fail(p, "expected '%c'", c);
}

static void sum(Parser *p);

static bool word(Parser *p, char out[MAX_NAME]) {
  int n = 0;
  skip(p);
  if (!isalpha((unsigned char)*p->at)) return false;
  while (isalnum((unsigned char)p->at[n]) || p->at[n] == '_') n++;
  if (n >= MAX_NAME) {
    fail(p, "a name of more than %d letters", MAX_NAME - 1);
    return false;
  }
  memcpy(out, p->at, (size_t)n);
  out[n] = 0;
  p->at += n;
  return true;
}

static int find_name(const Parser *p, const char *name) {
  for (int i = 0; i < p->nnames; i++)
    if (strcmp(p->name[i], name) == 0) return i;
  return -1;
}

static int find_variable(const char *name) {
  const char *at = name[0] && !name[1] ? strchr("xyzt", name[0]) : NULL;
  return at ? (int)(at - "xyzt") : -1;
}

static int find_one(const char *name) {
  for (size_t i = 0; i < sizeof ONE / sizeof *ONE; i++)
    if (strcmp(ONE[i].name, name) == 0) return (int)i;
  return -1;
}

static int find_two(const char *name) {
  for (size_t i = 0; i < sizeof TWO / sizeof *TWO; i++)
    if (strcmp(TWO[i].name, name) == 0) return (int)i;
  return -1;
}

static void call(Parser *p, const char *name) {
  const int one = find_one(name), two = find_two(name);
  expect(p, '(');
  sum(p);
  if (two >= 0) {
    expect(p, ',');
    sum(p);
  }
  expect(p, ')');
  emit(p, one >= 0 ? OP_ONE : OP_TWO, one >= 0 ? one : two, 0, one >= 0 ? 0 : -1);
}

static void named(Parser *p) {
  char name[MAX_NAME];
  const char *start = p->at;
  if (!word(p, name)) return;
  const int v = find_variable(name), kept = find_name(p, name);
  if (v >= 0) {
    emit(p, OP_VARIABLE, v, 0, 1);
    p->f->used |= 1u << v;
  } else if (strcmp(name, "pi") == 0) {
    emit(p, OP_NUMBER, 0, MT_PI, 1);
  } else if (kept >= 0) {
    emit(p, OP_NAME, kept, 0, 1);
  } else if (find_one(name) >= 0 || find_two(name) >= 0) {
    call(p, name);
  } else {
    p->at = start;
    fail(p, "unknown name \"%s\"", name);
  }
}

static void number(Parser *p) {
  char *end;
  const double value = strtod(p->at, &end);
  if (end == p->at) {
    fail(p, *p->at ? "expected a number, a name or '('" : "the formula ends too early");
    return;
  }
  p->at = end;
  emit(p, OP_NUMBER, 0, value, 1);
}

static void primary(Parser *p) {
  skip(p);
  if (take(p, '(')) {
    sum(p);
    expect(p, ')');
  } else if (isalpha((unsigned char)*p->at)) {
    named(p);
  } else {
    number(p);
  }
}

/* A sign binds less than ^: -2^2 = -4, and 2^-2 = .25. */
static void factor(Parser *p) {
  if (++p->nesting > MAX_NESTING) fail(p, "nested too deeply");
  if (p->failed) return;
  skip(p);
  if (take(p, '-')) {
    factor(p);
    emit(p, OP_NEGATE, 0, 0, 0);
  } else if (take(p, '+')) {
    factor(p);
  } else {
    primary(p);
    if (!p->failed && take(p, '^')) {
      factor(p);
      emit(p, OP_POWER, 0, 0, -1);
    }
  }
  p->nesting--;
}

static void product(Parser *p) {
  factor(p);
  while (!p->failed) {
    const bool times = take(p, '*');
    if (!times && !take(p, '/')) return;
    factor(p);
    emit(p, times ? OP_MULTIPLY : OP_DIVIDE, 0, 0, -1);
  }
}

static void sum(Parser *p) {
  product(p);
  while (!p->failed) {
    const bool plus = take(p, '+');
    if (!plus && !take(p, '-')) return;
    product(p);
    emit(p, plus ? OP_ADD : OP_SUBTRACT, 0, 0, -1);
  }
}

/* "name =" -> true, with the name added; else nothing is taken. */
static bool assignment(Parser *p, char name[MAX_NAME]) {
  const char *start = p->at;
  if (!word(p, name) || !take(p, '=')) {
    p->at = start;
    return false;
  }
  if (find_variable(name) >= 0 || find_one(name) >= 0 || find_two(name) >= 0 || strcmp(name, "pi") == 0 ||
      find_name(p, name) >= 0) {
    p->at = start;
    fail(p, "the name \"%s\" is taken", name);
  } else if (p->nnames == MAX_NAMES) {
    fail(p, "more than %d names", MAX_NAMES);
  }
  return true;
}

static void formula(Parser *p) {
  char name[MAX_NAME];
  while (!p->failed && assignment(p, name)) {
    sum(p);
    expect(p, ';');
    emit(p, OP_KEEP, p->nnames, 0, -1);
    if (!p->failed) memcpy(p->name[p->nnames++], name, sizeof name);
  }
  sum(p);
  skip(p);
  if (*p->at) fail(p, "unexpected '%c'", *p->at);
}

MtFormula *mt_formula_read(const char *text, char why[200]) {
  Parser *p = mt_calloc(1, sizeof *p);
  MtFormula *f = mt_calloc(1, sizeof *f);
  *p = (Parser){.text = text, .at = text, .f = f, .why = why};
  formula(p);
  if (p->failed) mt_formula_free(&f);
  free(p);
  return f;
}

void mt_formula_free(MtFormula **f) {
  if (!*f) return;
  free((*f)->code);
  free(*f);
  *f = NULL;
}

bool mt_formula_uses(const MtFormula *f, MtVariable v) {
  return f->used >> v & 1u;
}

static double two_operands(const Instruction *i, double a, double b) {
  switch (i->op) {
  case OP_ADD:
    return a + b;
  case OP_SUBTRACT:
    return a - b;
  case OP_MULTIPLY:
    return a * b;
  case OP_DIVIDE:
    return a / b;
  case OP_POWER:
    return b == 2 ? a * a : pow(a, b);
  default:
    return TWO[i->index].value(a, b);
  }
}

double mt_formula_value(const MtFormula *f, const double variable[MT_NVARS]) {
  double stack[MAX_STACK + 1] = {0}, kept[MAX_NAMES] = {0};
  int n = 0;
  for (int k = 0; k < f->n; k++) {
    const Instruction *i = f->code + k;
    switch (i->op) {
    case OP_NUMBER:
      stack[n++] = i->number;
      break;
    case OP_VARIABLE:
      stack[n++] = variable[i->index];
      break;
    case OP_NAME:
      stack[n++] = kept[i->index];
      break;
    case OP_KEEP:
      kept[i->index] = stack[--n];
      break;
    case OP_NEGATE:
      stack[n - 1] = -stack[n - 1];
      break;
    case OP_ONE:
      stack[n - 1] = ONE[i->index].value(stack[n - 1]);
      break;
    default:
      n--;
      stack[n - 1] = two_operands(i, stack[n - 1], stack[n]);
    }
  }
  return stack[0];
}
