/* The tree against the schema, in two passes: what is there that should not be (unknown, repeated, wrong shape), then
 * every key of the schema in its order: does it apply, is it given, else its default. */
#include "input_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void walk_map(MtInput *in, const MtNode *map, const char *prefix);

static void walk_list(MtInput *in, const MtNode *list, const char *path) {
  for (int i = 0; i < list->n; i++) {
    char *item = mt_format("%s[%d]", path, i);
    if (list->item[i]->kind == MT_NODE_MAP)
      walk_map(in, list->item[i], item);
    else
      mt_input_note(in, list->item[i]->place, "%s: must be a map of keys (\"- key: value\")", item);
    free(item);
  }
}

static bool repeated(const MtNode *map, int i) {
  for (int j = 0; j < i; j++)
    if (!strcmp(map->key[i], map->key[j])) return true;
  return false;
}

static void note_unknown(MtInput *in, MtPlace place, const char *path) {
  char near[MT_PATH_MAX];
  const char *suggestion = mt_schema_nearest(in->tables, path, near);
  if (suggestion)
    mt_input_note(in, place, "unknown key %s; did you mean %s?", path, suggestion);
  else
    mt_input_note(in, place, "unknown key %s", path);
}

static void found_add(MtInput *in, const char *path, const MtKey *key, const MtNode *node) {
  in->found = mt_grow(in->found, in->nfound, sizeof *in->found);
  in->found[in->nfound++] = (MtFound){mt_copy(path), key, node};
}

/* One "key: value" of a map. */
static void walk_pair(MtInput *in, const MtNode *map, int i, const char *path) {
  const MtNode *node = map->item[i];
  const MtKey *key =
      strlen(path) < MT_PATH_MAX && !strpbrk(map->key[i], ".[]") ? mt_schema_find(in->tables, path) : NULL;
  if (repeated(map, i)) {
    mt_input_note(in, map->key_place[i], "%s: given twice", path);
  } else if (key) {
    found_add(in, path, key, node);
    if (key->type == MT_KEY_LIST && node->kind == MT_NODE_LIST) walk_list(in, node, path);
  } else if (strlen(path) >= MT_PATH_MAX || strpbrk(map->key[i], ".[]") || !mt_schema_has_section(in->tables, path)) {
    note_unknown(in, map->key_place[i], path);
  } else if (node->kind == MT_NODE_MAP) {
    found_add(in, path, NULL, node);
    walk_map(in, node, path);
  } else if (node->kind != MT_NODE_SCALAR || node->quoted || node->text[0]) { /* an empty section is none */
    mt_input_note(in, node->place, "%s: is a section with keys of its own, not a %s", path,
                  node->kind == MT_NODE_LIST ? "list" : "value");
  }
}

static void walk_map(MtInput *in, const MtNode *map, const char *prefix) {
  for (int i = 0; i < map->n; i++) {
    char *path = mt_format("%s%s%s", prefix, prefix[0] ? "." : "", map->key[i]);
    walk_pair(in, map, i, path);
    free(path);
  }
}

static const MtFound *find_found(const MtInput *in, const char *path) {
  for (int i = 0; i < in->nfound; i++)
    if (!strcmp(in->found[i].path, path)) return &in->found[i];
  return NULL;
}

MtEntry *mt_input_find(const MtInput *in, const char *path) {
  for (int i = 0; i < in->nentries; i++)
    if (!strcmp(in->entry[i].path, path)) return &in->entry[i];
  return NULL;
}

typedef enum { NO, YES, UNSURE } Answer;

static bool one_of(const char *words, const char *text) {
  for (const char *s = words; *s;) {
    size_t n = strcspn(s, "|");
    if (strlen(text) == n && !strncmp(s, text, n)) return true;
    s += n + (s[n] == '|');
  }
  return false;
}

