#include "train/cluster_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static ev_status no_memory(ev_error *error)
{
    return ev_error_set(error, EV_NO_MEMORY, "out of memory for clusters.tsv");
}

ev_status ev_cluster_log_begin(ev_run_folder *run, size_t K, ev_error *error)
{
    char *header = NULL;
    size_t length;
    FILE *text = open_memstream(&header, &length);
    if (text == NULL)
        return no_memory(error);
    fputs("step\tepoch\taccuracy\tpurity\tnmi\tari\tentropy\tlargest\toccupied", text);
    for (size_t c = 0; c < K; c++)
        fprintf(text, "\tn_%zu", c);
    ev_status status = fclose(text) == 0 ? ev_run_add_log(run, EV_RUN_CLUSTERS, header, error)
                                         : no_memory(error);
    free(header);
    return status;
}

static void print(FILE *text, uint64_t step, size_t epoch, const ev_evaluation *e)
{
    const ev_clustering *c = &e->clustering;
    fprintf(text, "%" PRIu64 "\t%zu", step, epoch);
    if (e->labelled)
        fprintf(text, "\t%.6g\t%.6g\t%.6g\t%.6g", c->accuracy, c->purity, c->nmi, c->ari);
    else
        fputs("\tNA\tNA\tNA\tNA", text);
    fprintf(text, "\t%.6g\t%.6g\t%zu", e->gamma_entropy, c->largest, c->occupied);
    for (size_t k = 0; k < e->K; k++)
        fprintf(text, "\t%zu", e->occupancy[k]);
}

static ev_status write_line(const ev_cluster_log *log, uint64_t step, size_t epoch,
                            const ev_evaluation *e, ev_error *error)
{
    char *line = NULL;
    size_t length;
    FILE *text = open_memstream(&line, &length);
    if (text == NULL)
        return no_memory(error);
    print(text, step, epoch, e);
    ev_status status = fclose(text) == 0 ? ev_run_log(log->run, EV_RUN_CLUSTERS, error, "%s", line)
                                         : no_memory(error);
    free(line);
    return status;
}

ev_status ev_cluster_log_write(const ev_cluster_log *log, const ev_trainer *trainer, size_t epoch,
                               ev_error *error)
{
    const ev_evaluation_options options = {.batch = 256, .seed = trainer->config.seed};
    ev_evaluation e;
    if (log->run->logs[EV_RUN_CLUSTERS] == NULL)
        return EV_OK;
    ev_status status = ev_evaluation_run(&trainer->model, trainer->parameters, &log->test->source,
                                         log->split->labels, log->split->classes, &options, &e,
                                         error);
    if (status != EV_OK)
        return status;
    status = write_line(log, trainer->step, epoch, &e, error);
    ev_evaluation_destroy(&e);
    return status;
}
