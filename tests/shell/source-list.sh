#!/bin/sh
# What is written about the sources: the list of files in core/README.md, the
# functions that comments name, and what the Makefile installs.
. "$(dirname "$0")/../suite.sh"

# A newcomer finds every source file in the list, and nothing that is gone.
every_source_file_is_in_the_list() {
	is 0 "$top/.ci/files"
}

# A small tree with its list: .ci/files must find each kind of mistake.
a_mistake_in_the_list_is_found() {
	mkdir -p tree/.ci tree/core/base tree/fs tree/tools
	cp "$top/.ci/files" tree/.ci/
	touch tree/core/base/a.c tree/fs/b.c tree/tools/c.c
	# shellcheck disable=SC2016
	printf '| `%s` | a file |\n' core/base/a.c fs/b.c tools/c.c >list
	cp list tree/core/README.md
	is 0 tree/.ci/files

	sed 2d list >tree/core/README.md
	is 1 tree/.ci/files
	complains '^< fs/b.c$'
	# shellcheck disable=SC2016
	(cat list && echo '| `fs/gone.c` | a file |') >tree/core/README.md
	is 1 tree/.ci/files
	complains '^> fs/gone.c$'
	sed p list >tree/core/README.md
	is 1 tree/.ci/files
	complains '^> core/base/a.c$'
	# shellcheck disable=SC2016
	sed '1s/a file//' list >tree/core/README.md
	is 1 tree/.ci/files
	complains '^< core/base/a.c$'
}

# Comments explain states and locks by functions that are there.
every_function_that_a_comment_names_is_there() {
	is 0 "$top/.ci/names"
}

# A comment that names a function that was renamed is found.
a_name_of_no_function_is_found() {
	mkdir -p other/.ci other/core other/fs other/tools
	cp "$top/.ci/names" other/.ci/
	printf '/* It calls there(). */\nint there(void);\n' >other/core/a.h
	is 0 other/.ci/names
	printf '/* After gone() has\n * called there(). */\n' >>other/core/a.h
	is 1 other/.ci/names
	complains '^gone$'
}

# make check runs with what is installed; only make test installs packages.
checking_installs_nothing() {
	needs make
	is 0 env -u MAKEFLAGS make -C "$top" -n check BUILD="$work/none"
	says 'tests/run '
	never_says '\.ci/setup\|apt-get'
	is 0 env -u MAKEFLAGS make -C "$top" -n test BUILD="$work/none"
	says '\.ci/setup test'
}

run every_source_file_is_in_the_list a_mistake_in_the_list_is_found \
	every_function_that_a_comment_names_is_there \
	a_name_of_no_function_is_found checking_installs_nothing
finish
