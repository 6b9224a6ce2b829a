/* Tables as text, with a header or none. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "source.h"
#include <stdlib.h>
#include <string.h>

static void take_column(MtSource *s, int k) {
  s->at.csv.cell = mt_realloc(s->at.csv.cell, ((size_t)s->at.csv.ncell + 1) * sizeof *s->at.csv.cell);
  s->at.csv.cell[s->at.csv.ncell++] = k;
}

/* The named ones: by header, or by number. */
static PetscErrorCode choose_named(MtSource *s, const MtTextTable *header, int width) {
  for (int i = 0; i < mt_source_names(s->in, "pca.columns"); i++) {
    const char *name = mt_input_string_at(s->in, i, "pca.columns");
    char *end = NULL;
    const int k = header ? mt_text_column(header, name) : (int)strtol(name, &end, 10) - 1;
    if (header ? k < 0 : (end && *end) || k < 0 || k >= width)
      return mt_error(MT_ERR_INPUT, "%s: there is no column %s%s", s->path, name,
                      header ? "" : ": the table has no header, columns are named by their number, from 1");
    take_column(s, k);
  }
  return 0;
}

/* The number of a sample in tables of this program says nothing about it. */
static bool counts(const MtTextTable *header, int k) {
  return header && k < header->n && (!strcmp(header->cell[k], "image") || !strcmp(header->cell[k], "sample"));
}

static PetscErrorCode choose_columns(MtSource *s, const MtTextTable *header, const MtTextTable *first) {
  double value;
  s->at.csv.ncell = 0;
  PetscCall(choose_named(s, header, first->n));
  if (!s->at.csv.ncell)
    for (int k = 0; k < first->n; k++)
      if (mt_text_number(first->cell[k], &value) && !counts(header, k)) take_column(s, k);
  return s->at.csv.ncell
             ? 0
             : mt_error(MT_ERR_INPUT, "%s:%lld: no column holds numbers", first->path, (long long)first->line);
}

/* What the header calls the columns taken. */
static void keep_names(MtSource *s, const MtTextTable *header) {
  if (s->name || s->by_file) return;
  s->nnames = s->at.csv.ncell;
  s->name = mt_calloc((size_t)s->nnames, sizeof *s->name);
  for (int i = 0; i < s->nnames; i++) {
    const char *cell = s->at.csv.cell[i] < header->n ? header->cell[s->at.csv.cell[i]] : "";
    s->name[i] = mt_malloc(strlen(cell) + 1);
    strcpy(s->name[i], cell);
  }
}

/* A first line without a number is a header. */
static bool is_header(const MtTextTable *l) {
  double value;
  for (int k = 0; k < l->n; k++)
    if (mt_text_number(l->cell[k], &value)) return false;
  return true;
}

/* From the first line, which may be a header, and the first one with numbers. */
static PetscErrorCode look(MtSource *s, MtTextTable *one) {
  MtTextTable *first = &s->at.csv.table;
  if (!mt_text_next(one)) return mt_error(MT_ERR_INPUT, "%s: holds no numbers", s->path);
  s->at.csv.header = is_header(one);
  mt_text_next(first);
  if (s->at.csv.header && !mt_text_next(first)) return mt_error(MT_ERR_INPUT, "%s: has a header only", s->path);
  PetscCall(choose_columns(s, s->at.csv.header ? one : NULL, first));
  if (s->at.csv.header) keep_names(s, one);
  return 0;
}

static PetscErrorCode csv_open(MtSource *s, const char *path) {
  MtTextTable one = {0};
  memset(&s->at.csv, 0, sizeof s->at.csv);
  s->path = path;
  PetscErrorCode rc = mt_text_open(path, &s->at.csv.table);
  if (!rc) rc = mt_text_open(path, &one);
  if (!rc) rc = look(s, &one);
  mt_text_close(&one);
  if (!rc) mt_text_rewind(&s->at.csv.table);
  return rc;
}

static void csv_close(MtSource *s) {
  mt_text_close(&s->at.csv.table);
  free(s->at.csv.cell);
  memset(&s->at.csv, 0, sizeof s->at.csv);
}

static bool next_row(MtSource *s) {
  MtTextTable *t = &s->at.csv.table;
  if (s->at.csv.header && !s->at.csv.row && !mt_text_next(t)) return false;
  if (!mt_text_next(t)) return false;
  s->at.csv.row++;
  return true;
}

/* Columns [col, col+ncols) of those taken, as numbers. */
static PetscErrorCode take_numbers(const MtSource *s, int64_t col, int64_t ncols, double *out) {
  const MtTextTable *l = &s->at.csv.table;
  for (int64_t i = 0; i < ncols; i++) {
    const int k = s->at.csv.cell[col + i];
    if (k >= l->n)
      return mt_error(MT_ERR_INPUT, "%s:%lld: the line has %d cells, column %d is missing", s->path, (long long)l->line,
                      l->n, k + 1);
    if (!mt_text_number(l->cell[k], &out[i]))
      return mt_error(MT_ERR_INPUT, "%s:%lld: '%s' in column %d is not a number", s->path, (long long)l->line,
                      l->cell[k], k + 1);
  }
  return 0;
}

static PetscErrorCode csv_probe(MtSource *s, const char *path, MtShape *shape) {
  PetscErrorCode rc = csv_open(s, path);
  while (!rc && next_row(s)) shape->rows++;
  const int64_t lines = shape->rows, cells = s->at.csv.ncell;
  if (!rc) mt_shape_add(shape, "columns", 1, s->by_file ? lines : 1, cells);
  if (s->by_file) shape->rows = 1;
  csv_close(s);
  return rc;
}

/* Goes to a row of the table; rows behind are reached from the start. */
static PetscErrorCode go_to(MtSource *s, int64_t row) {
  if (row < s->at.csv.row) {
    mt_text_rewind(&s->at.csv.table);
    s->at.csv.row = 0;
  }
  while (s->at.csv.row < row)
    if (!next_row(s)) return mt_error(MT_ERR_INPUT, "%s: has become shorter while it was read", s->path);
  return 0;
}

/* A table that is one sample is read line by line, too. */
static PetscErrorCode csv_read(MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols, double *out) {
  const int64_t width = s->at.csv.ncell, begin = s->by_file ? col / width : row,
                end = s->by_file ? (col + ncols - 1) / width + 1 : row + nrows;
  PetscErrorCode rc = go_to(s, begin);
  for (int64_t i = begin; i < end && !rc; i++) {
    const int64_t from = s->by_file && i == begin ? col % width : (s->by_file ? 0 : col),
                  to = s->by_file ? (i + 1 == end ? (col + ncols - 1) % width + 1 : width) : col + ncols;
    rc = next_row(s) ? take_numbers(s, from, to - from, out)
                     : mt_error(MT_ERR_INPUT, "%s: has become shorter while it was read", s->path);
    out += to - from;
  }
  return rc;
}

const MtFormat mt_format_csv = {csv_probe, csv_open, csv_close, csv_read};
