/* Reading an input: rank 0 reads and checks; the text is shared, so that every rank holds the same values with their
 * places. */
#include "file.h"
#include "input_internal.h"
#include "magtwin/error.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 16 << 20 };

static PetscErrorCode read_text(const char *path, char **text) {
  FILE *f = fopen(path, "rb");
  if (!f) return mt_file_failed(path, "read", errno);
  char *buffer = malloc(MAX_BYTES + 1);
  if (!buffer) abort();
  errno = 0;
  size_t n = fread(buffer, 1, MAX_BYTES, f);
  int err = ferror(f) ? errno : 0;
  fclose(f);
  buffer[n] = 0;
  *text = mt_copy(buffer);
  free(buffer);
  if (err) return mt_file_failed(path, "read", err);
  if (n == MAX_BYTES)
    return mt_error(MT_ERR_INPUT, "%s is too large for an input (%d MiB)", path, (int)(MAX_BYTES >> 20));
  if (strlen(*text) != n) return mt_error(MT_ERR_INPUT, "%s is not a text file", path);
  return 0;
}

static MtInput *input_new(const char *path, int noverrides, char *const *overrides, const MtKey *const *tables) {
  MtInput *in = calloc(1, sizeof *in);
  if (!in) abort();
  in->path = mt_copy(path);
  in->tables = tables;
  in->noverrides = noverrides;
  in->override = calloc((size_t)noverrides + 1, sizeof *in->override);
  if (!in->override) abort();
  for (int i = 0; i < noverrides; i++) in->override[i] = mt_copy(overrides[i]);
  return in;
}

void mt_input_destroy(MtInput **input) {
  MtInput *in = *input;
  if (!in) return;
  for (int i = 0; i < in->noverrides; i++) free(in->override[i]);
  for (int i = 0; i < in->nerrors; i++) free(in->error[i].text);
  for (int i = 0; i < in->nfound; i++) free(in->found[i].path);
  for (int i = 0; i < in->nentries; i++) mt_entry_free(&in->entry[i]);
  mt_node_free(in->root);
  free(in->override);
  free(in->error);
  free(in->found);
  free(in->entry);
  free(in->path);
  free(in->text);
  free(in->canonical);
  free(in);
  *input = NULL;
}

static void *copy_array(const void *from, int n, size_t size) {
  if (!from) return NULL;
  void *to = calloc((size_t)n + 1, size);
  if (!to) abort();
  return memcpy(to, from, (size_t)n * size);
}

static MtEntry copy_entry(const MtEntry *from) {
  MtEntry e = *from;
  e.path = mt_copy(from->path);
  e.number = copy_array(from->number, from->n, sizeof *e.number);
  e.in_lex = copy_array(from->in_lex, from->n, sizeof *e.in_lex);
  e.string = copy_array(from->string, from->n, sizeof *e.string);
  for (int i = 0; e.string && i < e.n; i++) e.string[i] = mt_copy(from->string[i]);
  return e;
}

/* The values, not the tree that they were read from. */
MtInput *mt_input_copy(const MtInput *from) {
  MtInput *in = input_new(from->path, from->noverrides, from->override, from->tables);
  in->trusted = from->trusted;
  in->lex = from->lex;
  in->nentries = from->nentries;
  in->entry = copy_array(from->entry, from->nentries, sizeof *in->entry);
  for (int i = 0; i < in->nentries; i++) in->entry[i] = copy_entry(&from->entry[i]);
  in->canonical = mt_input_emit(in, NULL);
  return in;
}

/* Keeps one section of the file. */
static void drop_others(MtNode *root, const char *only) {
  int kept = 0;
  for (int i = 0; i < root->n; i++) {
    if (!strcmp(root->key[i], only)) {
      root->key[kept] = root->key[i];
      root->key_place[kept] = root->key_place[i];
      root->item[kept++] = root->item[i];
    } else {
      free(root->key[i]);
      mt_node_free(root->item[i]);
    }
  }
  root->n = kept;
}

/* Text -> tree -> overrides -> values; all errors as one. */
static PetscErrorCode understand(MtInput *in) {
  const MtPlace nowhere = {0, 0, MT_FROM_FILE};
  in->root = mt_tree_parse(in, in->text, MT_FROM_FILE);
  if (in->nerrors) return mt_input_errors(in); /* without its shape nothing more can be said of the file */
  if (!in->root) in->root = mt_node_new(MT_NODE_MAP, nowhere);
  if (in->root->kind != MT_NODE_MAP) {
    mt_input_note(in, in->root->place, "an input is a map of sections (\"mesh:\"), not a %s",
                  in->root->kind == MT_NODE_LIST ? "list" : "single value");
    return mt_input_errors(in);
  }
  if (in->only) drop_others(in->root, in->only);
  for (int i = 0; i < in->noverrides; i++) mt_tree_override(in, i);
  mt_input_check(in);
  PetscCall(mt_input_errors(in));
  in->canonical = mt_input_emit(in, NULL);
  return 0;
}

static PetscErrorCode share_text(MPI_Comm comm, MtInput *in) {
  int rank, n = in->text ? (int)strlen(in->text) + 1 : 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Bcast(&n, 1, MPI_INT, 0, comm));
  if (rank) in->text = malloc((size_t)n);
  if (!in->text) abort();
  PetscCallMPI(MPI_Bcast(in->text, n, MPI_CHAR, 0, comm));
  return 0;
}

static PetscErrorCode read_shared(MPI_Comm comm, MtInput *in) {
  int rank;
  PetscErrorCode rc = 0;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  if (rank == 0) rc = read_text(in->path, &in->text);
  if (rank == 0 && !rc) rc = understand(in);
  rc = mt_agree(comm, rc);
  if (rc) return rc;
  PetscCall(share_text(comm, in));
  in->trusted = true;
  return rank ? understand(in) : 0;
}

PetscErrorCode mt_input_read_for(MPI_Comm comm, const char *path, int noverrides, char *const *overrides,
                                 const MtKey *const *tables, const char *needed, MtInput **input) {
  *input = input_new(path, noverrides, overrides, tables);
  (*input)->needed = needed;
  PetscErrorCode rc = read_shared(comm, *input);
  if (rc)
    mt_input_destroy(input);
  else
    (*input)->needed = NULL; /* the caller's; of no use any more */
  return rc;
}

PetscErrorCode mt_input_read(MPI_Comm comm, const char *path, int noverrides, char *const *overrides,
                             const MtKey *const *tables, MtInput **input) {
  return mt_input_read_for(comm, path, noverrides, overrides, tables, NULL, input);
}

PetscErrorCode mt_input_read_section(MPI_Comm comm, const char *path, const char *section, const MtKey *const *tables,
                                     MtInput **input) {
  *input = input_new(path, 0, NULL, tables);
  (*input)->only = (*input)->needed = section;
  PetscErrorCode rc = read_shared(comm, *input);
  if (rc)
    mt_input_destroy(input);
  else
    (*input)->needed = (*input)->only = NULL; /* the caller's; of no use any more */
  return rc;
}
