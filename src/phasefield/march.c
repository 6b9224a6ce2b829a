/* The march of one field, a gradient flow or diffusion, in time. */
#include "flow_impl.h"
#include "magtwin/run.h"
#include "stepper.h"
#include <stdio.h>

struct MtMarch {
  MtStepper stepper;
  MtFlow *flow;
  MtMultistep field;
};

static MtMarch *march_of(MtStepper *s) {
  return (MtMarch *)s;
}

static void name(const MtWorst *w, char text[64]) {
  (void)w;
  snprintf(text, 64, "c =");
}

static PetscErrorCode solve(MtStepper *s, const MtBdf2 *b, double t, MtFlowSolve *how) {
  MtMultistep *f = &march_of(s)->field;
  PetscCall(mt_multistep_predict(f, b));
  return mt_flow_solve(march_of(s)->flow, t, b->shift, f->base, f->next, how);
}

static PetscErrorCode correction(MtStepper *s, MtWorst *w) {
  const MtFlow *flow = march_of(s)->flow;
  return mt_worst_size(w, flow->domain, flow->delta, march_of(s)->field.c[0], 0);
}

static PetscErrorCode outside(MtStepper *s, MtWorst *w) {
  return mt_worst_outside(w, march_of(s)->flow->domain, march_of(s)->field.next, 0, s->opt.low, s->opt.high);
}

static PetscErrorCode error(MtStepper *s, double share, MtWorst *w) {
  MtMultistep *f = &march_of(s)->field;
  PetscCall(mt_multistep_error(f, share));
  return mt_worst_size(w, march_of(s)->flow->domain, f->guess, f->next, 0);
}

static PetscErrorCode energy(MtStepper *s, double t, MtFlowEnergy *e) {
  mt_phase_begin("energies");
  const PetscErrorCode rc = mt_flow_energy(march_of(s)->flow, t, march_of(s)->field.next, e);
  mt_phase_end("energies");
  return rc;
}

static PetscErrorCode heat(MtStepper *s, double t, double *added) {
  return mt_flow_heat(march_of(s)->flow, s->now.t, t, march_of(s)->field.c[0], added);
}

static PetscErrorCode accept(MtStepper *s, bool first) {
  mt_multistep_accept(&march_of(s)->field, first);
  mt_flow_amg(march_of(s)->flow, s->now.amg);
  return 0;
}

PetscErrorCode mt_march_create(MtFlow *flow, const MtMarchOptions *opt, MtMarch **march) {
  static const MtStepperCalls CALLS = {.subject = "the order parameter",
                                       .name = name,
                                       .solve = solve,
                                       .correction = correction,
                                       .outside = outside,
                                       .error = error,
                                       .energy = energy,
                                       .heat = heat,
                                       .accept = accept};
  MtMarch *m;
  PetscCall(PetscNew(&m));
  *march = m;
  m->flow = flow;
  m->stepper =
      (MtStepper){.call = &CALLS, .comm = flow->domain->comm, .opt = *opt, .may_rise = flow->model.source != NULL};
  return mt_multistep_create(flow->w, &m->field);
}

PetscErrorCode mt_march_destroy(MtMarch **march) {
  if (!*march) return 0;
  PetscCall(mt_multistep_destroy(&(*march)->field));
  return PetscFree(*march);
}

Vec mt_march_field(MtMarch *m, int back) {
  return m->field.c[back];
}

MtMarchState *mt_march_state(MtMarch *m) {
  return &m->stepper.now;
}

MtFlowEnergy mt_march_energy(const MtMarch *m) {
  return m->stepper.energy;
}

PetscErrorCode mt_march_start(MtMarch *m, double t) {
  MtStepper *s = &m->stepper;
  s->now = (MtMarchState){.t = t, .dt = s->opt.first};
  PetscCall(mt_flow_mean(m->flow, m->field.c[0], &s->now.mean0));
  PetscCall(mt_flow_rate(m->flow, t, m->field.c[0], m->field.c[2]));
  return mt_flow_energy(m->flow, t, m->field.c[0], &s->energy);
}

PetscErrorCode mt_march_continue(MtMarch *m) {
  PetscCall(mt_flow_set_amg(m->flow, m->stepper.now.amg));
  return mt_flow_energy(m->flow, m->stepper.now.t, m->field.c[0], &m->stepper.energy);
}

PetscErrorCode mt_march_step(MtMarch *m, double until) {
  return mt_stepper_step(&m->stepper, until);
}
