/* Reads a tessellation word by word; sections that are not needed are passed over. */
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include "measured.h"
#include "tess.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST = 20000000 }; /* cells, faces, vertices: more is a damaged number */

typedef struct {
  const char *path;
  FILE *file;
  char *text, *at; /* the line that is read, and where in it */
  size_t room;
  long line;
  char *word;     /* the next one, not taken yet; NULL: the file has ended */
  int descriptor; /* of orientations, -1: none */
  bool passive;
} Reader;

/* ---- words and numbers */

static const char blank[] = " \t\r\n";

static void advance(Reader *r) {
  r->word = r->at ? strtok_r(NULL, blank, &r->at) : NULL;
  while (!r->word && getline(&r->text, &r->room, r->file) >= 0) {
    r->line++;
    r->word = strtok_r(r->text, blank, &r->at);
  }
}

static PetscErrorCode bad(const Reader *r, const char *wanted) {
  return mt_error(MT_ERR_INPUT, "%s:%ld: expected %s, found %s", r->path, r->line, wanted,
                  r->word ? r->word : "the end of the file");
}

static PetscErrorCode real(Reader *r, const char *what, double *x) {
  char *end = NULL;
  if (r->word) *x = strtod(r->word, &end);
  if (!end || end == r->word || *end || !isfinite(*x)) return bad(r, what);
  advance(r);
  return 0;
}

static PetscErrorCode whole(Reader *r, const char *what, int low, int high, int *n) {
  char *end = r->word;
  errno = 0;
  const long x = r->word ? strtol(r->word, &end, 10) : 0;
  if (end == r->word || *end || errno || x < low || x > high) return bad(r, what);
  *n = (int)x;
  advance(r);
  return 0;
}

static PetscErrorCode pass(Reader *r, int words) {
  for (int i = 0; i < words; i++) {
    if (!r->word || r->word[0] == '*') return bad(r, "a number");
    advance(r);
  }
  return 0;
}

/* The numbers 1, 2, ... that begin the entries of a list. */
static PetscErrorCode number(Reader *r, int expected) {
  int n;
  char what[40];
  snprintf(what, sizeof what, "entry %d", expected);
  return whole(r, what, expected, expected, &n);
}

/* ---- orientations, https://neper.info/doc/exprskeys.html, "Rotations and orientations" */

typedef struct {
  const char *name;
  int numbers;
} Descriptor;
enum { RODRIGUES, QUATERNION, EULER, ROTMAT, AXIS };
static const Descriptor descriptor[] = {
    {"rodrigues", 3}, {"quaternion", 4}, {"euler-bunge", 3}, {"rotmat", 9}, {"axis-angle", 4}};

static PetscErrorCode read_descriptor(Reader *r) {
  const int n = (int)(sizeof descriptor / sizeof *descriptor);
  const size_t length = r->word ? strcspn(r->word, ":") : 0;
  r->descriptor = -1;
  for (int i = 0; r->word && i < n; i++)
    if (length == strlen(descriptor[i].name) && !strncmp(r->word, descriptor[i].name, length)) r->descriptor = i;
  if (r->descriptor < 0)
    return bad(r, "orientations as rodrigues, quaternion, euler-bunge, rotmat or axis-angle (neper -oridescriptor)");
  r->passive = !strcmp(r->word + length, ":passive");
  advance(r);
  return 0;
}

/* Shepperd's way, from the largest of the four: S. W. Shepperd, J. Guidance and Control 1 (1978) 223. */
static void of_matrix(const double m[9], double q[4]) {
  const double trace = m[0] + m[4] + m[8], of[4] = {trace, m[0], m[4], m[8]};
  int k = 0;
  for (int i = 1; i < 4; i++) k = of[i] > of[k] ? i : k;
  const double d[3] = {m[7] - m[5], m[2] - m[6], m[3] - m[1]}, s[3] = {m[5] + m[7], m[2] + m[6], m[1] + m[3]};
  q[k] = (k ? 1 + 2 * of[k] - trace : 1 + trace);
  if (k == 0) {
    for (int i = 0; i < 3; i++) q[1 + i] = d[i];
    return;
  }
  q[0] = d[k - 1];
  for (int i = 0; i < 3; i++)
    if (i != k - 1) q[1 + i] = s[3 - i - (k - 1)];
}

