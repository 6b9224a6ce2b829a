/* What people do with a campaign: suggest, tell, status. */
#include "campaign_impl.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

PetscErrorCode mt_campaign_suggest(MPI_Comm comm, MtCampaign *c, int count) {
  PetscErrorCode rc = 0;
  bool found = true;
  for (int k = 0; k < count && !rc && found; k++) {
    rc = mt_campaign_propose(comm, c, "magtwin", &found);
    if (rc) break;
    if (!found) {
      mt_log("every point of the space has been proposed");
      break;
    }
    char *point = mt_campaign_point(c, c->db.trial[c->db.n - 1].x);
    mt_log("%d  %s", c->db.n, point);
    free(point);
  }
  return rc;
}

/* What the words of tell say. */
typedef struct {
  int trial;  /* -1: a new point */
  double *x;  /* [nvars] */
  int nx, ny; /* how many were given */
  bool given[MT_GOALS_MAX];
  double y[MT_GOALS_MAX], cost;
  const char *reason; /* of a failure; NULL */
  const char *by;
} Told;

static PetscErrorCode number_after(const char *word, const char *text, double *value) {
  char *end;
  *value = strtod(text, &end);
  if (end != text && !*end && isfinite(*value)) return 0;
  return mt_error(MT_ERR_INPUT, "%s: %s is not a number", word, text);
}

