/* Neper's tessellations: the cells of a power diagram written in its format come back, orientations in all descriptors,
 * what is wrong with a file is told with its line. */
#include "../../src/microstructure/tess.h"
#include "magtwin/error.h"
#include "refused.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char file[] = "/tmp/magtwin_tess_XXXXXX";

static void make_power(MtPower *p, int n) {
  uint64_t s = 7;
  *p = (MtPower){.n = n, .box = {0, 0, 0, 2, 1, 1.5}};
  assert_int_equal(PetscCalloc1(3 * (size_t)n, &p->seed) | PetscCalloc1((size_t)n, &p->weight), 0);
  assert_int_equal(PetscCalloc1(3 * (size_t)n, &p->axis) | PetscCalloc1((size_t)n, &p->label), 0);
  for (int i = 0; i < 3 * n; i++) {
    s = s * 6364136223846793005u + 1442695040888963407u;
    p->seed[i] = p->box[3 + i % 3] * (double)(s >> 11) / 9007199254740992.0;
  }
}

static void put_faces(FILE *f, const MtCells *c) {
  fprintf(f, " **face\n %d\n", c->nfaces);
  for (int k = 0; k < c->nfaces; k++) {
    const int n = c->face_start[k + 1] - c->face_start[k];
    fprintf(f, "  %d %d", k + 1, n);
    for (int i = c->face_start[k]; i < c->face_start[k + 1]; i++) fprintf(f, " %d", c->face_vertex[i] + 1);
    fprintf(f, "\n  0\n  0 0 0 1\n  0 0 0 0 0\n");
  }
}

static void put_polyhedra(FILE *f, const MtCells *c) {
  fprintf(f, " **polyhedron\n %d\n", c->ngrains);
  for (int g = 0; g < c->ngrains; g++) {
    int n = 0;
    for (int i = 0; i < 2 * c->nfaces; i++) n += c->face_cells[i] == g;
    fprintf(f, "  %d %d", g + 1, n);
    for (int i = 0; i < 2 * c->nfaces; i++)
      if (c->face_cells[i] == g) fprintf(f, " %d", i % 2 ? -(i / 2 + 1) : i / 2 + 1);
    fputc('\n', f);
  }
}

/* more: further parts of **cell */
static void write_tess(const MtCells *c, const char *more, double shift) {
  FILE *f = fopen(file, "w");
  assert_non_null(f);
  fprintf(f, "***tess\n **format\n   3.4\n **general\n   3 standard\n **cell\n  %d\n%s **vertex\n %d\n", c->ngrains,
          more, c->nvertices);
  for (int v = 0; v < c->nvertices; v++)
    fprintf(f, "  %d %.12f %.12f %.12f 0\n", v + 1, c->x[3 * v] + shift, c->x[3 * v + 1], c->x[3 * v + 2]);
  fprintf(f, " **edge\n 1\n  1 1 2 0\n");
  put_faces(f, c);
  put_polyhedra(f, c);
  fprintf(f, " **domain\n  *general\n   cube\n***end\n");
  fclose(f);
}

static void make_cells(int n, MtCells *c) {
  MtPower p;
  make_power(&p, n);
  assert_int_equal(mt_cells_build(&p, c), 0);
  mt_power_free(&p);
}

static void test_cells(void **state) {
  (void)state;
  MtCells c, d;
  MtTess t;
  make_cells(12, &c);
  write_tess(&c, "", -3);
  assert_int_equal(mt_tess_read(file, &t), 0);
  assert_int_equal(mt_tess_cells(&t, file, 10, 0, &d), 0);
  assert_true(d.ngrains == 12 && d.nvertices == c.nvertices && d.nfaces == c.nfaces && d.nedges == c.nedges);
  for (int k = 0; k < 6; k++) assert_true(fabs(d.box[k] - 10 * c.box[k]) < 1e-9);
  for (int g = 0; g < 12; g++) {
    assert_true(fabs(d.volume[g] / c.volume[g] / 1000 - 1) < 1e-9);
    for (int k = 0; k < 3; k++) assert_true(fabs(d.center[3 * g + k] - 10 * c.center[3 * g + k]) < 1e-8);
  }
  for (int f = 0; f < 2 * c.nfaces; f++) assert_int_equal(d.face_cells[f], c.face_cells[f]);
  assert_null(d.orientation);
  mt_cells_free(&d);
  assert_int_equal(mt_tess_cells(&t, file, 0, 40, &d), 0);
  double mean = 0;
  for (int g = 0; g < 12; g++) mean += cbrt(6 * d.volume[g] / acos(-1)) / 12;
  assert_true(fabs(mean - 40) < 1e-9);
  mt_cells_free(&d);
  mt_cells_free(&c);
  mt_tess_free(&t);
}

