/*
 * The parts that the rules of the model use: names, nodes, paths, permissions.
 */
#ifndef TESTS_MODEL_TREE_H
#define TESTS_MODEL_TREE_H

#include "model.h"

#define CONTROL ".trailfs"
#define R 4u
#define W 2u
#define X 1u
#define ON(sys) answer_of(sys)
#define YES ON(0)

/* The result of a path walk. */
struct place {
	struct node *dir, *node;
	char name[300];
	bool control; /* the path is in .trailfs */
	answers no;   /* errnos of the walk itself */
};

void resize(struct bytes *b, size_t n);
void copy(struct bytes *to, const struct bytes *from);
bool same(const struct bytes *a, const struct bytes *b);
bool is_draft_dir(const char *name);
bool is_draft_at(const struct node *dir, const char *name);
bool is_draft(const struct node *f);
answers evidence_name(const char *name);
answers upper_name(const char *name, size_t n);
struct node *child(struct model *m, const struct node *dir, const char *name);
struct node *add(struct model *m, struct node *dir, const char *name,
    bool is_dir);
void forget(struct model *m, struct node *d);
void unlink_node(struct model *m, struct node *f);
bool is_below(const struct node *d, const struct node *dir);
struct node *attestation(const struct node *d);
bool is_closed(const struct node *dir); /* sealed, or closing */
bool is_closing(const struct node *d);	/* it or its attestation is closing */
bool is_written(const struct node *f);
bool is_frozen(const struct node *f);
bool is_placeholder(const struct node *f);
bool may(const struct node *d, uid_t who, unsigned want);
bool owns(const struct node *d, uid_t who);
size_t length_below(const struct node *dir, const char *name);
struct place walk(struct model *m, uid_t who, const char *path);

/* Rules that decide the result of an operation, not only its answer. */
bool has_children(struct model *, const struct node *dir);
bool is_worth_sealing(struct model *, const struct node *);
bool takes_last_write_bit(const struct node *, unsigned mode);

#endif
