/* What the template of a workflow says about a new attestation. */
#ifndef TF_VAULT_TEMPLATE_RULE_H
#define TF_VAULT_TEMPLATE_RULE_H

#include <stdint.h>

#include "../error.h"

struct tf_actor;
struct tf_vault;

/*
 * May who begin (or publish) the attestation `name` in the workflow?  TF_DENIED:
 * the template is strict and has no such name, or it names others who may.
 * TF_OK without a template.  TF_TAMPER: the bytes of the template are not
 * those of its entry.  Else errors of a read of the database.  Safe from many
 * threads at once; no lock is held, and tf_vault_learn() was called.
 */
TF_MUST_USE enum tf_code tf_template_permits(struct tf_vault *v,
    uint64_t workflow, const char *name, const struct tf_actor *who,
    struct tf_error *err);

#endif