/* A turn of 90 deg about x takes crystal z to -y; in each descriptor. */
static void test_orientations(void **state) {
  (void)state;
  static const char *const text[] = {"quaternion:active\n 0.7071067811865476 0.7071067811865476 0 0\n",
                                     "rodrigues:active\n 1 0 0\n",
                                     "rodrigues:passive\n -1 0 0\n",
                                     "euler-bunge:active\n 0 90 0\n",
                                     "rotmat:active\n 1 0 0 0 0 -1 0 1 0\n",
                                     "axis-angle:active\n 2 0 0 90\n"};
  MtCells c, d;
  make_cells(1, &c);
  for (int i = 0; i < 6; i++) {
    char more[200];
    MtTess t;
    snprintf(more, sizeof more, "  *crysym\n   triclinic\n  *ori\n   %s", text[i]);
    write_tess(&c, more, 0);
    assert_int_equal(mt_tess_read(file, &t), 0);
    assert_int_equal(mt_tess_cells(&t, file, 1, 0, &d), 0);
    assert_true(fabs(d.axis[0]) < 1e-12 && fabs(d.axis[1] + 1) < 1e-12 && fabs(d.axis[2]) < 1e-12);
    mt_cells_free(&d);
    mt_tess_free(&t);
  }
  mt_cells_free(&c);
}

static void refuse(const char *why) {
  MtTess t;
  MtCells d = {0};
  PetscErrorCode rc = mt_tess_read(file, &t);
  if (!rc) rc = mt_tess_cells(&t, file, 1, 0, &d);
  assert_refused(rc, why);
  mt_cells_free(&d);
  mt_tess_free(&t);
}

static void put(const char *text) {
  FILE *f = fopen(file, "w");
  assert_non_null(f);
  fputs(text, f);
  fclose(f);
}

static void test_refused(void **state) {
  (void)state;
  MtCells c;
  put("***tesr\n");
  refuse(":1: expected ***tess");
  put("***tess\n **general\n 2 standard\n");
  refuse(":3: expected the dimension, which must be 3, found 2");
  put("***tess\n **general\n 3 standard\n **cell\n 1\n *ori\n homochoric:active\n");
  refuse(":7: expected orientations as rodrigues");
  put("***tess\n **general\n 3 standard\n **cell\n 1\n **vertex\n 8\n 1 0 0 0 0\n 2 0 x 0 0\n");
  refuse(":9: expected a coordinate, found x");
  make_cells(5, &c);
  write_tess(&c, "", 0);
  assert_int_equal(truncate(file, 900), 0);
  refuse("expected");
  c.x[0] += .3 * (c.x[0] < 1 ? 1 : -1); /* no box any more, or one that is not filled */
  c.x[1] += .3 * (c.x[1] < .5 ? 1 : -1);
  c.x[2] += .3 * (c.x[2] < .5 ? 1 : -1);
  write_tess(&c, "", 0);
  refuse(file);
  mt_cells_free(&c);
}

int main(int argc, char **argv) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_cells), cmocka_unit_test(test_orientations),
                                     cmocka_unit_test(test_refused)};
  if (PetscInitialize(&argc, &argv, NULL, NULL) || mt_error_install()) return 1;
  const int at = mkstemp(file);
  int failed = at < 0 || close(at) || cmocka_run_group_tests(tests, NULL, NULL);
  unlink(file);
  return PetscFinalize() ? 1 : failed;
}
