/* Diagrams that this or another program has computed: csv and text with or without names of columns, .npy, DIPHA. */
#include "diagrams.h"
#include "images.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include "magtwin/npy.h"
#include "magtwin/texttable.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const double endless = 1e300; /* CubicalRipser writes the largest double for never */

typedef struct {
  const char *path;
  int64_t line;    /* of the file, from 1; of an array its row */
  int dimension;   /* of all pairs of a file that has no column for it */
  int at[3];       /* columns of dimension (-1: none), birth, death */
  bool superlevel; /* what never dies ends at -inf */
  int64_t room[3];
  MtDiagram *d;
} Reader;

static PetscErrorCode add(Reader *r, double dimension, double birth, double death) {
  const int k = (int)dimension;
  if (isnan(birth) || isnan(death) || fabs(birth) >= endless)
    return mt_error(MT_ERR_INPUT, "%s:%lld: a birth or death is not a number", r->path, (long long)r->line);
  if (!(dimension >= 0 && dimension <= 2) || k != dimension)
    return mt_error(MT_ERR_INPUT, "%s:%lld: the dimension of a pair must be 0, 1 or 2, is %g", r->path,
                    (long long)r->line, dimension);
  if (fabs(death) >= endless) death = r->superlevel ? -INFINITY : INFINITY;
  mt_diagram_add(r->d, r->room, k, &(MtPair){birth, death, -1, -1});
  if (k == 2) r->d->dims = 3;
  return 0;
}

/* Columns by their names; false: birth and death are not among them. */
static bool named_columns(int n, char *const *field, int at[3]) {
  at[0] = at[1] = at[2] = -1;
  for (int i = 0; i < n; i++) {
    if (!strcasecmp(field[i], "dimension") || !strcasecmp(field[i], "dim")) at[0] = i;
    if (!strcasecmp(field[i], "birth")) at[1] = i;
    if (!strcasecmp(field[i], "death")) at[2] = i;
  }
  return at[1] >= 0 && at[2] >= 0;
}

/* birth death; dimension birth death ...; in text of four numbers a line GUDHI's field dimension birth death. */
static void guess_columns(int n, bool text, int at[3]) {
  const int birth = n < 3 ? 0 : (n == 4 && text ? 2 : 1);
  at[0] = birth - 1, at[1] = birth, at[2] = birth + 1;
}

static PetscErrorCode take_line(Reader *r, int n, char *const *field, bool text) {
  double value[3] = {r->dimension, 0, 0};
  if (r->at[2] < 0 && !mt_text_number(field[0], &value[1])) {
    if (named_columns(n, field, r->at)) return 0;
    return mt_error(MT_ERR_INPUT, "%s:%lld: has no columns birth and death", r->path, (long long)r->line);
  }
  if (r->at[2] < 0) guess_columns(n, text, r->at);
  value[1] = 0;
  for (int c = 0; c < 3; c++)
    if (r->at[c] >= n || (r->at[c] >= 0 && !mt_text_number(field[r->at[c]], &value[c])))
      return mt_error(MT_ERR_INPUT, "%s:%lld: is not a line of a diagram: birth death, or dimension birth death",
                      r->path, (long long)r->line);
  return add(r, value[0], value[1], value[2]);
}

static PetscErrorCode read_lines(Reader *r, bool text) {
  MtTextTable t;
  PetscErrorCode rc = mt_text_open(r->path, &t);
  while (!rc && mt_text_next(&t)) {
    r->line = t.line;
    rc = take_line(r, t.n, t.cell, text);
  }
  mt_text_close(&t);
  return rc;
}

static PetscErrorCode read_npy(Reader *r) {
  MtNpy f;
  double *value = NULL;
  PetscErrorCode rc = mt_npy_open(r->path, &f);
  const int64_t rows = rc ? 0 : f.shape[0], columns = rc ? 0 : f.shape[1];
  if (!rc && (f.dims != 2 || columns < 2))
    rc = mt_error(MT_ERR_INPUT, "%s: a diagram is an array of rows birth, death or dimension, birth, death", r->path);
  if (!rc) {
    value = mt_malloc((size_t)rows * (size_t)columns * sizeof *value);
    rc = mt_npy_read_reals(&f, 0, (size_t)rows * (size_t)columns, 1, value);
  }
  const int64_t row = f.fortran ? 1 : columns, column = f.fortran ? rows : 1;
  if (!rc) guess_columns((int)(columns < 5 ? columns : 5), false, r->at);
  for (int64_t i = 0; i < rows && !rc; i++) {
    r->line = i + 1;
    const double k = r->at[0] < 0 ? r->dimension : value[i * row + r->at[0] * column];
    rc = add(r, k, value[i * row + r->at[1] * column], value[i * row + r->at[2] * column]);
  }
  free(value);
  mt_npy_close(&f);
  return rc;
}