/* Active: the turn that takes the sample's axes to the crystal's. */
static void to_quaternion(const Reader *r, const double v[9], double q[4]) {
  const double rad = MT_PI / 180, angle[3] = {v[0] * rad, v[1] * rad, v[2] * rad};
  double norm = sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]);
  switch (r->descriptor) {
  case RODRIGUES:
    q[0] = 1, q[1] = v[0], q[2] = v[1], q[3] = v[2];
    break;
  case QUATERNION:
    memcpy(q, v, 4 * sizeof *q);
    break;
  case EULER:
    mt_quat_bunge(angle, q);
    break;
  case ROTMAT:
    of_matrix(v, q);
    break;
  default:
    norm = norm > 0 ? sin(v[3] * rad / 2) / norm : 0;
    q[0] = cos(v[3] * rad / 2), q[1] = v[0] * norm, q[2] = v[1] * norm, q[3] = v[2] * norm;
  }
  norm = sqrt(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
  for (int i = 0; i < 4; i++) q[i] *= (i && r->passive ? -1 : 1) / norm;
}

static PetscErrorCode read_orientations(Reader *r, MtTess *t) {
  double v[9] = {0};
  PetscCall(read_descriptor(r));
  free(t->orientation);
  t->orientation = mt_malloc(4 * (size_t)t->ncells * sizeof *t->orientation);
  for (int g = 0; g < t->ncells; g++) {
    for (int i = 0; i < descriptor[r->descriptor].numbers; i++) PetscCall(real(r, "a number of an orientation", &v[i]));
    to_quaternion(r, v, t->orientation + 4 * g);
    if (!isfinite(t->orientation[4 * g]))
      return mt_error(MT_ERR_INPUT, "%s:%ld: the orientation of cell %d is no turn", r->path, r->line, g + 1);
  }
  return 0;
}

/* ---- sections */

/* Cells of another scale, lamellae, ... have no place in a magnet's grains. */
static PetscErrorCode read_cells(Reader *r, MtTess *t) {
  PetscCall(whole(r, "the number of cells", 1, MOST, &t->ncells));
  while (r->word && strncmp(r->word, "**", 2) != 0) {
    const bool orientations = !strcmp(r->word, "*ori");
    advance(r);
    if (orientations) PetscCall(read_orientations(r, t));
    while (r->word && r->word[0] != '*') advance(r);
  }
  return 0;
}

static PetscErrorCode read_vertices(Reader *r, MtTess *t) {
  PetscCall(whole(r, "the number of vertices", 4, MOST, &t->nvertices));
  free(t->x);
  t->x = mt_malloc(3 * (size_t)t->nvertices * sizeof *t->x);
  for (int v = 0; v < t->nvertices; v++) {
    PetscCall(number(r, v + 1));
    for (int k = 0; k < 3; k++) PetscCall(real(r, "a coordinate", &t->x[3 * v + k]));
    PetscCall(pass(r, 1)); /* state */
  }
  return 0;
}

/* A list of whole numbers behind its length, added to *list. */
static PetscErrorCode add_list(Reader *r, const char *what, int low, int high, int *n, int *room, int32_t **list) {
  int count = 0, k = 0;
  PetscCall(whole(r, "how many follow", 0, MOST, &count));
  if (*n > MOST - count) return bad(r, "fewer entries");
  if (*n + count > *room) {
    *room = 2 * (*n + count);
    *list = mt_realloc(*list, (size_t)*room * sizeof **list);
  }
  for (int i = 0; i < count; i++) {
    PetscCall(whole(r, what, low, high, &k));
    if (k == 0) return mt_error(MT_ERR_INPUT, "%s:%ld: there is no number 0: they begin at 1", r->path, r->line);
    (*list)[(*n)++] = k;
  }
  return 0;
}

