/* The files of a serial section: found by pattern, sorted with numbers by value, checked for gaps. */
#include "magtwin/error.h"
#include "measured.h"
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int mt_series_compare(const char *a, const char *b) {
  while (*a && *b) {
    if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
      char *ea, *eb;
      const unsigned long long na = strtoull(a, &ea, 10), nb = strtoull(b, &eb, 10);
      if (na != nb) return na < nb ? -1 : 1;
      if (ea - a != eb - b) return ea - a < eb - b ? -1 : 1;
      a = ea;
      b = eb;
    } else if (*a != *b) {
      return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
    } else {
      a++, b++;
    }
  }
  return (*a != 0) - (*b != 0);
}

static int compare_names(const void *a, const void *b) {
  return mt_series_compare(*(char *const *)a, *(char *const *)b);
}

/* Rank 0: the sorted names, each with its final 0, in one text. */
static PetscErrorCode glob_text(const char *pattern, int *n, size_t *size, char **text) {
  glob_t g;
  const int rc = glob(pattern, GLOB_NOSORT, NULL, &g);
  if (rc && rc != GLOB_NOMATCH) return mt_error(MT_ERR_INPUT, "%s: the folder cannot be read", pattern);
  *n = rc ? 0 : (int)g.gl_pathc;
  *size = 0;
  if (*n) qsort(g.gl_pathv, (size_t)*n, sizeof *g.gl_pathv, compare_names);
  for (int i = 0; i < *n; i++) *size += strlen(g.gl_pathv[i]) + 1;
  char *p = *text = malloc(*size + 1);
  if (p)
    for (int i = 0; i < *n; i++) p = stpcpy(p, g.gl_pathv[i]) + 1;
  globfree(&g);
  return *text ? 0 : mt_error(MT_ERR_FAIL, "not enough memory for the names of %d files", *n);
}

/* Last run of digits of the file's own name: where it begins, how long, its value; false if there is none. */
static bool series_number(const char *path, int *begin, int *length, long long *value) {
  const char *base = strrchr(path, '/');
  const char *p = path + strlen(path), *first = base ? base + 1 : path;
  while (p > first && !isdigit((unsigned char)p[-1])) p--;
  const char *end = p;
  while (p > first && isdigit((unsigned char)p[-1])) p--;
  *begin = (int)(p - path);
  *length = (int)(end - p);
  if (*length) *value = strtoll(p, NULL, 10);
  return *length > 0 && *length < 18;
}

static PetscErrorCode series_stops(const MtInput *in, const char *key, const MtSeries *s, int i, long long number) {
  int begin, length;
  long long value;
  series_number(s->path[i - 1], &begin, &length, &value);
  return mt_input_error(in, key, "slice %.*s%0*lld%s is missing: the series goes from %s to %s", begin, s->path[i - 1],
                        length, number, s->path[i - 1] + begin + length, s->path[i - 1], s->path[i]);
}

/* The step of the series is the smallest difference of neighbours; a larger one is a gap. */
static PetscErrorCode check_numbers(const MtInput *in, const char *key, const MtSeries *s) {
  int begin, length;
  long long last, value, step = 0;
  if (s->n < 2 || !series_number(s->path[0], &begin, &length, &last)) return 0;
  for (int i = 1; i < s->n; i++, last = value) {
    if (!series_number(s->path[i], &begin, &length, &value)) return 0;
    if (value == last)
      return mt_input_error(in, key, "%s and %s have the same number: the pattern matches more than one series",
                            s->path[i - 1], s->path[i]);
    if (i == 1 || value - last < step) step = value - last;
  }
  series_number(s->path[0], &begin, &length, &last);
  for (int i = 1; i < s->n; i++, last = value) {
    series_number(s->path[i], &begin, &length, &value);
    if (value - last != step) return series_stops(in, key, s, i, last + step);
  }
  return 0;
}

static PetscErrorCode share_names(MPI_Comm comm, int rank, size_t size, MtSeries *s) {
  long long header[2] = {s->n, (long long)size};
  PetscCallMPI(MPI_Bcast(header, 2, MPI_LONG_LONG, 0, comm));
  s->n = (int)header[0];
  if (rank) s->text = malloc((size_t)header[1] + 1);
  s->path = malloc((size_t)(s->n + 1) * sizeof *s->path);
  PetscCall(mt_agree(
      comm, s->text && s->path ? 0 : mt_error(MT_ERR_FAIL, "not enough memory for the names of %d files", s->n)));
  PetscCallMPI(MPI_Bcast(s->text, (int)header[1], MPI_CHAR, 0, comm));
  char *p = s->text;
  for (int i = 0; i < s->n; i++, p += strlen(p) + 1) s->path[i] = p;
  return 0;
}

PetscErrorCode mt_series_find(MPI_Comm comm, const MtInput *in, const char *key, MtSeries *s) {
  int rank;
  size_t size = 0;
  const char *pattern = mt_input_string(in, "%s", key);
  memset(s, 0, sizeof *s);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscErrorCode rc = 0;
  if (!rank) rc = glob_text(pattern, &s->n, &size, &s->text);
  PetscCall(mt_agree_root(comm, rc));
  PetscCall(share_names(comm, rank, size, s));
  if (!s->n) return mt_input_error(in, key, "no file matches %s", pattern);
  return check_numbers(in, key, s);
}

void mt_series_free(MtSeries *s) {
  free(s->path);
  free(s->text);
  memset(s, 0, sizeof *s);
}
