/* magtwin status: how far what a folder belongs to is, from its files alone: a run, a sweep, a campaign.  Reads only,
 * so that it may be asked at any time, of a running one too. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/evaluation.h"
#include "magtwin/log.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LISTED = 20 }; /* points listed of each kind; what is more is counted */

/* Seconds since folder/name was written; < 0: there is none. */
static double age(const char *folder, const char *name) {
  char path[CLI_PATH];
  struct stat st;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return stat(path, &st) ? -1 : difftime(time(NULL), st.st_mtime) > 0 ? difftime(time(NULL), st.st_mtime) : 0;
}

static bool has(const char *folder, const char *name) {
  return age(folder, name) >= 0;
}

/* The next line of f without its end, NULL at the end or for one that is not whole; *line is reused and freed by the
 * caller. */
static char *next_line(FILE *f, char **line, size_t *size) {
  ssize_t n = getline(line, size, f);
  if (n < 1 || (*line)[n - 1] != '\n') return NULL;
  (*line)[n - 1] = 0;
  return *line;
}

/* ---- a run */

/* Columns of a table that tell how far a run is; of several names the first that the table has. */
static const char *const tables[][3] = {{"curve.csv", "mu0_Hext_T", "J_T"},
                                        {"dynamics.csv", "t_ns", "mz"},
                                        {"barriers.csv", "mu0_H_T", "barrier_kBT"},
                                        {"evolve.csv", "t_s", "f_total_J/m3|grains|steps"},
                                        {"invert.csv", "iteration", "misfit_per_value"},
                                        {"images.csv", "file", ""}};

static const char *cell(const char *header, const char *line, const char *name, char buf[64]) {
  const size_t n = strlen(name);
  snprintf(buf, 64, "?");
  for (; *header && *line; header += strcspn(header, ","), line += strcspn(line, ",")) {
    header += *header == ',';
    line += *line == ',';
    if (strncmp(header, name, n) || (header[n] && header[n] != ',')) continue;
    int width = (int)strcspn(line, ",");
    snprintf(buf, 64, "%.*s", width < 60 ? width : 60, line);
    char *end;
    double value = strtod(buf, &end);
    if (!*end && end != buf) snprintf(buf, 64, "%.6g", value);
    break;
  }
  return buf;
}

/* The first of names, a|b|c, that is a column; "" where names is. */
static const char *column_of(const char *header, const char *names, char name[64]) {
  char value[64];
  for (const char *p = names; *p; p += strcspn(p, "|"), p += *p == '|') {
    snprintf(name, 64, "%.*s", (int)strcspn(p, "|"), p);
    if (strcmp(cell(header, header, name, value), "?") != 0) return name;
  }
  if (!*names) name[0] = 0;
  return name;
}

/* ", J_T = 1.4"; the caller frees. */
static char *second_value(const char *header, const char *line, const char *names) {
  char name[64], value[64];
  column_of(header, names, name);
  return name[0] ? mt_text(", %s = %s", name, cell(header, line, name, value)) : mt_text("%s", "");
}

/* "17 lines of curve.csv, mu0_Hext_T = -2.75, J_T = 1.4, 12 s ago"; "" where there is nothing.  The caller frees. */
static char *run_line(const char *folder) {
  for (size_t k = 0; k < sizeof tables / sizeof *tables; k++) {
    char path[CLI_PATH], a[64], ago[32], *header = NULL, *line = NULL, *last = NULL;
    size_t size = 0, width = 0;
    int n = 0;
    snprintf(path, sizeof path, "%s/%s", folder, tables[k][0]);
    FILE *f = fopen(path, "r");
    if (!f) continue;
    while (next_line(f, &line, &size)) {
      if (line[0] == '#') continue;
      char **keep = header ? &last : &header;
      free(*keep);
      *keep = strdup(line);
      width += header && last;
    }
    n = (int)width;
    fclose(f);
    free(line);
    char *more = last ? second_value(header, last, tables[k][2]) : NULL;
    char *text = last ? mt_text("%d line%s of %s, the last %s ago: %s = %s%s", n, n == 1 ? "" : "s", tables[k][0],
                                mt_duration(age(folder, tables[k][0]), ago), tables[k][1],
                                cell(header, last, tables[k][1], a), more)
                      : mt_text("%s is begun", tables[k][0]);
    free(more);
    free(header);
    free(last);
    return text;
  }
  return mt_text("%s", "");
}

static MtJsonValue *read_summary(const char *folder) {
  char path[CLI_PATH], why[200], *text = NULL;
  size_t size = 0;
  snprintf(path, sizeof path, "%s/summary.json", folder);
  FILE *f = fopen(path, "r");
  ssize_t n = f ? getdelim(&text, &size, 0, f) : -1;
  if (f) fclose(f);
  MtJsonValue *v = n > 0 ? mt_json_read(text, why) : NULL;
  free(text);
  return v;
}

