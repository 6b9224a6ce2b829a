/* The lower star of a pixel: the cells that enter with it, and how they are paired among themselves.
 *
 * Its edges e, squares s and cubes c are the vertices, edges and triangles of a part of an octahedron (the lower link).
 * There are 15935 such parts, so that every lower star is one of so many types: a pixel keeps two bytes. */
#ifndef TOPOLOGY_STAR_H
#define TOPOLOGY_STAR_H

#include <stdbool.h>
#include <stdint.h>

/* Edge 2a + p: along axis a, p = 1 towards larger coordinates.  Square 4q + 2pb + pa: in the plane q = xy, xz, yz of
 * axes a < b.  Cube px + 2py + 4pz.  As bits of a lower star: edges from 0, squares from 6, cubes from 18. */
enum { MT_EDGES = 6, MT_SQUARES = 12, MT_CUBES = 8, MT_SQUARE_BIT = 6, MT_CUBE_BIT = 18 };
enum { MT_ABSENT = -2, MT_CRITICAL = -1 };

typedef struct {
  int16_t down;     /* the edge paired with the pixel; MT_CRITICAL: a minimum */
  uint8_t edges;    /* critical edges, a bit each */
  uint16_t squares; /* critical squares */
  int8_t top[8];    /* the facet paired with each top cell (cube and square; in two dimensions square and edge) */
  /* Where a chain with edge e goes: with the squares of flow added it ends in the critical edges of rest. */
  uint16_t flow[MT_EDGES];
  uint8_t rest[MT_EDGES];
} MtStar;

typedef struct MtStars MtStars; /* the types met so far */
MtStars *mt_stars_new(int dims);
void mt_stars_free(MtStars **s);
/* Number of the type with these cells; the table of types, which a new type may move. */
uint16_t mt_stars_find(MtStars *s, uint32_t cells);
const MtStar *mt_stars_table(const MtStars *s);

/* Axes a < b of plane q, and the axis across it. */
static inline int mt_plane_a(int q) {
  return q == 2;
}
static inline int mt_plane_b(int q) {
  return q == 0 ? 1 : 2;
}
/* Square of directions (edges) d on axis a and e on axis b > a. */
static inline int mt_square_of(int d, int e) {
  const int q = (d >> 1) + (e >> 1) - 1;
  return 4 * q + 2 * (e & 1) + (d & 1);
}
static inline int mt_square_edge_a(int s) {
  return 2 * mt_plane_a(s >> 2) + (s & 1);
}
static inline int mt_square_edge_b(int s) {
  return 2 * mt_plane_b(s >> 2) + (s >> 1 & 1);
}

#endif
