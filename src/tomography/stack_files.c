/* Which file holds which slice.  The numbers of a series go up in equal steps, the smallest difference of two
 * neighbours: a number that is left out is a missing slice. */
#include "stack_files.h"
#include "../microstructure/measured.h"
#include "magtwin/error.h"
#include "magtwin/image.h"
#include "magtwin/memory.h"
#include <ctype.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 100000 }; /* slices of a stack */

static int by_name(const void *a, const void *b) {
  return mt_files_compare(*(char *const *)a, *(char *const *)b);
}

/* Rank 0: the sorted names, each with its final 0, in one text. */
static PetscErrorCode list_names(const char *pattern, int *n, long long *size, char **text) {
  glob_t g;
  const int rc = glob(pattern, GLOB_NOSORT, NULL, &g);
  if (rc && rc != GLOB_NOMATCH) return mt_error(MT_ERR_INPUT, "%s: the folder cannot be read", pattern);
  *n = rc ? 0 : (int)g.gl_pathc;
  *size = 1;
  if (*n) qsort(g.gl_pathv, (size_t)*n, sizeof *g.gl_pathv, by_name);
  for (int i = 0; i < *n; i++) *size += (long long)strlen(g.gl_pathv[i]) + 1;
  char *p = *text = mt_malloc((size_t)*size);
  for (int i = 0; i < *n; i++) p = stpcpy(p, g.gl_pathv[i]) + 1;
  *p = 0;
  globfree(&g);
  return 0;
}

static PetscErrorCode share_names(MPI_Comm comm, const MtInput *in, MtSlices *s) {
  int rank, pages = 1;
  long long header[3] = {0, 0, 0};
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) rc = list_names(mt_input_string(in, "stack.files"), &s->nfiles, &header[1], &s->text);
  if (!rank && !rc && s->nfiles == 1) rc = mt_image_pages(s->text, &pages);
  PetscCall(mt_agree_root(comm, rc));
  header[0] = s->nfiles;
  header[2] = pages;
  PetscCallMPI(MPI_Bcast(header, 3, MPI_LONG_LONG, 0, comm));
  s->nfiles = (int)header[0];
  s->nz = s->nfiles == 1 ? (int)header[2] : s->nfiles;
  if (rank) s->text = mt_malloc((size_t)header[1]);
  PetscCallMPI(MPI_Bcast(s->text, (int)header[1], MPI_CHAR, 0, comm));
  s->path = mt_malloc(((size_t)s->nfiles + 1) * sizeof *s->path);
  char *p = s->text;
  for (int i = 0; i < s->nfiles; i++, p += strlen(p) + 1) s->path[i] = p;
  return 0;
}

typedef struct {
  int begin, length; /* of the last run of digits in the file's own name */
  long long value;
} Number;

static bool number_of(const char *path, Number *n) {
  const char *base = strrchr(path, '/'), *first = base ? base + 1 : path, *p = path + strlen(path);
  while (p > first && !isdigit((unsigned char)p[-1])) p--;
  const char *end = p;
  while (p > first && isdigit((unsigned char)p[-1])) p--;
  n->begin = (int)(p - path);
  n->length = (int)(end - p);
  if (n->length < 1 || n->length > 17) return false;
  n->value = strtoll(p, NULL, 10);
  return true;
}

static PetscErrorCode read_numbers(const MtInput *in, const MtSlices *s, Number *n, long long *step) {
  *step = 1;
  for (int i = 0; i < s->nfiles; i++) {
    if (!number_of(s->path[i], &n[i]))
      return mt_input_error(in, "stack.files", "%s has no number in its name that says which slice it is", s->path[i]);
    if (!i) continue;
    const long long d = n[i].value - n[i - 1].value;
    if (!d)
      return mt_input_error(in, "stack.files", "slice %lld is there twice: %s and %s", n[i].value, s->path[i - 1],
                            s->path[i]);
    if (d < 0)
      return mt_input_error(in, "stack.files", "%s and %s belong to two series: the pattern matches both",
                            s->path[i - 1], s->path[i]);
    if (i == 1 || d < *step) *step = d;
  }
  return 0;
}

