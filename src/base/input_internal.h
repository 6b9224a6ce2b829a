/* Inside of the input language: the tree of a YAML text, the errors found so far, the values. */
#ifndef BASE_INPUT_INTERNAL_H
#define BASE_INPUT_INTERNAL_H

#include "magtwin/input.h"
#include <stddef.h>

enum { MT_PATH_MAX = 200, MT_FROM_FILE = -1, MT_FROM_DEFAULT = -2 };

/* Where a value stands: line and column (from 1; 0: nowhere in particular), and the override it came by or MT_FROM_...
 */
typedef struct {
  int line, col, origin;
} MtPlace;

typedef enum { MT_NODE_SCALAR, MT_NODE_LIST, MT_NODE_MAP } MtNodeKind;

typedef struct MtNode {
  MtNodeKind kind;
  MtPlace place;
  bool quoted;          /* scalar written in quotes: never null */
  char *text;           /* scalar */
  int n;                /* list, map */
  struct MtNode **item; /* [n] owned */
  char **key;           /* [n] map */
  MtPlace *key_place;   /* [n] map */
} MtNode;

typedef struct {
  MtPlace place;
  char *text;
} MtInputError;

/* One key of the schema at one place of the input; given, or filled from the default. */
typedef struct {
  char *path; /* "field.segments[2].to" */
  const MtKey *key;
  MtPlace place;
  bool set; /* false: optional and not given, or does not apply */
  bool boolean;
  int64_t integer;
  int n;          /* length of a list; 1 for a scalar */
  double *number; /* [n] canonical unit */
  bool *in_lex;   /* [n] given in lex, and so kept until mt_input_resolve; NULL: none is */
  char **string;  /* [n] */
} MtEntry;

typedef struct {
  char *path;
  const MtKey *key;
  const MtNode *node;
} MtFound;

struct MtInput {
  char *path, *text, *canonical;
  const MtKey *const *tables;
  const char *needed; /* sections that must be there; NULL: all */
  const char *only;   /* the one section that is looked at; NULL: all */
  int noverrides;
  char **override;
  bool trusted; /* checked on rank 0 already: files need not be looked for again */
  double lex;   /* nm; 0: not known yet */
  MtNode *root;
  int nerrors, nfound, nentries;
  MtInputError *error;
  MtFound *found;
  MtEntry *entry;
};

/* input_tree.c */
MtNode *mt_node_new(MtNodeKind kind, MtPlace place);
void mt_node_free(MtNode *node);
/* YAML text -> tree; NULL after recording an error, or when the text is empty. */
MtNode *mt_tree_parse(MtInput *in, const char *text, int origin);
void mt_tree_override(MtInput *in, int origin);

/* input_errors.c */
void mt_input_note(MtInput *in, MtPlace place, const char *format, ...) __attribute__((format(printf, 3, 4)));
PetscErrorCode mt_input_errors(MtInput *in); /* all of them, sorted, as one error */

/* input_schema.c */
const MtKey *mt_schema_find(const MtKey *const *tables, const char *path); /* path with [] or [i] */
bool mt_schema_has_section(const MtKey *const *tables, const char *path);
const char *mt_schema_nearest(const MtKey *const *tables, const char *path, char buf[MT_PATH_MAX]);
const char *mt_key_type_name(MtKeyType type);
bool mt_key_has_range(const MtKey *key);
const char *mt_key_range(const MtKey *key, char buf[128]); /* "> 0 nm", "between 1 and 5" */

/* input_check.c: root -> found -> entries, with every error noted */
void mt_input_check(MtInput *in);
MtEntry *mt_input_find(const MtInput *in, const char *path);

/* input_value.c: false after noting an error */
bool mt_value_convert(MtInput *in, MtEntry *e, const MtNode *node);
bool mt_value_in_range(MtInput *in, const MtEntry *e, MtPlace place, double v, const char *text);
void mt_entry_free(MtEntry *e);

/* input_text.c */
char *mt_input_emit(const MtInput *in, const char *sections);

void *mt_grow(void *array, int n, size_t size); /* room for n+1 elements; aborts without memory */
char *mt_copy(const char *text);
char *mt_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
