/* What is shown of a campaign: trials.csv, the best, points in words, the results of summary.json. */
#include "campaign_impl.h"
#include "magtwin/error.h"
#include "magtwin/h5.h"
#include "magtwin/memory.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

int mt_campaign_best(const MtCampaign *c) {
  int best = -1;
  const MtProposer *p = &c->proposer;
  for (int i = 0; i < c->db.n; i++)
    if (c->db.trial[i].status == MT_TRIAL_DONE &&
        (best < 0 || mt_goal_loss(p, 0, c->db.trial[i].y[0]) < mt_goal_loss(p, 0, c->db.trial[best].y[0])))
      best = i;
  return best;
}

int mt_campaign_done(const MtCampaign *c) {
  int n = 0;
  for (int i = 0; i < c->db.n; i++) n += c->db.trial[i].status == MT_TRIAL_DONE;
  return n;
}

char *mt_campaign_point(const MtCampaign *c, const double *x) {
  char *text = mt_text("%s", ""), buf[32];
  for (int i = 0; i < c->space.nvars; i++) {
    const MtVariable *v = &c->space.var[i];
    if (v->type == MT_VAR_CATEGORICAL)
      snprintf(buf, sizeof buf, "%.30s", v->value[(int)x[i]]);
    else
      snprintf(buf, sizeof buf, "%.6g", x[i]);
    char *more = mt_text("%s%s%s=%s", text, i ? " " : "", v->name, buf);
    free(text);
    text = more;
  }
  return text;
}

char *mt_campaign_values(const MtCampaign *c, const double *y) {
  char *text = mt_text("%s", "");
  for (int g = 0; g < c->proposer.ngoals; g++) {
    char *more = y ? mt_text("%s%s%s=%.6g", text, g ? " " : "", c->goal[g].name, y[g])
                   : mt_text("%s%s%s", text, g ? ", " : "", c->goal[g].name);
    free(text);
    text = more;
  }
  return text;
}

/* A cell of a csv table: quoted where it must be. */
static void put_cell(FILE *f, const char *text) {
  if (!strpbrk(text, ",\"\n")) {
    fputs(text, f);
    return;
  }
  putc('"', f);
  for (; *text; text++) {
    if (*text == '"') putc('"', f);
    putc(*text == '\n' ? ' ' : *text, f);
  }
  putc('"', f);
}

static void put_trial(FILE *f, const MtCampaign *c, int i) {
  static const char *const status[] = {"waiting", "done", "failed"};
  const MtTrial *t = &c->db.trial[i];
  const MtRecord *r = &c->db.record[i];
  char buf[32];
  fprintf(f, "%d,%s,", i + 1, status[t->status]);
  put_cell(f, r->by);
  for (int k = 0; k < c->space.nvars; k++) {
    putc(',', f);
    put_cell(f, mt_space_text(&c->space.var[k], t->x[k], buf));
  }
  for (int g = 0; g < c->proposer.ngoals; g++)
    fprintf(f, ",%s", t->status == MT_TRIAL_DONE ? mt_real_text(t->y[g], buf) : "");
  fprintf(f, ",%s,", t->cost > 0 ? mt_real_text(t->cost, buf) : "");
  put_cell(f, r->reason ? r->reason : "");
  putc('\n', f);
}

PetscErrorCode mt_campaign_table(const MtCampaign *c) {
  char *text = NULL;
  size_t size;
  FILE *f = open_memstream(&text, &size);
  if (!f) return mt_error(MT_ERR_FAIL, "no memory for the table of %d points", c->db.n);
  fputs("id,status,by", f);
  for (int k = 0; k < c->space.nvars; k++) fprintf(f, ",%s", c->space.var[k].name);
  for (int g = 0; g < c->proposer.ngoals; g++) fprintf(f, ",%s", c->goal[g].name);
  fputs(",cost,reason\n", f);
  for (int i = 0; i < c->db.n; i++) put_trial(f, c, i);
  fclose(f);
  char *path = mt_text("%s/trials.csv", c->folder);
  PetscErrorCode rc = mt_file_write(path, text);
  free(text);
  free(path);
  return rc;
}

static void put_point(MtJson *j, const MtCampaign *c, int i) {
  const MtTrial *t = &c->db.trial[i];
  mt_json_int(j, "id", i + 1);
  mt_json_string(j, "by", c->db.record[i].by);
  mt_json_object(j, "x");
  for (int k = 0; k < c->space.nvars; k++) {
    const MtVariable *v = &c->space.var[k];
    if (v->type == MT_VAR_CATEGORICAL)
      mt_json_string(j, v->name, v->value[(int)t->x[k]]);
    else
      mt_json_real(j, v->name, t->x[k]);
  }
  mt_json_end(j);
  for (int g = 0; g < c->proposer.ngoals; g++) mt_json_real(j, c->goal[g].name, t->y[g]);
}

/* Numbers of the trials on the front of several goals -> [n]; how many. */
static int front_of(const MtCampaign *c, int *trial) {
  const int n = c->db.n, goals = c->proposer.ngoals;
  double *y = mt_malloc(sizeof *y * (size_t)goals * (size_t)n);
  bool *on = mt_malloc(sizeof *on * (size_t)n);
  int m = 0, count = 0, *number = mt_malloc(sizeof *number * (size_t)n);
  for (int i = 0; i < n; i++) {
    if (c->db.trial[i].status != MT_TRIAL_DONE) continue;
    for (int g = 0; g < goals; g++) y[goals * m + g] = mt_goal_loss(&c->proposer, g, c->db.trial[i].y[g]);
    number[m++] = i;
  }
  mt_front(goals, m, y, on);
  for (int i = 0; i < m; i++)
    if (on[i]) trial[count++] = number[i];
  free(y);
  free(on);
  free(number);
  return count;
}

void mt_campaign_results(const MtCampaign *c, MtJson *json) {
  int count[3] = {0}, best = mt_campaign_best(c);
  for (int i = 0; i < c->db.n; i++) count[c->db.trial[i].status]++;
  mt_json_object(json, "counts");
  mt_json_int(json, "done", count[MT_TRIAL_DONE]);
  mt_json_int(json, "failed", count[MT_TRIAL_FAILED]);
  mt_json_int(json, "waiting", count[MT_TRIAL_WAITING]);
  mt_json_end(json);
  mt_json_object(json, "results");
  if (best >= 0 && c->proposer.ngoals == 1) {
    mt_json_object(json, "best");
    put_point(json, c, best);
    mt_json_end(json);
  } else if (best >= 0) {
    int *trial = mt_malloc(sizeof *trial * (size_t)c->db.n), n = front_of(c, trial);
    mt_json_array(json, "front");
    for (int i = 0; i < n; i++) {
      mt_json_object(json, NULL);
      put_point(json, c, trial[i]);
      mt_json_end(json);
    }
    mt_json_end(json);
    free(trial);
  }
  mt_json_end(json);
}
