/* The order in which the pixels enter, on a grid with a border. */
#include "grid.h"
#include "magtwin/error.h"
#include "magtwin/memory.h"
#include <math.h>
#include <string.h>

static const char axis_name[] = "xyz";

static PetscErrorCode check_size(const MtCubical *image) {
  double places = 1;
  for (int a = 0; a < 3; a++) {
    const int n = image->n[a];
    if (n < 1)
      return mt_error(MT_ERR_INPUT, "an image of %d x %d x %d pixels is empty", image->n[0], image->n[1], image->n[2]);
    if (image->periodic[a] && n < 2)
      return mt_error(MT_ERR_INPUT, "a periodic axis needs at least 2 pixels, %c has %d", axis_name[a], n);
    places *= n > 1 || a < 2 ? n + 4. : 1;
  }
  if (places < (double)MT_NOWHERE) return 0;
  return mt_error(MT_ERR_INPUT, "an image of %d x %d x %d pixels is too large: 2^32 is the limit", image->n[0],
                  image->n[1], image->n[2]);
}

/* Place of pixel (0, y, z), without the shell. */
static uint32_t row_place(const MtGrid *g, int y, int z) {
  const uint32_t border = g->dims == 3 ? 1 : 0;
  return 1 + (uint32_t)(y + 1) * g->stride[1] + ((uint32_t)z + border) * g->stride[2];
}

int64_t mt_grid_pixel(const MtGrid *g, uint32_t place) {
  const int border = g->dims == 3;
  int64_t at[3] = {(int64_t)(place % g->stride[1]) - 1, (int64_t)(place % g->stride[2] / g->stride[1]) - 1,
                   (int64_t)(place / g->stride[2]) - border};
  int64_t pixel = 0;
  for (int a = 2; a >= 0; a--) {
    const int64_t n = g->inner[a];
    at[a] -= g->shell[a];
    if (at[a] < 0 || at[a] >= n) return -1;
    pixel = pixel * n + at[a];
  }
  return pixel;
}

/* The order of doubles as unsigned integers, -0 equal to 0. */
uint64_t mt_entry_key(double value, bool up) {
  const double plain = value + 0.;
  uint64_t k;
  memcpy(&k, &plain, sizeof k);
  k ^= k >> 63 ? UINT64_MAX : UINT64_C(1) << 63;
  return up ? k : ~k;
}

double mt_entry_value(uint64_t key, bool up) {
  uint64_t k = up ? key : ~key;
  double value;
  k ^= k >> 63 ? UINT64_C(1) << 63 : UINT64_MAX;
  memcpy(&value, &k, sizeof value);
  return value;
}

/* Holes enter last; in the dual of top cells first, as the shell does. */
static uint64_t entry_key(const MtCubical *image, bool up, int64_t i) {
  if (image->hidden && image->hidden[i]) return image->top_cells ? 0 : UINT64_MAX;
  return mt_entry_key(image->value[i], up);
}

/* Pixels of the image in the order in which they enter -> pixel [n].  first: the layer that is first among equals. */
static PetscErrorCode sort_pixels(const MtCubical *image, bool up, const MtSlab *slab, int64_t n, uint32_t *pixel) {
  uint64_t *key = mt_malloc((size_t)n * sizeof *key);
  const int64_t size = n / image->n[slab->dims - 1];
  int64_t bad = -1;
  for (int64_t at = 0; at < n; at++) {
    const int64_t i = (at + slab->first * size) % n;
    if (bad < 0 && !isfinite(image->value[i]) && !(image->hidden && image->hidden[i])) bad = i;
    key[at] = entry_key(image, up, i);
    pixel[at] = (uint32_t)i;
  }
  if (bad < 0) mt_sort_keys(n, key, pixel);
  free(key);
  if (bad < 0) return 0;
  const int64_t nx = image->n[0], ny = image->n[1];
  return mt_error(MT_ERR_INPUT, "pixel x %lld, y %lld, z %lld is not a finite number", (long long)(bad % nx),
                  (long long)(bad / nx % ny), (long long)(bad / (nx * ny)));
}

