/* checkpoint.h5 of a run of energy barriers: all that the next round depends on, so that a continued run makes the same
 * ones; written by the first group, whatever group an image belongs to, and read on any number of ranks and groups.
 *
 * Format "magtwin-barrier-checkpoint" 1, nodal data by file id: /image_<i>/m [nv,3] and potential [nv], image_<n> being
 * the final state; /run/progress, /run/energies [n], /run/barriers, /run/images, /run/kept (records of barrier_impl.h);
 * and what it belongs to (site.h). */
#include "barrier_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/run.h"
#include <stdlib.h>
#include <string.h>

typedef struct {
  MtBarrier *b;
  Vec m, u;   /* an image on its way */
  int passed; /* images that came to the first group */
  char path[4096];
} Passage;

static PetscErrorCode open_passage(MtBarrier *b, Passage *p) {
  Vec u;
  *p = (Passage){.b = b};
  PetscCall(mt_energy_potential(b->energy, &u));
  PetscCall(VecDuplicate(b->path.tangent, &p->m));
  return u ? VecDuplicate(u, &p->u) : 0;
}

static PetscErrorCode close_passage(Passage *p) {
  PetscCall(VecDestroy(&p->m));
  return VecDestroy(&p->u);
}

/* Image i, or the final state at n -> p->m, p->u of the first group. */
static PetscErrorCode pass(Passage *p, int i) {
  MtBarrier *b = p->b;
  int n = b->path.n, owner = i < n ? mt_team_owner(&b->team, n, i) : b->team.ngroups - 1;
  Vec m = i < n ? b->path.image[i].m : b->final, u = i < n ? b->path.image[i].u : b->final_u;
  p->passed = i + 1;
  PetscCall(mt_team_send(&b->team, owner, 0, m, p->m));
  return p->u ? mt_team_send(&b->team, owner, 0, u, p->u) : 0;
}

static void names(int i, char m[32], char u[32]) {
  snprintf(m, 32, "/image_%d/m", i);
  snprintf(u, 32, "/image_%d/potential", i);
}

enum { ENERGIES = sizeof(MtEnergyValues) / sizeof(double) };

static PetscErrorCode write_all(void *ctx, MtH5 *f) {
  Passage *p = ctx;
  MtBarrier *b = p->b;
  const MtSite *s = &b->site;
  PetscErrorCode rc = mt_site_write_table(s, f, "/run/progress", 1, MT_BARRIER_PROGRESS, &b->now);
  if (!rc) rc = mt_site_write_table(s, f, "/run/energies", b->path.n, ENERGIES, b->path.E);
  if (!rc) rc = mt_site_write_table(s, f, "/run/barriers", b->rows.n, MT_BARRIER_ROW, b->rows.data);
  if (!rc) rc = mt_site_write_table(s, f, "/run/images", b->images.n, MT_IMAGE_ROW, b->images.data);
  if (!rc) rc = mt_site_write_table(s, f, "/run/kept", b->kept.n, MT_KEPT_IMAGE, b->kept.data);
  for (int i = 0; !rc && i <= b->path.n; i++) {
    char m[32], u[32];
    names(i, m, u);
    PetscCall(pass(p, i));
    rc = mt_site_write_m(s, f, m, p->m);
    if (!rc) rc = mt_site_write_potential(s, f, u, p->u);
  }
  return rc;
}

/* Rows lie start after start: further fields have no place between them. */
static PetscErrorCode check_fields(const MtBarrier *b) {
  for (int i = 0; i < b->rows.n; i++)
    if (mt_barrier_row(b, i)->B != mt_input_real_at(b->in, i % b->opt.fields, "barrier.fields"))
      return mt_error(MT_ERR_INPUT,
                      "%s/checkpoint.h5 has paths from several places (barrier.starts): further fields cannot be added "
                      "to it; start "
                      "anew with --force, or in another output.folder",
                      b->folder);
  return 0;
}

