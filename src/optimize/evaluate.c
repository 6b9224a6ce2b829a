/* One evaluation by a program: its folder, its command, its outcome. */
#include "magtwin/error.h"
#include "magtwin/evaluation.h"
#include "magtwin/h5.h"
#include "magtwin/json.h"
#include "magtwin/memory.h"
#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

char *mt_text(const char *format, ...) {
  va_list args;
  va_start(args, format);
  int n = vsnprintf(NULL, 0, format, args);
  va_end(args);
  char *text = mt_malloc((size_t)n + 1);
  va_start(args, format);
  vsnprintf(text, (size_t)n + 1, format, args);
  va_end(args);
  return text;
}

char **mt_evaluation_overrides(const MtEvaluator *e, const double *x) {
  char buf[32], **text = mt_calloc((size_t)e->space->nvars + 1, sizeof *text);
  for (int i = 0; i < e->space->nvars; i++)
    text[i] = mt_text("%s=%s%s%s", e->key[i], mt_space_text(&e->space->var[i], x[i], buf), e->unit[i][0] ? " " : "",
                      e->unit[i]);
  return text;
}

/* The word in braces at `at`; false: the braces are the shell's. */
static bool in_braces(const char *at, char name[100]) {
  size_t n = strcspn(at + 1, "}");
  if (at[n + 1] != '}' || n == 0 || n >= 100) return false;
  snprintf(name, 100, "%.*s", (int)n, at + 1);
  for (const char *s = name; *s; s++)
    if (!isalnum((unsigned char)*s) && !strchr("_.[]", *s)) return false;
  return true;
}

bool mt_evaluation_unknown(const MtSpace *s, const char *command, char name[100]) {
  for (const char *at = command; (at = strchr(at, '{')); at++)
    if (in_braces(at, name) && strcmp(name, "folder") && mt_space_find(s, name) < 0) return true;
  return false;
}

static char *fill_command(const MtEvaluator *e, const double *x, const char *folder) {
  char *text = mt_text("%s", ""), buf[32], name[100];
  for (const char *s = e->command; *s;) {
    bool named = *s == '{' && in_braces(s, name);
    int i = named ? mt_space_find(e->space, name) : -1;
    const char *value = i >= 0                             ? mt_space_text(&e->space->var[i], x[i], buf)
                        : named && !strcmp(name, "folder") ? folder
                                                           : NULL;
    char *quoted = NULL;
    if (value) mt_command_add(&quoted, value);
    char *more = value ? mt_text("%s%s", text, quoted) : mt_text("%s%c", text, *s);
    s += value ? strlen(name) + 2 : 1;
    free(quoted);
    free(text);
    text = more;
  }
  return text;
}

/* Is the word one of "a|b|c"? */
static bool one_of(const char *word, const char *words) {
  const size_t n = strlen(word);
  for (const char *s = words; s; s = strchr(s, '|'), s += s != NULL)
    if (!strncmp(s, word, n) && strchr("|", s[n])) return true;
  return false;
}

/* --resume starts where there is nothing to continue. */
static char *one_run(const MtEvaluator *e, const char *subcommand, const double *x, const char *const *more,
                     const char *folder) {
  char *words = NULL, **overrides = mt_evaluation_overrides(e, x);
  mt_command_add(&words, mt_program_path());
  mt_command_add(&words, subcommand);
  mt_command_add(&words, e->input);
  for (int i = 0; overrides[i]; i++) {
    mt_command_add(&words, overrides[i]);
    free(overrides[i]);
  }
  free(overrides);
  for (int i = 0; more && more[i]; i++) mt_command_add(&words, more[i]);
  char *out = mt_text("output.folder=%s", folder);
  mt_command_add(&words, out);
  mt_command_add(&words, one_of(e->subcommand, MT_RUNS_RESUMED) ? "--resume" : "--force");
  char *command = mt_text("%s%s%s", e->launcher, e->launcher[0] ? " " : "", words);
  free(out);
  free(words);
  return command;
}

/* A step before, and what it hands on: its fields, and its mesh where it made one.  A signal ends the first with the
 * code that asks for another start, and then the second is not begun. */
static char *run_command(const MtEvaluator *e, const double *x, const char *const *more, const char *folder) {
  if (!e->before) return one_run(e, e->subcommand, x, more, folder);
  char *first = mt_text("%s/%s", folder, e->before), *mesh = mt_text("%s/mesh.h5", first);
  char *field = mt_text("materials.composition.file=%s", first), *file = mt_text("mesh.file=%s", mesh);
  char *one = one_run(e, e->before, x, more, first), *two = one_run(e, e->subcommand, x, more, folder);
  char *there = NULL, *handed = NULL;
  mt_command_add(&there, mesh);
  mt_command_add(&handed, file);
  char *given = NULL;
  mt_command_add(&given, field);
  char *command = mt_text("%s && {\nif [ -e %s ]; then set -- %s; else set --; fi\n%s %s \"$@\"\n}", one, there, handed,
                          two, given);
  char *const all[] = {first, mesh, field, file, one, two, there, handed, given};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
  return command;
}