/* The other key that `when` names, in the same list entries as `path`: [] -> [i]. */
static void sibling_path(const char *when, const char *path, char buf[MT_PATH_MAX]) {
  size_t n = 0;
  const char *index = path;
  for (const char *s = when; *s && *s != '=' && n + 24 < MT_PATH_MAX; s++) {
    buf[n++] = *s;
    if (*s != '[' || !index) continue;
    index = strchr(index, '[');
    if (!index) continue;
    index++;
    while (*index && *index != ']') buf[n++] = *index++;
  }
  buf[n] = 0;
}

/* Does the key count here?  UNSURE when the other key is wrong itself, which has been noted already. */
static Answer applies(const MtInput *in, const MtKey *key, const char *path, char other[MT_PATH_MAX],
                      const char **value) {
  char up[MT_PATH_MAX];
  const char *above;
  *value = "";
  if (!key->when) return YES;
  sibling_path(key->when, path, other);
  const MtKey *k = mt_schema_find(in->tables, other);
  if (!k) {
    fprintf(stderr, "magtwin: bug: key %s depends on %s, which does not exist\n", key->path, other);
    abort();
  }
  Answer upper = applies(in, k, other, up, &above);
  if (upper != YES) return upper;
  const MtFound *f = find_found(in, other);
  if (f && f->node->kind != MT_NODE_SCALAR) return UNSURE;
  *value = f ? f->node->text : k->def ? k->def : "";
  if (one_of(strchr(key->when, '=') + 1, *value)) return YES;
  if (!**value || (k->type == MT_KEY_CHOICE && !one_of(k->choices, *value))) return k->def && !**value ? NO : UNSURE;
  return NO;
}

/* The nearest section around `path` that stands in the file. */
static MtPlace section_place(const MtInput *in, const char *path) {
  char up[MT_PATH_MAX];
  snprintf(up, sizeof up, "%s", path);
  for (char *dot; (dot = strrchr(up, '.'));) {
    *dot = 0;
    for (int i = 0; i < in->nfound; i++)
      if (!strcmp(in->found[i].path, up)) return in->found[i].node->place;
  }
  return (MtPlace){0, 0, MT_FROM_FILE};
}

/* instead: "" or " or other.key". */
static void note_missing(MtInput *in, const MtKey *key, const char *path, const char *instead) {
  const char *unit = mt_unit_name(key->dim);
  mt_input_note(in, section_place(in, path), "missing key %s%s (%s%s%s%s%s): %s", path, instead,
                mt_key_type_name(key->type), unit[0] ? " in " : "", unit, key->choices ? ": " : "",
                key->choices ? key->choices : "", key->help);
}

static void fill_default(MtInput *in, MtEntry *e) {
  MtInput scratch = {.path = "schema", .tables = in->tables, .trusted = true};
  MtNode *node = mt_tree_parse(&scratch, e->key->def, MT_FROM_DEFAULT);
  e->set = node && mt_value_convert(&scratch, e, node);
  e->place = (MtPlace){0, 0, MT_FROM_DEFAULT};
  mt_node_free(node);
  if (scratch.nerrors == 0) return;
  fprintf(stderr, "magtwin: bug: the default of %s: %s\n", e->key->path, scratch.error[0].text);
  abort();
}

static bool section_found(const MtInput *in, const char *section, size_t n) {
  for (int i = 0; i < in->nfound; i++)
    if (!strncmp(in->found[i].path, section, n) && (!in->found[i].path[n] || in->found[i].path[n] == '.')) return true;
  return false;
}

/* Is one of the keys and sections "a.b|c", n characters, given? */
static bool alternative_found(const MtInput *in, const char *words, size_t n) {
  for (size_t at = 0, name; at < n; at += name + 1) {
    name = strcspn(words + at, " |");
    char *path = mt_format("%.*s", (int)name, words + at);
    const bool found = strchr(path, '.') ? find_found(in, path) != NULL : section_found(in, path, name);
    free(path);
    if (found) return true;
  }
  return false;
}

/* Is the section of this key asked for by the program, or there anyway? */
static bool wanted(const MtInput *in, const char *path) {
  size_t n = strcspn(path, ".");
  if (!in->needed || section_found(in, path, n)) return true;
  for (const char *s = in->needed; *s;) {
    size_t word = strcspn(s, " "), name = strcspn(s, " |");
    if (name == n && !strncmp(s, path, n)) {
      return word == name || !alternative_found(in, s + name + 1, word - name - 1);
    }
    s += word + (s[word] == ' ');
  }
  return false;
}

