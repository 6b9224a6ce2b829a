/* Section kks of the input. */
#ifndef MT_PHASEFIELD_KKS_INPUT_H
#define MT_PHASEFIELD_KKS_INPUT_H

#include "magtwin/input.h"
#include "magtwin/kks.h"

/* The model; its energies are the caller's (mt_kks_free).  MT_ERR_INPUT with the place of a key.  Not collective. */
PetscErrorCode mt_kks_model(const MtInput *in, const MtProgram *program, MtKksModel *m);

/* kks_diagram.c: section kks.diagram, nothing where it is not given.  MT_ERR_INPUT with the place of a key.  Not
 * collective. */
PetscErrorCode mt_kks_read_diagram(const MtInput *in, MtKksModel *m);

#endif
