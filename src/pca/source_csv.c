/* Tables as text: comma, semicolon, tabulator or blanks between the cells, lines with # left out, a header or none. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "source.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  char *text; /* owned; cut into cells */
  size_t room;
  int n, capacity;
  char **cell; /* [n] owned array */
} Line;

static void line_free(Line *l) {
  free(l->text);
  free(l->cell);
}

static void add_cell(Line *l, char *cell) {
  if (l->n == l->capacity) {
    l->capacity = 2 * l->capacity + 16;
    l->cell = mt_realloc(l->cell, (size_t)l->capacity * sizeof *l->cell);
  }
  l->cell[l->n++] = cell;
}

static char separator_of(const char *text) {
  static const char signs[] = ",;\t";
  for (int i = 0; signs[i]; i++)
    if (strchr(text, signs[i])) return signs[i];
  return ' ';
}

/* Cuts the cell that begins at s, returns what follows it or NULL; quotes go. */
static char *cut_cell(Line *l, char *s, char sign) {
  s += strspn(s, sign == '\t' ? " " : " \t");
  if (*s == '"') {
    char *end = strchr(s + 1, '"');
    add_cell(l, s + 1);
    if (!end) return NULL;
    *end++ = 0;
    end = strchr(end, sign);
    return end ? end + 1 : NULL;
  }
  char *end = strchr(s, sign);
  add_cell(l, s);
  if (end) *end++ = 0;
  for (size_t k = strlen(s); k && strchr(" \t", s[k - 1]);) s[--k] = 0;
  if (sign == ' ' && end && !end[strspn(end, " \t")]) return NULL; /* blanks at the end of the line */
  return end;
}

/* The next line with something in it; false at the end of the file. */
static bool next_line(MtSource *s, Line *l) {
  while (getline(&l->text, &l->room, s->at.csv.file) >= 0) {
    s->at.csv.number++;
    l->text[strcspn(l->text, "\r\n")] = 0;
    if (!l->text[strspn(l->text, " \t")] || l->text[strspn(l->text, " \t")] == '#') continue;
    const char sign = separator_of(l->text);
    l->n = 0;
    for (char *p = l->text; p;) p = cut_cell(l, p, sign);
    return true;
  }
  return false;
}

static bool is_number(const char *text, double *value) {
  char *end;
  *value = strtod(text, &end);
  return end != text && !*end;
}

static void take_column(MtSource *s, int k) {
  s->at.csv.cell = mt_realloc(s->at.csv.cell, ((size_t)s->at.csv.ncell + 1) * sizeof *s->at.csv.cell);
  s->at.csv.cell[s->at.csv.ncell++] = k;
}

/* The named ones: by header, or by number. */
static PetscErrorCode choose_named(MtSource *s, const Line *header, int width) {
  for (int i = 0; i < mt_source_names(s->in, "pca.columns"); i++) {
    const char *name = mt_input_string_at(s->in, i, "pca.columns");
    char *end = NULL;
    int k = 0;
    while (header && k < header->n && strcmp(header->cell[k], name) != 0) k++;
    if (!header) k = (int)strtol(name, &end, 10) - 1;
    if (header ? k == header->n : (end && *end) || k < 0 || k >= width)
      return mt_error(MT_ERR_INPUT, "%s: there is no column %s%s", s->path, name,
                      header ? "" : ": the table has no header, columns are named by their number, from 1");
    take_column(s, k);
  }
  return 0;
}

static PetscErrorCode choose_columns(MtSource *s, const Line *header, const Line *first) {
  double value;
  s->at.csv.ncell = 0;
  PetscCall(choose_named(s, header, first->n));
  if (!s->at.csv.ncell)
    for (int k = 0; k < first->n; k++)
      if (is_number(first->cell[k], &value)) take_column(s, k);
  return s->at.csv.ncell ? 0 : mt_error(MT_ERR_INPUT, "%s:%d: no column holds numbers", s->path, s->at.csv.number);
}

