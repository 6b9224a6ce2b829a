/* A csv table of numbers with names in its first line. */
#include "estimate.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 65536 };

/* Cuts the next cell off a line: up to a comma outside of quotes; NULL: there is none. */
static char *next_cell(char **rest) {
  char *cell = *rest, *out = cell, *p = cell;
  bool quoted = false;
  if (!cell) return NULL;
  for (; *p && (quoted || *p != ','); p++) {
    if (*p == '"')
      quoted = !quoted;
    else if (*p != '\r' && *p != '\n')
      *out++ = *p;
  }
  *rest = *p ? p + 1 : NULL;
  *out = 0;
  return cell;
}

static void read_names(char *line, MtTargets *t) {
  for (char *cell; (cell = next_cell(&line));) {
    while (*cell == ' ') cell++;
    t->name = mt_realloc(t->name, ((size_t)t->columns + 1) * sizeof *t->name);
    t->name[t->columns] = mt_malloc(strlen(cell) + 1);
    strcpy(t->name[t->columns++], cell);
  }
}

static PetscErrorCode read_row(const char *path, int number, char *line, MtTargets *t) {
  t->value = mt_realloc(t->value, ((size_t)t->n + 1) * (size_t)t->columns * sizeof *t->value);
  double *row = t->value + (size_t)t->n++ * (size_t)t->columns;
  int c = 0;
  for (char *cell; (cell = next_cell(&line)); c++) {
    char *end;
    if (c == t->columns) break;
    row[c] = strtod(cell, &end);
    while (*end == ' ') end++;
    if (end == cell || *end || !isfinite(row[c])) row[c] = NAN;
  }
  if (c == t->columns && !line) return 0;
  return mt_error(MT_ERR_INPUT, "%s:%d: has another number of columns than the first line, %d", path, number,
                  t->columns);
}

PetscErrorCode mt_targets_read(const char *path, MtTargets *t) {
  char *line = mt_malloc(LINE);
  PetscErrorCode rc = 0;
  memset(t, 0, sizeof *t);
  FILE *f = fopen(path, "r");
  if (!f) rc = mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  for (int number = 1; !rc && fgets(line, LINE, f); number++) {
    if (!line[strspn(line, " \t\r\n")] || line[0] == '#') continue;
    if (!t->columns)
      read_names(line, t);
    else
      rc = read_row(path, number, line, t);
  }
  if (!rc && !t->n) rc = mt_error(MT_ERR_INPUT, "%s: has no rows", path);
  if (f) fclose(f);
  free(line);
  if (rc) mt_targets_free(t);
  return rc;
}

void mt_targets_free(MtTargets *t) {
  for (int c = 0; c < t->columns; c++) free(t->name[c]);
  free(t->name);
  free(t->value);
  memset(t, 0, sizeof *t);
}
