/* Looking things up in the tables of keys, and their description in words. */
#include "input_internal.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* [3] -> [] */
static void schema_path(const char *concrete, char buf[MT_PATH_MAX]) {
  size_t n = 0;
  for (const char *s = concrete; *s && n + 1 < MT_PATH_MAX; s++) {
    buf[n++] = *s;
    if (*s == '[')
      while (s[1] && s[1] != ']') s++;
  }
  buf[n] = 0;
}

const MtKey *mt_schema_find(const MtKey *const *tables, const char *path) {
  char plain[MT_PATH_MAX];
  schema_path(path, plain);
  for (; *tables; tables++)
    for (const MtKey *k = *tables; k->path; k++)
      if (!strcmp(k->path, plain)) return k;
  return NULL;
}

bool mt_schema_has_section(const MtKey *const *tables, const char *path) {
  char plain[MT_PATH_MAX];
  schema_path(path, plain);
  size_t n = strlen(plain);
  for (; *tables; tables++)
    for (const MtKey *k = *tables; k->path; k++)
      if (!strncmp(k->path, plain, n) && k->path[n] == '.') return true;
  return false;
}

static const char *last_part(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot ? dot + 1 : path;
}

/* The right name in the wrong section counts as near. */
static int distance(const char *path, const char *candidate) {
  int d = mt_edit_distance(path, candidate), last = mt_edit_distance(last_part(path), last_part(candidate));
  return last == 0 && d > 1 ? 1 : d;
}

const char *mt_schema_nearest(const MtKey *const *tables, const char *path, char buf[MT_PATH_MAX]) {
  char plain[MT_PATH_MAX], part[MT_PATH_MAX];
  schema_path(path, plain);
  int best = mt_suggest_limit(plain) + 1;
  for (; *tables; tables++)
    for (const MtKey *k = *tables; k->path; k++)
      for (size_t n = 1; n <= strlen(k->path) && n < MT_PATH_MAX; n++) { /* the key and the sections it is in */
        if (k->path[n] && k->path[n] != '.') continue;
        memcpy(part, k->path, n);
        part[n] = 0;
        int d = distance(plain, part);
        if (d >= best) continue;
        best = d;
        strcpy(buf, part);
      }
  return best <= mt_suggest_limit(plain) ? buf : NULL;
}

const char *mt_key_type_name(MtKeyType type) {
  static const char *const names[] = {
      [MT_KEY_BOOL] = "true or false",
      [MT_KEY_INT] = "whole number",
      [MT_KEY_REAL] = "number",
      [MT_KEY_STRING] = "text",
      [MT_KEY_CHOICE] = "choice",
      [MT_KEY_PATH] = "existing file or pattern",
      [MT_KEY_NEWPATH] = "file or folder, need not be there yet",
      [MT_KEY_VEC3] = "list of 3 numbers",
      [MT_KEY_REALS] = "list of numbers",
      [MT_KEY_STRINGS] = "list of texts",
      [MT_KEY_LIST] = "list of maps",
  };
  return names[type];
}

bool mt_key_has_range(const MtKey *key) {
  return key->min != 0 || key->max != 0;
}

/* An end that nobody can reach is none. */
static bool is_open(double end) {
  return fabs(end) >= 1e300 || fabs(end) >= 9.2e18;
}

/* 1000000 and not 1e+06. */
static const char *end_text(double end, char buf[40]) {
  bool plain = end == floor(end) && fabs(end) < 1e15;
  snprintf(buf, 40, plain ? "%.0f" : "%g", end);
  return buf;
}

const char *mt_key_range(const MtKey *key, char buf[128]) {
  char min[40], max[40];
  const char *unit = mt_unit_name(key->dim), *gap = unit[0] ? " " : "", *more = key->exclusive_min ? ">" : ">=";
  end_text(key->min, min);
  end_text(key->max, max);
  if (!mt_key_has_range(key) || (is_open(key->min) && is_open(key->max)))
    snprintf(buf, 128, "any");
  else if (is_open(key->max))
    snprintf(buf, 128, "%s %s%s%s", more, min, gap, unit);
  else if (is_open(key->min))
    snprintf(buf, 128, "<= %s%s%s", max, gap, unit);
  else
    snprintf(buf, 128, "%s %s and <= %s%s%s", more, min, max, gap, unit);
  return buf;
}
