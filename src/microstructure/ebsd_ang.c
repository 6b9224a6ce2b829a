/* One slice in TSL's .ang text format: header lines begin with #, then a line per point with phi1 PHI phi2 (rad) x y
 * (um) IQ CI phase and, in most files, SEM and fit; or in HKL's .ctf: a header up to the line of column names, then
 * Phase X Y (um) Bands Error Euler1 Euler2 Euler3 (degrees) MAD BC BS, phase 0 where nothing was found.  The grid is
 * taken from x and y: the header's counts are those of the original scan and do not follow when a map is cropped or
 * thinned. */
#include "magtwin/error.h"
#include "measured.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NEEDED = 7, NEEDED_CTF = 8, MOST = 16 }; /* numbers of a line that are used, and that are looked at */

typedef struct {
  const char *path;
  bool ctf, header;  /* a .ctf file; before its line of column names */
  int line, columns; /* numbers on the first line of data: all lines have as many */
  int64_t n, room;
  double *xy; /* [2 room] */
  MtAng *ang;
} Reader;

void mt_ang_free(MtAng *a) {
  free(a->q);
  free(a->ci);
  memset(a, 0, sizeof *a);
}

static PetscErrorCode read_text(const char *path, char **text) {
  FILE *f = fopen(path, "rb");
  if (!f) return mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  long size = -1;
  *text = NULL;
  if (!fseek(f, 0, SEEK_END) && (size = ftell(f)) >= 0 && !fseek(f, 0, SEEK_SET)) *text = malloc((size_t)size + 1);
  const bool good = *text && fread(*text, 1, (size_t)size, f) == (size_t)size;
  fclose(f);
  if (!good) {
    free(*text);
    return mt_error(MT_ERR_INPUT, "%s: cannot be read to its end", path);
  }
  (*text)[size] = 0;
  return 0;
}

static PetscErrorCode grow(Reader *r) {
  if (r->n < r->room) return 0;
  r->room = r->room ? 2 * r->room : 4096;
  double *q = realloc(r->ang->q, 4 * (size_t)r->room * sizeof *q);
  if (q) r->ang->q = q;
  double *ci = realloc(r->ang->ci, (size_t)r->room * sizeof *ci);
  if (ci) r->ang->ci = ci;
  double *xy = realloc(r->xy, 2 * (size_t)r->room * sizeof *xy);
  if (xy) r->xy = xy;
  return q && ci && xy ? 0 : mt_error(MT_ERR_FAIL, "%s: not enough memory for the slice", r->path);
}

/* The numbers of one line; *end is where the reading stopped. */
static PetscErrorCode parse_numbers(const Reader *r, char *line, double *v, int *n) {
  char *p = line;
  for (*n = 0; *n < MOST; (*n)++) {
    p += strspn(p, " \t\r");
    if (!*p) return 0;
    char *end;
    v[*n] = strtod(p, &end);
    if (end == p || !isfinite(v[*n]) || !strchr(" \t\r", *end)) /* strchr finds the final 0 too */
      return mt_error(MT_ERR_INPUT, "%s:%d:%d: '%.*s' is not a number", r->path, r->line, (int)(p - line) + 1,
                      (int)strcspn(p, " \t\r"), p);
    p = end;
  }
  return 0;
}

static PetscErrorCode check_columns(Reader *r, const char *line, int n) {
  const int needed = r->ctf ? NEEDED_CTF : NEEDED;
  if (!r->columns) r->columns = n;
  if (n >= needed && n == r->columns) return 0;
  return mt_error(MT_ERR_INPUT, "%s:%d:%d: the line ends after %d numbers, expected %d (%s ...)", r->path, r->line,
                  (int)strlen(line) + 1, n, r->columns < needed ? needed : r->columns,
                  r->ctf ? "Phase X Y Bands Error Euler1 Euler2 Euler3" : "phi1 PHI phi2 x y IQ CI");
}

static PetscErrorCode check_angles(const Reader *r, const double *v) {
  for (int i = 0; i < 3; i++) {
    if (r->ctf && fabs(v[i]) > 720.1)
      return mt_error(MT_ERR_INPUT, "%s:%d: angle %g is not in degrees", r->path, r->line, v[i]);
    if (!r->ctf && fabs(v[i]) > 4 * MT_PI + .01)
      return mt_error(MT_ERR_INPUT, "%s:%d: angle %g is not in radians (at most 2 pi)", r->path, r->line, v[i]);
  }
  return 0;
}