static PetscErrorCode unknown_name(const MtCampaign *c, const char *name) {
  const char *names[128] = {"by", "cost", "failed"};
  int n = 3;
  for (int i = 0; i < c->space.nvars && n < 120; i++) names[n++] = c->space.var[i].name;
  for (int g = 0; g < c->proposer.ngoals; g++) names[n++] = c->goal[g].name;
  const char *near = mt_suggest(name, n, names);
  return mt_error(MT_ERR_INPUT, "%s is no variable, goal, cost, failed or by of this campaign%s%s%s", name,
                  near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static PetscErrorCode take_pair(const MtCampaign *c, const char *word, const char *name, const char *value, Told *t) {
  char why[200];
  int i = mt_space_find(&c->space, name);
  if (!strcmp(name, "by")) {
    t->by = value;
    return 0;
  }
  if (!strcmp(name, "failed")) {
    t->reason = value;
    return 0;
  }
  if (!strcmp(name, "cost")) return number_after(word, value, &t->cost);
  for (int g = 0; g < c->proposer.ngoals; g++)
    if (!strcmp(name, c->goal[g].name)) {
      t->ny += t->given[g] ? c->proposer.ngoals : 1; /* twice: too many */
      t->given[g] = true;
      return number_after(word, value, &t->y[g]);
    }
  if (i < 0) return unknown_name(c, name);
  t->nx++;
  return mt_space_value(&c->space.var[i], value, &t->x[i], why) ? 0 : mt_error(MT_ERR_INPUT, "%s: %s", word, why);
}

static PetscErrorCode take_word(const MtCampaign *c, const char *word, Told *t) {
  char name[100], *end;
  const char *equals = strchr(word, '=');
  if (!equals) {
    long id = strtol(word, &end, 10);
    if (end == word || *end || t->trial >= 0)
      return mt_error(MT_ERR_INPUT, "%s: tell takes the number of a suggestion and name=value", word);
    if (id < 1 || id > c->db.n) return mt_error(MT_ERR_INPUT, "there is no suggestion %ld; %d were made", id, c->db.n);
    t->trial = (int)id - 1;
    return 0;
  }
  snprintf(name, sizeof name, "%.*s", (int)(equals - word), word);
  return take_pair(c, word, name, equals + 1, t);
}

static PetscErrorCode each_goal_once(const MtCampaign *c) {
  char *names = mt_campaign_values(c, NULL);
  PetscErrorCode rc = mt_error(MT_ERR_INPUT, "give each goal once: %s", names);
  free(names);
  return rc;
}

static PetscErrorCode check_told(const MtCampaign *c, const Told *t) {
  char why[200];
  bool result = t->ny || t->reason;
  if (t->trial >= 0 && t->nx)
    return mt_error(MT_ERR_INPUT, "a suggestion has its point already: give its number, or a new point, not both");
  if (t->trial < 0 && t->nx != c->space.nvars)
    return mt_error(MT_ERR_INPUT, "a point has %d values, one a variable; %d were given", c->space.nvars, t->nx);
  if (t->trial < 0 && !mt_space_contains(&c->space, t->x, why)) return mt_error(MT_ERR_INPUT, "%s", why);
  if (t->trial >= 0 && c->db.trial[t->trial].status != MT_TRIAL_WAITING)
    return mt_error(MT_ERR_INPUT, "the result of %d was told already (%s:%d)", t->trial + 1, c->db.path,
                    c->db.record[t->trial].line);
  if (t->trial >= 0 && !result)
    return mt_error(MT_ERR_INPUT, "tell what came out: %s=.. or failed=reason", c->goal[0].name);
  if (t->ny && t->reason) return mt_error(MT_ERR_INPUT, "an evaluation has a result or has failed, not both");
  if (t->ny && t->ny != c->proposer.ngoals) return each_goal_once(c);
  return t->cost < 0 ? mt_error(MT_ERR_INPUT, "a cost is not negative") : 0;
}

static PetscErrorCode write_told(MPI_Comm comm, MtCampaign *c, const Told *t) {
  PetscErrorCode rc = 0;
  int trial = t->trial;
  if (trial < 0) {
    rc = mt_database_suggested(comm, c, t->by, t->x, NULL);
    trial = c->db.n - 1;
  }
  if (!rc && (t->ny || t->reason))
    rc = mt_database_told(comm, c, t->by, trial, t->ny ? t->y : NULL, t->cost, t->reason);
  if (!rc) mt_log("%d  %s", trial + 1, t->ny ? "done" : t->reason ? "failed" : "proposed");
  return rc;
}

PetscErrorCode mt_campaign_tell(MPI_Comm comm, MtCampaign *c, int nwords, char *const *words) {
  const char *user = getenv("USER");
  Told t = {.trial = -1, .by = user && user[0] ? user : "a person"};
  MtWriter w;
  int rank;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscErrorCode rc = mt_database_open(comm, c, &w);
  if (rc) return rc;
  t.x = mt_malloc(sizeof *t.x * (size_t)c->space.nvars);
  for (int i = 0; i < nwords && !rc; i++) rc = take_word(c, words[i], &t);
  if (!rc) rc = check_told(c, &t);
  if (!rc) rc = write_told(comm, c, &t);
  if (!rc && rank == 0) rc = mt_campaign_table(c);
  rc = mt_agree(comm, rc);
  mt_database_close(&w);
  free(t.x);
  return rc;
}

static void show_best(const MtCampaign *c) {
  int best = mt_campaign_best(c);
  if (best < 0) return;
  char *point = mt_campaign_point(c, c->db.trial[best].x);
  mt_log("%s %s=%.8g at %s (%d, proposed by %s)",
         c->proposer.ngoals == 1 ? "best:" : "best in the first goal:", c->goal[0].name, c->db.trial[best].y[0], point,
         best + 1, c->db.record[best].by);
  free(point);
}

PetscErrorCode mt_campaign_status(MPI_Comm comm, MtCampaign *c) {
  int count[3] = {0};
  PetscErrorCode rc = mt_database_refresh(comm, c);
  if (rc) return rc;
  for (int i = 0; i < c->db.n; i++) count[c->db.trial[i].status]++;
  mt_log("%s: %d of %d evaluations: %d done, %d failed, %d waiting", c->folder,
         count[MT_TRIAL_DONE] + count[MT_TRIAL_FAILED], c->evaluations, count[MT_TRIAL_DONE], count[MT_TRIAL_FAILED],
         count[MT_TRIAL_WAITING]);
  show_best(c);
  for (int i = 0; i < c->db.n; i++) {
    if (c->db.trial[i].status != MT_TRIAL_WAITING) continue;
    char *point = mt_campaign_point(c, c->db.trial[i].x);
    const char *job = c->db.record[i].job;
    mt_log("%4d  %s  %s%s%s", i + 1, point, c->db.record[i].starts ? "started" : "waiting", job[0] ? ", job " : "",
           job);
    free(point);
  }
  return 0;
}
