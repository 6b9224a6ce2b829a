/* A run of energy barriers from the inside: what its steps (start, rounds, record, keep, checkpoint) share. */
#ifndef MT_MICROMAGNETICS_BARRIER_IMPL_H
#define MT_MICROMAGNETICS_BARRIER_IMPL_H

#include "magtwin/barrier.h"
#include "path_method.h"
#include "site.h"

typedef struct {
  int modes; /* of the open boundary; -1: no demagnetizing field */
  int images, groups, fields, starts;
  bool rotation;    /* the first path turns all moments at once */
  bool place_given; /* of the first nucleus, where it is barrier.nucleus */
  int states;       /* kept: 0 none, 1 ends and saddles, 2 all */
  double place[3];  /* nm, of the nucleus of the next first path */
  double given[3];  /* nm, barrier.nucleus */
  double direction[3];
  double temperature;                /* K */
  double attempts;                   /* f0 t */
  double every_steps, every_seconds; /* between checkpoints */
  MtMinimizerOptions minimizer;
  MtPathOptions path;
} MtBarrierOptions;
void mt_barrier_options(const MtInput *in, MtBarrierOptions *o);

/* The next three are arrays of doubles by another name: they go into the checkpoint as they are. */
typedef struct {
  double field;                       /* index of the field in work */
  double running;                     /* 1: its path is under way; 0: its ends have still to be relaxed */
  double usable;                      /* 1: the images are a path already, of this field or of the one before */
  double E_final, initial_eigenvalue; /* J/m3 nm3; T */
  double finished;
  double wall;
  MtPathProgress path;
} MtBarrierProgress;

typedef struct {
  double number, B;                    /* from 0, start after start; T along barrier.direction */
  double barrier, back;                /* J, from the initial and from the final state; NaN: none */
  double end;                          /* MtPathEnd, -1: the initial state is not stable, -2: both states are one,
                                          -3: no place is left for a start */
  double rounds, image;                /* the saddle's */
  double torque;                       /* T, of the saddle */
  double lambda[2];                    /* T, smallest eigenvalues at the saddle */
  double initial_lambda;               /* T, of the initial state */
  double m_initial, m_saddle, m_final; /* along barrier.direction, of saturation */
  double evaluations, inner, demag;
} MtBarrierRow;

typedef struct {
  double number, B, image;      /* number: of its MtBarrierRow */
  double s, turn, torque;       /* rad from the start; rad, largest of a node from the image before; T */
  double m;                     /* along barrier.direction, of saturation */
  double energy[1 + MT_NTERMS]; /* J, total and terms, above those of the initial state */
} MtImageRow;

typedef struct {
  double number, B, image, s, energy; /* of the state's MtImageRow */
  double tag;                         /* MtBarrierTag */
} MtKeptImage;
typedef enum { MT_BARRIER_INITIAL, MT_BARRIER_PATH, MT_BARRIER_SADDLE, MT_BARRIER_LAST } MtBarrierTag;

enum {
  MT_BARRIER_PROGRESS = sizeof(MtBarrierProgress) / sizeof(double),
  MT_BARRIER_ROW = sizeof(MtBarrierRow) / sizeof(double),
  MT_IMAGE_ROW = sizeof(MtImageRow) / sizeof(double),
  MT_KEPT_IMAGE = sizeof(MtKeptImage) / sizeof(double)
};
#define MT_JOULE 1e-27 /* of J/m3 nm3 */

typedef struct {
  MPI_Comm world;
  int rank; /* of world */
  const MtInput *in;
  const char *folder;
  MtBarrierOptions opt;
  MtTeam team;
  MtSite site; /* as this group sees it */
  MtMesh *mesh;
  MtMaterial *material;
  MtEnergy *energy;
  MtMinimizer *minimizer;
  MtPath path;
  Vec final, final_u; /* the relaxed final state and its potential, of the last image's group; NULL elsewhere */
  Vec unrelaxed;      /* not owned: the end being relaxed, or that could not be; else NULL */
  MtBarrierProgress now;
  MtTable rows, images, kept;
  double saved_at; /* mt_wall() of the newest checkpoint */
  double saved_rounds, wall_before;
} MtBarrier;

static inline MtBarrierRow *mt_barrier_row(const MtBarrier *b, int i) {
  return (MtBarrierRow *)(void *)(b->rows.data + (size_t)i * MT_BARRIER_ROW);
}
static inline MtImageRow *mt_image_row(const MtBarrier *b, int i) {
  return (MtImageRow *)(void *)(b->images.data + (size_t)i * MT_IMAGE_ROW);
}
static inline MtKeptImage *mt_kept_image(const MtBarrier *b, int i) {
  return (MtKeptImage *)(void *)(b->kept.data + (size_t)i * MT_KEPT_IMAGE);
}

/* Of a row, or of the field in work: how many places were begun with before. */
static inline int mt_barrier_start_of(const MtBarrier *b, double number) {
  return (int)number / b->opt.fields;
}

/* All below is collective on world unless said. */
PetscErrorCode mt_barrier_open(MtBarrier *b, MPI_Comm comm, const MtInput *in, const char *mesh_path,
                               const char *folder);
PetscErrorCode mt_barrier_close(MtBarrier *b);
/* rc of work that the groups did each on their own: agreed. */
double mt_barrier_B(const MtBarrier *b, double B[3]); /* field in work; its value along the direction */
/* The two states as the input gives them -> the first image and final. */
PetscErrorCode mt_barrier_ends(MtBarrier *b);
/* Relaxes both at the field in work.  *end: 0, or why there is no barrier (MtBarrierRow); *stopped: a signal came. */
PetscErrorCode mt_barrier_relax(MtBarrier *b, int *end, bool *stopped);
/* The images between them: the first path, or that of the field before with the new ends. */
PetscErrorCode mt_barrier_first_path(MtBarrier *b);
/* After MT_ERR_FAIL on all ranks: says where the run was, keeps the end or image it failed in (site.h), that of the
 * first group if it did so in several; MT_ERR_FAIL. */
PetscErrorCode mt_barrier_failed(MtBarrier *b);
/* Takes down the field in work: rows of both tables, states. */
PetscErrorCode mt_barrier_record(MtBarrier *b, int end);
/* barriers.csv, barrier.csv, states.h5, states.xdmf from the tables. */
PetscErrorCode mt_barrier_files(MtBarrier *b);
PetscErrorCode mt_barrier_checkpoint_write(MtBarrier *b);
PetscErrorCode mt_barrier_checkpoint_read(MtBarrier *b, bool *found);
/* Objects "counts" and "results", and what the user should know of them.  Not collective. */
PetscErrorCode mt_barrier_results(MtBarrier *b, MtJson *json);
/* Fields of which a path stagnated or came to barrier.max_rounds and none has converged.  Not collective. */
int mt_barrier_missing(const MtBarrier *b);
/* "converged" and so on. */
const char *mt_barrier_end_name(int end);

#endif