/* Numbers of results, and how many warnings. */
static void show_summary(const char *folder, const MtJsonValue *summary) {
  const MtJsonValue *name = mt_json_member(summary, "subcommand"), *results = mt_json_member(summary, "results"),
                    *warnings = mt_json_member(summary, "warnings"), *wall = mt_json_member(summary, "wall");
  char took[32];
  double value;
  const bool stopped = mt_json_member(summary, "stopped");
  mt_log("%s: magtwin %s, %s %s ago%s%s%s", folder, name && name->text ? name->text : "?", stopped ? "stopped" : "done",
         mt_duration(age(folder, "summary.json"), took), mt_json_number(wall, &value) ? ", in " : "",
         mt_json_number(wall, &value) ? mt_duration(value, (char[32]){0}) : "", stopped ? "; --resume continues" : "");
  for (int i = 0; results && i < results->n; i++) {
    const MtJsonValue *unit = mt_json_member(&results->item[i], "unit");
    if (results->item[i].kind != MT_JSON_OBJECT && results->item[i].kind != MT_JSON_NUMBER) continue;
    if (mt_json_number(&results->item[i], &value))
      mt_log("  %-20s %.6g %s", results->key[i], value, unit && unit->text ? unit->text : "");
  }
  for (int i = 0; warnings && i < warnings->n; i++)
    if (warnings->item[i].text) mt_log("  warning: %s", warnings->item[i].text);
}

/* Has a table grown since the summary was written? */
static bool begun_again(const char *folder) {
  for (size_t k = 0; k < sizeof tables / sizeof *tables; k++)
    if (has(folder, tables[k][0])) return age(folder, tables[k][0]) + 1 < age(folder, "summary.json");
  return false;
}

static PetscErrorCode show_run(const char *folder) {
  MtJsonValue *summary = read_summary(folder);
  char *line = run_line(folder);
  bool newer = summary && begun_again(folder);
  PetscErrorCode rc = 0;
  if (summary) show_summary(folder, summary);
  if (line[0] && (!summary || newer)) mt_log("%s: %s", folder, line);
  if (!summary && has(folder, "checkpoint.h5"))
    mt_log("%s: checkpoint %s ago; --resume continues from it", folder,
           mt_duration(age(folder, "checkpoint.h5"), (char[32]){0}));
  if (!summary && !line[0] && !has(folder, "checkpoint.h5"))
    rc = mt_error(MT_ERR_INPUT, "%s holds no run, no sweep and no campaign", folder);
  mt_json_value_free(&summary);
  free(line);
  return rc;
}

/* ---- a sweep */

static PetscErrorCode show_sweep(const char *folder) {
  static const char *const names[] = {"waiting", "running", "done", "failed"};
  char path[CLI_PATH], *line = NULL;
  int count[4] = {0}, n = 0, listed[4] = {0};
  size_t size = 0;
  snprintf(path, sizeof path, "%s/points.csv", folder);
  FILE *f = fopen(path, "r");
  if (!f) return mt_error(MT_ERR_INPUT, "cannot read %s", path);
  while (next_line(f, &line, &size)) {
    if (!n++) continue; /* the header */
    int code = 0;
    snprintf(path, sizeof path, "%s/points/%04d", folder, n - 1);
    MtProcessState state = mt_process_state(path, &code);
    int k = state == MT_PROCESS_RUNNING ? 1 : mt_evaluation_to_start(state, code) ? 0 : code == 0 ? 2 : 3;
    count[k]++;
    if (k % 2 == 0 || listed[k]++ >= LISTED) continue;
    char *what = k == 1 ? run_line(path) : mt_process_last_line(path, "errors.txt");
    mt_log("  %s  %s  %s", line, names[k], what);
    free(what);
  }
  fclose(f);
  free(line);
  mt_log("%s: %d points: %d done, %d failed, %d running, %d waiting", folder, n ? n - 1 : 0, count[2], count[3],
         count[1], count[0]);
  return 0;
}

/* ---- a campaign */

typedef struct {
  char *point; /* owned */
  double y;    /* of the first goal */
  int state;   /* 0 waiting, 1 started, 2 done, 3 failed */
} Trial;

static char *point_text(const MtJsonValue *x) {
  char *text = mt_text("%s", "");
  for (int i = 0; x && i < x->n; i++) {
    const MtJsonValue *v = &x->item[i];
    char *more =
        v->text ? mt_text("%s %s=%s", text, x->key[i], v->text) : mt_text("%s %s=%.6g", text, x->key[i], v->number);
    free(text);
    text = more;
  }
  return text;
}

