/* From clusters.tsv and latent.tsv. */
#include "train/latent_plane.h"
#include "train/run_series_parts.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- clusters.tsv ------------------------------------------------------------------------------- */

ev_status ev_run_clusters(ev_table *table, ev_error *error)
{
    static const char *const names[] = {"epoch", "accuracy", "purity",   "nmi",
                                        "ari",   "entropy",  "occupied", "largest"};
    enum { COLUMNS = sizeof names / sizeof *names };
    double values[COLUMNS];
    ev_tsv clusters;
    ev_status status = ev_run_table(table, "clusters.tsv", &clusters, error);
    for (size_t row = 0; row < clusters.rows && status == EV_OK; row++) {
        status = ev_run_row(&clusters, row, COLUMNS, names, values, error);
        if (status == EV_OK)
            ev_table_row(table, COLUMNS, values);
    }
    ev_tsv_free(&clusters);
    return status;
}

/* The counts of a line, from the column of n_0 on, added up. */
static ev_status add_counts(const ev_tsv *t, size_t row, size_t first, size_t end, double *sum,
                            ev_error *error)
{
    ev_status status = EV_OK;
    *sum = 0.0;
    for (size_t c = first; c < end && status == EV_OK; c++) {
        double n;
        status = ev_tsv_number(t, row, c, &n, error);
        *sum += n;
    }
    return status;
}

static ev_status write_share(ev_table *table, const ev_tsv *t, size_t row, size_t first, size_t c,
                             ev_error *error)
{
    double epoch, all, up_to, before;
    ev_status status = ev_tsv_number(t, row, ev_tsv_column(t, "epoch"), &epoch, error);
    if (status == EV_OK)
        status = add_counts(t, row, first, t->columns, &all, error);
    if (status == EV_OK)
        status = add_counts(t, row, first, c + 1, &up_to, error);
    if (status == EV_OK)
        status = add_counts(t, row, first, c, &before, error);
    if (status == EV_OK)
        ev_table_row(table, 3, (double[]){epoch, (up_to - before) / all, up_to / all});
    return status;
}

ev_status ev_run_occupancy(ev_table *table, ev_error *error)
{
    ev_tsv t;
    char title[32];
    ev_status status = ev_run_table(table, "clusters.tsv", &t, error);
    const size_t first = status == EV_OK ? ev_tsv_column(&t, "n_0") : 0;
    for (size_t c = first; c < t.columns && status == EV_OK; c++) {
        snprintf(title, sizeof title, "cluster %zu", c - first);
        ev_table_block(table, title);
        for (size_t row = 0; row < t.rows && status == EV_OK; row++)
            status = write_share(table, &t, row, first, c, error);
    }
    ev_tsv_free(&t);
    return status;
}

/* --- latent.tsv --------------------------------------------------------------------------------- */

enum { LABELS = 256 };

typedef struct {
    ev_tsv t;
    size_t N, J, K;
    size_t *cluster; /* (N) */
    double *label;   /* (N) NaN without labels */
    double *mean;    /* (N,J) */
    double *plane;   /* (N,2) */
    bool discriminant;
} latent;

static ev_status allocate(latent *l, ev_error *error)
{
    const size_t first = ev_tsv_column(&l->t, "mu_0");
    l->N = l->t.rows;
    l->J = first < l->t.columns ? l->t.columns - first : 0;
    if (l->J == 0 || l->N == 0)
        return ev_error_set(error, EV_BAD_INPUT, "%s has no rows, or no column mu_0", l->t.path);
    l->cluster = calloc(l->N, sizeof *l->cluster);
    l->label = calloc(l->N, sizeof *l->label);
    l->mean = calloc(l->N, l->J * sizeof *l->mean);
    l->plane = calloc(l->N, 2 * sizeof *l->plane);
    if (l->cluster == NULL || l->label == NULL || l->mean == NULL || l->plane == NULL)
        return ev_error_set(error, EV_NO_MEMORY, "out of memory for the latent plane");
    return EV_OK;
}

static ev_status take_row(latent *l, size_t i, ev_error *error)
{
    enum { MOST = 1 << 16 };
    const size_t labels = ev_tsv_column(&l->t, "label"), first = l->t.columns - l->J;
    double cluster;
    ev_status status = ev_tsv_number(&l->t, i, ev_tsv_column(&l->t, "cluster"), &cluster, error);
    if (status == EV_OK && !(cluster >= 0.0 && cluster < MOST))
        status = ev_error_set(error, EV_BAD_INPUT, "%s: a cluster's number is out of range",
                              l->t.path);
    if (status != EV_OK)
        return status;
    l->cluster[i] = (size_t)cluster;
    l->K = l->cluster[i] >= l->K ? l->cluster[i] + 1 : l->K;
    l->label[i] = (double)NAN;
    if (labels < l->t.columns)
        status = ev_tsv_number(&l->t, i, labels, &l->label[i], error);
    for (size_t j = 0; j < l->J && status == EV_OK; j++)
        status = ev_tsv_number(&l->t, i, first + j, &l->mean[i * l->J + j], error);
    return status;
}

