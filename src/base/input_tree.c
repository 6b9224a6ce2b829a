/* YAML text -> a small tree with places, by libyaml's document interface; overrides are grafted onto the tree, so that
 * they are checked like the file.  Depth and size are bounded: aliases may repeat or contain themselves. */
#include "input_internal.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { MAX_DEPTH = 16, MAX_NODES = 1000000 };

void *mt_grow(void *array, int n, size_t size) {
  if (n & (n - 1)) return array; /* room for the next power of two is there */
  array = realloc(array, size * (size_t)(n ? 2 * n : 1));
  if (!array) abort();
  return array;
}

char *mt_copy(const char *text) {
  size_t n = strlen(text) + 1;
  char *copy = malloc(n);
  if (!copy) abort();
  return memcpy(copy, text, n);
}

MtNode *mt_node_new(MtNodeKind kind, MtPlace place) {
  MtNode *node = calloc(1, sizeof *node);
  if (!node) abort();
  node->kind = kind;
  node->place = place;
  return node;
}

static void node_add(MtNode *parent, const char *key, MtPlace key_place, MtNode *child) {
  parent->item = mt_grow(parent->item, parent->n, sizeof(MtNode *));
  if (key) {
    parent->key = mt_grow(parent->key, parent->n, sizeof *parent->key);
    parent->key_place = mt_grow(parent->key_place, parent->n, sizeof *parent->key_place);
    parent->key[parent->n] = mt_copy(key);
    parent->key_place[parent->n] = key_place;
  }
  parent->item[parent->n++] = child;
}

void mt_node_free(MtNode *node) {
  if (!node) return;
  for (int i = 0; i < node->n; i++) {
    mt_node_free(node->item[i]);
    if (node->key) free(node->key[i]);
  }
  free(node->item);
  free(node->key);
  free(node->key_place);
  free(node->text);
  free(node);
}

typedef struct {
  MtInput *in;
  yaml_document_t *doc;
  int origin, depth, nodes;
} Walk;

static MtPlace place_of(const Walk *w, yaml_mark_t mark) {
  return (MtPlace){(int)mark.line + 1, (int)mark.column + 1, w->origin};
}

static MtNode *walk(Walk *w, int index);

static void walk_map(Walk *w, const yaml_node_t *y, MtNode *node) {
  for (yaml_node_pair_t *p = y->data.mapping.pairs.start; p < y->data.mapping.pairs.top; p++) {
    const yaml_node_t *k = yaml_document_get_node(w->doc, p->key);
    MtPlace place = place_of(w, k->start_mark);
    MtNode *child = NULL;
    if (k->type != YAML_SCALAR_NODE)
      mt_input_note(w->in, place, "a key must be a plain word");
    else
      child = walk(w, p->value);
    if (child) node_add(node, (const char *)k->data.scalar.value, place, child);
  }
}

static void walk_list(Walk *w, const yaml_node_t *y, MtNode *node) {
  for (yaml_node_item_t *p = y->data.sequence.items.start; p < y->data.sequence.items.top; p++) {
    MtNode *child = walk(w, *p);
    if (child) node_add(node, NULL, (MtPlace){0}, child);
  }
}

/* NULL when the text is nested too deeply or too large (noted once). */
static MtNode *walk(Walk *w, int index) {
  const yaml_node_t *y = yaml_document_get_node(w->doc, index);
  MtPlace place = place_of(w, y->start_mark);
  if (w->nodes >= MAX_NODES) return NULL;
  if (++w->nodes == MAX_NODES || w->depth == MAX_DEPTH) {
    w->nodes = MAX_NODES;
    mt_input_note(w->in, place, "nested more than %d deep, or more than %d values", (int)MAX_DEPTH, (int)MAX_NODES);
    return NULL;
  }
  w->depth++;
  MtNode *node = mt_node_new(y->type == YAML_MAPPING_NODE    ? MT_NODE_MAP
                             : y->type == YAML_SEQUENCE_NODE ? MT_NODE_LIST
                                                             : MT_NODE_SCALAR,
                             place);
  if (y->type == YAML_MAPPING_NODE)
    walk_map(w, y, node);
  else if (y->type == YAML_SEQUENCE_NODE)
    walk_list(w, y, node);
  else
    node->text = mt_copy((const char *)y->data.scalar.value);
  node->quoted = y->type == YAML_SCALAR_NODE && y->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
  w->depth--;
  return node;
}

/* Does line `line` (from 1) of the text start with blanks that contain a tab? */
static bool tab_indented(const char *text, int line) {
  for (; line > 1 && *text; text++) line -= *text == '\n';
  size_t n = strspn(text, " \t");
  return memchr(text, '\t', n) != NULL;
}

