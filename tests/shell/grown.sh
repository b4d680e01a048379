#!/bin/sh
# Large files have digests of their chunks in the ledger, before their seal.
. "$(dirname "$0")/../suite.sh"

# The number of bytes of a file of more than 64 MiB, which ends within a chunk.
large=$((70 * 1048576 + 333))
chunks=1121

# chunks_of PATH: the digests in the entries about it, one in a line, after `is`.
digests_of() {
	jq -r --arg path "$1" 'select(.type == "evidence.grown" and .path == $path) |
		.chunks.sha256' out | tr -d '\n' | fold -w 64
	echo
}

# of TYPE: the lines of the last `is` that are entries of that type.
of() {
	jq -c --arg type "$1" 'select(.type == $type)' out
}

# sha256sum and dd find the same digests in the entries before the seal.
the_pieces_of_a_large_file_are_in_the_ledger() {
	trailctl init --origin example.org/grown store >vkey
	mount store -o settle=0
	mkdir -p mnt/t/w/a
	# shellcheck disable=SC2094 # the number and the file have one name
	head -c $large /dev/urandom >large
	head -c 67108864 large >limit
	cp large limit mnt/t/w/a
	trailctl seal mnt/t/w/a
	is 0 trailctl log --json mnt
	[ "$(of evidence.grown | jq -r .path | sort -u)" = t/w/a/large ]
	[ "$(of evidence.grown | wc -l)" -eq 9 ]
	digests_of t/w/a/large >listed
	split -b 65536 --filter='sha256sum | cut -c 1-64' large >computed
	cmp listed computed
	[ "$(wc -l <listed)" -eq $chunks ]
	# The seal names the last entry, and each entry the one before it.
	last=$(of evidence.sealed | jq 'select(.path == "t/w/a/large") | .grown')
	for to in $large 67108864 58720256 50331648 41943040 33554432 25165824 \
		16777216 8388608; do
		[ "$(of evidence.grown | jq "select(.seq == $last) | .chunks.to")" -eq "$to" ]
		last=$(of evidence.grown | jq "select(.seq == $last) | .chunks.before")
	done
	[ "$last" = null ]
	[ "$(of evidence.sealed | jq 'select(.path == "t/w/a/limit") | .grown')" = null ]
	# People see one line for it, and custody.jsonl all.
	[ "$(grep -o 'First part of evidence entered' mnt/t/w/.trailfs/index.html |
		wc -l)" -eq 1 ]
	[ "$(jq -r .event mnt/t/w/.trailfs/custody.jsonl | grep -c '^part entered$')" -eq 9 ]
	unmount
	is 0 trailctl verify store
	says '^names *OK'
}

