/* What a grain and the air will cost to fill, before they are: in tets of a grain.  Measured, 150 grains in 160 nm,
 * edges of 4 nm: 9.8 tets in a volume of one edge cubed, 19 us each; in the air 11.7 tets for an area of one edge
 * squared of the box, 46 us each, as their sizes change.  Over 100 meshes of 16 to 500 grains, edges 2 to 16 nm: 9.3
 * to 9.9 and 10.7 to 14.6. */
#include "gb_fill.h"
#include <math.h>

static const double tets_in_edge3 = 9.7, air_tets_on_edge2 = 12.3, air_tet = 2.4;
enum { SHELLS = 40 };

/* A ball of its volume, shell by shell; edges grow inward with mesh.inner_size. */
double mt_fill_cost(const MtMeshOptions *opt, double volume) {
  const double radius = cbrt(3 * volume / (4 * PETSC_PI));
  double sum = 0;
  if (!(opt->inner_size > opt->size)) return tets_in_edge3 * volume / pow(opt->size, 3);
  for (int k = 0; k < SHELLS; k++) {
    const double depth = radius * (k + 0.5) / SHELLS, r = radius - depth;
    sum += r * r / pow(fmin(opt->inner_size, opt->size + opt->growth * depth), 3);
  }
  return tets_in_edge3 * 4 * PETSC_PI * sum * radius / SHELLS;
}

double mt_air_cost(const MtMeshOptions *opt, const double box[6]) {
  const double x = box[3] - box[0], y = box[4] - box[1], z = box[5] - box[2];
  if (!(opt->air_radius > 0)) return 0;
  return air_tet * air_tets_on_edge2 * 2 * (x * y + y * z + z * x) / (opt->size * opt->size);
}
