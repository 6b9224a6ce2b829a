/* The keys of section grains, one block for each source. */
#include "magtwin/microstructure.h"

#define GENERATED "grains.source=generated"
#define MEASURED "grains.source=ebsd|labels"
#define EBSD "grains.source=ebsd"
#define LABELS "grains.source=labels"
#define DRAWN "grains.source=generated|labels"

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
     .when = DRAWN,
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
     .when = DRAWN,
     .help =
         "Easy axes spread about texture_axis, or in all directions alike (texture_axis and texture_spread then do not "
         "matter)."},
    {.path = "grains.texture_axis",
     .type = MT_KEY_VEC3,
     .def = "[0, 0, 1]",
     .when = DRAWN,
     .help = "Direction about which the easy axes are spread; any length but 0."},
    {.path = "grains.texture_spread",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_ANGLE,
     .def = "10",
     .min = 0,
     .max = 90,
     .when = DRAWN,
     .help = "Root mean square angle between easy axis and texture_axis; the angle is the absolute value of a Gaussian "
             "one, the azimuth is uniform."},

    /* ebsd */
    {.path = "grains.files",
     .type = MT_KEY_PATH,
     .when = EBSD,
     .help = "Pattern of the slices of a serial section (TSL .ang text files), such as data/S*.ang; sorted by their "
             "number, "
             "which must go up in equal steps."},
    {.path = "grains.slice_step",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .min = 0,
     .max = 1e9,
     .exclusive_min = true,
     .when = EBSD,
     .help = "Distance from one slice to the next; the files do not hold it."},
    {.path = "grains.misorientation",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_ANGLE,
     .def = "10",
     .min = 0,
     .max = 90,
     .exclusive_min = true,
     .when = EBSD,
     .help = "Neighbouring voxels whose disorientation is below this belong to one grain."},
    {.path = "grains.min_voxels",
     .type = MT_KEY_INT,
     .def = "50",
     .min = 1,
     .max = 1e9,
     .when = EBSD,
     .help = "Regions with fewer voxels are not grains: their voxels go to the grains around them."},
    {.path = "grains.min_confidence",
     .type = MT_KEY_REAL,
     .def = "0",
     .min = 0,
     .max = 1,
     .when = EBSD,
     .help =
         "Points with a confidence index below this are left out and filled from the grains around them; 0 uses all "
         "points."},
    {.path = "grains.symmetry",
     .type = MT_KEY_CHOICE,
     .choices = "cubic|tetragonal|hexagonal",
     .def = "tetragonal",
     .when = EBSD,
     .help =
         "Symmetry of the measured crystal, for disorientations: Nd2Fe14B is tetragonal, SmCo5 hexagonal, iron cubic."},
    {.path = "grains.easy_axis",
     .type = MT_KEY_VEC3,
     .def = "[0, 0, 1]",
     .when = EBSD,
     .help = "Crystal direction that is the easy axis. The frame of the angles is taken as the frame of x, y and the "
             "slices."},

    /* labels */
    {.path = "grains.file",
     .type = MT_KEY_PATH,
     .when = LABELS,
     .help =
         "Volume of labels: .npy [nz, ny, nx], HDF5, a TIFF file with a page per slice, or a pattern of numbered TIFF "
         "slices."},
    {.path = "grains.dataset",
     .type = MT_KEY_STRING,
     .def = "/labels",
     .when = LABELS,
     .help = "Dataset of an HDF5 file: integers [nz, ny, nx]."},
    {.path = "grains.voxel",
     .type = MT_KEY_VEC3,
     .dim = MT_DIM_LENGTH,
     .def = "",
     .min = 0,
     .max = 1e9,
     .exclusive_min = true,
     .when = LABELS,
     .help = "Size of a voxel along x, y and z; needed unless the file holds it (labels.h5)."},
    {.path = "grains.background",
     .type = MT_KEY_INT,
     .def = "0",
     .min = -2147483648.0,
     .max = 2147483647.0,
     .when = LABELS,
     .help = "Label of voxels that belong to no grain; the fit leaves them out."},
    {.path = "grains.orientations",
     .type = MT_KEY_PATH,
     .def = "",
     .when = LABELS,
     .help = "Table of easy axes in the frame of the volume, lines of label, ax, ay, az. Without it the axes of "
             "labels.h5 are "
             "used, or else axes spread about texture_axis."},

    /* ebsd and labels */
    {.path = "grains.mean_size",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .def = "",
     .min = 0,
     .max = 1e6,
     .exclusive_min = true,
     .when = MEASURED,
     .help = "Scales the whole volume so that the mean diameter of the grains, as spheres of their volume, is this; "
             "without it the "
             "grains keep their measured size."},

    {.path = NULL},
};