/* A dimension -k-1 is one that never dies. */
static PetscErrorCode read_dipha(Reader *r) {
  int64_t head[3], k;
  double value[2];
  PetscErrorCode rc = 0;
  FILE *f = fopen(r->path, "rb");
  if (!f) return mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", r->path, strerror(errno));
  if (fread(head, sizeof *head, 3, f) != 3 || head[0] != 8067171840 || head[1] != 2)
    rc = mt_error(MT_ERR_INPUT, "%s: is not a DIPHA diagram", r->path);
  for (int64_t i = 0; !rc && i < head[2]; i++) {
    r->line = i + 1;
    if (fread(&k, sizeof k, 1, f) != 1 || fread(value, sizeof *value, 2, f) != 2)
      rc = mt_error(MT_ERR_INPUT, "%s: is truncated", r->path);
    else
      rc = add(r, (double)(k < 0 ? -k - 1 : k), value[0], k < 0 ? INFINITY : value[1]);
  }
  fclose(f);
  return rc;
}

/* The digit of _dim1, -pd1 or _pd1 in a file's name; NULL: none. */
static const char *digit_of(const char *path) {
  static const char *const mark[] = {"_dim", "-dim", "_pd", "-pd"};
  const char *name = strrchr(path, '/');
  name = name ? name + 1 : path;
  for (int i = 0; i < 4; i++) {
    const char *p = strstr(name, mark[i]);
    if (p && p[strlen(mark[i])] >= '0' && p[strlen(mark[i])] <= '2' && !isdigit((unsigned char)p[strlen(mark[i]) + 1]))
      return p + strlen(mark[i]);
  }
  return NULL;
}

/* Files whose names differ in that digit only hold one diagram. */
static bool same_diagram(const char *a, const char *b) {
  const char *p = digit_of(a), *q = digit_of(b);
  return p && q && p - a == q - b && !strncmp(a, b, (size_t)(p - a)) && !strcmp(p + 1, q + 1);
}

static const char *ending(const char *path) {
  const char *dot = strrchr(path, '.');
  return dot ? dot : "";
}

static PetscErrorCode read_file(const MtImages *im, const char *path, int64_t *room, MtDiagram *d) {
  const char *digit = digit_of(path), *end = ending(path);
  Reader r = {.path = path, .dimension = digit ? *digit - '0' : 0, .at = {-1, -1, -1}, .d = d};
  r.superlevel = im->superlevel;
  memcpy(r.room, room, sizeof r.room);
  PetscErrorCode rc = !strcasecmp(end, ".npy")       ? read_npy(&r)
                      : !strcasecmp(end, ".diagram") ? read_dipha(&r)
                                                     : read_lines(&r, !strcasecmp(end, ".txt"));
  memcpy(room, r.room, sizeof r.room);
  return rc;
}

PetscErrorCode mt_diagram_load(const MtImages *im, int i, MtDiagram *d) {
  int64_t room[3] = {0};
  PetscErrorCode rc = 0;
  memset(d, 0, sizeof *d);
  d->dims = 2;
  for (int f = 0; f < im->parts[i] && !rc; f++) rc = read_file(im, im->files.path[im->file[i] + f], room, d);
  if (rc) mt_diagram_free(d);
  return rc;
}

/* What a run of this program writes beside its diagrams: topology.regions and topology.cycles. */
static bool is_beside(const char *path) {
  static const char *const end[] = {"_regions.csv", "_regions.npy", "_cycles.csv"};
  const size_t n = strlen(path);
  for (int e = 0; e < 3; e++)
    if (n > strlen(end[e]) && !strcmp(path + n - strlen(end[e]), end[e])) return true;
  return false;
}

static void leave_out_beside(MtFiles *f) {
  int kept = 0;
  for (int i = 0; i < f->n; i++)
    if (!is_beside(f->path[i])) f->path[kept++] = f->path[i];
  if (kept < f->n) mt_log("%d files of regions and cycles are not diagrams: left out", f->n - kept);
  f->n = kept;
}

PetscErrorCode mt_diagrams_find(MPI_Comm comm, const MtInput *in, MtImages *im) {
  static const char *const known[] = {".csv", ".txt", ".npy", ".diagram"};
  const char *pattern = mt_input_string(in, "topology.diagrams");
  PetscCall(mt_files_find(comm, pattern, &im->files));
  leave_out_beside(&im->files);
  if (!im->files.n) return mt_input_error(in, "topology.diagrams", "no diagram matches %s", pattern);
  const size_t room = (size_t)im->files.n;
  im->file = mt_calloc(room, sizeof *im->file);
  im->page = mt_calloc(room, sizeof *im->page);
  im->parts = mt_calloc(room, sizeof *im->parts);
  for (int f = 0; f < im->files.n; f++) {
    const char *path = im->files.path[f];
    bool good = false;
    for (int e = 0; e < 4; e++) good = good || !strcasecmp(ending(path), known[e]);
    if (!good)
      return mt_input_error(in, "topology.diagrams",
                            "%s: this kind of file is not known; diagrams are .csv, .txt, .npy, .diagram", path);
    if (!im->n || !same_diagram(im->files.path[f - 1], path)) im->file[im->n++] = f;
    im->parts[im->n - 1]++;
  }
  for (int a = 0; a < 3; a++) im->size[a] = im->whole[a] = 1;
  return 0;
}
