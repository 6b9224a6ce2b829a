/* What a grain and the air will cost to fill, before they are: in tets of a grain.  Measured: 9.8 tets in a volume of
 * one edge cubed inside the layer (9.3 to 9.9 over 100 meshes of 16 to 500 grains, edges 2 to 16 nm), 15 to 20 us each.
 * Air, for an area of one edge squared of the box: 10.7 to 14.6 tets there; 12.5, 11.8, 10.9 with 60, 150, 1000 grains
 * of 40 nm, edges of 5.5 nm.  One of its 61,000, 106,000, 346,000 tets counted 2.3, 2.3 and 2.9 to 3.7 tets of a grain:
 * dearer the larger the one mesh is. */
#include "gb_fill.h"
#include <math.h>

static const double tets_in_edge3 = 9.7, air_tets_on_edge2 = 11.7;
static const double air_tet = 2.4, air_counted = 1e5, air_power = 0.2; /* 2.4 (tets / 1e5)^0.2 */
enum { SHELLS = 40 };

/* A ball of its volume less the half of the layer, shell by shell; edges grow inward with mesh.inner_size. */
double mt_fill_cost(const MtMeshOptions *opt, double volume) {
  const double ball = cbrt(3 * volume / (4 * PETSC_PI)), radius = fmax(ball - opt->thickness / 2, 0);
  const bool even = !(opt->inner_size > opt->size);
  double sum = 0;
  for (int k = 0; k < SHELLS; k++) {
    const double r = radius * (k + 0.5) / SHELLS, grown = opt->size + opt->growth * (ball - r);
    sum += r * r / pow(even ? opt->size : fmin(opt->inner_size, grown), 3);
  }
  return tets_in_edge3 * 4 * PETSC_PI * sum * radius / SHELLS;
}

double mt_air_cost(const MtMeshOptions *opt, const double box[6]) {
  const double x = box[3] - box[0], y = box[4] - box[1], z = box[5] - box[2];
  if (!(opt->air_radius > 0)) return 0;
  const double tets = air_tets_on_edge2 * 2 * (x * y + y * z + z * x) / (opt->size * opt->size);
  return air_tet * pow(tets / air_counted, air_power) * tets;
}
