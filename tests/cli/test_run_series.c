/* `evidence tabulate RUN SERIES`, from folders written here by hand. */
#include "program.h"

static void setup(void)
{
    program_setup();
    cr_assert_eq(system("mkdir r v"), 0);
    program_write("r/config.json", "{\"model\": \"gmvae\", \"seed\": 7, \"revision\": \"abc\"}\n");
    program_write("r/metrics.tsv",
                  "step\tepoch\tphase\trate\tloss\treconstruction\tlatent\tcategorical\tentropy\t"
                  "seconds\n"
                  "10\t1\tautoencoder\t1\t50\t-50\t0\t0\t0\t1\n"
                  "20\t2\theld\t1\t40\t-38\t-5\t-1\t4\t1\n"
                  "30\t3\telbo\t1\t39\t-37\t-5\t-1\t4\t1\n");
    program_write("r/clusters.tsv",
                  "step\tepoch\taccuracy\tpurity\tnmi\tari\tentropy\tlargest\toccupied\tn_0\tn_1\n"
                  "10\t0\tNA\tNA\tNA\tNA\t0.5\t0.75\t2\t3\t1\n"
                  "20\t1\tNA\tNA\tNA\tNA\t0.4\t0.5\t2\t2\t2\n");
    program_write("r/latent.tsv",
                  "image\tlabel\tcluster\tmu_0\tmu_1\n0\t4\t0\t1\t1\n1\t4\t0\t3\t1\n"
                  "2\t5\t0\t2\t4\n3\t5\t1\t-6\t-6\n");
    program_write(
        "r/audit.jsonl",
        "{\"step\":10,\"name\":\"elbo\",\"value\":-40.5,\"reference\":-40,\"error\":2}\n"
        "{\"step\":10,\"name\":\"reconstruction\",\"value\":-38.5,\"reference\":-38,\"error\":1}\n"
        "{\"step\":10,\"name\":\"reconstruction, rank among fresh draws\",\"value\":0.5,"
        "\"fresh_mean\":-36,\"fresh_deviation\":3}\n"
        "{\"step\":25,\"name\":\"elbo\",\"value\":-39,\"reference\":-39,\"error\":2}\n");
    program_write("v/config.json", "{\"model\": \"vqvae\", \"seed\": \"18446744073709551615\", "
                                   "\"revision\": \"abc\"}\n");
    program_write(
        "v/metrics.tsv",
        "step\tepoch\tphase\tloss\treconstruction\tcodebook\tcommitment\tperplexity\tused\t"
        "revived\n5\t1\tvqvae\t9\t8\t2\t1\t3.5\t4\t1\n10\t2\tprior\t6\tNA\tNA\tNA\tNA\tNA\t"
        "NA\n");
    program_write("v/codes.tsv", "code\tcount\tshare\n0\t1\t0.25\n1\t3\t0.75\n");
}

TestSuite(run_series, .init = setup, .fini = program_teardown, .timeout = 60);

static void gives(const char *words, const char *rows)
{
    outcome o = run("\"$EVIDENCE\" tabulate %s", words);
    STATUS(o, 0);
    HAS(o.out, rows);
    forget(&o);
}

Test(run_series, the_head_says_which_run_it_is_of)
{
    gives("r/ loss", "# gmvae loss: ");
    gives("r/ loss", "\n# run r, step 30, seed 7, revision abc\n# epoch");
    gives("v codes", "# run v, step 10, seed 18446744073709551615, revision abc\n");
    gives("r", "gmvae\toccupancy\t");
    gives("v", "vqvae\tusage\t");
}

Test(run_series, the_models_own_loss_is_counted_through_its_phases_and_the_autoencoders_apart)
{
    gives("r loss", "\n1\t40\t-38\t-5\t-1\t4\t1\n2\t39\t-37\t-5\t-1\t4\t0\n\n\n"
                    "# autoencoder\n1\t50\t-50\t0\t0\t0\t0\n");
}

Test(run_series, clusters_are_given_by_epoch_and_shares_add_up)
{
    gives("r clusters",
          "\n0\tnan\tnan\tnan\tnan\t0.5\t2\t0.75\n1\tnan\tnan\tnan\tnan\t0.4\t2\t0.5\n");
    gives("r occupancy", "# cluster 0\n0\t0.75\t0.75\n1\t0.5\t0.5\n\n\n# cluster 1\n0\t0.25\t1\n"
                         "1\t0.5\t1\n");
}

/* The means' mean is (0, 0); cluster 0 has its middle at (2, 2). */
Test(run_series, the_plane_of_two_dimensions_is_theirs)
{
    gives("r latent", "# cluster 0, z's own axes\n1\t1\t4\n3\t1\t4\n2\t4\t5\n\n\n"
                      "# cluster 1, z's own axes\n-6\t-6\t5\n");
    gives("r centres", "\n0\t2\t2\t3\t4\t0.666666666667\n1\t-6\t-6\t1\t5\t1\n");
}

/* loss - formula: -(-40.5) - 40 = 0.5 with the same draws; with fresh ones the formula is
 * -40 + 38 - 36 = -38, and the difference 40.5 - 38 = 2.5 with deviation 3 sqrt(1 + 1/31). */
Test(run_series, the_audit_gives_loss_minus_formula_with_the_same_and_with_fresh_draws)
{
    gives("r audit", "\n0\t0.5\t2\t2.5\t3.048003048\n1.5\t0\t2\tnan\tnan\n");
}

Test(run_series, codes_are_given_by_epoch_and_by_use)
{
    gives("v codes", "\n1\t9\t8\t2\t1\t3.5\t4\t1\n");
    gives("v prior", "\n1\t6\n");
    gives("v usage", "\n1\t0.75\t0.75\n2\t0.25\t1\n");
}

static void refused(const char *words, const char *message)
{
    outcome o = run("\"$EVIDENCE\" tabulate %s", words);
    STATUS(o, 2);
    HAS(o.err, message);
    cr_expect_str_empty(o.out);
    forget(&o);
}

Test(run_series, what_is_missing_or_wrong_is_named_with_its_place)
{
    refused("v loss", "v, a run of the model vqvae, has no series 'loss'");
    refused("r loss clusters", "'clusters' is one too many");
    cr_assert_eq(system("rm r/latent.tsv; echo 'my notes' >>r/audit.jsonl; "
                        "sed -i 's/\t3.5\t/\t3.5.1\t/' v/metrics.tsv"),
                 0);
    refused("r latent", "r/latent.tsv");
    refused("r audit", "r/audit.jsonl:5:1: error: a line that is no row of an audit");
    refused("v codes", "v/metrics.tsv:2:1: error: a cell that is not a number");
    cr_assert_eq(system("printf '40\\t4\\n' >>r/metrics.tsv"), 0);
    refused("r loss", "r/metrics.tsv:5:1: error: not as many cells");
    program_write("r/config.json", "{\"model\": \"gan\", \"seed\": 7, \"revision\": \"abc\"}\n");
    refused("r loss", "no model of that name: 'gan'");
    program_write("r/config.json",
                  "{\"model\": \"vae\", \"seed\": \"seven\", \"revision\": \"abc\"}\n");
    refused("r loss", "r/config.json");
}
