/* model.json: what the model of a campaign expects, for figures (postprocess/plot/campaign_model.py).
 *
 * Slices along every variable and planes over the pairs of those that matter most go through the centre: the best
 * trial, of several goals the one on the front nearest to the best of all. */
#include "campaign_impl.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include "magtwin/run.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SLICE = 61, PLANE = 33, PLANES = 3, POINTS = 1024 };

/* The trial that the pictures go through; -1: none is done. */
static int centre_of(const MtCampaign *c) {
  const MtProposer *p = &c->proposer;
  double low[MT_GOALS_MAX], high[MT_GOALS_MAX], least = INFINITY;
  int best = -1;
  for (int g = 0; g < p->ngoals; g++) {
    low[g] = INFINITY;
    high[g] = -INFINITY;
    for (int i = 0; i < c->db.n; i++) {
      if (c->db.trial[i].status != MT_TRIAL_DONE) continue;
      low[g] = fmin(low[g], mt_goal_loss(p, g, c->db.trial[i].y[g]));
      high[g] = fmax(high[g], mt_goal_loss(p, g, c->db.trial[i].y[g]));
    }
  }
  for (int i = 0; i < c->db.n; i++) {
    double far = 0;
    if (c->db.trial[i].status != MT_TRIAL_DONE) continue;
    for (int g = 0; g < p->ngoals; g++)
      far += pow((mt_goal_loss(p, g, c->db.trial[i].y[g]) - low[g]) / fmax(high[g] - low[g], 1e-300), 2);
    if (far >= least) continue;
    least = far;
    best = i;
  }
  return best;
}

/* Values of variable v on an axis of at most n places -> x; how many. */
static int axis_of(const MtVariable *v, int n, double *x) {
  const double range = v->max - v->min;
  if (v->type != MT_VAR_REAL && range + 1 < n) n = (int)range + 1;
  for (int k = 0; k < n; k++) {
    double t = n > 1 ? (double)k / (n - 1) : 0;
    x[k] = v->log ? v->min * pow(v->max / v->min, t) : v->min + t * range;
    if (v->type != MT_VAR_REAL) x[k] = round(x[k]);
  }
  return n;
}

static void put_axis(MtJson *j, const char *key, const MtVariable *v, int n, const double *x) {
  if (v->type != MT_VAR_CATEGORICAL) {
    mt_json_reals(j, key, n, x);
    return;
  }
  mt_json_array(j, key);
  for (int k = 0; k < n; k++) mt_json_string(j, NULL, v->value[(int)x[k]]);
  mt_json_end(j);
}

/* What is expected at n points. */
typedef struct {
  int n;
  double *mean[MT_GOALS_MAX], *sd[MT_GOALS_MAX], *acquisition, *success; /* [n] each */
} Expected;

static Expected expected_new(int n) {
  Expected e = {.n = n};
  const size_t size = (size_t)n;
  double *room = mt_calloc(size * (2 * MT_GOALS_MAX + 2), sizeof *room);
  for (int g = 0; g < MT_GOALS_MAX; g++) {
    e.mean[g] = room + 2 * (size_t)g * size;
    e.sd[g] = e.mean[g] + size;
  }
  e.acquisition = room + 2 * MT_GOALS_MAX * size;
  e.success = e.acquisition + size;
  return e;
}

static void expected_set(Expected *e, int k, const MtModel *m, const double *x) {
  MtProposal p;
  mt_model_at(m, x, &p, &e->acquisition[k]);
  e->success[k] = p.feasible;
  for (int g = 0; g < MT_GOALS_MAX; g++) {
    e->mean[g][k] = p.mean[g];
    e->sd[g][k] = p.sd[g];
  }
}

static void expected_put(Expected *e, const MtCampaign *c, MtJson *j) {
  mt_json_object(j, "goals");
  for (int g = 0; g < c->proposer.ngoals; g++) {
    mt_json_object(j, c->goal[g].name);
    mt_json_reals(j, "mean", e->n, e->mean[g]);
    mt_json_reals(j, "sd", e->n, e->sd[g]);
    mt_json_end(j);
  }
  mt_json_end(j);
  mt_json_reals(j, "acquisition", e->n, e->acquisition);
  mt_json_reals(j, "success", e->n, e->success);
  free(e->mean[0]);
}

static void put_slice(const MtCampaign *c, const MtModel *m, MtJson *j, int variable, const double *centre) {
  const MtVariable *v = &c->space.var[variable];
  const size_t nvars = (size_t)c->space.nvars;
  double axis[SLICE > 100 ? SLICE : 100], *x = memcpy(mt_malloc(sizeof *x * nvars), centre, sizeof *x * nvars);
  int n = axis_of(v, v->type == MT_VAR_CATEGORICAL ? v->nvalues : SLICE, axis);
  Expected e = expected_new(n);
  for (int k = 0; k < n; k++) {
    x[variable] = axis[k];
    expected_set(&e, k, m, x);
  }
  mt_json_object(j, NULL);
  mt_json_string(j, "variable", v->name);
  put_axis(j, "x", v, n, axis);
  expected_put(&e, c, j);
  mt_json_end(j);
  free(x);
}

static void put_plane(const MtCampaign *c, const MtModel *m, MtJson *j, int across, int up, const double *centre) {
  const size_t nvars = (size_t)c->space.nvars;
  double a[PLANE], b[PLANE], *x = memcpy(mt_malloc(sizeof *x * nvars), centre, sizeof *x * nvars);
  int na = axis_of(&c->space.var[across], PLANE, a), nb = axis_of(&c->space.var[up], PLANE, b);
  Expected e = expected_new(na * nb);
  for (int k = 0; k < na * nb; k++) {
    x[across] = a[k % na];
    x[up] = b[k / na];
    expected_set(&e, k, m, x);
  }
  mt_json_object(j, NULL);
  mt_json_array(j, "variables");
  mt_json_string(j, NULL, c->space.var[across].name);
  mt_json_string(j, NULL, c->space.var[up].name);
  mt_json_end(j);
  mt_json_reals(j, "x", na, a);
  mt_json_reals(j, "y", nb, b);
  expected_put(&e, c, j);
  mt_json_end(j);
  free(x);
}

