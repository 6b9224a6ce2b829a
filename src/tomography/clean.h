/* What is done to slices before they are put in line; private to this module.  Slices that were lost are left alone. */
#ifndef TOMOGRAPHY_CLEAN_H
#define TOMOGRAPHY_CLEAN_H

#include "magtwin/tomography.h"

/* A rectangle of pixels, x0 <= x < x1, y0 <= y < y1. */
typedef struct {
  int x0, y0, x1, y1;
} MtRect;

/* Removes streaks along y from gray [ny nx]: in each of `levels` scales of a wavelet transform (Daubechies, 8
 * coefficients) the detail across the streaks loses the frequencies along them that are below about `width` periods a
 * picture.  Only what differs from the median of 17 pixels across by less than 3 times the noise is looked at, so that
 * edges leave no ghosts along the columns.  Not collective.
 * Source: B. Muench, P. Trtik, F. Marone, M. Stampanoni, Opt. Express 17, 8567 (2009). */
PetscErrorCode mt_clean_stripes(int nx, int ny, int levels, double width, float *gray);
/* One level of the transform on n numbers (even), and back.  Not collective. */
void mt_wavelet_forward(int n, const double *x, double *y);
void mt_wavelet_back(int n, const double *y, double *x);

/* Divides all slices by one smooth surface, the mean over the slices of polynomials of `degree` fitted inside `where`
 * (held constant outside), and each by its brightness relative to its neighbours'.  Collective. */
PetscErrorCode mt_clean_shading(MPI_Comm comm, MtStack *s, int degree, MtRect where);

/* Gaussian of standard deviations sigma [2] px along x and y on a picture, in place; its edges repeat.  Not collective.
 */
void mt_smooth_slice(int nx, int ny, const double sigma[2], float *gray);
/* Gaussian of standard deviations sigma [3] voxels along x, y, z on this rank's slab [nz_local ny nx]; the volume's
 * ends repeat.  Collective. */
PetscErrorCode mt_smooth(MPI_Comm comm, const MtStack *s, const double sigma[3], const float *from, float *to);

/* Standard deviation of the noise of a picture (J. Immerkaer, Comput. Vis. Image Underst. 64, 300 (1996)).  Not
 * collective. */
double mt_noise_level(int nx, int ny, const float *gray);
/* Non-local means with patches of (2 patch + 1)^2 pixels searched over (2 search + 1)^2; h^2 = strength^2 sigma^2.
 * Source: A. Buades, B. Coll, J.-M. Morel, SIAM Multiscale Model. Simul. 4, 490 (2005); sums over patches by running
 * sums, J. Darbon et al., ISBI 2008, 1331.  Not collective. */
PetscErrorCode mt_denoise_means(int nx, int ny, int patch, int search, double strength, double sigma, float *gray);
/* Total variation: min |u - f|^2 / 2 + strength sigma TV(u).  Source: A. Chambolle, J. Math. Imaging Vis. 20, 89
 * (2004).  Not collective. */
PetscErrorCode mt_denoise_tv(int nx, int ny, double strength, double sigma, float *gray);

#endif
