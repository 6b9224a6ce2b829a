/* Linear elasticity with an eigenstrain that a phase field carries (misfit of precipitates), on the simplices of a
 * domain: triangles (plane strain) or tetrahedra.  Strains are tensors, xx yy zz yz xz xy; stiffness and stress in J/m3
 * = Pa; cubic crystals lie along x, y, z.  Formulas and sources: docs/numerics.md, "Elasticity". */
#ifndef MAGTWIN_ELASTIC_H
#define MAGTWIN_ELASTIC_H

#include "magtwin/input.h"
#include "magtwin/phasefield.h"

typedef struct {
  double C11, C12, C44; /* isotropic where C11 - C12 = 2 C44 */
} MtStiffness;
typedef struct {
  MtStiffness phase[2]; /* of c = low and c = high, and beyond; 3p^2 - 2p^3 between, p = (c - low)/(high - low) */
  double low, high;
  double misfit[6]; /* eigenstrain of c - reference = 1 */
  double reference;
  bool clamped; /* ends that are not periodic do not move; else they are free */
  bool relaxed; /* the periodic axes take the length at which their mean stress is `applied`; else the mean strain is 0
                 */
  double applied[6]; /* J/m3, tension > 0; components between two periodic axes count */
  double rtol;       /* of the linear solves */
} MtElasticModel;

/* domain is kept and must outlive *elastic; model is copied.  Collective. */
PetscErrorCode mt_elastic_create(const MtDomain *domain, const MtElasticModel *model, MtElastic **elastic);
PetscErrorCode mt_elastic_destroy(MtElastic **elastic); /* NULL is fine */
/* The equilibrium for the composition c (rows of the domain); depends on c alone.  MT_ERR_FAIL if it is not found.
 * Collective. */
PetscErrorCode mt_elastic_solve(MtElastic *e, Vec c);
/* Of the last equilibrium: its energy, J/m3 as a mean over the domain, and that of what applies the stress; y += dF/dc
 * of both, J/m3 nm^dim; elastic strain (strain less eigenstrain) and stress of the local elements, [6 ne] each, NULL:
 * not wanted.  Collective; not; collective. */
PetscErrorCode mt_elastic_energy(const MtElastic *e, double *energy);
double mt_elastic_load(const MtElastic *e);
PetscErrorCode mt_elastic_gradient(const MtElastic *e, Vec y);
PetscErrorCode mt_elastic_fields(const MtElastic *e, double *strain, double *stress);
/* Half of the largest second derivative of the energy by c that a wave of c can have, J/m3.  Not collective. */
double mt_elastic_curvature(const MtElastic *e);
/* Conjugate-gradient iterations and solves so far.  Not collective. */
void mt_elastic_count(const MtElastic *e, int64_t *iterations, int64_t *solves);

/* Section elasticity: is it there, its rules (MT_ERR_INPUT with the place), and what it asks for, *elastic NULL
 * without. Not collective; not collective; collective. */
extern const MtKey mt_elastic_keys[];
bool mt_elastic_asked(const MtInput *in);
bool mt_elastic_applied(const MtInput *in); /* is there a stress, too */
PetscErrorCode mt_elastic_check(const MtInput *in);
PetscErrorCode mt_elastic_open(const MtInput *in, const MtDomain *domain, MtElastic **elastic);
/* The stress of every tetrahedron of the mesh at the equilibrium for c, 0 in the air, as dataset /stress [nt,6] by tet
 * id, Pa: what materials.stress takes.  Nothing on a box.  Collective. */
PetscErrorCode mt_elastic_write(MtElastic *e, Vec c, struct MtH5 *f);

/* s = C : e of a cubic crystal along x, y, z.  Plain C. */
void mt_stiffness_stress(const MtStiffness *C, const double e[6], double s[6]);

#endif