static PetscErrorCode read_faces(Reader *r, MtTess *t) {
  int n = 0, room = 0, edges = 0;
  PetscCall(whole(r, "the number of faces", 4, MOST, &t->nfaces));
  free(t->face_start);
  t->face_start = mt_malloc(((size_t)t->nfaces + 1) * sizeof *t->face_start);
  for (int f = 0; f < t->nfaces; f++) {
    PetscCall(number(r, f + 1));
    t->face_start[f] = n;
    PetscCall(add_list(r, "a vertex", 1, t->nvertices, &n, &room, &t->face_vertex));
    PetscCall(whole(r, "the number of edges", 0, MOST, &edges));
    PetscCall(pass(r, edges + 4 + 5)); /* edges; equation; state and point */
  }
  t->face_start[t->nfaces] = n;
  for (int i = 0; i < n; i++) t->face_vertex[i]--;
  return 0;
}

static PetscErrorCode read_polyhedra(Reader *r, MtTess *t) {
  int n = 0, room = 0, count;
  PetscCall(whole(r, "the number of polyhedra, that of the cells", t->ncells, t->ncells, &count));
  free(t->cell_start);
  t->cell_start = mt_malloc(((size_t)t->ncells + 1) * sizeof *t->cell_start);
  for (int g = 0; g < t->ncells; g++) {
    PetscCall(number(r, g + 1));
    t->cell_start[g] = n;
    PetscCall(add_list(r, "a face", -t->nfaces, t->nfaces, &n, &room, &t->cell_face));
  }
  t->cell_start[t->ncells] = n;
  return 0;
}

static PetscErrorCode read_general(Reader *r, MtTess *t) {
  int dim;
  (void)t;
  PetscCall(whole(r, "the dimension, which must be 3", 3, 3, &dim));
  return 0;
}

typedef struct {
  const char *name;
  PetscErrorCode (*read)(Reader *r, MtTess *t);
} Section;
/* In the order in which they depend on each other, which is that of the files. */
static const Section section[] = {{"**general", read_general},
                                  {"**cell", read_cells},
                                  {"**vertex", read_vertices},
                                  {"**face", read_faces},
                                  {"**polyhedron", read_polyhedra}};
enum { SECTIONS = sizeof section / sizeof *section };

static PetscErrorCode read_sections(Reader *r, MtTess *t) {
  int next = 0;
  advance(r);
  if (!r->word || strcmp(r->word, "***tess")) return bad(r, "***tess, which begins a tessellation of Neper");
  while (r->word && strcmp(r->word, "***end")) {
    const bool wanted = next < SECTIONS && !strcmp(r->word, section[next].name);
    advance(r);
    if (wanted) PetscCall(section[next++].read(r, t));
    while (r->word && strncmp(r->word, "**", 2)) advance(r);
  }
  return next == SECTIONS ? 0 : bad(r, section[next].name);
}

PetscErrorCode mt_tess_read(const char *path, MtTess *t) {
  Reader r = {.path = path, .descriptor = -1};
  *t = (MtTess){0};
  errno = 0;
  r.file = fopen(path, "r");
  if (!r.file) return mt_error(MT_ERR_INPUT, "%s: cannot be read: %s", path, strerror(errno));
  PetscErrorCode rc = read_sections(&r, t);
  fclose(r.file);
  free(r.text);
  return rc;
}

void mt_tess_free(MtTess *t) {
  free(t->x);
  free(t->face_start);
  free(t->face_vertex);
  free(t->cell_start);
  free(t->cell_face);
  free(t->orientation);
  *t = (MtTess){0};
}
