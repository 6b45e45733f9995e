#include "train/vqvae_audit_step.h"

#include "train/vqvae_audit.h"

ev_status ev_vqvae_audit_step(ev_vqvae_trainer *t, ev_audit *audit, ev_error *error)
{
    const size_t B = t->config.batch;
    t->images->shuffled(t->images->context, ev_vqvae_trainer_epoch(t),
                        ev_vqvae_trainer_epoch_step(t) * B, B, t->x);
    const ev_vqvae_loss loss = ev_vqvae_forward(&t->model, t->autoencoder.parameters, B, t->x,
                                                &t->w);
    const ev_vqvae_audit_subject subject = {&t->model,
                                            t->autoencoder.parameters,
                                            &t->average,
                                            B,
                                            t->x,
                                            &loss,
                                            &t->w,
                                            t->autoencoder.gradient,
                                            t->config.seed + t->step};
    return ev_vqvae_audit_run(&subject, audit, error);
}
