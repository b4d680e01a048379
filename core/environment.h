/*
 * The environment of a program that may run as root.  Variables set by another
 * user must not choose which files the program loads or writes.
 */
#ifndef TF_ENVIRONMENT_H
#define TF_ENVIRONMENT_H

/*
 * Remove every variable by which libraries and child programs choose modules,
 * configuration, temporary directories, time zones or locales.  Call this
 * first in main: it is not safe once other threads run.
 */
void tf_environment_clean(void);

/* Keep other processes of the same user, and core files, away from the memory of
 * this process, which may have keys in it.  Programs that it runs are not
 * concerned.  Nothing happens where a sanitizer looks at the memory. */
void tf_environment_hide_memory(void);
/* Raise RLIMIT_NOFILE to the hard limit.  A failure leaves the old limit. */
void tf_environment_raise_limit(void);
/* The number of descriptors that the process may open (RLIMIT_NOFILE). */
unsigned tf_environment_descriptors(void);

#endif
