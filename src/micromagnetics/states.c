/* Which states of a hysteresis run are kept, and what their files say (site_states.c writes them). */
#include "hysteresis.h"
#include <stdlib.h>
#include <string.h>

static const char *const tag_name[] = {"remanence", "before_event", "after_event", "coercivity",
                                       "last",      "step",         "reversal"};

const char *mt_state_tags(unsigned tags, char buf[96]) {
  buf[0] = 0;
  for (size_t i = 0; i < sizeof tag_name / sizeof *tag_name; i++) {
    if (!(tags & 1u << i)) continue;
    if (buf[0]) strcat(buf, "+");
    strcat(buf, tag_name[i]);
  }
  return buf;
}

typedef struct {
  const MtSite *site;
  const MtKept *kept;
  Vec mode; /* NULL: none */
} Extras;

static PetscErrorCode write_extras(void *ctx, MtH5 *f) {
  const Extras *x = ctx;
  const MtKept *k = x->kept;
  char tags[96];
  if (x->mode) {
    PetscCall(mt_site_write_m(x->site, f, "/mode", x->mode));
    PetscCall(mt_h5_set_reals(f, "/mode", "eigenvalue_T", 1, &k->eigenvalue));
  }
  PetscCall(mt_h5_set_string(f, "/", "tag", mt_state_tags((unsigned)k->tags, tags)));
  PetscCall(mt_h5_set_reals(f, "/", "field_T", 3, k->B));
  PetscCall(mt_h5_set_reals(f, "/", "field_along_T", 1, &k->B_along));
  PetscCall(mt_h5_set_reals(f, "/", "m_along", 1, &k->m));
  return mt_h5_set_ints(f, "/", "step", 1, (int64_t[]){(int64_t)k->step});
}

PetscErrorCode mt_state_keep(MtHysteresis *h, Vec m, int row, unsigned tags, Vec mode, double eigenvalue) {
  const MtCurveRow *r = &h->curve.row[row];
  int at = 0;
  while (at < h->kept.n && mt_kept(h, at)->step != r->step) at++;
  if (at == h->kept.n) {
    MtKept k = {.step = r->step, .B_along = r->B_along, .B = {r->B[0], r->B[1], r->B[2]}, .m = r->m, .eigenvalue = NAN};
    PetscCall(mt_table_add(&h->kept, &k));
  } else if (((unsigned)mt_kept(h, at)->tags & tags) == tags) {
    return 0;
  }
  mt_kept(h, at)->tags = (unsigned)mt_kept(h, at)->tags | tags;
  if (mode) mt_kept(h, at)->eigenvalue = eigenvalue;
  const MtSite site = mt_hysteresis_site(h);
  Extras extras = {&site, mt_kept(h, at), mode};
  PetscCall(mt_site_state_write(&site, at + 1, m, write_extras, &extras));
  return mt_states_index(h);
}

int mt_state_of_branch(const MtHysteresis *h, int branch) {
  int number = h->kept.n;
  while (number > 0 && (int)mt_kept(h, number - 1)->starts != branch) number--;
  return number;
}

PetscErrorCode mt_states_index(MtHysteresis *h) {
  const MtSite site = mt_hysteresis_site(h);
  int n = h->kept.n;
  if (h->rank == 0) mt_site_states_remove(&site, n);
  if (h->opt.states == MT_STATES_NONE) return 0;
  char(*tags)[96] = malloc((size_t)(n + 1) * sizeof *tags);
  MtStateEntry *entry = malloc((size_t)(n + 1) * sizeof *entry);
  double *column = malloc(6 * (size_t)(n + 1) * sizeof *column);
  PetscErrorCode rc = tags && entry && column ? 0 : mt_error(MT_ERR_FAIL, "out of memory for %d states", n);
  for (int i = 0; !rc && i < n; i++) {
    const MtKept *k = mt_kept(h, i);
    entry[i] = (MtStateEntry){.tags = mt_state_tags((unsigned)k->tags, tags[i]),
                              .time = k->step,
                              .second = isnan(k->eigenvalue) ? NULL : "/mode"};
    memcpy(column + 6 * i, k, 6 * sizeof *column); /* step, field along, field, m */
  }
  MtStateList list = {n, entry, 6, column, "step, field along T, field x y z T, m", true};
  if (!rc) rc = mt_site_states_index(&site, &list);
  free(column);
  free(entry);
  free(tags);
  return rc;
}
