#!/bin/sh
# What is written about the sources: the list of files in core/README.md, the
# functions that comments name, the tests that the pages about attacks name, and what the
# Makefile installs.
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

# The threat model names tests that are there.
every_attack_has_its_tests() {
	is 0 "$top/.ci/security"
}

# An attack without a test, and a test that is gone or does not run, are found.
a_missing_test_of_an_attack_is_found() {
	mkdir -p attacks/.ci attacks/man attacks/tests/mount attacks/tests/shell
	cp "$top/.ci/security" attacks/.ci/
	cd attacks
	printf 'START_TEST(reads)\ntcase_add_test(t, reads);\n' \
		>tests/mount/test_a.c
	printf 'writes() {\n}\nrun writes\n' >tests/shell/b.sh
	cat >page <<-'EOF'
		.Sh PREVENTED
		.Ss Strangers
		.It Reading
		.It Sy mount/a : reads
		.Sh DETECTED
		.It verify
		.Ss Owners
		.It Writing
		.It Sy shell/b : writes
		.Sh NOT DEFENDED
		.It Lying
	EOF
	page=man/trailfs-security.7
	cp page $page
	is 0 .ci/security

	sed '/shell\/b/d' page >$page
	is 1 .ci/security
	complains '^the attack "Writing" names no test$'
	sed '/mount\/a/d' page >$page
	is 1 .ci/security
	complains '^the attack "Reading" names no test$'
	sed 's/: reads/: read/' page >$page
	is 1 .ci/security
	complains '^mount/a: read is no test in tests/mount/test_a.c$'
	sed 's/: writes/: write/' page >$page
	is 1 .ci/security
	complains '^shell/b: write is no test in tests/shell/b.sh$'
	sed 's/mount.a/unit\/a/' page >$page
	is 1 .ci/security
	complains '^unit/a: there is no tests/unit/test_a.c$'
	# Each page with such a part counts.
	cp page $page
	sed '/^\.Sh DETECTED/,$d; s/: reads/: rides/' page >man/trailfs-attacks.7
	is 1 .ci/security
	complains '^mount/a: rides is no test in tests/mount/test_a.c$'
	rm man/trailfs-attacks.7
	is 0 .ci/security
	sed -i 3d tests/shell/b.sh
	is 1 .ci/security
	complains '^shell/b: tests/shell/b.sh defines writes and does not run it$'
	grep -v ' Sy ' page >$page
	is 1 .ci/security
	complains '^no test is named$'
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
	a_name_of_no_function_is_found every_attack_has_its_tests \
	a_missing_test_of_an_attack_is_found checking_installs_nothing
finish
