/*  */
#ifndef TF_VAULT_SETATTR_H
#define TF_VAULT_SETATTR_H

#endif
