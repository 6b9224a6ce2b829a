/* Diagrams of single images as csv, npy, DIPHA and text. */
#include "diagrams.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "magtwin/npy.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char header[] = "dimension,birth,death,birth_x,birth_y,birth_z,death_x,death_y,death_z\n";
enum { COLUMNS = 9, LINE = 200 };

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
  char *text = mt_malloc(sizeof header + LINE * (size_t)count(d)), *p = stpcpy(text, header), b[2][32];
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

static bool parse_pair(const char *line, const int size[3], int *k, MtPair *q) {
  int from[3], to[3], end = 0;
  if (sscanf(line, "%d,%lf,%lf,%d,%d,%d,%d,%d,%d\n%n", k, &q->birth, &q->death, from, from + 1, from + 2, to, to + 1,
             to + 2, &end) != COLUMNS ||
      line[end] || *k < 0 || *k > 2 || !inside(size, from) || !inside(size, to))
    return false;
  q->birth_at = pixel_of(size, from);
  q->death_at = pixel_of(size, to);
  return true;
}

PetscErrorCode mt_diagram_read_csv(const char *path, int dims, const int size[3], MtDiagram *d) {
  char line[LINE];
  int64_t room[3] = {0}, number_of_line = 1;
  memset(d, 0, sizeof *d);
  d->dims = dims;
  FILE *f = fopen(path, "r");
  if (!f) return mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  bool good = fgets(line, sizeof line, f) && !strcmp(line, header);
  while (good && fgets(line, sizeof line, f)) {
    int k = 0;
    MtPair q;
    number_of_line++;
    good = parse_pair(line, size, &k, &q) && k < d->dims;
    if (!good) break;
    if (d->n[k] == room[k]) {
      room[k] = room[k] ? 2 * room[k] : 256;
      d->pair[k] = mt_realloc(d->pair[k], (size_t)room[k] * sizeof *d->pair[k]);
    }
    d->pair[k][d->n[k]++] = q;
  }
  fclose(f);
  if (good) return 0;
  mt_diagram_free(d);
  return mt_error(MT_ERR_INPUT,
                  "%s:%lld: is not a line of a diagram of this image; remove the file to compute it again", path,
                  (long long)number_of_line);
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