/* Records of b as they came out of a file. */
static PetscErrorCode read_tables(MtBarrier *b, MtH5 *f, const char *path) {
  MtTable progress = {.width = MT_BARRIER_PROGRESS}, energies = {.width = ENERGIES};
  PetscErrorCode rc = mt_site_read_table(f, "/run/progress", &progress);
  if (!rc) rc = mt_site_read_table(f, "/run/energies", &energies);
  if (!rc) rc = mt_site_read_table(f, "/run/barriers", &b->rows);
  if (!rc) rc = mt_site_read_table(f, "/run/images", &b->images);
  if (!rc) rc = mt_site_read_table(f, "/run/kept", &b->kept);
  if (!rc && (progress.n != 1 || energies.n != b->path.n))
    rc = mt_error(MT_ERR_INPUT, "%s is damaged: it has no progress record, or other images", path);
  if (!rc) {
    memcpy(&b->now, progress.data, sizeof b->now);
    memcpy(b->path.E, energies.data, (size_t)energies.n * sizeof *b->path.E);
    b->path.now = b->now.path;
    mt_barrier_B(b, b->path.B);
  }
  mt_table_free(&progress);
  mt_table_free(&energies);
  return rc;
}

static PetscErrorCode read_image(const MtSite *s, MtH5 *f, int i, Vec m, Vec u) {
  char name[32], potential[32];
  names(i, name, potential);
  PetscErrorCode rc = mt_site_read_m(s, f, name, m);
  return rc ? rc : mt_site_read_potential(s, f, potential, u);
}

/* All of it is readable: the first group looks, before any group takes its part. */
static PetscErrorCode look_through(void *ctx, MtH5 *f, const char *path) {
  Passage *p = ctx;
  PetscErrorCode rc = read_tables(p->b, f, path);
  for (int i = 0; !rc && i <= p->b->path.n; i++) rc = read_image(&p->b->site, f, i, p->m, p->u);
  snprintf(p->path, sizeof p->path, "%s", path);
  return rc;
}

static PetscErrorCode read_own(MtBarrier *b, const char *path) {
  MtH5 *f;
  const MtPath *p = &b->path;
  PetscErrorCode rc = mt_h5_open(b->team.group, path, "magtwin-barrier-checkpoint", 1, &f);
  if (rc) return rc;
  rc = read_tables(b, f, path);
  for (int i = p->start; !rc && i < p->end; i++) rc = read_image(&b->site, f, i, p->image[i].m, p->image[i].u);
  if (!rc && b->final) rc = read_image(&b->site, f, p->n, b->final, b->final_u);
  PetscErrorCode closed = mt_h5_close(&f);
  return rc ? rc : closed;
}

static MtCheckpoint checkpoint_of(Passage *p) {
  return (MtCheckpoint){.format = "magtwin-barrier-checkpoint",
                        .version = 1,
                        .sections = "grains mesh materials barrier demagnetizing",
                        .method = "minimizer",
                        .open = "barrier.groups barrier.starts barrier.max_rounds barrier.temperature barrier.time "
                                "barrier.attempt_frequency",
                        .longer = "barrier.fields",
                        .ctx = p,
                        .write = write_all,
                        .read = look_through};
}

PetscErrorCode mt_barrier_checkpoint_write(MtBarrier *b) {
  Passage p;
  PetscErrorCode rc = 0;
  PetscCall(open_passage(b, &p));
  const MtCheckpoint c = checkpoint_of(&p);
  b->now.wall = b->wall_before + mt_wall();
  b->now.path = b->path.now;
  if (b->team.mine == 0) rc = mt_site_checkpoint_write(&b->site, &c);
  /* what a failed file did not take is taken from its groups all the same: they wait */
  for (int i = p.passed; i <= b->path.n; i++) PetscCall(pass(&p, i));
  PetscCall(close_passage(&p));
  rc = mt_agree(b->world, rc);
  if (rc) return rc;
  b->saved_at = mt_wall();
  b->saved_rounds = b->path.now.rounds;
  return 0;
}

PetscErrorCode mt_barrier_checkpoint_read(MtBarrier *b, bool *found) {
  Passage p;
  PetscErrorCode rc = 0;
  PetscCall(open_passage(b, &p));
  const MtCheckpoint c = checkpoint_of(&p);
  *found = false;
  if (b->team.mine == 0) rc = mt_site_checkpoint_read(&b->site, &c, found);
  PetscCall(close_passage(&p));
  rc = mt_agree(b->world, rc);
  if (rc) return rc;
  PetscCallMPI(MPI_Bcast(found, 1, MPI_C_BOOL, 0, b->world));
  PetscCallMPI(MPI_Bcast(p.path, sizeof p.path, MPI_CHAR, 0, b->world));
  if (!*found) return 0;
  rc = mt_agree(b->world, read_own(b, p.path));
  b->wall_before = b->now.wall;
  b->saved_rounds = b->path.now.rounds;
  b->saved_at = mt_wall();
  return rc ? rc : check_fields(b);
}
