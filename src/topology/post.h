/* Items of one size sent from rank to rank, few ranks to few; private to this module. */
#ifndef TOPOLOGY_POST_H
#define TOPOLOGY_POST_H

#include <petscsys.h>
#include <stdint.h>

typedef struct {
  MPI_Comm comm;
  size_t bytes; /* of an item */
  int64_t n, room;
  int *to;    /* [n] owned */
  char *item; /* [n bytes] owned */
} MtPost;

void mt_post_begin(MPI_Comm comm, size_t bytes, MtPost *p);
void mt_post_add(MtPost *p, int to, const void *item);
/* Sends all and empties the post.  What arrives, by rank and then in the order sent: n items, from [n] (unless NULL)
 * who sent each; the caller's.  Collective. */
PetscErrorCode mt_post_send(MtPost *p, int64_t *n, void **items, int **from);
void mt_post_end(MtPost *p);

#endif
