/* The canonical text (every key that has a value, in the order of the schema, in canonical units) and the help text. */
#include "input_internal.h"
#include "magtwin/json.h"
#include "magtwin/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const MtInput *in;
  char *text;
  size_t size, capacity;
} Out;

static void put(Out *o, const char *s) {
  size_t n = strlen(s);
  if (o->size + n + 1 > o->capacity) {
    o->capacity = 2 * (o->size + n + 1);
    o->text = realloc(o->text, o->capacity);
    if (!o->text) abort();
  }
  memcpy(o->text + o->size, s, n + 1);
  o->size += n;
}

static void put_indent(Out *o, int depth) {
  for (int i = 0; i < depth; i++) put(o, "  ");
}

/* Always in double quotes, so that no text can be taken for something else. */
static void put_text(Out *o, const char *s) {
  put(o, "\"");
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    char one[8] = {(char)c, 0};
    if (c == '"' || c == '\\')
      snprintf(one, sizeof one, "\\%c", c);
    else if (c < 0x20 || c == 0x7f)
      snprintf(one, sizeof one, "\\x%02X", c);
    put(o, one);
  }
  put(o, "\"");
}

static void put_value(Out *o, const MtEntry *e) {
  char buf[32];
  bool list = e->key->type == MT_KEY_VEC3 || e->key->type == MT_KEY_REALS || e->key->type == MT_KEY_STRINGS;
  if (e->key->type == MT_KEY_BOOL) put(o, e->boolean ? "true" : "false");
  if (e->key->type == MT_KEY_INT) {
    snprintf(buf, sizeof buf, "%lld", (long long)e->integer);
    put(o, buf);
  }
  if (list) put(o, "[");
  for (int i = 0; i < e->n; i++) {
    if (i) put(o, ", ");
    if (e->string && e->key->type == MT_KEY_CHOICE)
      put(o, e->string[i]);
    else if (e->string)
      put_text(o, e->string[i]);
    else if (e->number)
      put(o, mt_real_text(e->number[i], buf));
  }
  if (list) put(o, "]");
}

/* Length of the next step of `path` after `skip` characters: up to a dot or bracket. */
static size_t step_length(const char *path, size_t skip) {
  return strcspn(path + skip, ".[");
}

static bool below(const char *path, const char *prefix, size_t n) {
  return !strncmp(path, prefix, n);
}

/* First entry, set, that has the same first `n` characters and then an end, a dot or a bracket. */
static int first_with(const MtInput *in, const char *prefix, size_t n) {
  for (int i = 0; i < in->nentries; i++) {
    const char *p = in->entry[i].path;
    if (in->entry[i].set && below(p, prefix, n) && (!p[n] || p[n] == '.' || p[n] == '[')) return i;
  }
  return -1;
}

static void put_map(Out *o, const char *prefix, int depth, bool in_list);

static void put_items(Out *o, const MtEntry *e, int depth) {
  if (e->n == 0) put(o, " []");
  put(o, "\n");
  for (int i = 0; i < e->n; i++) {
    char *item = mt_format("%s[%d].", e->path, i);
    put_map(o, item, depth, true);
    free(item);
  }
}

/* The maps and values right below `prefix` ("" or "mesh."), each once, where its first entry stands. */
static void put_map(Out *o, const char *prefix, int depth, bool in_list) {
  size_t np = strlen(prefix);
  bool first = in_list;
  for (int i = 0; i < o->in->nentries; i++) {
    const MtEntry *e = &o->in->entry[i];
    if (!e->set || !below(e->path, prefix, np)) continue;
    size_t n = np + step_length(e->path, np);
    if (first_with(o->in, e->path, n) != i) continue;
    put_indent(o, first ? depth - 1 : depth);
    if (first) put(o, "- ");
    first = false;
    char *name = mt_format("%.*s:", (int)(n - np), e->path + np), *below_it = mt_format("%.*s.", (int)n, e->path);
    put(o, name);
    if (e->path[n] == '.') {
      put(o, "\n");
      put_map(o, below_it, depth + 1, false);
    } else if (e->key->type == MT_KEY_LIST) {
      put_items(o, e, depth + 2);
    } else {
      put(o, " ");
      put_value(o, e);
      put(o, "\n");
    }
    free(name); /* NOLINT(clang-analyzer-unix.Malloc): mt_input_emit frees the entries it shows */
    free(below_it);
  }
  if (first) { /* an entry of a list without any value */
    put_indent(o, depth - 1);
    put(o, "- {}\n");
  }
}

static bool named(const char *sections, const char *name, size_t n) {
  for (const char *s = sections; *s;) {
    size_t m = strcspn(s, " ");
    if (m == n && !strncmp(s, name, n)) return true;
    s += m + (s[m] == ' ');
  }
  return false;
}

/* The same input with only the entries of the named sections visible. */
char *mt_input_emit(const MtInput *in, const char *sections) {
  MtInput view = *in;
  view.nentries = 0;
  view.entry = calloc((size_t)in->nentries + 1, sizeof *view.entry);
  if (!view.entry) abort();
  for (int i = 0; i < in->nentries; i++)
    if (!sections || named(sections, in->entry[i].path, step_length(in->entry[i].path, 0)))
      view.entry[view.nentries++] = in->entry[i];
  Out o = {.in = &view};
  put(&o, "");
  put_map(&o, "", 0, false);
  free(view.entry);
  return o.text;
}

/* In lines of at most 100 characters. */
static void help_wrapped(const char *text) {
  enum { WIDTH = 94 };
  while (*text) {
    int n = (int)strlen(text);
    if (n > WIDTH) {
      n = WIDTH;
      while (n > 0 && text[n] != ' ') n--;
      if (n == 0) n = (int)strcspn(text, " ");
    }
    mt_log("      %.*s", n, text);
    text += n;
    text += *text == ' ';
  }
}

static void help_key(const MtKey *k) {
  char range[128];
  const char *unit = mt_unit_name(k->dim);
  mt_log("  %s", k->path);
  mt_log("      %s%s%s%s%s%s; %s%s", mt_key_type_name(k->type), unit[0] ? " in " : "", unit,
         k->dim == MT_DIM_EDGE ? " or lex" : "", k->choices ? ": " : "", k->choices ? k->choices : "",
         !k->def     ? "required"
         : k->def[0] ? "default "
                     : "optional",
         k->def ? k->def : "");
  if (mt_key_has_range(k)) mt_log("      range: %s", mt_key_range(k, range));
  if (k->when) mt_log("      only with %s", k->when);
  help_wrapped(k->help);
}

/* Is the key one of "a b|c.d": of section a or b, or c.d itself? */
static bool of_sections(const char *path, const char *sections) {
  const size_t section = strcspn(path, ".["), whole = strlen(path);
  for (const char *s = sections; *s; s += strcspn(s, " |"), s += strspn(s, " |")) {
    size_t n = strcspn(s, " |");
    if ((n == section || n == whole) && strncmp(s, path, n) == 0) return true;
  }
  return false;
}

void mt_input_help(const MtKey *const *tables, const char *sections) {
  for (; *tables; tables++)
    for (const MtKey *k = *tables; k->path; k++)
      if (!sections || of_sections(k->path, sections)) help_key(k);
}
