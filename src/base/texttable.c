#include "magtwin/texttable.h"
#include "magtwin/error.h"
#include "magtwin/input.h"
#include "magtwin/memory.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

PetscErrorCode mt_text_open(const char *path, MtTextTable *t) {
  *t = (MtTextTable){.path = path};
  errno = 0;
  t->file = fopen(path, "r");
  return t->file ? 0 : mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
}

void mt_text_close(MtTextTable *t) {
  if (t->file) fclose(t->file);
  free(t->text);
  free(t->cell);
  *t = (MtTextTable){0};
}

void mt_text_rewind(MtTextTable *t) {
  rewind(t->file);
  t->line = 0;
}

static void add_cell(MtTextTable *t, char *cell) {
  if (t->n == t->capacity) {
    t->capacity = 2 * t->capacity + 16;
    t->cell = mt_realloc(t->cell, (size_t)t->capacity * sizeof *t->cell);
  }
  t->cell[t->n++] = cell;
}

/* Nothing but numbers, two of them with blanks alone between: then a tabulator is one more blank. */
static bool blanks_separate(const char *p) {
  bool pair = false;
  for (char *end; *p; p = end) {
    strtod(p, &end);
    const size_t gap = strspn(end, " \t");
    if (end == p || (end[0] && !gap)) return false;
    pair = pair || (end[gap] && !memchr(end, '\t', gap));
    end += gap;
  }
  return pair;
}

/* The first of the signs that stands outside of quotes. */
static char separator_of(const char *text) {
  static const char signs[] = ",;\t";
  for (int i = 0; signs[i]; i++) {
    bool quoted = false;
    for (const char *p = text; *p; p++) {
      if (*p == '"') quoted = !quoted;
      if (*p == signs[i] && !quoted) return signs[i] == '\t' && blanks_separate(text) ? ' ' : signs[i];
    }
  }
  return ' ';
}

/* Takes the quotes off a cell that begins with one; returns what follows the closing one. */
static char *unquote(char *s) {
  char *out = s, *p = s + 1;
  for (; *p && (*p != '"' || p[1] == '"'); *out++ = *p++)
    if (*p == '"') p++;
  char *rest = *p ? p + 1 : p;
  *out = 0;
  return rest;
}

/* Cuts the cell that begins at s; returns what follows its separator, NULL: nothing. */
static char *cut_cell(MtTextTable *t, char *s, char sign) {
  s += strspn(s, sign == '\t' ? " " : " \t");
  add_cell(t, s);
  if (*s == '"') {
    char *rest = unquote(s);
    rest = sign == ' ' ? rest + strspn(rest, " \t") : strchr(rest, sign);
    return rest && *rest ? rest + (sign != ' ') : NULL;
  }
  char *end = sign == ' ' ? strpbrk(s, " \t") : strchr(s, sign);
  if (end) *end++ = 0;
  for (size_t k = strlen(s); k && strchr(" \t", s[k - 1]);) s[--k] = 0;
  if (sign == ' ' && end && !end[strspn(end, " \t")]) return NULL; /* blanks at the end of the line */
  return end;
}

bool mt_text_next(MtTextTable *t) {
  while (getline(&t->text, &t->room, t->file) >= 0) {
    t->line++;
    t->text[strcspn(t->text, "\r\n")] = 0;
    char *begin = t->text + strspn(t->text, " \t");
    if (!*begin || *begin == '#') continue;
    const char sign = separator_of(begin);
    char *comment = sign == ' ' ? strstr(begin, " #") : NULL;
    if (comment) *comment = 0;
    t->n = 0;
    for (char *p = sign == '\t' ? t->text : begin; p;) p = cut_cell(t, p, sign);
    return true;
  }
  return false;
}

bool mt_text_number(const char *cell, double *value) {
  char *end;
  *value = strtod(cell, &end);
  return end != cell && !*end;
}

int mt_text_column(const MtTextTable *t, const char *name) {
  for (int k = 0; k < t->n; k++)
    if (!strcmp(t->cell[k], name)) return k;
  return -1;
}

PetscErrorCode mt_text_need_column(const MtTextTable *t, const char *name, int *column) {
  *column = mt_text_column(t, name);
  if (*column >= 0) return 0;
  const char *near = mt_suggest(name, t->n, (const char *const *)t->cell);
  return mt_error(MT_ERR_INPUT, "%s:%lld: there is no column %s%s%s%s", t->path, (long long)t->line, name,
                  near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}