static PetscErrorCode add_point(Reader *r, char *line) {
  double v[MOST] = {0};
  int n;
  PetscCall(parse_numbers(r, line, v, &n));
  PetscCall(check_columns(r, line, n));
  const double *angle = r->ctf ? v + 5 : v, *place = r->ctf ? v + 1 : v + 3, unit = r->ctf ? MT_PI / 180 : 1;
  PetscCall(check_angles(r, angle));
  PetscCall(grow(r));
  mt_quat_bunge((const double[3]){unit * angle[0], unit * angle[1], unit * angle[2]}, r->ang->q + 4 * r->n);
  /* 4 pi is TSL's other mark of a point without a solution; HKL has no confidence, but says so of the phase */
  if (r->ctf)
    r->ang->ci[r->n] = v[0] > 0 ? 1 : MT_ANG_NOTHING;
  else
    r->ang->ci[r->n] = fabs(v[0]) > 4 * MT_PI - .01 ? -1 : v[6];
  r->xy[2 * r->n] = place[0];
  r->xy[2 * r->n + 1] = place[1];
  r->n++;
  r->ang->last_line = r->line;
  return 0;
}

/* The line of column names ends the header of a .ctf file. */
static bool in_header(Reader *r, const char *text) {
  if (!r->header) return false;
  if (!strncmp(text, "Phase", 5) && strchr(" \t", text[5])) r->header = false;
  return true;
}

static PetscErrorCode parse_lines(Reader *r, char *text) {
  for (char *line = text, *next; line; line = next) {
    next = strchr(line, '\n');
    if (next) *next++ = 0;
    r->line++;
    const size_t blank = strspn(line, " \t\r");
    if ((line[blank] == '#' && !r->ctf) || !line[blank] || in_header(r, line + blank)) continue;
    PetscCall(add_point(r, line));
  }
  return 0;
}

/* Rows of equal length with x fastest; anything else (hexagonal grids, lost lines) is refused. */
static PetscErrorCode find_grid(const Reader *r) {
  MtAng *a = r->ang;
  const double *xy = r->xy;
  int64_t nx = 1;
  if (!r->n) return mt_error(MT_ERR_INPUT, "%s:%d: the file has no points", r->path, r->line);
  while (nx < r->n && xy[2 * nx] > xy[2 * nx - 2]) nx++;
  a->nx = (int)nx;
  a->ny = (int)(r->n / nx);
  if (r->n % nx)
    return mt_error(MT_ERR_INPUT, "%s:%d: the last row has %d of %d points: is the file truncated?", r->path,
                    a->last_line, (int)(r->n % nx), a->nx);
  if (nx < 2 || a->ny < 2)
    return mt_error(MT_ERR_INPUT, "%s:%d: %d x %d points are not a map", r->path, a->last_line, a->nx, a->ny);
  a->dx = (xy[2 * (nx - 1)] - xy[0]) / (a->nx - 1);
  a->dy = (xy[2 * (r->n - 1) + 1] - xy[1]) / (a->ny - 1);
  for (int64_t i = 0; i < r->n; i++) {
    const int64_t column = i % nx, row = i / nx;
    if (fabs(xy[2 * i] - xy[0] - (double)column * a->dx) > .25 * a->dx ||
        fabs(xy[2 * i + 1] - xy[1] - (double)row * a->dy) > .25 * a->dy)
      return mt_error(MT_ERR_INPUT,
                      "%s: point %lld at x = %g, y = %g is not on the square grid of %d x %d points that the first row "
                      "and the last "
                      "point give; hexagonal grids are not read: resample the map",
                      r->path, (long long)i + 1, xy[2 * i], xy[2 * i + 1], a->nx, a->ny);
  }
  return 0;
}

PetscErrorCode mt_ang_read(const char *path, MtAng *a) {
  const size_t length = strlen(path);
  const bool ctf = length > 4 && !strcasecmp(path + length - 4, ".ctf");
  Reader r = {.path = path, .ang = a, .ctf = ctf, .header = ctf};
  char *text = NULL;
  memset(a, 0, sizeof *a);
  PetscCall(read_text(path, &text));
  PetscErrorCode rc = parse_lines(&r, text);
  if (!rc) rc = find_grid(&r);
  free(text);
  free(r.xy);
  if (rc) mt_ang_free(a);
  return rc;
}
