/* Files found by pattern, in the order of the numbers in their names. */
#include "magtwin/files.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <ctype.h>
#include <glob.h>
#include <string.h>

int mt_files_compare(const char *a, const char *b) {
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

static int by_name(const void *a, const void *b) {
  return mt_files_compare(*(char *const *)a, *(char *const *)b);
}

/* Rank 0: the sorted names, each with its final 0, in one text. */
static PetscErrorCode list_names(const char *pattern, int *n, size_t *size, char **text) {
  glob_t g;
  const int rc = glob(pattern, GLOB_NOSORT, NULL, &g);
  if (rc && rc != GLOB_NOMATCH) return mt_error(MT_ERR_INPUT, "%s: the folder cannot be read", pattern);
  *n = rc ? 0 : (int)g.gl_pathc;
  *size = 0;
  if (*n) qsort(g.gl_pathv, (size_t)*n, sizeof *g.gl_pathv, by_name);
  for (int i = 0; i < *n; i++) *size += strlen(g.gl_pathv[i]) + 1;
  char *p = *text = mt_malloc(*size + 1);
  for (int i = 0; i < *n; i++) p = stpcpy(p, g.gl_pathv[i]) + 1;
  globfree(&g);
  return 0;
}

PetscErrorCode mt_files_find(MPI_Comm comm, const char *pattern, MtFiles *f) {
  int rank;
  size_t size = 0;
  PetscErrorCode rc = 0;
  memset(f, 0, sizeof *f);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (!rank) rc = list_names(pattern, &f->n, &size, &f->text);
  PetscCall(mt_agree_root(comm, rc));
  long long header[2] = {f->n, (long long)size};
  PetscCallMPI(MPI_Bcast(header, 2, MPI_LONG_LONG, 0, comm));
  f->n = (int)header[0];
  if (rank) f->text = mt_malloc((size_t)header[1] + 1);
  PetscCallMPI(MPI_Bcast(f->text, (int)header[1], MPI_CHAR, 0, comm));
  f->path = mt_malloc((size_t)f->n * sizeof *f->path);
  char *p = f->text;
  for (int i = 0; i < f->n; i++, p += strlen(p) + 1) f->path[i] = p;
  return 0;
}

void mt_files_free(MtFiles *f) {
  free(f->path);
  free(f->text);
  memset(f, 0, sizeof *f);
}