/* Pairs of the three variables with numbers that matter most; weight [nvars]. */
static void put_planes(const MtCampaign *c, const MtModel *m, MtJson *j, const double *weight, const double *centre) {
  int top[PLANES] = {-1, -1, -1}, n = 0;
  for (; n < PLANES; n++) {
    for (int i = 0; i < c->space.nvars; i++) {
      bool taken = c->space.var[i].type == MT_VAR_CATEGORICAL;
      for (int k = 0; k < n; k++) taken = taken || top[k] == i;
      if (!taken && (top[n] < 0 || weight[i] > weight[top[n]])) top[n] = i;
    }
    if (top[n] < 0) break;
  }
  mt_json_array(j, "planes");
  for (int a = 0; a < n; a++)
    for (int b = a + 1; b < n; b++) put_plane(c, m, j, top[a], top[b], centre);
  mt_json_end(j);
}

/* Trials left out one by one, with their numbers: the points of the process in the order of the trials done. */
static void put_left_out(const MtCampaign *c, const MtModel *m, MtJson *j, int goal) {
  const MtGp *gp = mt_model_gp(m, goal);
  const int n = mt_gp_points(gp, NULL);
  double *mean = mt_malloc(sizeof *mean * 2 * (size_t)n), *sd = mean + n;
  mt_gp_left_out(gp, mean, sd);
  mt_json_array(j, "left_out");
  for (int i = 0, k = 0; i < c->db.n; i++) {
    if (c->db.trial[i].status != MT_TRIAL_DONE) continue;
    mt_json_object(j, NULL);
    mt_json_int(j, "id", i + 1);
    mt_json_real(j, "mean", c->proposer.sign[goal] * mean[k]);
    mt_json_real(j, "sd", sd[k++]);
    mt_json_end(j);
  }
  mt_json_end(j);
  free(mean);
}

/* Importance and trust of every goal; weight [nvars]: the largest total share of each variable. */
static void put_goals(const MtCampaign *c, const MtModel *m, MtJson *j, double *weight) {
  const int nvars = c->space.nvars;
  double *first = mt_malloc(sizeof *first * 2 * (size_t)nvars), *total = first + nvars;
  mt_json_array(j, "goals");
  for (int g = 0; g < c->proposer.ngoals; g++) {
    mt_model_importance(m, g, POINTS, 1, first, total);
    mt_json_object(j, NULL);
    mt_json_string(j, "name", c->goal[g].name);
    mt_json_array(j, "importance");
    for (int i = 0; i < nvars; i++) {
      weight[i] = fmax(weight[i], total[i]);
      mt_json_object(j, NULL);
      mt_json_string(j, "variable", c->space.var[i].name);
      mt_json_real(j, "first", first[i]);
      mt_json_real(j, "total", total[i]);
      mt_json_end(j);
    }
    mt_json_end(j);
    put_left_out(c, m, j, g);
    mt_json_end(j);
  }
  mt_json_end(j);
  free(first);
}

static void put_ranges(const MtCampaign *c, MtJson *j) {
  mt_json_object(j, "ranges");
  for (int i = 0; i < c->space.nvars; i++) {
    const MtVariable *v = &c->space.var[i];
    double values[100] = {v->min, v->max};
    for (int k = 0; k < v->nvalues; k++) values[k] = k;
    put_axis(j, v->name, v, v->nvalues ? v->nvalues : 2, values);
  }
  mt_json_end(j);
}

static PetscErrorCode write_model(const MtCampaign *c, const MtModel *m) {
  const int centre = centre_of(c);
  const double *x = c->db.trial[centre].x;
  double *weight = mt_calloc((size_t)c->space.nvars, sizeof *weight), acquisition;
  MtProposal expected;
  MtJson *j = mt_json_new();
  mt_model_at(m, x, &expected, &acquisition);
  mt_json_int(j, "format", 1);
  mt_json_int(j, "trials", c->db.n);
  mt_json_int(j, "lines", c->db.lines);
  mt_json_int(j, "centre", centre + 1);
  mt_json_string(j, "acquisition", expected.how);
  put_ranges(c, j);
  put_goals(c, m, j, weight);
  mt_json_array(j, "slices");
  for (int i = 0; i < c->space.nvars; i++) put_slice(c, m, j, i, x);
  mt_json_end(j);
  put_planes(c, m, j, weight, x);
  mt_campaign_posterior(c, m, j);
  char *path = mt_text("%s/model.json", c->folder);
  PetscErrorCode rc = mt_file_write(path, mt_json_text(j));
  mt_json_free(&j);
  free(path);
  free(weight);
  return rc;
}

PetscErrorCode mt_campaign_model(MPI_Comm comm, MtCampaign *c) {
  int rank;
  MtModel *m;
  PetscErrorCode rc = mt_database_refresh(comm, c);
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  mt_phase_begin("model");
  if (!rc) rc = mt_model_create(comm, &c->space, &c->proposer, c->db.n, c->db.trial, &m);
  if (!rc) {
    rc = mt_agree_root(comm, rank ? 0 : write_model(c, m));
    mt_model_destroy(&m);
  }
  mt_phase_end("model");
  return rc;
}