static void fill_one(MtInput *in, const MtKey *key, const char *path) {
  char other[MT_PATH_MAX] = "";
  const char *value;
  const MtFound *f = find_found(in, path);
  Answer counts = applies(in, key, path, other, &value);
  MtEntry e = {.path = mt_copy(path), .key = key, .place = {0, 0, MT_FROM_DEFAULT}};
  if (f && counts == NO && value[0])
    mt_input_note(in, f->node->place, "%s: counts only with %s; here %s is %s", path, key->when, other, value);
  else if (f && counts == NO)
    mt_input_note(in, f->node->place, "%s: counts only with %s", path, key->when);
  else if (f)
    e.set = mt_value_convert(in, &e, f->node);
  else if (!wanted(in, path))
    e.set = false;
  else if (counts == YES && !key->def)
    note_missing(in, key, path, "");
  else if (counts == YES && key->def[0])
    fill_default(in, &e);
  in->entry = mt_grow(in->entry, in->nentries, sizeof *in->entry);
  in->entry[in->nentries++] = e;
}

/* A key inside lists is filled once for each entry of them. */
static void fill(MtInput *in, const MtKey *key, const char *prefix, const char *rest) {
  const char *bracket = strstr(rest, "[]");
  if (!bracket) {
    char *path = mt_format("%s%s", prefix, rest);
    fill_one(in, key, path);
    free(path);
    return;
  }
  char *list = mt_format("%s%.*s", prefix, (int)(bracket - rest), rest);
  const MtFound *f = find_found(in, list);
  for (int i = 0; f && f->node->kind == MT_NODE_LIST && i < f->node->n; i++) {
    char *item = mt_format("%s[%d]", list, i);
    if (f->node->item[i]->kind == MT_NODE_MAP) {
      if (!find_found(in, item)) found_add(in, item, NULL, f->node->item[i]);
      f = find_found(in, list); /* the array may have moved */
      fill(in, key, item, bracket + 2);
    }
    free(item);
  }
  free(list);
}

static const MtKey *find_key(const MtInput *in, const char *path, size_t n) {
  for (const MtKey *const *t = in->tables; *t; t++)
    for (const MtKey *k = *t; k->path; k++)
      if (strlen(k->path) == n && !strncmp(k->path, path, n)) return k;
  return NULL;
}

/* Is one of the keys "a.b|c.d", n characters, given? */
static bool one_given(const MtInput *in, const char *word, size_t n) {
  for (size_t at = 0, name; at < n; at += name + 1) {
    name = strcspn(word + at, " |");
    char *path = mt_format("%.*s", (int)name, word + at);
    bool found = find_found(in, path) != NULL;
    free(path);
    if (found) return true;
  }
  return false;
}

/* Keys that are optional in the schema, or lie in a section the program reads only in part, and yet one must be there.
 */
static void require_keys(MtInput *in) {
  for (const char *s = in->needed ? in->needed : ""; *s;) {
    size_t n = strcspn(s, " "), name = strcspn(s, " |");
    const MtKey *key = strcspn(s, ".") < name ? find_key(in, s, name) : NULL;
    bool noted = key && !key->def && wanted(in, key->path);
    if (key && !noted && !one_given(in, s, n)) {
      char *instead =
          mt_format("%s%.*s", n > name ? " or " : "", n > name ? (int)(n - name - 1) : 0, n > name ? s + name + 1 : "");
      note_missing(in, key, key->path, instead);
      free(instead);
    }
    s += n + (s[n] == ' ');
  }
}

void mt_input_check(MtInput *in) {
  walk_map(in, in->root, "");
  for (const MtKey *const *t = in->tables; *t; t++)
    for (const MtKey *k = *t; k->path; k++) fill(in, k, "", k->path);
  require_keys(in);
}