# A large file of a draft that is published, of a workflow that is sealed while
# it is frozen, and of a mount that ends: every entry is there, whole batches too.
every_seal_enters_the_pieces() {
	mount store -o settle=60
	mkdir -p mnt/t/v/b
	cp large mnt/t/v/b/one
	cp large mnt/t/v/b/two
	trailctl attest mnt/t/w/draft large
	trailctl seal mnt/t/v
	mkdir -p mnt/t/u/c
	cp large mnt/t/u/c/three
	unmount
	is 0 trailctl log --json store
	for path in t/v/b/one t/v/b/two t/w/draft/large t/u/c/three; do
		digests_of $path >listed
		cmp listed computed
	done
	[ "$(of evidence.grown | jq -c 'select(.path == "t/w/draft/large") |
		.batch | .last - .first' | sort | uniq -c | tr -s ' ')" = ' 9 11' ]
	is 0 trailctl verify store
	says '^names *OK'
}

# damaged COMMAND...: run it for the file $object as it was sealed, with one bit
# flipped, shortened and extended, and compare what it prints with what each damage
# is.  The command exits with 4.
damaged() {
	cp -p "$object" saved
	chattr -i "$object" 2>/dev/null || :
	chmod u+w "$object"
	printf '\\%03o' $(($(dd if="$object" bs=1 skip=200000 count=1 2>/dev/null |
		od -An -tu1) ^ 4)) >octal
	# shellcheck disable=SC2059 # the octal escape
	printf "$(cat octal)" |
		dd of="$object" bs=1 seek=200000 conv=notrunc 2>/dev/null
	is 4 "$@"
	says "altered: bytes 196608-262143 differ; the other $((large - 65536)) bytes are as entered"
	cp saved "$object"
	for at in 0 65536 $((large - 1)); do
		printf '\0\0\0\0' | dd of="$object" bs=1 seek=$at conv=notrunc 2>/dev/null
	done
	truncate -s $large "$object"
	is 4 "$@"
	says "altered: bytes 0-131071, 73400320-$((large - 1)) differ; the other $((73400320 - 131072)) bytes are as entered"
	cp saved "$object"
	for n in 1 3 5 7 9 11 13 15 17 19; do
		printf '\0\0\0\0' | dd of="$object" bs=65536 seek=$n conv=notrunc 2>/dev/null
	done
	is 4 "$@"
	says 'altered: bytes 65536-131071, 196608-262143, .*, 983040-1048575 and 2 more ranges differ; the other'
	cp saved "$object"
	truncate -s 1000000 "$object"
	is 4 "$@"
	says "altered: only the first 1000000 of $large bytes are there; bytes 983040-999999 cannot be compared; the other 983040 bytes are as entered"
	cp saved "$object"
	echo more >>"$object"
	is 4 "$@"
	says "altered: 5 bytes follow the $large that were entered; the other $large bytes are as entered"
	cp saved "$object"
	: >"$object"
	is 4 "$@"
	says 'altered: the stored bytes are not those of the entry'
	cp -p saved "$object"
}

# What survived a crash behind the last entry is in doubt, and no fault.
verification_names_what_survived_a_crash() {
	trailctl init --origin example.org/tail tail >key
	trailfs tail "$mnt" -f -o settle=60 2>log &
	daemon=$!
	until_true mountpoint -q "$mnt"
	mkdir -p mnt/t/w/a
	mkfifo pipe
	exec 7<>pipe
	trailctl stream mnt/t/w/a/log <pipe 2>stream.err 7>&- &
	writer=$!
	head -c 132072 large >&7
	until_true sh -c "getfattr --only-values -n user.trailfs.proven \
		mnt/t/w/a/log 2>/dev/null | grep -qx 131072"
	# shellcheck disable=SC2016 # for the shell that is called
	until_true sh -c '[ "$(stat -c %s mnt/t/w/a/log)" = 132072 ]'
	kill -9 $daemon
	exec 7>&-
	wait $daemon $writer 2>/dev/null || :
	unmount
	mount tail
	trailctl seal mnt/t/w
	is 0 trailctl package -o tail.zip mnt/t/w
	unmount
	is 0 trailctl verify tail
	says '^contents *OK .*1 file with last bytes in doubt'
	says 't/w/a/log: bytes 131072-132071 survived a failure'
	is 0 trailctl verify --json tail
	[ "$(jq -c .survived out)" = '["t/w/a/log"]' ]
	is 0 trailctl verify --vkey key tail.zip
	says 'bytes 131072-132071 survived a failure'
}

# In a store, beside a mount and in a package: the report has the range of bytes.
verification_says_where_a_large_file_differs() {
	trailctl init --origin example.org/where where >key
	mount where -o settle=0
	mkdir -p mnt/t/w/a
	cp large mnt/t/w/a
	trailctl seal mnt/t/w
	is 0 trailctl package -o p.zip mnt/t/w
	is 0 trailctl verify --vkey key mnt/.trailfs --evidence mnt
	mkdir copy
	cp -r mnt/t copy/
	unmount
	object=$(find where/objects -type f -size +60M)
	damaged trailctl verify where
	object=copy/t/w/a/large
	damaged trailctl verify --against copy where
	is 0 trailctl verify where
	is 0 trailctl verify --against copy where
	mkdir unpacked
	(cd unpacked && unzip -q ../p.zip)
	bag=$(dirname "$(find unpacked -name package.json)")
	object=$(find unpacked -name large)
	is 0 trailctl verify --vkey key "$bag"
	damaged trailctl verify --vkey key "$bag"
	is 0 trailctl verify --vkey key "$bag"
	printf x | dd of="$object" bs=1 seek=200000 conv=notrunc 2>/dev/null
	(cd unpacked && zip -qr ../again.zip .)
	is 4 trailctl verify --vkey key again.zip
	says 'altered: bytes 196608-262143 differ; the other'
	truncate -s 200M "$object"
	rm -f again.zip
	(cd unpacked && zip -qr ../again.zip .)
	is 4 trailctl verify --vkey key again.zip
	says "altered: $((200 * 1048576 - large)) bytes follow the $large that were entered; bytes 196608-262143 differ"
}

# A trail with recipients: the file is encrypted, and its format has chunks of its
# own.  A file with holes is not filled.
encrypted_files_have_none() {
	mount store -o settle=0
	mkdir -p mnt/secret/w/a mnt/t/holes/a
	echo age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj >recipients
	is 0 trailctl recipients set mnt/secret recipients
	cp large mnt/secret/w/a
	truncate -s 1100M mnt/t/holes/a/holes
	trailctl seal mnt/secret/w
	trailctl seal mnt/t/holes
	is 0 trailctl log --json mnt
	[ "$(of evidence.grown | jq -r .path | grep -c '^secret')" -eq 0 ]
	[ "$(digests_of t/holes/a/holes | sort | uniq -c | tr -s ' ')" = \
		"$(printf ' %s %s\n' 76 "$(head -c 1048576 /dev/zero | sha256sum | cut -c 1-64)" \
			16384 "$(head -c 65536 /dev/zero | sha256sum | cut -c 1-64)" | sort -k 2)" ]
	# Two sizes of pieces.  A page has room for other events than these.
	[ "$(of evidence.grown | jq 'select(.path == "t/holes/a/holes") |
		.chunks.bytes' | sort | uniq -c | tr -s ' \n' ' ')" = ' 1 1048576 128 65536 ' ]
	is 0 cat mnt/.trailfs/index.html
	says 'First part of evidence entered'
	says 'Recipients set'
	unmount
	is 0 trailctl verify store
}

# Digests are worth less than the file: without room for their entries it is sealed
# all the same.
a_full_store_seals_without_them() {
	trailctl init --origin example.org/full full >vkey
	mount full -o settle=60,max_store=71760K
	mkdir -p mnt/t/w/a
	cp large mnt/t/w/a
	trailctl seal mnt/t/w/a
	unmount
	is 0 trailctl log --json full
	[ "$(of evidence.grown | wc -l)" -eq 0 ]
	[ "$(of evidence.sealed | jq .content.size)" -eq $large ]
	is 0 trailctl verify full
}

# The file that a crash left frozen gets them from the next mount.
recovery_enters_the_pieces() {
	trailctl init --origin example.org/crash crash >vkey
	trailfs crash "$mnt" -f -o settle=60 2>log &
	daemon=$!
	until_true mountpoint -q "$mnt"
	mkdir -p mnt/t/w/a
	cp large mnt/t/w/a
	kill -9 $daemon
	wait $daemon 2>/dev/null || :
	unmount
	mount crash
	trailctl seal mnt/t/w/a
	unmount
	is 0 trailctl log --json crash
	digests_of t/w/a/large >listed
	cmp listed computed
	[ "$(of evidence.grown | jq -r .cause | sort -u)" = recovery ]
	is 0 trailctl verify crash
}

run the_pieces_of_a_large_file_are_in_the_ledger \
	every_seal_enters_the_pieces \
	encrypted_files_have_none \
	a_full_store_seals_without_them \
	recovery_enters_the_pieces \
	verification_names_what_survived_a_crash \
	verification_says_where_a_large_file_differs
finish