static void note_syntax(MtInput *in, const yaml_parser_t *p, const char *text, int origin) {
  const char *problem = p->problem ? p->problem : "not enough memory";
  if (p->error == YAML_READER_ERROR) {
    int line = 1;
    for (size_t i = 0; i < p->problem_offset && text[i]; i++) line += text[i] == '\n';
    mt_input_note(in, (MtPlace){line, 1, origin}, "not valid YAML: %s", problem);
    return;
  }
  MtPlace place = {(int)p->problem_mark.line + 1, (int)p->problem_mark.column + 1, origin};
  if (tab_indented(text, place.line))
    mt_input_note(in, place, "not valid YAML: indented by a tab; use spaces");
  else if (p->context)
    mt_input_note(in, place, "not valid YAML: %s (%s that began in line %d)", problem, p->context,
                  (int)p->context_mark.line + 1);
  else
    mt_input_note(in, place, "not valid YAML: %s", problem);
}

static void note_second_document(MtInput *in, yaml_parser_t *p, const char *text, int origin) {
  yaml_document_t more;
  if (!yaml_parser_load(p, &more)) {
    note_syntax(in, p, text, origin);
    return;
  }
  const yaml_node_t *root = yaml_document_get_root_node(&more);
  if (root)
    mt_input_note(in, (MtPlace){(int)root->start_mark.line + 1, 1, origin},
                  "a second YAML document; one file holds one input");
  yaml_document_delete(&more);
}

MtNode *mt_tree_parse(MtInput *in, const char *text, int origin) {
  yaml_parser_t parser;
  yaml_document_t doc;
  MtNode *root = NULL;
  if (!yaml_parser_initialize(&parser)) abort();
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
  if (!yaml_parser_load(&parser, &doc)) {
    note_syntax(in, &parser, text, origin);
  } else {
    bool empty = !yaml_document_get_root_node(&doc);
    if (!empty) root = walk(&(Walk){in, &doc, origin, 0, 0}, 1);
    yaml_document_delete(&doc);
    if (!empty) note_second_document(in, &parser, text, origin);
  }
  yaml_parser_delete(&parser);
  return root;
}

static MtNode **map_slot(MtNode *map, const char *key) {
  for (int i = 0; i < map->n; i++)
    if (!strcmp(map->key[i], key)) return &map->item[i];
  return NULL;
}

/* The slot of one step "segments" or "segments[2]" of an override's path; made in a map when missing, NULL when it
 * cannot be. */
static MtNode **step_slot(MtInput *in, MtNode *at, char *step, MtPlace place) {
  char *bracket = strchr(step, '['), *end = NULL;
  long index = bracket ? strtol(bracket + 1, &end, 10) : 0;
  if (bracket && (end == bracket + 1 || strcmp(end, "]") || index < 0)) {
    mt_input_note(in, place, "a list entry is written name[0], name[1], ...");
    return NULL;
  }
  if (bracket) *bracket = 0;
  if (at->kind != MT_NODE_MAP) {
    mt_input_note(in, place, "there is no %s in a %s", step,
                  at->kind == MT_NODE_LIST ? "list: write name[0], name[1], ..." : "single value");
    return NULL;
  }
  MtNode **slot = map_slot(at, step);
  if (!slot && !bracket) {
    node_add(at, step, place, mt_node_new(MT_NODE_MAP, place));
    slot = &at->item[at->n - 1];
  }
  if (!bracket) return slot;
  if (!slot || (*slot)->kind != MT_NODE_LIST || index >= (*slot)->n) {
    mt_input_note(in, place, "there is no entry %ld: the list has %d", index,
                  slot && (*slot)->kind == MT_NODE_LIST ? (*slot)->n : 0);
    return NULL;
  }
  return &(*slot)->item[index];
}

void mt_tree_override(MtInput *in, int origin) {
  char *path = mt_copy(in->override[origin]), *equals = strchr(path, '=');
  MtPlace place = {0, 0, origin};
  if (!equals || equals == path) {
    mt_input_note(in, place, "an override is written key=value");
    free(path);
    return;
  }
  *equals = 0;
  MtNode *value = mt_tree_parse(in, equals + 1, origin), **slot = &in->root;
  for (char *rest = path, *step; slot && (step = rest);) {
    rest = strchr(rest, '.');
    if (rest) *rest++ = 0;
    slot = step_slot(in, *slot, step, place);
  }
  if (!value) {
    value = mt_node_new(MT_NODE_SCALAR, place);
    value->text = mt_copy("");
  }
  if (slot && (*slot)->place.origin >= 0 && (*slot)->place.origin != origin)
    mt_input_note(in, place, "given twice on the command line");
  if (slot) {
    mt_node_free(*slot);
    *slot = value;
  } else {
    mt_node_free(value);
  }
  free(path);
}
