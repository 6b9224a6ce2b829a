"""The cases of validate.py, by name.  Each takes a Case, runs the program on inputs of tests/physics/inputs and returns lines for what it
wrote beside a published or an analytic value; tolerances are those the project promises.  Its first paragraph of documentation says
what it is, the rest what docs/validation.md should add."""
from cases import barriers, dynamics, energies, microstructure, optimization, phase_field, standard_problems, stray_field, switching, walls

CASES = {
    "demo_mesh": microstructure.demo_mesh,
    "measured_grains": microstructure.measured_grains,
    "demagnetizing_energy": stray_field.demagnetizing_energy,
    "demagnetizing_factors": stray_field.demagnetizing_factors,
    "stoner_wohlfarth": switching.stoner_wohlfarth,
    "ellipsoids": switching.ellipsoids,
    "curling": switching.curling,
    "domain_wall": walls.domain_wall,
    "soft_layer": walls.soft_layer,
    "pinned_wall": walls.pinned_wall,
    "cubic_sphere": energies.cubic_sphere,
    "cubic_ball_facets": energies.cubic_ball_facets,
    "stressed_sphere": energies.stressed_sphere,
    "surface_film": energies.surface_film,
    "tilted_edge": energies.tilted_edge,
    "weak_interface": energies.weak_interface,
    "sp2": standard_problems.standard_problem_2,
    "sp2_30": standard_problems.standard_problem_2_large,
    "sp3": standard_problems.standard_problem_3,
    "sp4": dynamics.standard_problem_4,
    "sp5": dynamics.standard_problem_5,
    "particle_barrier": barriers.particle_barrier,
    "cube_barrier": barriers.cube_barrier,
    "rod_barrier": barriers.rod_barrier,
    "pfhub_1b": phase_field.pfhub_1b,
    "pfhub_7": phase_field.pfhub_7,
    "shrinking": phase_field.shrinking,
    "test_functions": optimization.test_functions,
    "recovery": optimization.recovery,
    "rank_agreement": microstructure.rank_agreement,
}
