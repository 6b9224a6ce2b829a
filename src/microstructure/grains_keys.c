/* The keys of section grains, one block for each source. */
#include "magtwin/microstructure.h"

#define GENERATED "grains.source=generated"
#define MEASURED "grains.source=ebsd|labels"

const MtKey mt_grains_keys[] = {
    {.path = "grains.source",
     .type = MT_KEY_CHOICE,
     .choices = "generated|ebsd|labels|shape",
     .help =
         "Where the grains come from: random ones, a series of EBSD sections, a labelled volume, or a simple body."},

    /* generated */
    {.path = "grains.count",
     .type = MT_KEY_INT,
     .min = 1,
     .max = 20000,
     .when = GENERATED,
     .help = "Number of grains in the box."},
    {.path = "grains.box",
     .type = MT_KEY_VEC3,
     .dim = MT_DIM_LENGTH,
     .min = 0,
     .max = 1e6,
     .exclusive_min = true,
     .when = GENERATED,
     .help = "Edges of the box that the grains fill; it reaches from the origin to this corner."},
    {.path = "grains.size_spread",
     .type = MT_KEY_REAL,
     .def = "0.3",
     .min = 0,
     .max = 1,
     .when = GENERATED,
     .help =
         "Width of the log-normal distribution of grain sizes: standard deviation of the logarithm of the diameter of "
         "the sphere of the grain's volume. 0 makes all volumes equal."},
    {.path = "grains.seed",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 0,
     .max = 9007199254740992.0,
     .when = GENERATED,
     .help = "Seed of the random numbers: the same seed makes the same grains, bit for bit."},
    {.path = "grains.lloyd",
     .type = MT_KEY_INT,
     .def = "5",
     .min = 0,
     .max = 100,
     .when = GENERATED,
     .help = "How often the seeds are moved to the centroids of their cells: more of it makes rounder grains."},
    {.path = "grains.texture",
     .type = MT_KEY_CHOICE,
     .choices = "aligned|isotropic",
     .def = "aligned",
     .when = GENERATED,
     .help =
         "Easy axes spread about texture_axis, or in all directions alike (texture_axis and texture_spread then do not "
         "matter)."},
    {.path = "grains.texture_axis",
     .type = MT_KEY_VEC3,
     .def = "[0, 0, 1]",
     .when = GENERATED,
     .help = "Direction about which the easy axes are spread; any length but 0."},
    {.path = "grains.texture_spread",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_ANGLE,
     .def = "10",
     .min = 0,
     .max = 90,
     .when = GENERATED,
     .help = "Root mean square angle between easy axis and texture_axis; the angle is the absolute value of a Gaussian "
             "one, the azimuth is uniform."},

    /* ebsd and labels */
    {.path = "grains.mean_size",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .def = "",
     .min = 0,
     .max = 1e6,
     .exclusive_min = true,
     .when = MEASURED,
     .help =
         "Scales the whole volume so that the diameter of the sphere of the mean grain volume is this; without it the "
         "grains keep their measured size."},

    {.path = NULL},
};
