/* The command line: magtwin SUBCOMMAND [file] [key=value ...] [--option ...]. */
#include "cli.h"
#include "magtwin/error.h"
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

static PetscErrorCode take_word(char *word, bool free_words, CliArgs *args) {
  const CliCommand *c = args->command;
  if (word[0] == '-' && !(free_words && args->file && strcmp(word, "--help"))) return take_option(word, args);
  if (c->takes == CLI_NOTHING) return mt_error(MT_ERR_INPUT, "magtwin %s takes no argument, got %s", c->name, word);
  if (!args->file) {
    args->file = word;
    return 0;
  }
  if (c->takes == CLI_INPUT && !strchr(word, '='))
    return mt_error(MT_ERR_INPUT, "%s: an override is written key=value (one input file a run: %s)", word, args->file);
  if (c->takes == CLI_FILE && !free_words)
    return mt_error(MT_ERR_INPUT, "magtwin %s takes one name, got %s and %s", c->name, args->file, word);
  args->words[args->nwords++] = word;
  return 0;
}

PetscErrorCode cli_parse(int n, char **words, CliArgs *args) {
  static char help[] = "help";
  PetscErrorCode rc = 0;
  *args = (CliArgs){0};
  args->words = calloc((size_t)n + 1, sizeof *args->words);
  if (!args->words) abort();
  char *first = n > 0 ? words[0] : help;
  if (!strcmp(first, "--help") || !strcmp(first, "-h")) first = help;
  if (!strcmp(first, "--version")) first += 2;
  if (n == 2 && !strcmp(first, "help") && words[1][0] != '-') { /* help demag: demag --help */
    args->help = true;
    return find_command(words[1], &args->command);
  }
  rc = find_command(first, &args->command);
  for (int i = 1; i < n && !rc; i++) rc = take_word(words[i], args->command->run == cli_plot, args);
  if (rc || args->help || args->command->takes == CLI_NOTHING || args->file) return rc;
  return mt_error(MT_ERR_INPUT, "usage: magtwin %s %s", args->command->name, args->command->takes_name);
}
