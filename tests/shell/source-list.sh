#!/bin/sh
# The list of source files in core/README.md.
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

run every_source_file_is_in_the_list a_mistake_in_the_list_is_found
finish