/* The name that the series gives to a number. */
static char *name_like(const char *path, const Number *n, long long value) {
  const size_t room = strlen(path) + 24;
  char *name = mt_malloc(room);
  snprintf(name, room, "%.*s%0*lld%s", n->begin, path, n->length, value, path + n->begin + n->length);
  return name;
}

static PetscErrorCode place_files(const MtInput *in, MtSlices *s, const Number *n, long long step) {
  const long long span = (n[s->nfiles - 1].value - n[0].value) / step + 1;
  const bool fill = !strcmp(mt_input_string(in, "stack.missing"), "interpolate");
  if (span > MOST || span > 4LL * s->nfiles + 16)
    return mt_input_error(in, "stack.files", "%d files with numbers from %lld to %lld are not a stack", s->nfiles,
                          n[0].value, n[s->nfiles - 1].value);
  s->nz = (int)span;
  s->file = mt_malloc((size_t)span * sizeof *s->file);
  s->page = mt_calloc((size_t)span, sizeof *s->page);
  s->lost_name = mt_calloc((size_t)span, sizeof *s->lost_name);
  for (int k = 0, i = 0; k < s->nz && i < s->nfiles; k++) {
    const long long value = n[0].value + k * step;
    s->file[k] = n[i].value == value ? i : -1;
    if (s->file[k] < 0) s->lost_name[k] = name_like(s->path[i], &n[i], value);
    if (s->file[k] < 0 && !fill)
      return mt_input_error(in, "stack.files",
                            "slice %lld is missing: there is no %s between %s and %s (stack.missing: interpolate fills "
                            "it from its neighbours)",
                            value, s->lost_name[k], s->path[i - 1], s->path[i]);
    if (s->file[k] >= 0) i++;
    if (i < s->nfiles && n[i].value < value + step && n[i].value > value)
      return mt_input_error(in, "stack.files", "%s does not lie on the steps of %lld of the series", s->path[i], step);
  }
  return 0;
}

static PetscErrorCode number_files(const MtInput *in, MtSlices *s) {
  long long step;
  Number *n = mt_calloc((size_t)s->nfiles, sizeof *n);
  PetscErrorCode rc = read_numbers(in, s, n, &step);
  if (!rc) rc = place_files(in, s, n, step);
  free(n);
  return rc;
}

static void number_pages(MtSlices *s) {
  s->file = mt_calloc((size_t)s->nz, sizeof *s->file);
  s->page = mt_malloc((size_t)s->nz * sizeof *s->page);
  s->lost_name = mt_calloc((size_t)s->nz, sizeof *s->lost_name);
  for (int k = 0; k < s->nz; k++) s->page[k] = k;
}

PetscErrorCode mt_slices_find(MPI_Comm comm, const MtInput *in, MtSlices *s) {
  memset(s, 0, sizeof *s);
  PetscCall(share_names(comm, in, s));
  if (s->nfiles < 1) return mt_input_error(in, "stack.files", "no file matches %s", mt_input_string(in, "stack.files"));
  if (s->nfiles > 1) return number_files(in, s);
  number_pages(s);
  if (s->nz < 2) return mt_input_error(in, "stack.files", "%s is one picture: a stack has at least 2", s->path[0]);
  return 0;
}

const char *mt_slices_name(const MtSlices *s, int k, char buf[300]) {
  if (s->file[k] < 0)
    snprintf(buf, 300, "%s", s->lost_name[k]);
  else if (s->nfiles == 1)
    snprintf(buf, 300, "%s, page %d", s->path[0], k);
  else
    snprintf(buf, 300, "%s", s->path[s->file[k]]);
  return buf;
}

void mt_slices_free(MtSlices *s) {
  for (int k = 0; s->lost_name && k < s->nz; k++) free(s->lost_name[k]);
  free(s->lost_name);
  free(s->path);
  free(s->text);
  free(s->file);
  free(s->page);
  memset(s, 0, sizeof *s);
}
