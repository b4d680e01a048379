#!/bin/sh
# trailctl cat and unpack: encrypted evidence and packages, for the holders of
# an identity or a passphrase.
. "$(dirname "$0")/../suite_tools.sh"

shared_mount=yes

# typing ANSWER COMMAND...: run it on a terminal of its own and type the answer
# each time it asks.  Prints what the terminal shows; the status is that of the
# command.  stdout of the command goes to the file typed.out.
typing() {
	python3 - "$@" <<-'EOF'
	import os, pty, sys
	answer, command = sys.argv[1].encode() + b'\n', sys.argv[2:]
	pid, tty = pty.fork()
	if pid == 0:
	    out = os.open('typed.out', os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
	    os.dup2(out, 1)
	    os.execvp(command[0], command)
	shown = b''
	try:
	    while part := os.read(tty, 1024):
	        shown += part
	        if part.rstrip(b'\r\n').endswith(b': '):
	            os.write(tty, answer)
	except OSError:
	    pass
	os.write(1, shown)
	sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	EOF
}

# Files that age(1) encrypted to two people are evidence like others.
encrypted_files_are_recorded() {
	age-keygen -o alice.key 2>/dev/null
	age-keygen -o bob.key 2>/dev/null
	age-keygen -o carol.key 2>/dev/null
	seq 100000 >text
	age -r "$(age-keygen -y alice.key)" -r "$(age-keygen -y bob.key)" \
		-o text.age text
	: >nothing
	age -r "$(age-keygen -y bob.key)" <nothing >nothing.age
	a_store_is_made
	evidence_is_recorded
	cp text.age nothing.age "mnt/$A/"
	is 0 trailctl sync mnt
}

# Each identity opens it, in the mount, in the store, and as an ordinary file.
cat_prints_the_text() {
	for key in alice.key bob.key; do
		is 0 trailctl cat --identity $key "mnt/$A/text.age"
		cmp text out
	done
	is 0 trailctl cat -i carol.key -i bob.key text.age
	cmp text out
	is 0 trailctl cat --identity bob.key "mnt/$A/nothing.age"
	cmp nothing out
	trailctl cat --identity bob.key - <text.age | cmp - text
	cat carol.key bob.key | trailctl cat --identity /dev/stdin text.age |
		cmp - text
}

# A store without a mount gives the same.
cat_reads_a_store() {
	is 0 trailctl cat --identity bob.key "store/$A/text.age"
	cmp text out
	is 2 trailctl cat --identity bob.key "store/$A"
	complains "$A is a directory"
	is 3 trailctl cat --identity bob.key "store/$A/absent"
}

# Another identity opens nothing, and no text is printed.
another_identity_opens_nothing() {
	is 3 trailctl cat --identity carol.key text.age
	has_lines 0
	complains '^trailctl: text.age: none of the identities opens the file$'
	is 3 trailctl cat --identity absent.key text.age
	complains '^trailctl: absent.key: No such file'
	is 2 trailctl cat --identity vkey text.age
	complains '^trailctl: vkey: line 1: not an identity'
	is 3 trailctl cat --identity text text.age
	complains '^trailctl: text: more than 65536 bytes$'
	is 2 trailctl cat text.age
	complains '--identity FILE or --passphrase is missing'
	is 2 trailctl cat --identity bob.key text
	complains '^trailctl: text: not an age v1 file$'
	is 3 trailctl cat --identity bob.key absent
}

# An altered file ends with exit status 4, after the text before the change.
an_altered_file_is_refused() {
	cp text.age altered.age
	flip altered.age 100000
	is 4 trailctl cat --identity bob.key altered.age
	cmp -n 65536 text out
	[ "$(wc -c <out)" -eq 65536 ]
	complains '^trailctl: altered.age: chunk 1 was altered or is cut off$'
	head -c 70000 text.age >cut.age
	is 4 trailctl cat --identity bob.key cut.age
	echo >>text.age
	is 4 trailctl cat --identity bob.key text.age
}

# The package of a trail, encrypted by age, is unpacked and is whole.
an_encrypted_package_is_unpacked() {
	is 0 trailctl package -o w.zip store/t/w
	age -r "$(age-keygen -y alice.key)" -o w.zip.age w.zip
	is 2 trailctl unpack w.zip.age un
	complains '^trailctl: w.zip.age is encrypted: --identity FILE or'
	is 3 trailctl unpack --identity bob.key w.zip.age un
	cp w.zip.age altered.age
	flip altered.age "$(($(wc -c <altered.age) - 1))"
	is 4 trailctl unpack --identity alice.key altered.age un
	[ ! -e un ]
	is 0 trailctl unpack --identity alice.key w.zip.age un
	says '^[0-9]* files$'
	is 0 trailctl verify --vkey vkey un/*
	is 1 trailctl unpack --identity alice.key w.zip.age un
	# No evidence of it is encrypted to recipients: text.age is as its writer
	# made it.
	is 0 trailctl unpack --identity alice.key w.zip un2
	says '^[0-9]* files$'
	diff -r un un2
	is 2 setsid trailctl unpack --passphrase w.zip un3
	complains '^trailctl: w.zip is not encrypted$'
	[ ! -e un3 ]
	[ -z "$(find . -name '.trailctl*' -o -name '*.part')" ]
}

# A trail that keeps its evidence encrypted, with names that packages change.
a_trail_is_encrypted() {
	mount store
	mkdir -p "$mnt/s/w"
	mkdir "$mnt/s/w/before"
	mkdir texts
	echo plain >texts/plain
	cp texts/plain "$mnt/s/w/before/f"
	trailctl sync "$mnt"
	for key in alice bob; do
		age-keygen -y $key.key
	done >both
	is 0 trailctl recipients set "$mnt/s" both
	mkdir -p "$mnt/s/w/a/dir" texts/a/dir
	seq 100000 >texts/a/long
	: >texts/a/dir/nothing
	echo short >'texts/a/CON: 1'
	cp texts/a/long 'texts/a/CON: 1' "$mnt/s/w/a/"
	cp texts/a/dir/nothing "$mnt/s/w/a/dir/"
	cp text.age "$mnt/s/w/a/age.age"
	cp text.age texts/a/age.age
	is 0 trailctl seal "$mnt/s/w"
	is 0 trailctl package -o s.zip "$mnt/s/w"
	unmount
}

# is_unpacked DIRECTORY: the package is there as it is, and the texts beside it.
is_unpacked() {
	top=$(echo "$1"/*.decrypted)
	is 0 trailctl verify --vkey vkey "${top%.decrypted}"
	(cd "${top%.decrypted}" && sha256sum --quiet -c manifest-sha256.txt)
	[ "$(find "$top" -type f | wc -l)" -eq 4 ]
	cmp "$top/a/long" texts/a/long
	cmp "$top/a/dir/nothing" texts/a/dir/nothing
	cmp "$top/a/age.age" texts/a/age.age
	cmp "$(find "$top" -name '*CON*')" 'texts/a/CON: 1'
	# age gives the same.
	find "$top" -type f >files
	while read -r f; do
		age -d -i alice.key "${top%.decrypted}/data/${f#"$top/"}" |
			cmp - "$f"
	done <files
}

# Each holder gets the texts of a plain package, and of an encrypted one.
encrypted_evidence_is_decrypted() {
	is 0 trailctl unpack --identity bob.key s.zip plain
	says '^[0-9]* files, 4 decrypted$'
	is_unpacked plain
	age -r "$(age-keygen -y alice.key)" -o s.zip.age s.zip
	is 0 trailctl unpack --json --identity alice.key s.zip.age both.d
	says '^{"decrypted":4,"files":[0-9]*}$'
	is_unpacked both.d
	[ "$(stat -c %a both.d/*.decrypted)" = 700 ]
}

# What an identity does not open stays encrypted, and is named.
others_get_what_is_encrypted() {
	is 1 trailctl unpack --identity carol.key s.zip carol
	says '^[0-9]* files, 0 decrypted, 4 not opened$'
	complains 'long: none of the identities opens the file$'
	[ "$(wc -l <err)" -eq 4 ]
	[ -z "$(find carol/*.decrypted -type f)" ]
	top=$(echo carol/*.decrypted)
	is 0 trailctl verify --vkey vkey "${top%.decrypted}"
	# Without an identity there is no second directory.
	is 0 trailctl unpack s.zip none
	says '^[0-9]* files$'
	[ "$(find none -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
	cmp "${top%.decrypted}/data/before/f" texts/plain
}

# A passphrase is asked for on the terminal and not shown there.
a_passphrase_opens_a_package() {
	typing 'horse staple' age -p -o p.age w.zip >/dev/null
	typing 'horse staple' trailctl unpack --passphrase p.age p >shown
	grep -q '^Passphrase: ' shown
	[ "$(grep -c horse shown)" = 0 ]
	is 0 trailctl verify --vkey vkey p/*
	status=0
	typing 'horse stable' trailctl cat --passphrase p.age >shown ||
		status=$?
	[ $status -eq 3 ]
	grep -q 'the passphrase is wrong' shown
	[ ! -s typed.out ]
	typing 'horse staple' trailctl cat --passphrase p.age >shown
	cmp w.zip typed.out
	is 3 trailctl cat --identity bob.key p.age
	complains 'the file is encrypted with a passphrase'
	is 2 setsid trailctl cat --passphrase p.age
	complains 'a passphrase is asked for on a terminal, and there is none'
}

# The package is in the ledger by its own digest, and nothing of it is readable
# without the passphrase: not in the file, and not beside it.
a_package_is_made_with_a_passphrase() {
	mkdir only
	status=0
	typing 'horse staple' trailctl package --passphrase --json \
		-o only/p.age "store/$A" >shown
	cp typed.out made
	[ "$(ls -A only)" = p.age ]
	[ "$(grep -c horse shown)" = 0 ]
	[ "$(sha256sum <only/p.age | cut -c1-64)" = "$(python3 -c "import json; print(json.load(open(\"made\"))[\"sha256\"])")" ]
	typing 'horse staple' age -d -o p.zip only/p.age >/dev/null
	digest=$(sha256sum <p.zip | cut -c1-64)
	[ "$digest" = "$(python3 -c "import json; print(json.load(open(\"made\"))[\"package\"])")" ]
	is 0 trailctl verify --vkey vkey p.zip
	trailctl log --json store >entries
	grep '"type":"package.made"' entries | grep -q "\"$digest\""
	[ "$(unzip -l only/p.age 2>&1 | grep -c VERIFY)" = 0 ]
	# Two answers that differ, and no terminal.
	is 2 setsid trailctl package --passphrase -o only/q.age "store/$A"
	[ "$(ls -A only)" = p.age ]
}

# The mount has no function that decrypts evidence.
the_mount_links_no_decryption() {
	nm "$BUILD/trailfs" >symbols
	grep -q ' tf_vault_open$' symbols
	[ "$(grep -cE ' tf_(age_reader|identit|header_unwrap)' symbols)" = 0 ]
}

with '/dev/fuse age python3' encrypted_files_are_recorded cat_prints_the_text
unmount
with 'age python3' cat_reads_a_store another_identity_opens_nothing \
	an_altered_file_is_refused an_encrypted_package_is_unpacked \
	a_trail_is_encrypted encrypted_evidence_is_decrypted \
	others_get_what_is_encrypted a_passphrase_opens_a_package \
	a_package_is_made_with_a_passphrase
with nm the_mount_links_no_decryption
finish