PetscErrorCode mt_evaluation_start(const MtEvaluator *e, const double *x, const char *const *more, const char *folder,
                                   MtProcess *p) {
  char *command = e->command ? fill_command(e, x, folder) : run_command(e, x, more, folder);
  PetscErrorCode rc = mt_folder_make(folder);
  if (!rc) rc = mt_process_start(command, folder, p);
  free(command);
  return rc;
}

/* Names of the numbers next to a missing one, for the message: those of the last object on its way that exists. */
static char *near_numbers(const MtJsonValue *v, const char *path) {
  char head[200];
  const MtJsonValue *in = v;
  snprintf(head, sizeof head, "%s", path);
  for (char *dot; (dot = strrchr(head, '.'));) {
    *dot = 0;
    if ((in = mt_json_find(v, head))) break;
    in = v;
  }
  bool inside = in != v;
  char *text = mt_text("%s", "");
  double number;
  for (int i = 0; in->kind == MT_JSON_OBJECT && i < in->n && strlen(text) < 400; i++) {
    if (!mt_json_number(&in->item[i], &number) && in->item[i].kind != MT_JSON_OBJECT) continue;
    char *more = mt_text("%s%s%s%s%s", text, text[0] ? ", " : "", inside ? head : "", inside ? "." : "", in->key[i]);
    free(text);
    text = more;
  }
  return text;
}

static PetscErrorCode from_summary(const char *folder, int n, const MtNumber *number, double *y, char **reason) {
  char why[200] = "", *path = mt_text("%s/summary.json", folder), *text = mt_file_text(path);
  MtJsonValue *v = text ? mt_json_read(text, why) : NULL;
  PetscErrorCode rc = 0;
  if (!v) *reason = mt_text("summary.json %s", text ? why : "was not written");
  for (int g = 0; v && !rc && g < n; g++) {
    const MtJsonValue *at = mt_json_find(v, number[g].number);
    if (mt_json_number(at, &y[g])) continue;
    y[g] = NAN;
    if (at && (at->kind == MT_JSON_NULL || at->kind == MT_JSON_OBJECT)) continue;
    char *near = near_numbers(v, number[g].number);
    rc = mt_error(MT_ERR_INPUT, "%s/summary.json has no number %s, which %s asks for; it has %s", folder,
                  number[g].number, number[g].name, near);
    free(near);
  }
  mt_json_value_free(&v);
  free(path);
  free(text);
  return rc;
}

static void from_output(const char *folder, int n, double *y, char **reason) {
  char *line = mt_process_last_line(folder, "output.txt"), *at = line, *end;
  for (int g = 0; g < n && !*reason; g++, at = end) {
    at += strspn(at, " \t,");
    y[g] = strtod(at, &end);
    if (end == at || !isfinite(y[g]))
      *reason = mt_text("the last line of the output, \"%s\", does not hold %d number%s", line, n, n > 1 ? "s" : "");
  }
  if (!*reason && at[strspn(at, " \t,")]) *reason = mt_text("something follows the numbers in \"%s\"", line);
  free(line);
}

/* The shell found no program, or one that cannot be run. */
static bool no_program(int code) {
  return code == 126 || code == 127;
}

bool mt_evaluation_to_start(MtProcessState state, int code) {
  return state == MT_PROCESS_NONE || (state == MT_PROCESS_ENDED && (code == MT_EXIT_RESUBMIT || no_program(code)));
}

PetscErrorCode mt_evaluation_started(const char *folder, int number, int code) {
  if (!no_program(code)) return 0;
  char *line = mt_process_last_line(folder, "errors.txt");
  PetscErrorCode rc = mt_error(MT_ERR_FAIL,
                               "%s: the program of %d could not be started (exit code %d): %s. That is no failure of "
                               "this point: mend it and run this again",
                               folder, number, code, line[0] ? line : "no word of why");
  free(line);
  return rc;
}

PetscErrorCode mt_evaluation_result(const char *folder, int code, int n, const MtNumber *number, double *y,
                                    char **reason) {
  *reason = NULL;
  if (code != 0) {
    char *line = mt_process_last_line(folder, "errors.txt");
    *reason = code < 0     ? mt_text("ended without an exit code (killed)")
              : code > 128 ? mt_text("ended by signal %d%s%s", code - 128, line[0] ? ": " : "", line)
                           : mt_text("exit code %d%s%s", code, line[0] ? ": " : "", line);
    free(line);
    return 0;
  }
  if (n && number[0].number) return from_summary(folder, n, number, y, reason);
  if (n) from_output(folder, n, y, reason);
  return 0;
}
