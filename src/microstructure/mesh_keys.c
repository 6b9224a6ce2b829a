/* The keys of section mesh. */
#include "magtwin/microstructure.h"

#define GRAINS "grains.source=generated|ebsd|labels|stack"

const MtKey mt_mesh_keys[] = {
    {.path = "mesh.file",
     .type = MT_KEY_PATH,
     .def = "",
     .help = "A mesh file made before, to be used instead of making one."},
    {.path = "mesh.size",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .def = "2 nm",
     .min = 0.01,
     .max = 1e5,
     .help = "Edge length of the tetrahedra in the magnet. Domain walls of hard magnets need 1.5 sqrt(A/K) or less."},
    {.path = "mesh.min_edge",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .def = "",
     .min = 0,
     .max = 1e5,
     .when = GRAINS,
     .help =
         "Edges of grains that the grain-boundary phase would leave shorter than this are removed before meshing, and "
         "small faces with them. Without it: half of mesh.size, or mesh.gb.thickness if that is more."},
    {.path = "mesh.gb.thickness",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .def = "3 nm",
     .min = 0,
     .max = 1e5,
     .when = GRAINS,
     .help = "Thickness of the grain-boundary phase; 0: none, the grains touch."},
    {.path = "mesh.gb.layers",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 1,
     .max = 8,
     .when = GRAINS,
     .help = "Layers of elements across the grain-boundary phase."},
    {.path = "mesh.split_grains",
     .type = MT_KEY_BOOL,
     .def = "",
     .help =
         "Grains that touch get nodes of their own on the faces they share, so that materials.interfaces can say how "
         "strongly they are coupled. Without a grain-boundary phase only (mesh.gb.thickness 0, or shapes)."},
    {.path = "mesh.air.radius",
     .type = MT_KEY_REAL,
     .def = "1.12",
     .min = 0,
     .max = 10,
     .help = "Radius of the sphere that ends the air, over that of the smallest sphere around the magnet; at least "
             "1.02, or "
             "0 for no air. The field beyond the sphere is exact, so that it may lie close."},
    {.path = "mesh.air.size",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .def = "0",
     .min = 0,
     .max = 1e5,
     .help = "Edge length of the tetrahedra at the sphere; 0: 0.12 of its radius, or mesh.size if that is more."},
    {.path = NULL},
};
