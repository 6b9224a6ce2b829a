/* The keys of section pca. */
#include "magtwin/pca.h"
#include <math.h>

const MtKey mt_pca_keys[] = {
    {.path = "pca.files",
     .type = MT_KEY_NEWPATH,
     .help = "The data, by name or pattern, in the order of the numbers in their names, all of one kind: csv tables, "
             ".npy, HDF5 (features.h5 of magtwin topology, states), pictures (PNG, TIFF; a page is a sample)."},
    {.path = "pca.datasets",
     .type = MT_KEY_STRINGS,
     .def = "",
     .help = "HDF5: the datasets, set side by side. If not given: the persistence images of features.h5, /m of a "
             "state, the statistics of texture.h5."},
    {.path = "pca.beside",
     .type = MT_KEY_NEWPATH,
     .def = "",
     .help = "Further data of the same samples, such as texture.h5 of magtwin texture with features.h5 of magtwin "
             "topology: their variables are set beside those of pca.files. Variables of different kinds ask for "
             "pca.scale: deviation."},
    {.path = "pca.columns",
     .type = MT_KEY_STRINGS,
     .def = "",
     .help = "csv: names of the columns, or their numbers from 1 where the table has no header. If not given: all "
             "whose first entry is a number, but not image and sample, which count."},
    {.path = "pca.sample",
     .type = MT_KEY_CHOICE,
     .choices = "auto|row|file",
     .def = "auto",
     .help = "What a sample is: a row of a table (of an array its first index), or a whole file. auto: a row of a "
             "single file or of features.h5, else a file."},
    {.path = "pca.components",
     .type = MT_KEY_INT,
     .def = "",
     .min = 1,
     .max = 1000,
     .help = "How many components; 10, or as many as there can be, if not given."},
    {.path = "pca.center", .type = MT_KEY_BOOL, .def = "true", .help = "Subtract the mean of every variable."},
    {.path = "pca.scale",
     .type = MT_KEY_CHOICE,
     .choices = "none|deviation",
     .def = "none",
     .help = "Divide every variable by its standard deviation, for variables of different kinds."},
    {.path = "pca.mesh",
     .type = MT_KEY_NEWPATH,
     .def = "",
     .help =
         "mesh.h5 of fields on nodes: nodes count by the volume of the magnet around them, and modes.xdmf shows the "
         "components on the mesh."},
    {.path = "pca.value",
     .type = MT_KEY_CHOICE,
     .choices = "as-is|transverse",
     .def = "as-is",
     .help = "Of fields with three components: the numbers as they are, or the part of the moment across pca.axis, "
             "1 - (m.axis)^2, which is 1 in the middle of a wall and 0 in domains."},
    {.path = "pca.axis", .type = MT_KEY_VEC3, .def = "[0, 0, 1]", .help = "That axis; need not be a unit vector."},
    {.path = "pca.method",
     .type = MT_KEY_CHOICE,
     .choices = "auto|gram|svd",
     .def = "auto",
     .help = "Eigenvectors of the products of the samples (or variables, where they are fewer), or SLEPc's singular "
             "value decomposition. auto: the first where the shorter side is at most 1024 and the result is sure."},
    {.path = "pca.distribute",
     .type = MT_KEY_CHOICE,
     .choices = "auto|rows|columns",
     .def = "auto",
     .help = "What is dealt to the ranks: samples (rows), variables (columns); auto: whatever are more."},
    {.path = NULL},
};