/* What the header calls the columns taken. */
static void keep_names(MtSource *s, const Line *header) {
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
static bool is_header(const Line *l) {
  double value;
  for (int k = 0; k < l->n; k++)
    if (is_number(l->cell[k], &value)) return false;
  return true;
}

static PetscErrorCode csv_open(MtSource *s, const char *path) {
  Line one = {0}, two = {0};
  memset(&s->at.csv, 0, sizeof s->at.csv);
  s->path = path;
  s->at.csv.file = fopen(path, "r");
  if (!s->at.csv.file) return mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  PetscErrorCode rc = next_line(s, &one) ? 0 : mt_error(MT_ERR_INPUT, "%s: holds no numbers", path);
  if (!rc) s->at.csv.header = is_header(&one);
  if (!rc && s->at.csv.header && !next_line(s, &two)) rc = mt_error(MT_ERR_INPUT, "%s: has a header only", path);
  if (!rc) rc = choose_columns(s, s->at.csv.header ? &one : NULL, s->at.csv.header ? &two : &one);
  if (!rc && s->at.csv.header) keep_names(s, &one);
  line_free(&one);
  line_free(&two);
  rewind(s->at.csv.file);
  s->at.csv.row = s->at.csv.number = 0;
  return rc;
}

static void csv_close(MtSource *s) {
  if (s->at.csv.file) fclose(s->at.csv.file);
  free(s->at.csv.cell);
  memset(&s->at.csv, 0, sizeof s->at.csv);
}

static bool next_row(MtSource *s, Line *l) {
  if (s->at.csv.header && !s->at.csv.row && !next_line(s, l)) return false;
  if (!next_line(s, l)) return false;
  s->at.csv.row++;
  return true;
}

/* Columns [col, col+ncols) of those taken, as numbers. */
static PetscErrorCode take_numbers(const MtSource *s, const Line *l, int64_t col, int64_t ncols, double *out) {
  for (int64_t i = 0; i < ncols; i++) {
    const int k = s->at.csv.cell[col + i];
    if (k >= l->n)
      return mt_error(MT_ERR_INPUT, "%s:%d: the line has %d cells, column %d is missing", s->path, s->at.csv.number,
                      l->n, k + 1);
    if (!is_number(l->cell[k], &out[i]))
      return mt_error(MT_ERR_INPUT, "%s:%d: '%s' in column %d is not a number", s->path, s->at.csv.number, l->cell[k],
                      k + 1);
  }
  return 0;
}

static PetscErrorCode csv_probe(MtSource *s, const char *path, MtShape *shape) {
  Line l = {0};
  PetscErrorCode rc = csv_open(s, path);
  while (!rc && next_row(s, &l)) shape->rows++;
  const int64_t lines = shape->rows, cells = s->at.csv.ncell;
  if (!rc) mt_shape_add(shape, "columns", 1, s->by_file ? lines : 1, cells);
  if (s->by_file) shape->rows = 1;
  line_free(&l);
  csv_close(s);
  return rc;
}

/* Goes to a row of the table; rows behind are reached from the start. */
static PetscErrorCode go_to(MtSource *s, int64_t row, Line *l) {
  if (row < s->at.csv.row) {
    rewind(s->at.csv.file);
    s->at.csv.row = s->at.csv.number = 0;
  }
  while (s->at.csv.row < row)
    if (!next_row(s, l)) return mt_error(MT_ERR_INPUT, "%s: has become shorter while it was read", s->path);
  return 0;
}

/* A table that is one sample is read line by line, too. */
static PetscErrorCode csv_read(MtSource *s, int64_t row, int64_t nrows, int64_t col, int64_t ncols, double *out) {
  const int64_t width = s->at.csv.ncell, begin = s->by_file ? col / width : row,
                end = s->by_file ? (col + ncols - 1) / width + 1 : row + nrows;
  Line l = {0};
  PetscErrorCode rc = go_to(s, begin, &l);
  for (int64_t i = begin; i < end && !rc; i++) {
    const int64_t from = s->by_file && i == begin ? col % width : (s->by_file ? 0 : col),
                  to = s->by_file ? (i + 1 == end ? (col + ncols - 1) % width + 1 : width) : col + ncols;
    rc = next_row(s, &l) ? take_numbers(s, &l, from, to - from, out)
                         : mt_error(MT_ERR_INPUT, "%s: has become shorter while it was read", s->path);
    out += to - from;
  }
  line_free(&l);
  return rc;
}

const MtFormat mt_format_csv = {csv_probe, csv_open, csv_close, csv_read};
