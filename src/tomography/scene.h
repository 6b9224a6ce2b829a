/* The generated microstructure behind a stack; private to this module.  None is collective. */
#ifndef TOMOGRAPHY_SCENE_H
#define TOMOGRAPHY_SCENE_H

#include "magtwin/microstructure.h"

typedef struct {
  MtPower power;     /* in coordinates stretched by `stretch`: platelets are equiaxed there */
  double stretch[3]; /* stretched over real coordinates */
  double voxel[3];   /* nm */
  double box[3];     /* nm, real */
  uint64_t seed;
  double *gray; /* [power.n] gray value of each grain; owned */
  double gb, gb_gray, pocket, pocket_fraction, pocket_gray;
  double width; /* nm, over which an edge is drawn soft: the pixel */
} MtScene;
PetscErrorCode mt_scene_make(const MtInput *in, MtScene *s);
void mt_scene_free(MtScene *s);

/* The grains that matter within `radius` nm of a point: list [power.n], returns how many; the nearest comes first. */
int mt_scene_near(const MtScene *s, const double x[3], double radius, int *list);

typedef struct {
  int grain;    /* whose cell it is in */
  bool pocket;  /* in a pocket */
  double value; /* gray */
} MtScenePoint;
/* What is at x (nm, real coordinates; outside the box the cells go on), of the grains in the list. */
void mt_scene_at(const MtScene *s, const double x[3], int n, const int *list, MtScenePoint *p);

/* A number in [0, 1) that belongs to a seed and three integers. */
double mt_scene_chance(uint64_t seed, int64_t a, int64_t b, int64_t c);

#endif