/* The pixels of the shell enter first, by number; the others become places. */
static void place_pixels(const MtCubical *image, const MtSlab *slab, MtGrid *g) {
  const int last = g->dims - 1, start[3] = {0, last == 1 ? slab->first : 0, last == 2 ? slab->first : 0};
  uint32_t next = 0;
  for (int k = 0; k < g->n[2]; k++)
    for (int j = 0; j < g->n[1]; j++)
      for (int x = 0; x < g->n[0]; x++) {
        const int at[3] = {x, (j + start[1]) % g->n[1], (k + start[2]) % g->n[2]};
        bool in_shell = false;
        for (int a = 0; a < 3; a++)
          in_shell = in_shell || (slab->shell_low[a] && at[a] == 0) || (slab->shell_high[a] && at[a] == g->n[a] - 1);
        if (in_shell) g->place[next++] = row_place(g, at[1], at[2]) + (uint32_t)x;
      }
  const uint32_t nx = (uint32_t)image->n[0], ny = (uint32_t)image->n[1];
  for (uint32_t r = next; r < g->pixels; r++) {
    const uint32_t p = g->place[r], x = p % nx, y = p / nx % ny, z = p / nx / ny;
    g->place[r] = row_place(g, (int)y + g->shell[1], (int)z + g->shell[2]) + x + (uint32_t)g->shell[0];
  }
}

/* The border along an axis repeats the far side; axes in turn, so that edges and corners are right. */
static void wrap_axis(MtGrid *g, int a, const int places[3]) {
  const int b = (a + 1) % 3, c = (a + 2) % 3;
  const uint32_t far = (uint32_t)g->n[a] * g->stride[a];
  for (int j = 0; j < places[c]; j++)
    for (int i = 0; i < places[b]; i++) {
      uint32_t *low = g->rank + (uint32_t)i * g->stride[b] + (uint32_t)j * g->stride[c];
      low[0] = low[far];
      low[far + g->stride[a]] = low[g->stride[a]];
    }
}

static void layout(const MtCubical *image, const MtSlab *slab, MtGrid *g, int places[3]) {
  memset(g, 0, sizeof *g);
  g->dims = slab->dims;
  uint32_t stride = 1, pixels = 1, inner = 1;
  for (int a = 0; a < 3; a++) {
    const bool counts = a < g->dims;
    g->shell[a] = slab->shell_low[a];
    g->wraps = g->wraps || image->periodic[a];
    g->n[a] = image->n[a] + slab->shell_low[a] + slab->shell_high[a];
    g->inner[a] = image->n[a];
    g->stride[a] = stride;
    places[a] = g->n[a] + (counts ? 2 : 0);
    stride *= (uint32_t)places[a];
    pixels *= (uint32_t)g->n[a];
    inner *= (uint32_t)image->n[a];
  }
  g->pixels = pixels;
  g->in_shell = pixels - inner;
  g->from = slab->from, g->to = slab->to;
}

PetscErrorCode mt_grid_create(const MtCubical *image, bool up, bool shell, MtGrid *g) {
  const int dims = image->n[2] > 1 ? 3 : 2;
  MtSlab all = {.dims = dims};
  for (int a = 0; a < dims; a++) all.shell_low[a] = all.shell_high[a] = shell && !image->periodic[a];
  all.to = image->n[dims - 1] + 2 * all.shell_low[dims - 1];
  return mt_grid_create_slab(image, up, &all, g);
}

PetscErrorCode mt_grid_create_slab(const MtCubical *image, bool up, const MtSlab *slab, MtGrid *g) {
  int places[3];
  memset(g, 0, sizeof *g);
  PetscCall(check_size(image));
  layout(image, slab, g, places);
  const size_t total = (size_t)places[0] * (size_t)places[1] * (size_t)places[2];
  g->place = mt_malloc(g->pixels * sizeof *g->place);
  PetscErrorCode rc = sort_pixels(image, up, slab, g->pixels - g->in_shell, g->place + g->in_shell);
  if (rc) {
    mt_grid_free(g);
    return rc;
  }
  place_pixels(image, slab, g);
  g->rank = mt_malloc(total * sizeof *g->rank);
  memset(g->rank, 0xff, total * sizeof *g->rank);
  for (uint32_t r = 0; r < g->pixels; r++) g->rank[g->place[r]] = r;
  for (int a = 0; a < g->dims; a++)
    if (image->periodic[a]) wrap_axis(g, a, places);
  return 0;
}

void mt_grid_free(MtGrid *g) {
  free(g->rank);
  free(g->place);
  memset(g, 0, sizeof *g);
}
