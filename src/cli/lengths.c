/* Lengths of a mesh given in exchange lengths ("1.5 lex"): the mesher knows no materials, so they become nm here. */
#include "cli.h"
#include "magtwin/error.h"
#include "magtwin/log.h"
#include "magtwin/micromagnetics.h"

PetscErrorCode cli_lengths_resolve(MPI_Comm comm, MtInput *in) {
  double number;
  MtLengths l;
  const char *key = mt_input_in_lex(in, 0, &number);
  if (!key) return 0;
  if (!mt_input_has(in, "materials.grain"))
    return mt_input_error(in, key,
                          "is %g lex, an exchange length of the materials, but there is no section materials "
                          "(materials: {grain: ..., gb: ...}) that names them",
                          number);
  PetscCall(mt_materials_lengths(comm, in, &l));
  return mt_input_resolve(in, l.least);
}

PetscErrorCode cli_lengths_report(MPI_Comm comm, const MtInput *in, MtJson *json) {
  double number;
  MtLengths l;
  const char *key = mt_input_in_lex(in, 0, &number);
  if (!key) return 0;
  PetscCall(mt_materials_lengths(comm, in, &l));
  mt_log("1 lex = %.4g nm, of %s: exchange length sqrt(2 A/(mu0 Ms^2)) %.4g nm, Bloch parameter sqrt(A/K) %.4g nm%s",
         l.least, l.material, l.exchange, l.bloch, l.bloch > 0 ? "" : " (no anisotropy)");
  mt_json_object(json, "lex");
  mt_json_string(json, "material", l.material);
  mt_json_real(json, "nm", l.least);
  mt_json_real(json, "exchange_length_nm", l.exchange);
  mt_json_real(json, "bloch_parameter_nm", l.bloch);
  mt_json_array(json, "lengths");
  for (int i = 0; (key = mt_input_in_lex(in, i, &number)); i++) {
    mt_log("  %s: %g lex = %.4g nm", key, number, number * l.least);
    mt_json_object(json, NULL);
    mt_json_string(json, "key", key);
    mt_json_real(json, "lex", number);
    mt_json_real(json, "nm", number * l.least);
    mt_json_end(json);
  }
  mt_json_end(json);
  mt_json_end(json);
  return 0;
}