static void apply(const MtJsonValue *e, Trial **trial, int *n) {
  const MtJsonValue *kind = mt_json_member(e, "event"), *status = mt_json_member(e, "status"),
                    *y = mt_json_member(e, "y");
  double id;
  if (!kind || !kind->text || !mt_json_number(mt_json_member(e, "id"), &id)) return;
  if (!strcmp(kind->text, "suggested") && id == *n + 1) {
    *trial = realloc(*trial, sizeof **trial * (size_t)(*n + 1));
    if (!*trial) abort();
    (*trial)[(*n)++] = (Trial){.point = point_text(mt_json_member(e, "x"))};
  }
  if (id < 1 || id > *n) return;
  Trial *t = &(*trial)[(int)id - 1];
  if (!strcmp(kind->text, "started") && t->state == 0) t->state = 1;
  if (strcmp(kind->text, "told") || !status || !status->text) return;
  t->state = strcmp(status->text, "done") ? 3 : 2;
  if (t->state == 2 && y && y->n) mt_json_number(&y->item[0], &t->y);
}

/* What the first goal in the words of the space wants. */
typedef struct {
  char name[100];
  int goals;   /* how many there are */
  double sign; /* -1: larger is better */
  bool has_target;
  double target;
} Goal;

static Goal first_goal(const char *space) {
  Goal g = {.sign = 1};
  for (const char *at = space; (at = strstr(at, "; ")); at++) {
    char want[16], name[100];
    double target;
    int n = sscanf(at + 2, "%15s %99[^ ;] at %lf", want, name, &target);
    const bool found = !strcmp(want, "minimize") || !strcmp(want, "maximize") || !strcmp(want, "target");
    if (n < 2 || !found || g.goals++) continue;
    snprintf(g.name, sizeof g.name, "%s", name);
    g.sign = strcmp(want, "maximize") ? 1 : -1;
    g.has_target = n == 3 && !strcmp(want, "target");
    g.target = target;
  }
  return g;
}

static void show_best(const Trial *trial, int n, const char *space) {
  const Goal g = first_goal(space);
  double least = 0;
  int best = -1;
  for (int i = 0; i < n; i++) {
    const double loss = g.has_target ? fabs(trial[i].y - g.target) : g.sign * trial[i].y;
    if (trial[i].state != 2 || (best >= 0 && loss >= least)) continue;
    best = i;
    least = loss;
  }
  if (best >= 0 && g.goals)
    mt_log("best%s: %s = %.8g at%s (%d)", g.goals > 1 ? " in the first goal" : "", g.name, trial[best].y,
           trial[best].point, best + 1);
}

static void show_trials(const char *folder, const Trial *trial, int n, const char *space) {
  int count[4] = {0};
  for (int i = 0; i < n; i++) count[trial[i].state]++;
  mt_log("%s: %d points: %d done, %d failed, %d under way, %d waiting", folder, n, count[2], count[3], count[1],
         count[0]);
  show_best(trial, n, space);
  for (int i = 0, listed = 0; i < n && listed < LISTED; i++) {
    if (trial[i].state > 1) continue;
    char path[CLI_PATH];
    snprintf(path, sizeof path, "%s/evaluations/%04d", folder, i + 1);
    char *what = run_line(path);
    mt_log("%4d %s  %s%s%s", i + 1, trial[i].point, trial[i].state ? "started" : "waiting", what[0] ? ", " : "", what);
    free(what);
    listed++;
  }
}

static PetscErrorCode show_campaign(const char *folder) {
  char path[CLI_PATH], why[200], *line = NULL, *space = mt_text("%s", "");
  Trial *trial = NULL;
  int n = 0, at = 0;
  size_t size = 0;
  PetscErrorCode rc = 0;
  snprintf(path, sizeof path, "%s/database.jsonl", folder);
  FILE *f = fopen(path, "r");
  while (f && !rc && next_line(f, &line, &size)) {
    at++;
    MtJsonValue *e = mt_json_read(line, why);
    const MtJsonValue *is = e ? mt_json_member(e, "space") : NULL;
    if (!e) rc = mt_error(MT_ERR_INPUT, "%s:%d: not a line of JSON: %s", path, at, why);
    if (is && is->text) {
      free(space);
      space = mt_text("%s", is->text);
    }
    if (e) apply(e, &trial, &n);
    mt_json_value_free(&e);
  }
  if (f) fclose(f);
  if (!rc) show_trials(folder, trial, n, space);
  for (int i = 0; i < n; i++) free(trial[i].point);
  free(trial);
  free(space);
  free(line);
  return rc;
}

PetscErrorCode cli_status(const CliArgs *args, int *code) {
  struct stat st;
  *code = 0;
  if (stat(args->file, &st) || !S_ISDIR(st.st_mode))
    return mt_error(MT_ERR_INPUT,
                    "there is no folder %s: status takes the output folder of a run, a sweep or a campaign",
                    args->file);
  if (has(args->file, "database.jsonl")) return show_campaign(args->file);
  if (has(args->file, "points.csv")) return show_sweep(args->file);
  return show_run(args->file);
}
