/* Values by path.  Asking wrongly is a bug of the program: it ends at once and says which key. */
#include "input_internal.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void bug(const char *path, const char *what) {
  fprintf(stderr, "magtwin: bug: input key %s %s\n", path, what);
  abort();
}

static MtEntry *lookup(const MtInput *in, const char *format, va_list args) {
  char path[MT_PATH_MAX];
  vsnprintf(path, sizeof path, format, args);
  MtEntry *e = mt_input_find(in, path);
  if (!e) bug(path, "is not in the schema, or its list is shorter");
  return e;
}

static MtEntry *need(MtEntry *e, bool right_type) {
  if (!right_type) bug(e->path, "is asked for with another type than the schema gives it");
  if (!e->set) bug(e->path, "is asked for but has no value");
  return e;
}

static const double *numbers(const MtInput *in, const MtEntry *e) {
  if (e->in_lex && !(in->lex > 0)) bug(e->path, "is asked for before its length is known (mt_input_resolve)");
  return e->number;
}

#define LOOKUP(e, in, path)                                                                                            \
  va_list args;                                                                                                        \
  va_start(args, path);                                                                                                \
  MtEntry *e = lookup(in, path, args);                                                                                 \
  va_end(args)

bool mt_input_has(const MtInput *in, const char *path, ...) {
  LOOKUP(e, in, path);
  return e->set;
}

bool mt_input_bool(const MtInput *in, const char *path, ...) {
  LOOKUP(e, in, path);
  return need(e, e->key->type == MT_KEY_BOOL)->boolean;
}

int64_t mt_input_int(const MtInput *in, const char *path, ...) {
  LOOKUP(e, in, path);
  return need(e, e->key->type == MT_KEY_INT)->integer;
}

double mt_input_real(const MtInput *in, const char *path, ...) {
  LOOKUP(e, in, path);
  return numbers(in, need(e, e->key->type == MT_KEY_REAL))[0];
}

static bool is_text(MtKeyType t) {
  return t == MT_KEY_STRING || t == MT_KEY_CHOICE || t == MT_KEY_PATH || t == MT_KEY_NEWPATH;
}

const char *mt_input_string(const MtInput *in, const char *path, ...) {
  LOOKUP(e, in, path);
  return need(e, is_text(e->key->type))->string[0];
}

void mt_input_vec3(const MtInput *in, double v[3], const char *path, ...) {
  LOOKUP(e, in, path);
  memcpy(v, numbers(in, need(e, e->key->type == MT_KEY_VEC3)), 3 * sizeof *v);
}

static bool is_list(MtKeyType t) {
  return t == MT_KEY_VEC3 || t == MT_KEY_REALS || t == MT_KEY_STRINGS || t == MT_KEY_LIST;
}

int mt_input_count(const MtInput *in, const char *path, ...) {
  LOOKUP(e, in, path);
  if (!is_list(e->key->type)) bug(e->path, "is not a list");
  return e->set ? e->n : 0;
}

double mt_input_real_at(const MtInput *in, int i, const char *path, ...) {
  LOOKUP(e, in, path);
  need(e, (e->key->type == MT_KEY_REALS || e->key->type == MT_KEY_VEC3) && i >= 0 && i < e->n);
  return numbers(in, e)[i];
}

const char *mt_input_string_at(const MtInput *in, int i, const char *path, ...) {
  LOOKUP(e, in, path);
  need(e, e->key->type == MT_KEY_STRINGS && i >= 0 && i < e->n);
  return e->string[i];
}

/* The entry of a path, and the number of it that an index at the end names. */
static MtEntry *number_of(const MtInput *in, const char *path, int *i) {
  MtEntry *e = mt_input_find(in, path);
  char list[MT_PATH_MAX];
  *i = 0;
  if (e) return e;
  snprintf(list, sizeof list, "%s", path);
  char *open = strrchr(list, '[');
  if (!open || sscanf(open, "[%d]", i) != 1) return NULL;
  *open = 0;
  return mt_input_find(in, list);
}

void mt_input_set_real(MtInput *in, const char *path, double value) {
  int i;
  MtEntry *e = number_of(in, path, &i);
  if (!e) bug(path, "is not in the schema, or its list is shorter");
  need(e, (e->key->type == MT_KEY_REAL || e->key->type == MT_KEY_REALS) && i >= 0 && i < e->n);
  e->number[i] = value;
  free(in->canonical);
  in->canonical = mt_input_emit(in, NULL);
}

const char *mt_input_in_lex(const MtInput *in, int i, double *number) {
  for (int k = 0; k < in->nentries; k++) {
    const MtEntry *e = &in->entry[k];
    for (int j = 0; e->set && e->in_lex && j < e->n; j++) {
      if (!e->in_lex[j] || i-- > 0) continue;
      *number = in->lex > 0 ? e->number[j] / in->lex : e->number[j];
      return e->path;
    }
  }
  return NULL;
}

PetscErrorCode mt_input_resolve(MtInput *in, double lex) {
  in->lex = lex;
  for (int k = 0; k < in->nentries; k++) {
    const MtEntry *e = &in->entry[k];
    for (int j = 0; e->set && e->in_lex && j < e->n; j++) {
      if (!e->in_lex[j]) continue;
      char *text = mt_format("%g lex = %.4g nm", e->number[j], e->number[j] * lex);
      e->number[j] *= lex;
      mt_value_in_range(in, e, e->place, e->number[j], text);
      free(text);
    }
  }
  free(in->canonical);
  in->canonical = mt_input_emit(in, NULL);
  return mt_input_errors(in);
}

const char *mt_input_canonical(const MtInput *in) {
  return in->canonical;
}

const char *mt_input_path(const MtInput *in) {
  return in->path;
}

char *mt_input_section(const MtInput *in, const char *sections) {
  return mt_input_emit(in, sections);
}