static void close_latent(latent *l)
{
    free(l->cluster);
    free(l->label);
    free(l->mean);
    free(l->plane);
    ev_tsv_free(&l->t);
}

static ev_status open_latent(const ev_table *table, latent *l, ev_error *error)
{
    *l = (latent){.N = 0};
    ev_status status = ev_run_table(table, "latent.tsv", &l->t, error);
    if (status == EV_OK)
        status = allocate(l, error);
    for (size_t i = 0; i < l->N && status == EV_OK; i++)
        status = take_row(l, i, error);
    if (status == EV_OK)
        status = ev_latent_plane(l->N, l->J, l->K, l->mean, l->cluster, l->plane, &l->discriminant,
                                 error);
    return status;
}

static void begin_block(ev_table *table, const latent *l, size_t c)
{
    char title[96];
    snprintf(title, sizeof title, "cluster %zu, %s axes", c,
             l->J == 2         ? "z's own"
             : l->discriminant ? "discriminant"
                               : "principal");
    ev_table_block(table, title);
}

ev_status ev_run_latent(ev_table *table, ev_error *error)
{
    enum { SHOWN = 2000 };
    latent l;
    ev_status status = open_latent(table, &l, error);
    for (size_t c = 0; c < l.K && status == EV_OK; c++) {
        begin_block(table, &l, c);
        for (size_t i = 0; i < l.N && i < SHOWN; i++)
            if (l.cluster[i] == c)
                ev_table_row(table, 3, (double[]){l.plane[2 * i], l.plane[2 * i + 1], l.label[i]});
    }
    close_latent(&l);
    return status;
}

typedef struct {
    double count, x, y, xx, xy, yy; /* means about (0, 0), then about (x, y) */
} moments;

static moments moments_of(const latent *l, size_t c)
{
    moments m = {0};
    for (size_t i = 0; i < l->N; i++) {
        const double x = l->plane[2 * i], y = l->plane[2 * i + 1];
        if (l->cluster[i] != c)
            continue;
        m.count += 1.0;
        m.x += x;
        m.y += y;
        m.xx += x * x;
        m.xy += x * y;
        m.yy += y * y;
    }
    const double n = fmax(m.count, 1.0);
    m.x /= n;
    m.y /= n;
    m.xx = m.xx / n - m.x * m.x;
    m.xy = m.xy / n - m.x * m.y;
    m.yy = m.yy / n - m.y * m.y;
    return m;
}

/* (x, y) + r L (cos t, sin t) with L L^T the covariance and r^2 = -2 log(1 - 0.9). */
ev_status ev_run_regions(ev_table *table, ev_error *error)
{
    enum { CORNERS = 64 };
    const double r = sqrt(-2.0 * log(0.1)), turn = 2.0 * acos(-1.0) / CORNERS;
    latent l;
    ev_status status = open_latent(table, &l, error);
    for (size_t c = 0; c < l.K && status == EV_OK; c++) {
        const moments m = moments_of(&l, c);
        begin_block(table, &l, c);
        if (m.count < 3.0 || !(m.xx > 0.0)) {
            ev_table_row(table, 2, (double[]){(double)NAN, (double)NAN});
            continue;
        }
        const double a = sqrt(m.xx), b = m.xy / a, d = sqrt(fmax(m.yy - b * b, 0.0));
        for (int k = 0; k <= CORNERS; k++)
            ev_table_row(table, 2,
                         (double[]){m.x + r * a * cos(k * turn),
                                    m.y + r * (b * cos(k * turn) + d * sin(k * turn))});
    }
    close_latent(&l);
    return status;
}

/* The commonest label of a cluster, and the share of the cluster's images that have it. */
static double commonest(const latent *l, size_t c, double *share)
{
    double count[LABELS] = {0}, all = 0.0;
    size_t best = 0;
    for (size_t i = 0; i < l->N; i++)
        if (l->cluster[i] == c && l->label[i] >= 0.0 && l->label[i] < LABELS) {
            count[(size_t)l->label[i]] += 1.0;
            all += 1.0;
        }
    for (size_t k = 1; k < LABELS; k++)
        best = count[k] > count[best] ? k : best;
    *share = all > 0.0 ? count[best] / all : (double)NAN;
    return all > 0.0 ? (double)best : (double)NAN;
}

ev_status ev_run_centres(ev_table *table, ev_error *error)
{
    latent l;
    ev_status status = open_latent(table, &l, error);
    for (size_t c = 0; c < l.K && status == EV_OK; c++) {
        const moments m = moments_of(&l, c);
        double share;
        const double label = commonest(&l, c, &share), none = (double)NAN;
        ev_table_row(table, 6,
                     (double[]){(double)c, m.count > 0.0 ? m.x : none, m.count > 0.0 ? m.y : none,
                                m.count, label, share});
    }
    close_latent(&l);
    return status;
}
