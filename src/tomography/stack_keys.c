/* The keys of section stack: where the slices are, and what is done with them before they are labelled. */
#include "magtwin/tomography.h"
#include <math.h>

const MtKey mt_stack_keys[] = {
    {.path = "stack.files",
     .type = MT_KEY_PATH,
     .help = "Gray slices: a pattern of numbered TIFF or PNG files, such as data/slice_*.tif, or one TIFF file with a "
             "page per slice. Unsigned integers of 8, 16 or 32 bit, or reals of 32 bit."},
    {.path = "stack.voxel",
     .type = MT_KEY_VEC3,
     .dim = MT_DIM_LENGTH,
     .min = 0,
     .max = 1e6,
     .exclusive_min = true,
     .help = "Size of a pixel along x and y, and distance of the slices."},
    {.path = "stack.missing",
     .type = MT_KEY_CHOICE,
     .choices = "refuse|interpolate",
     .def = "refuse",
     .help = "What to do with a slice whose file is missing, cut short, black or a copy of the slice before it: end "
             "with a message, or fill it from its neighbours (after the drift is corrected) and report it."},
    {.path = NULL},
};
