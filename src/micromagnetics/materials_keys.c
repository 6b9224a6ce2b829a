/* The keys of section materials. */
#include "materials_library.h"

const MtKey mt_materials_keys[] = {
    {.path = "materials.library",
     .type = MT_KEY_PATH,
     .def = "",
     .help =
         "The file the materials are defined in. Without it the library that comes with the program, materials.yaml in "
         "the folder MAGTWIN_DATA if that is set."},
    {.path = "materials.grain", .type = MT_KEY_STRING, .def = "Nd2Fe14B", .help = "Material of the grains."},
    {.path = "materials.gb",
     .type = MT_KEY_STRING,
     .def = MT_GB_DEFAULT,
     .help = "Material of the grain-boundary phase between two grains."},
    {.path = "materials.triple_line",
     .type = MT_KEY_STRING,
     .def = "",
     .help = "Material of the triple lines; that of materials.gb if not given."},
    {.path = "materials.junction",
     .type = MT_KEY_STRING,
     .def = "",
     .help = "Material of the junctions where triple lines meet; that of materials.gb if not given."},
    {.path = "materials.temperature",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_TEMPERATURE,
     .def = "",
     .min = 0,
     .max = 1e4,
     .help = "Temperature to which the constants are interpolated, linearly in the table of each material. Materials "
             "without a table stay as they are. Without it all do."},
    {.path = "materials.dmi_normal",
     .type = MT_KEY_VEC3,
     .def = "",
     .help = "Normal of the film for interfacial Dzyaloshinskii-Moriya interaction (Di), any length but 0; z if not "
             "given."},
    {.path = "materials.strain",
     .type = MT_KEY_PATH,
     .def = "",
     .help =
         "HDF5 file with the strain of each tetrahedron of the mesh file: dataset /strain [tets, 6], xx yy zz yz xz "
         "xy in the sample frame, root attributes format \"magtwin-elements\" and version 1. For materials with B1, "
         "B2."},
    {.path = "materials.stress",
     .type = MT_KEY_PATH,
     .def = "",
     .help = "The same for a stress in Pa, dataset /stress. For materials with lambda100, lambda111."},
    {.path = "materials.assign",
     .type = MT_KEY_LIST,
     .def = "[]",
     .min = 0,
     .max = 100000,
     .help = "Other materials for single regions; later entries win."},
    {.path = "materials.assign[].region",
     .type = MT_KEY_STRING,
     .help = "Name of a region of the mesh, or a pattern with * and ?: \"grain 3\", \"gb 3-*\"."},
    {.path = "materials.assign[].material", .type = MT_KEY_STRING, .help = "Its material."},
    {0},
};
