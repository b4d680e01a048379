/* The environment of a program that may run as root: it must not choose files
 * that are loaded or written. */
#ifndef TF_ENVIRONMENT_H
#define TF_ENVIRONMENT_H

/*
 * Remove the variables by which libraries and programs that we start choose
 * modules, configuration, temporary directories, time zones and locales.  Call
 * this first in main, before there are threads.
 */
void tf_environment_clean(void);

/* The process may open as many descriptors as its hard limit allows. */
void tf_environment_raise_limit(void);
/* How many it may open. */
unsigned tf_environment_descriptors(void);

#endif
