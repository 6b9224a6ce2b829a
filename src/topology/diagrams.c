/* Diagrams of single images as csv, npy, DIPHA and text. */
#include "diagrams.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "magtwin/npy.h"
#include "magtwin/texttable.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMNS = 9, LINE = 200 };
static const char *const column[COLUMNS] = {"dimension", "birth",   "death",   "birth_x", "birth_y",
                                            "birth_z",   "death_x", "death_y", "death_z"};

static void pixel_at(const int size[3], int64_t pixel, int at[3]) {
  at[0] = pixel < 0 ? -1 : (int)(pixel % size[0]);
  at[1] = pixel < 0 ? -1 : (int)(pixel / size[0] % size[1]);
  at[2] = pixel < 0 ? -1 : (int)(pixel / size[0] / size[1]);
}

static int64_t count(const MtDiagram *d) {
  return d->n[0] + d->n[1] + d->n[2];
}

/* A number that strtod reads back, also inf. */
static const char *number(double v, char buf[32]) {
  if (isfinite(v)) return mt_real_text(v, buf);
  return v > 0 ? "inf" : "-inf";
}

PetscErrorCode mt_diagram_write_csv(const char *path, const MtDiagram *d, const int size[3]) {
  char *text = mt_malloc(LINE * ((size_t)count(d) + 1)), *p = text, b[2][32];
  for (int c = 0; c < COLUMNS; c++) p += sprintf(p, "%s%c", column[c], c + 1 < COLUMNS ? ',' : '\n');
  for (int k = 0; k < d->dims; k++)
    for (int64_t i = 0; i < d->n[k]; i++) {
      const MtPair *q = &d->pair[k][i];
      int from[3], to[3];
      pixel_at(size, q->birth_at, from);
      pixel_at(size, q->death_at, to);
      p += sprintf(p, "%d,%s,%s,%d,%d,%d,%d,%d,%d\n", k, number(q->birth, b[0]), number(q->death, b[1]), from[0],
                   from[1], from[2], to[0], to[1], to[2]);
    }
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  return rc;
}

static int64_t pixel_of(const int size[3], const int at[3]) {
  return at[0] < 0 ? -1 : ((int64_t)at[2] * size[1] + at[1]) * size[0] + at[0];
}

/* Also no pixel: of what never dies, and of diagrams computed elsewhere. */
static bool inside(const int size[3], const int at[3]) {
  if (at[0] == -1 && at[1] == -1 && at[2] == -1) return true;
  return at[0] >= 0 && at[1] >= 0 && at[2] >= 0 && at[0] < size[0] && at[1] < size[1] && at[2] < size[2];
}

static bool is_header(const MtTextTable *t) {
  bool good = t->n == COLUMNS;
  for (int c = 0; c < COLUMNS && good; c++) good = !strcmp(t->cell[c], column[c]);
  return good;
}

static bool take_pair(const MtTextTable *t, int dims, const int size[3], int *k, MtPair *q) {
  double v[COLUMNS];
  int whole[COLUMNS] = {0};
  if (t->n != COLUMNS) return false;
  for (int c = 0; c < COLUMNS; c++) {
    if (!mt_text_number(t->cell[c], &v[c])) return false;
    if (c == 1 || c == 2) continue;
    if (!(fabs(v[c]) <= INT_MAX) || v[c] != floor(v[c])) return false;
    whole[c] = (int)v[c];
  }
  *k = whole[0];
  if (*k < 0 || *k >= dims || !inside(size, whole + 3) || !inside(size, whole + 6)) return false;
  *q = (MtPair){v[1], v[2], pixel_of(size, whole + 3), pixel_of(size, whole + 6)};
  return true;
}

void mt_diagram_add(MtDiagram *d, int64_t room[3], int k, const MtPair *q) {
  if (d->n[k] == room[k]) {
    room[k] = room[k] ? 2 * room[k] : 256;
    d->pair[k] = mt_realloc(d->pair[k], (size_t)room[k] * sizeof *d->pair[k]);
  }
  d->pair[k][d->n[k]++] = *q;
}

PetscErrorCode mt_diagram_read_csv(const char *path, int dims, const int size[3], MtDiagram *d) {
  int64_t room[3] = {0};
  MtTextTable t;
  *d = (MtDiagram){.dims = dims};
  PetscErrorCode rc = mt_text_open(path, &t);
  bool good = !rc && mt_text_next(&t) && is_header(&t);
  while (good && mt_text_next(&t)) {
    int k;
    MtPair q;
    good = take_pair(&t, dims, size, &k, &q);
    if (good) mt_diagram_add(d, room, k, &q);
  }
  const long long line = t.line;
  mt_text_close(&t);
  if (rc || good) return rc;
  mt_diagram_free(d);
  return mt_error(MT_ERR_INPUT,
                  "%s:%lld: is not a line of a diagram of this image; remove the file to compute it again", path, line);
}

PetscErrorCode mt_diagram_write_npy(const char *path, const MtDiagram *d, const int size[3]) {
  double *table = mt_malloc(COLUMNS * (size_t)count(d) * sizeof *table), *row = table;
  for (int k = 0; k < d->dims; k++)
    for (int64_t i = 0; i < d->n[k]; i++, row += COLUMNS) {
      const MtPair *q = &d->pair[k][i];
      int from[3], to[3];
      pixel_at(size, q->birth_at, from);
      pixel_at(size, q->death_at, to);
      row[0] = k, row[1] = q->birth, row[2] = q->death;
      for (int a = 0; a < 3; a++) row[3 + a] = from[a], row[6 + a] = to[a];
    }
  PetscErrorCode rc = mt_npy_write(path, count(d), COLUMNS, table);
  free(table);
  return rc;
}

PetscErrorCode mt_diagram_write_dipha(const char *path, const MtDiagram *d, double last) {
  const int64_t head[3] = {8067171840, 2, count(d)}; /* magic, a persistence diagram, its pairs */
  FILE *f = fopen(path, "wb");
  bool good = f && fwrite(head, sizeof *head, 3, f) == 3;
  for (int k = 0; k < d->dims; k++)
    for (int64_t i = 0; i < d->n[k] && good; i++) {
      const MtPair *q = &d->pair[k][i];
      const bool never = !isfinite(q->death);
      const int64_t dimension = never ? -k - 1 : k;
      const double value[2] = {q->birth, never ? last : q->death};
      good = fwrite(&dimension, sizeof dimension, 1, f) == 1 && fwrite(value, sizeof *value, 2, f) == 2;
    }
  if (f) good = !fclose(f) && good;
  return good ? 0 : mt_error(mt_errno_code(errno), "%s: cannot be written: %s", path, strerror(errno));
}

PetscErrorCode mt_diagram_write_text(const char *stem, const MtDiagram *d) {
  for (int k = 0; k < d->dims; k++) {
    char *text = mt_malloc(1 + LINE * (size_t)d->n[k]), *p = text, b[2][32], path[4200];
    *p = 0;
    for (int64_t i = 0; i < d->n[k]; i++)
      p += sprintf(p, "%s %s\n", number(d->pair[k][i].birth, b[0]), number(d->pair[k][i].death, b[1]));
    snprintf(path, sizeof path, "%s_dim%d.txt", stem, k);
    PetscErrorCode rc = mt_file_write(path, text);
    free(text);
    if (rc) return rc;
  }
  return 0;
}
