/* The files of a serial section: found by pattern, sorted with numbers by value, checked for gaps. */
#include "measured.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

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

PetscErrorCode mt_series_find(MPI_Comm comm, const MtInput *in, const char *key, MtSeries *s) {
  const char *pattern = mt_input_string(in, "%s", key);
  PetscCall(mt_files_find(comm, pattern, s));
  if (!s->n) return mt_input_error(in, key, "no file matches %s", pattern);
  return check_numbers(in, key, s);
}
