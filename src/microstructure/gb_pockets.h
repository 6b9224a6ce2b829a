/* Private: pockets of phase at triple lines or junctions, where the grains are cut back further than elsewhere. */
#ifndef MAGTWIN_GB_POCKETS_H
#define MAGTWIN_GB_POCKETS_H

#include "gb.h"
#include "magtwin/json.h"

/* A pocket reaches `size` from its line or point along the boundaries; the grains' corners are cut off flat there. */
typedef struct MtPockets {
  bool junctions; /* sites are vertices of the complex, else edges */
  int n;
  int32_t *site;      /* [n] ascending */
  double size, depth; /* nm; of the flat cut */
} MtPockets;

/* Draws the sites: lines or points inside the box around which all grains have phase between them.  MT_ERR_INPUT where
 * there is none.  Same on every rank; not collective. */
PetscErrorCode mt_pockets_choose(const MtCells *c, const MtTopology *t, const MtCopies *q, const MtPocketOptions *o,
                                 MtPockets *p);
void mt_pockets_free(MtPockets *p);
/* Grains of a site, -1 unused. */
int mt_pockets_grains(const MtTopology *t, const MtPockets *p, int i, int32_t g[MT_GB_MAX_RING]);
/* Sets bulge and pocket of the copies and places them, at full scale.  Not collective. */
PetscErrorCode mt_pockets_place(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtPockets *p,
                                MtCopies *q);
/* Of all pockets as the copies lie now, nm3. */
PetscErrorCode mt_pockets_volume(const MtCells *c, const MtSurface *s, const MtTopology *t, const MtCopies *q,
                                 int layers, double *volume);
/* Sets size and depth so that they have this volume (nm3), and places the copies.  MT_ERR_INPUT where no size does. */
PetscErrorCode mt_pockets_fit(const MtCells *c, const MtSurface *s, const MtTopology *t, int layers, double size,
                              double volume, MtPockets *p, MtCopies *q);
/* Log and json (object "pockets"), of a finished mesh.  Call on rank 0. */
void mt_pockets_report(const MtPocketOptions *o, const MtPockets *p, const MtMeshData *d, MtJson *json);

#endif
