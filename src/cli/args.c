/* The command line: magtwin SUBCOMMAND [file] [key=value ...] [--option ...]. */
#include "cli.h"
#include "magtwin/error.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static PetscErrorCode find_command(const char *word, const CliCommand **command) {
  int n;
  const CliCommand *list = cli_commands(&n);
  const char *names[32];
  for (int i = 0; i < n; i++) {
    names[i] = list[i].name;
    if (strcmp(word, names[i])) continue;
    *command = &list[i];
    return 0;
  }
  const char *near = mt_suggest(word, n, names);
  if (near) return mt_error(MT_ERR_INPUT, "unknown subcommand %s; did you mean %s?", word, near);
  return mt_error(MT_ERR_INPUT, "unknown subcommand %s; magtwin help lists them", word);
}

static PetscErrorCode take_option(const char *word, CliArgs *args) {
  const CliCommand *c = args->command;
  const char *names[3] = {"--help"};
  int n = 1;
  if (c->force) names[n++] = "--force";
  if (c->resume) names[n++] = "--resume";
  if (!strcmp(word, "--help") || !strcmp(word, "-h"))
    args->help = true;
  else if (c->force && !strcmp(word, "--force"))
    args->force = true;
  else if (c->resume && !strcmp(word, "--resume"))
    args->resume = true;
  else {
    const char *near = mt_suggest(word, n, names);
    return mt_error(MT_ERR_INPUT, "magtwin %s has no option %s%s%s%s", c->name, word, near ? "; did you mean " : "",
                    near ? near : "", near ? "?" : "");
  }
  return 0;
}

static PetscErrorCode unknown_verb(const CliCommand *c, const char *word) {
  char copy[64], *rest = copy;
  const char *names[8];
  int n = 0;
  snprintf(copy, sizeof copy, "%s", c->verbs);
  for (char *name; n < 8 && (name = strtok_r(rest, " ", &rest));) names[n++] = name;
  const char *near = mt_suggest(word, n, names);
  return mt_error(MT_ERR_INPUT,
                  "magtwin %s does not know %s%s%s%s; behind the input stand overrides (key=value) and one of: %s",
                  c->name, word, near ? "; did you mean " : "", near ? near : "", near ? "?" : "", c->verbs);
}

static bool is_verb(const char *verbs, const char *word) {
  size_t n = strlen(word);
  for (const char *s = verbs; (s = strstr(s, word)); s++)
    if (n && (s == verbs || s[-1] == ' ') && (!s[n] || s[n] == ' ')) return true;
  return false;
}

/* A word behind the input file of a command with verbs; *taken false: an override. */
static PetscErrorCode take_verb(char *word, CliArgs *args, bool *taken) {
  const CliCommand *c = args->command;
  bool pair = strchr(word, '=') != NULL;
  *taken = !pair || (args->verb && !strcmp(args->verb, "tell"));
  if (!*taken) return 0;
  if (args->verb)
    args->verb_words[args->nverb_words++] = word;
  else if (is_verb(c->verbs, word))
    args->verb = word;
  else
    return unknown_verb(c, word);
  return 0;
}

static PetscErrorCode take_word(char *word, bool free_words, CliArgs *args) {
  const CliCommand *c = args->command;
  if (word[0] == '-' && !(free_words && args->file && strcmp(word, "--help"))) return take_option(word, args);
  if (c->takes == CLI_NOTHING) return mt_error(MT_ERR_INPUT, "magtwin %s takes no argument, got %s", c->name, word);
  if (!args->file) {
    args->file = word;
    return 0;
  }
  if (c->verbs) {
    bool taken;
    PetscErrorCode rc = take_verb(word, args, &taken);
    if (rc || taken) return rc;
  }
  if (c->takes == CLI_INPUT && !strchr(word, '='))
    return mt_error(MT_ERR_INPUT, "%s: an override is written key=value (one input file a run: %s)", word, args->file);
  if (c->takes == CLI_FILE && !free_words)
    return mt_error(MT_ERR_INPUT, "magtwin %s takes one name, got %s and %s", c->name, args->file, word);
  args->words[args->nwords++] = word;
  return 0;
}

/* Its words go to a script, which knows them. */
static bool takes_any(const CliCommand *c) {
  return c->run == cli_plot || c->run == cli_report || c->run == cli_analyse;
}

PetscErrorCode cli_parse(int n, char **words, CliArgs *args) {
  static char help[] = "help";
  PetscErrorCode rc = 0;
  *args = (CliArgs){0};
  args->words = calloc((size_t)n + 1, sizeof *args->words);
  args->verb_words = calloc((size_t)n + 1, sizeof *args->verb_words);
  if (!args->words || !args->verb_words) abort();
  char *first = n > 0 ? words[0] : help;
  if (!strcmp(first, "--help") || !strcmp(first, "-h")) first = help;
  if (!strcmp(first, "--version")) first += 2;
  if (n == 2 && !strcmp(first, "help") && words[1][0] != '-') { /* help demag: demag --help */
    args->help = true;
    return find_command(words[1], &args->command);
  }
  rc = find_command(first, &args->command);
  for (int i = 1; i < n && !rc; i++) rc = take_word(words[i], takes_any(args->command), args);
  if (rc || args->help || args->command->takes == CLI_NOTHING || args->file) return rc;
  return mt_error(MT_ERR_INPUT, "usage: magtwin %s %s", args->command->name, args->command->takes_name);
}
