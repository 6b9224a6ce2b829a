/* The keys of section grains, one block for each source. */
#include "magtwin/microstructure.h"

#define GENERATED "grains.source=generated"
#define MEASURED "grains.source=ebsd|labels|stack|tess"
#define FILED "grains.source=labels|tess|mesh"
#define TESS "grains.source=tess|mesh"
#define ORIENTED "grains.source=labels|stack|mesh"
#define SHAPE "grains.source=shape"
#define EBSD "grains.source=ebsd"
#define LABELS "grains.source=labels"
#define DRAWN "grains.source=generated|labels|stack|tess|mesh"

const MtKey mt_grains_keys[] = {
    {.path = "grains.source",
     .type = MT_KEY_CHOICE,
     .choices = "generated|ebsd|labels|stack|tess|mesh|shape",
     .help =
         "Where the grains come from: random ones, a series of EBSD sections, a labelled volume, a stack of pictures "
         "(section stack; magtwin reconstruct labels it, other steps read its labels.h5 from the output folder), a "
         "tessellation of Neper, a finished mesh of another program, or a simple body."},

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
     .help = "Pattern of the slices of a serial section (TSL .ang or HKL .ctf text files), such as data/S*.ang, or one "
             "HDF5 file of DREAM.3D; sorted "
             "by their "
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
     .when = FILED,
     .help =
         "Volume of labels: .npy [nz, ny, nx], HDF5, a TIFF file with a page per slice, or a pattern of numbered TIFF "
         "slices; or a tessellation of a box (.tess of Neper, regularized or not), whose orientations are taken if it "
         "has any (easy axis [001]); or a mesh of tetrahedra of 4 nodes in any format that Gmsh reads by the name's "
         "ending (.msh of Gmsh and Neper, .vtk, .med, .inp, .unv, .mesh), or in VTK's XML (.vtu), whose volumes are "
         "regions by the names of "
         "their physical groups: grain 3, gb 3-7, triple_line 3-7-9 #1, junction ..., pocket ..., surface 3, air, as "
         "mesh.also writes them; any other name is a grain."},
    {.path = "grains.dataset",
     .type = MT_KEY_STRING,
     .def = "/labels",
     .when = LABELS,
     .help = "Dataset of an HDF5 file: integers [nz, ny, nx]; or /grain of a file of fields of grain growth on a box "
             "(fields/fields_0002.h5), in which grain 0 becomes label 1."},
    {.path = "grains.array",
     .type = MT_KEY_STRING,
     .def = "",
     .when = "grains.source=mesh",
     .help = "Array of the cells of a .vtu file that numbers its volumes (numbers in it as text, inline base64, or "
             "appended raw or in "
             "base64; plain or by zlib; little-endian). Without it region, CellEntityIds, "
             "gmsh:physical, gmsh:geometrical, medit:ref, cell_tags, MaterialIDs, MaterialIds, material, attribute, "
             "RegionId, RegionIds, FeatureIds, GrainId or grain, whichever is there first; a file without arrays is "
             "one volume."},
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
    {.path = "grains.pieces",
     .type = MT_KEY_CHOICE,
     .choices = "keep|refuse|drop",
     .def = "keep",
     .when = LABELS,
     .help =
         "What to do with a label whose voxels lie in several pieces: say so and keep it, end with a message, or take "
         "the label from all but the largest piece."},
    {.path = "grains.orientations",
     .type = MT_KEY_PATH,
     .def = "",
     .when = ORIENTED,
     .help =
         "Table of easy axes in the frame of the volume, lines of label, ax, ay, az; or of orientations, lines of "
         "label, w, x, y, z (unit quaternion, crystal to sample, easy axis [001]). Without it those of labels.h5 are "
         "used, or else axes spread about texture_axis. Where only the axis is known the turn of the crystal about "
         "it is drawn from grains.seed; it matters for cubic anisotropy alone."},

    /* tess */
    {.path = "grains.unit",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_LENGTH,
     .def = "",
     .min = 0,
     .max = 1e6,
     .exclusive_min = true,
     .when = TESS,
     .help = "Length of 1 in the file; of a tessellation this or grains.mean_size."},

    /* ebsd, labels, tess */
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

    /* shape */
    {.path = "grains.shape.kind",
     .type = MT_KEY_CHOICE,
     .choices = "sphere|ellipsoid|box|layers",
     .when = SHAPE,
     .help =
         "The body: for standard problems. A stack of layers is a box whose layers are regions of their own (grain 0, "
         "grain 1, ...)."},
    {.path = "grains.shape.size",
     .type = MT_KEY_VEC3,
     .dim = MT_DIM_LENGTH,
     .min = 0,
     .max = 1e6,
     .exclusive_min = true,
     .when = SHAPE,
     .help = "Diameters or edges along x, y, z; the body's bounding box reaches from the origin to this corner."},
    {.path = "grains.shape.axis",
     .type = MT_KEY_CHOICE,
     .choices = "x|y|z",
     .def = "x",
     .when = SHAPE,
     .help = "Direction in which layers are stacked."},
    {.path = "grains.shape.layers",
     .type = MT_KEY_REALS,
     .dim = MT_DIM_LENGTH,
     .def = "",
     .min = 0,
     .max = 1e6,
     .exclusive_min = true,
     .when = "grains.shape.kind=layers",
     .help = "Thickness of each layer, from the origin on; they add up to the size along the axis."},
    {.path = "grains.shape.easy_axis",
     .type = MT_KEY_VEC3,
     .def = "[0, 0, 1]",
     .when = SHAPE,
     .help = "Easy axis of the whole body; any length but 0."},
    {.path = "grains.shape.crystal_turn",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_ANGLE,
     .def = "",
     .min = -360,
     .max = 360,
     .when = SHAPE,
     .help =
         "Turn of the crystal about its easy axis [001], for cubic anisotropy. Without it none: [100] along x where "
         "the easy axis is z, else turned with it by the shortest way."},
    {.path = "grains.shape.edge_size",
     .type = MT_KEY_REAL,
     .dim = MT_DIM_EDGE,
     .def = "",
     .min = 0,
     .max = 1e6,
     .exclusive_min = true,
     .when = "grains.shape.kind=box|layers",
     .help =
         "Edge length of the tetrahedra at the edges of a box in air, where the field of a uniform magnetization is "
         "singular; it grows by grains.shape.growth to mesh.size. Without it mesh.size everywhere."},
    {.path = "grains.shape.growth",
     .type = MT_KEY_REAL,
     .def = "0.15",
     .min = 0,
     .max = 1,
     .when = SHAPE,
     .help = "How fast edge_size grows to mesh.size: added edge length per length; from brick to brick in a grid."},
    {.path = "grains.shape.grid",
     .type = MT_KEY_BOOL,
     .def = "false",
     .when = SHAPE,
     .help =
         "A box in air as a structured grid, with planes edge_size apart at the faces of the box, growing to spacing "
         "inside it and on through the air to the sphere. Many fewer nodes than small regular tetrahedra; for plates "
         "choose mesh.air.radius 2."},
    {.path = "grains.shape.cut",
     .type = MT_KEY_CHOICE,
     .choices = "five|six",
     .def = "five",
     .when = SHAPE,
     .help = "Tetrahedra a brick of a grid is cut into. Five is a little more accurate where bricks are about as high "
             "as wide; "
             "where they are flat, as in plates with a state that varies in the plane, five are too stiff: six."},
    {.path = "grains.shape.refine",
     .type = MT_KEY_INT,
     .def = "1",
     .min = 1,
     .max = 100,
     .when = SHAPE,
     .help =
         "With grid: every brick cut evenly into so many in each direction. The error of linear elements falls with "
         "the square, so two values give the limit."},
    {.path = "grains.shape.spacing",
     .type = MT_KEY_VEC3,
     .dim = MT_DIM_EDGE,
     .def = "",
     .min = 0,
     .max = 1e6,
     .exclusive_min = true,
     .when = "grains.shape.kind=box|layers",
     .help = "Edges of the bricks of a grid (a box without air, or with grid: true), along x, y, z; without it "
             "mesh.size in "
             "each direction."},

    {.path = NULL},
};
