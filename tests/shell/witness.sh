#!/bin/sh
# Witnesses: trailctl witness asks those of a policy and records what they
# cosign, trailctl witness-serve is such a witness, and verify --policy counts
# the quorum.  Two witnesses of our own answer over a pipe, and over HTTP where
# busybox has a server.
. "$(dirname "$0")/../suite.sh"

# The transport of the tests is the witness itself: its directory is the end of
# the URL before the call, and it prints what a CGI program prints.
VIA='sh carry'

# size: the number of entries in the newest checkpoint of the store.
size() {
	sed -n 2p store/checkpoint
}

# entries TYPE: the number of entries of that type in the store.
entries() {
	trailctl log --json --type "$1" store 2>/dev/null | wc -l
}

# head_of WITNESS: the file with the checkpoint that it cosigned last.
head_of() {
	find "$1/heads" -type f ! -name '*.tmp'
}

# head_size WITNESS: the number of entries in it.
head_size() {
	sed -n 2p "$(head_of "$1")"
}

# ask_from_head NAME WITNESS: the file request asks this witness of the policy,
# from the size that it has.
ask_from_head() {
	is 0 trailctl witness --policy policy --print "$1" \
		--old "$(head_size "$2")" store
	cp out request
}

# A store, two witnesses that know its log, and a policy that asks for one.
a_log_has_two_witnesses() {
	is 0 trailctl init --origin example.org/w store
	cp out vkey
	for w in one two; do
		is 0 trailctl witness-serve --init "witness.example/$w" "$w"
		cmp out "$w/vkey"
		[ "$(stat -c %a "$w/key")" = 400 ]
		cat vkey >>"$w/logs"
	done
	cat >carry <<-'EOF'
	echo "$1" >>urls
	dir=${1%/add-checkpoint}
	exec trailctl witness-serve "${dir##*/}" "$1"
	EOF
	{
		echo "log $(cat vkey)"
		echo "witness w1 $(cat one/vkey) http://a.example/one"
		echo "witness w2 $(cat two/vkey) http://a.example/two/"
		echo 'group both all w1 w2'
		echo 'quorum both'
	} >policy
}

# A directory that has anything in it does not become a witness, nor does one
# without a name that keys may have.
a_witness_is_made_once() {
	cp one/key before
	is 1 trailctl witness-serve --init witness.example/one one
	cmp one/key before
	is 2 trailctl witness-serve --init 'a b' three
	[ ! -e three/key ]
	is 3 trailctl witness-serve three </dev/null
	says '^Status: 500 '
	complains 'no state of a witness'
}

# All witnesses cosign one checkpoint; each cosignature becomes an entry.
the_witnesses_cosign() {
	n=$(size)
	is 0 trailctl witness --policy policy --via "$VIA" store
	says "^w1: cosigned $n entries$"
	says "^w2: cosigned $n entries$"
	says '^quorum both: met, 2 of 2 witnesses have cosigned$'
	printf '%s\n' http://a.example/one/add-checkpoint \
		http://a.example/two/add-checkpoint | cmp - urls
	[ "$(entries anchor.added)" -eq 2 ]
	is 0 trailctl witness --quiet --policy policy --via "$VIA" store
	has_lines 0
	# The size came from the anchors: nobody answered 409 and was asked again.
	[ "$(wc -l <urls)" -eq 4 ]
	is 0 trailctl verify --vkey vkey store
}

# A log that only grows by its own receipts does not grow by more of them; a
# witness that is back completes the quorum of the checkpoint before them.
an_idle_log_does_not_grow() {
	is 0 trailctl trail create store/idle
	n=$(size)
	mv two down
	is 1 trailctl witness --policy policy --via "$VIA" store
	says "^w1: cosigned $n entries$"
	mv down two
	: >urls
	is 0 trailctl witness --policy policy --via "$VIA" store
	says "^w1: cosigned $n entries$"
	says "^w2: cosigned $n entries$"
	[ "$(wc -l <urls)" -eq 2 ]
	after=$(size)
	for _ in 1 2 3; do
		is 0 trailctl witness --policy policy --via "$VIA" store
		says '^quorum both: met, 2 of 2'
	done
	[ "$(size)" -eq "$after" ]
	is 0 trailctl verify --vkey vkey --policy policy store
	# A witness that cosigned a newer one, of which the answer was lost.
	is 0 trailctl witness --policy policy --print w2 store
	cp out request
	is 0 trailctl witness-serve two <request
	is 0 trailctl witness --policy policy --via "$VIA" store
	says "^w1: cosigned $after entries$"
	says "^w2: cosigned $after entries$"
	# What is new is asked about, also in a mount.
	mount store
	after=$(sed -n 2p mnt/.trailfs/checkpoint)
	is 0 trailctl witness --policy policy --via "$VIA" mnt
	[ "$(sed -n 2p mnt/.trailfs/checkpoint)" -eq "$after" ]
	mkdir mnt/news
	is 0 trailctl witness --policy policy --via "$VIA" mnt
	says "^w1: cosigned $((after + 1)) entries$"
	is 0 trailctl witness --policy policy --via "$VIA" mnt
	[ "$(sed -n 2p mnt/.trailfs/checkpoint)" -eq $((after + 3)) ]
	unmount
}

# A client that has no anchors learns the size from the 409.
a_client_without_memory_asks_again() {
	is 0 trailctl witness --policy policy --print w1 --old 0 store
	grep -qx 'old 0' out
	cp out request
	is 0 trailctl witness-serve one <request
	says '^Status: 409 Conflict'
	says '^Content-Type: text/x.tlog.size'
	tr -d '\r' <out >answer
	is 1 trailctl witness --policy policy --accept w1 --request request \
		store <answer
	complains "ask again with --print w1 --old $(tail -n 1 answer)"
	tail -n 1 answer >bare
	is 1 trailctl witness --policy policy --accept w1 store <bare
	complains 'ask again with --print w1'
}

# What was printed is answered by hand, after the log has grown.
an_answer_comes_by_hand() {
	is 0 trailctl witness --policy policy --print w1 store
	cp out request
	is 0 trailctl witness-serve one http://x/add-checkpoint <request
	cp out answer
	is 0 trailctl trail create store/grown
	# Without its request, it is taken for one about the newest checkpoint.
	is 4 trailctl witness --policy policy --accept w1 store <answer
	complains 'cosignature of witness.example/one is wrong'
	n=$(entries anchor.added)
	is 0 trailctl witness --policy policy --accept w1 --request request \
		store <answer
	[ "$(entries anchor.added)" -eq $((n + 1)) ]
	# The lines alone are an answer too; the same one is recorded once.
	sed '1,/^\r*$/d' answer >lines
	is 0 trailctl witness --policy policy --accept w1 --request request \
		store <lines
	[ "$(entries anchor.added)" -eq $((n + 1)) ]
}

# A cosignature of another witness, a changed one and rubbish are not recorded.
a_wrong_answer_is_not_recorded() {
	is 0 trailctl witness --policy policy --print w1 store
	cp out request
	n=$(entries anchor.added)
	is 0 trailctl witness-serve two <request
	case $(head -n 1 out) in
	*409*)
		is 0 trailctl witness --policy policy --print w2 store
		cp out request
		is 0 trailctl witness-serve two <request
		;;
	esac
	cp out answer
	is 1 trailctl witness --policy policy --accept w1 --request request \
		store <answer
	complains 'no cosignature of witness.example/one'
	sed 's|^\(.* witness.example/two .\{40\}\).|\1!|' answer >bad
	is 1 trailctl witness --policy policy --accept w2 --request request \
		store <bad
	complains 'not signature lines'
	sed 's|^\(.* witness.example/two .\{40\}\)\(.\)\(.\)|\1\3\2|' answer >bad
	! cmp -s answer bad || sed \
		's|^\(.* witness.example/two .\{50\}\)\(.\)\(.\)|\1\3\2|' \
		answer >bad
	is 4 trailctl witness --policy policy --accept w2 --request request \
		store <bad
	for rubbish in 'HTTP/1.1 ' 'HTTP/1.1 2000 OK' 'Status: x' 'hello' ''; do
		printf '%s\r\n\r\n' "$rubbish" >bad
		is 1 trailctl witness --policy policy --accept w2 store <bad
	done
	[ "$(entries anchor.added)" -eq "$n" ]
}

# answers STATUS [BODY]: the witnesses answer this.
answers() {
	printf 'cat >got; printf "HTTP/1.1 %s X\\r\\n\\r\\n%s"\n' "$1" \
		"${2-}" >fixed
}

# Every answer that is no cosignature has its reason, and the quorum fails.
each_refusal_has_its_reason() {
	n=$(entries anchor.added)
	for c in 400/'could not read' 403/'another key' 404/'does not know' \
		500/'did not cosign'; do
		answers "${c%%/*}" 'because\n'
		is 1 trailctl witness --policy policy --via 'sh fixed' store
		complains "^trailctl: w1: ${c%%/*}: it .*${c#*/}.*said: because"
		complains '^trailctl: w2: '
		complains '^trailctl: the quorum both is not met: 0 of 2'
	done
	answers 422 ''
	is 4 trailctl witness --policy policy --via 'sh fixed' store
	complains 'w1: 422: it has cosigned another history'
	is 0 trailctl status store
	says '^trouble *witness witness.example/.* refused: 422: it has cosigned another history'
	is 0 trailctl status --json store
	says '"refusals":\[.*"name":"witness.example/one".*"name":"witness.example/two"'
	answers 409 '999999\n'
	is 4 trailctl witness --policy policy --via 'sh fixed' store
	complains 'w1: 409: it has cosigned 999999 entries, and this log has'
	answers 409 '1\n'
	is 1 trailctl witness --policy policy --via 'sh fixed' store
	complains 'w1: 409: '
	answers 409 'x\n'
	is 1 trailctl witness --policy policy --via 'sh fixed' store
	complains 'w1: 409: the answer has no size'
	answers 200 ''
	is 1 trailctl witness --policy policy --via 'sh fixed' store
	is 1 trailctl witness --policy policy --via 'exit 7 #' store
	complains 'exit status 7'
	is 1 trailctl witness --policy policy --via 'sleep 0; :' store
	[ "$(entries anchor.added)" -eq "$n" ]
	# The status shows it until each witness has cosigned again.
	is 0 trailctl status store
	says '^trouble *witness witness.example/.* refused: 409: it has cosigned 999999'
	is 1 trailctl verify --vkey vkey store
	cat >half <<-'EOF'
	case $1 in */one/*) exec sh carry "$1" ;; *) exit 9 ;; esac
	EOF
	is 1 trailctl witness --policy policy --via 'sh half' store
	is 0 trailctl status --json store
	says '"refusals":\[.*"name":"witness.example/two"'
	never_says '"refusals":.*"name":"witness.example/one"'
	is 0 trailctl witness --policy policy --via "$VIA" store
	is 0 trailctl status --json store
	never_says '"refusals"'
	never_says '"trouble"'
	is 0 trailctl verify --vkey vkey store
}

# The status is found in every form in which a command may print it.
the_status_is_read_in_every_form() {
	while IFS= read -r header; do
		printf 'cat >got; printf "%s\\r\\n\\r\\n"\n' "$header" >fixed
		is 1 trailctl witness --policy policy --via 'sh fixed' store
		complains '^trailctl: w1: 404: it does not know this log'
	done <<-'EOF'
	HTTP/1.0 404 Not Found
	HTTP/1.1 404
	HTTP/2 404 \r\nserver: x
	Status: 404 Not Found
	status:404
	Content-Type: text/plain\r\nStatus: 404 Not Found
	Content-Type: text/plain\nStatus: 404\n
	HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Not Found
	HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 404 Not Found
	HTTP/1.0 200 Script output follows\r\nServer: x\r\nStatus: 404 Not Found
	EOF
}

# With one of two, the quorum of one is met although the other fails.
one_of_two_may_fail() {
	sed 's/^group both all/group both any/' policy >any
	cat >half <<-'EOF'
	case $1 in */one/*) exec sh carry "$1" ;; *) exit 9 ;; esac
	EOF
	is 0 trailctl witness --policy any --via 'sh half' store
	says '^quorum both: met, 1 of 2'
	complains 'w2: '
	is 1 trailctl witness --policy policy --via 'sh half' store
	complains 'the quorum both is not met: 1 of 2'
}

# No byte of a URL is read by the shell.
a_url_is_no_command() {
	# shellcheck disable=SC2016 # it must not expand
	sed 's|http://a.example/one|x;touch${IFS}pwned;$(touch${IFS}pwned)"`touch${IFS}pwned`/one|' \
		policy >evil
	is 0 trailctl witness --policy evil --via "$VIA" store
	[ ! -e pwned ]
}

# Policies that do not fit are refused before anybody is asked.
a_policy_must_fit() {
	: >urls
	is 2 trailctl witness --via "$VIA" store
	is 2 trailctl witness --policy policy store
	is 2 trailctl witness --policy policy --print w1 --via "$VIA" store
	is 2 trailctl witness --policy policy --print w3 store
	is 2 trailctl witness --policy policy --via "$VIA" --old 3 store
	is 3 trailctl witness --policy nowhere --via "$VIA" store
	echo quorum nobody >bad
	is 2 trailctl witness --policy bad --via "$VIA" store
	complains 'policy, line 1: nobody is no witness'
	is 0 trailctl init --origin example.org/other other
	sed "s|^log .*|log $(cat out)|" policy >bad
	is 3 trailctl witness --policy bad --via "$VIA" store
	complains 'does not name the log example.org/w'
	sed 's| http:.*||' policy >bad
	is 1 trailctl witness --policy bad --via "$VIA" store
	complains 'the policy has no URL of it'
	[ ! -s urls ]
}

# A mount is asked like a store, while it is in use.
a_mount_is_witnessed() {
	mount store
	is 0 trailctl trail create mnt/m
	is 0 trailctl witness --policy policy --via "$VIA" mnt
	says '^quorum both: met'
	(cd mnt && trailctl witness --policy ../policy \
		--via "cd .. && $VIA") >out 2>err
	says '^quorum both: met'
	is 0 trailctl verify --vkey vkey mnt
	unmount
}

# --- verify --policy --------------------------------------------------------------

# The quorum is counted over what the ledger recorded, in a store and a mount.
verify_counts_the_quorum() {
	is 0 trailctl trail create store/counted
	count=$(size)
	is 0 trailctl witness --policy policy --via "$VIA" store
	is 0 trailctl verify --vkey vkey --policy policy store
	says "^witness *OK *the quorum both is met up to $count of $(size) entries, by 2 of 2 witnesses"
	is 0 trailctl verify --json --vkey vkey --policy policy store
	says '"witness":"OK"'
	sed 's/^quorum .*/quorum w2/' policy >second
	is 0 trailctl verify --policy second store
	says '^witness *OK *the quorum w2 is met'
	mount store
	is 0 trailctl verify --vkey vkey --policy policy mnt
	says '^witness *OK *the quorum both is met'
	unmount
	is 0 trailctl verify --vkey vkey store
	says '^witness *ABSENT'
	is 2 trailctl verify --policy policy --against mnt store
	is 3 trailctl verify --policy nowhere store
	echo quorum both >bad
	is 2 trailctl verify --policy bad store
	complains 'policy, line 1: '
	# A key that cannot be checked makes no quorum.
	{
		printf 'witness w3 witness.example/three+01020304+'
		{ printf '\006'; head -c 1312 /dev/zero; } | base64 -w 0
		printf '\nquorum w3\n'
	} >bad
	is 2 trailctl verify --policy bad store
	complains 'line 1: key: type 6 (ML-DSA-44 of a cosigner) is not supported'
	never_says '^witness *OK'
}

# Too few cosignatures are no quorum; none at all leaves the answer in doubt.
verify_finds_a_missing_quorum() {
	is 0 trailctl witness-serve --init witness.example/three three
	{
		grep -v '^group\|^quorum' policy
		echo "witness w3 $(cat three/vkey)"
		echo 'group all all w1 w2 w3'
		echo 'quorum all'
	} >three.policy
	is 1 trailctl verify --vkey vkey --policy three.policy store
	says '^witness *FAILED *1 finding; the evidence itself is not touched; 2 of 3 witnesses have cosigned'
	says 'no checkpoint is cosigned by the quorum'
	{
		echo "witness w3 $(cat three/vkey)"
		echo 'quorum w3'
	} >other.policy
	is 5 trailctl verify --vkey vkey --policy other.policy store
	says '^witness *ABSENT *no witness of the policy has cosigned'
	sed "s|^log .*|log $(trailctl init --origin example.org/x x 2>err)|" \
		policy >other.policy
	is 1 trailctl verify --vkey vkey --policy other.policy store
	says 'the policy does not name this log and key'
	echo 'quorum none' >none.policy
	is 0 trailctl verify --vkey vkey --policy none.policy store
	says '^witness *OK *the quorum none is met'
}

# The checkpoint in a proof or a log may have cosignatures itself.
verify_counts_the_lines_of_a_checkpoint() {
	is 0 trailctl prove -o plain.tlog-proof store
	is 5 trailctl verify --vkey vkey --policy policy plain.tlog-proof
	is 0 trailctl export-log store exported
	rm exported/checkpoint.cosigned
	is 5 trailctl verify --vkey vkey --policy policy exported
	cp plain.tlog-proof both.tlog-proof
	for w in one two; do
		ask_from_head w1 $w
		is 0 trailctl witness-serve $w <request
		sed '1,/^\r*$/d' out >>both.tlog-proof
		sed '1,/^\r*$/d' out >>exported/checkpoint
	done
	is 0 trailctl verify --vkey vkey --policy policy both.tlog-proof
	says '^witness *OK *the quorum both is met'
	is 0 trailctl verify --vkey vkey --policy policy exported
	says '^witness *OK *the quorum both is met'
	sed -e '$s|^\(.\{40\}\)A|\1B|;t' -e '$s|^\(.\{40\}\).|\1A|' \
		both.tlog-proof >bad.tlog-proof
	[ "$(cmp both.tlog-proof bad.tlog-proof | wc -l)" -eq 1 ]
	is 4 trailctl verify --vkey vkey --policy policy bad.tlog-proof
	says '^witness *FAILED'
	# Without the policy nobody asked for these keys.
	is 0 trailctl verify --vkey vkey bad.tlog-proof
	is 0 trailctl witness --policy policy --via "$VIA" store
}

# An exported log has the newest cosigned checkpoint beside its newest one.
verify_counts_the_cosigned_checkpoint_of_a_log() {
	is 0 trailctl trail create store/published
	is 0 trailctl witness --policy policy --via "$VIA" store
	is 0 trailctl export-log store published
	grep -c 'witness.example' published/checkpoint.cosigned >lines
	[ "$(cat lines)" -eq 2 ]
	is 0 trailctl verify --vkey vkey --policy policy published
	says '^witness *OK *the quorum both is met up to '
	is 0 trailctl verify --vkey vkey published
	# It must be of this log, and no longer than it.
	n=$(sed -n 2p published/checkpoint.cosigned)
	cp -r published cut
	cp exported/checkpoint cut/checkpoint
	[ "$(sed -n 2p cut/checkpoint)" -lt "$n" ]
	is 4 trailctl verify --vkey vkey cut
	says "the cosigned checkpoint has $n entries: the log lost its end"
	cp -r published bad.log
	sed -i 's|^\(.* example.org/w .\{30\}\)\(.\)\(.\)|\1\3\2|' \
		bad.log/checkpoint.cosigned
	if ! cmp -s published/checkpoint.cosigned bad.log/checkpoint.cosigned
	then
		is 4 trailctl verify --vkey vkey bad.log
		says 'the cosigned checkpoint does not fit'
	fi
}

# The library that defines signed notes reads ours and finds all signatures
# right, of the log, both witnesses and, in a proof, of the log alone.
the_library_of_signed_notes_agrees() {
	needs go
	lib=/usr/share/gocode
	[ -d $lib/src/golang.org/x/mod/sumdb/note ] ||
		skip 'no golang.org/x/mod'
	GO111MODULE=off GOPATH=$lib GOCACHE=$PWD/cache \
		go build -o notes "$top/tests/notes.go"
	rm -rf cache
	note=published/checkpoint.cosigned
	is 0 ./notes $note "$(cat vkey)" "$(cat one/vkey)" "$(cat two/vkey)"
	[ "$(cat out)" = "example.org/w
witness.example/one
witness.example/two" ]
	is 0 ./notes published/checkpoint "$(cat vkey)"
	# What is not right is not called so: another key, an altered text.
	is 1 ./notes published/checkpoint "$(cat one/vkey)"
	sed '2s/.*/&0/' $note >altered.note
	is 1 ./notes altered.note "$(cat vkey)" "$(cat one/vkey)"
}

# A package has the cosignatures that cover it, and its quorum is counted.
verify_counts_the_quorum_of_a_package() {
	is 0 trailctl trail create store/packed
	is 0 trailctl package -o before.zip store/packed
	is 0 trailctl witness --policy policy --via "$VIA" store
	is 0 trailctl package -o after.zip store/packed
	is 0 trailctl verify --vkey vkey --policy policy after.zip
	says '^witness *OK *the quorum both is met'
	is 5 trailctl verify --vkey vkey --policy policy before.zip
	says '^witness *ABSENT *the quorum has cosigned too few entries'
	says 'the newest quorum is about the first .* entries, .* are needed'
	is 1 trailctl verify --vkey vkey --policy three.policy after.zip
	says '^witness *FAILED'
	is 0 trailctl verify --vkey vkey after.zip
}

# A witness that is down for a while takes away what is newer, not the quorum.
a_quorum_survives_a_witness_that_is_down() {
	is 0 trailctl witness --policy policy --via "$VIA" store
	mv two down
	is 1 trailctl witness --policy policy --via "$VIA" store
	mv down two
	is 0 trailctl verify --vkey vkey --policy policy store
	is 0 trailctl package --no-entry -o down.zip store/packed
	is 0 trailctl verify --vkey vkey --policy policy down.zip
	says '^witness *OK *the quorum both is met'
}

# A receipt is the same only if its key is: another key of that name takes no
# place away.
another_key_of_a_name_is_another_witness() {
	is 0 trailctl witness-serve --init witness.example/one fake
	cat vkey >>fake/logs
	{
		echo "log $(cat vkey)"
		echo "witness w1 $(cat fake/vkey) http://a.example/fake"
		echo 'quorum w1'
	} >fake.policy
	is 0 trailctl witness --policy fake.policy --print w1 --old 0 store
	cp out fake.request
	ask_from_head w1 one
	is 0 trailctl witness-serve fake <fake.request
	cp out fake.answer
	is 0 trailctl witness-serve one <request
	cp out answer
	n=$(entries anchor.added)
	is 1 trailctl witness --policy fake.policy --accept w1 \
		--request fake.request store <fake.answer
	complains 'another key of witness.example/one than its newest receipt'
	is 1 trailctl witness --policy policy --accept w1 --request request \
		store <answer
	[ "$(entries anchor.added)" -eq $((n + 2)) ]
	is 0 trailctl witness --policy policy --accept w1 --request request \
		store <answer
	[ "$(entries anchor.added)" -eq $((n + 2)) ]
	is 0 trailctl witness --policy policy --via "$VIA" store
}

# --- the witness ----------------------------------------------------------------

# The witness answers what C2SP tlog-witness says, and its state stays.
the_witness_knows_what_it_refuses() {
	is 0 trailctl witness --policy policy --print w1 store
	cp out request
	cksum one/heads/* >before
	printf 'x' | trailctl witness-serve one >out
	says '^Status: 400 '
	{ echo "old $(($(size) + 1))"; sed 1d request; } >bad
	is 0 trailctl witness-serve one <bad
	says '^Status: 400 '
	head -c 70000 /dev/zero | tr '\0' a >bad
	head -c 140000 /dev/zero | tr '\0' a >big
	is 0 trailctl witness-serve one <bad
	says '^Status: 400 '
	is 0 trailctl witness-serve one <big
	says '^Status: 413 '
	is 0 trailctl witness-serve one http://a.example/other <request
	says '^Status: 404 '
	# A log that it does not know, and one that another key has signed.
	is 0 trailctl init --origin example.org/unknown unknown
	{ printf 'old 0\n\n'; cat unknown/checkpoint; } >bad
	is 0 trailctl witness-serve one <bad
	says '^Status: 404 '
	# The operator learns of a line that is no key.
	cp one/logs logs
	cut -c 1-50 unknown/keys/log.vkey >>one/logs
	is 0 trailctl witness-serve one <bad
	says '^Status: 404 '
	complains 'logs: example.org/unknown.*: key: '
	cp logs one/logs
	is 0 trailctl init --origin example.org/w forged
	{ printf 'old 0\n\n'; cat forged/checkpoint; } >bad
	is 0 trailctl witness-serve one <bad
	says '^Status: 403 '
	cksum one/heads/* | cmp - before
	[ -z "$(ls one/refused)" ]
}

# put_back DIRECTORY: the store becomes this copy of it, in its own files, so that
# its home does not notice it.
put_back() {
	find store -mindepth 1 ! -name ledger.db ! -type d -delete
	cp -a "$1"/. store/
}

# A log that went back or forked under its own key is refused, and what it had
# signed is kept.
the_witness_refuses_a_fork() {
	cp -a store copy
	is 0 trailctl trail create store/here
	is 0 trailctl witness --policy policy --via "$VIA" store
	n=$(head_size one)
	cp -a store longer
	cksum one/heads/* >before
	# The old copy is smaller than what the witness has seen.
	put_back copy
	is 0 trailctl witness --policy policy --print w1 store
	cp out request
	is 0 trailctl witness-serve one <request
	says '^Status: 409 '
	is 4 trailctl witness --policy policy --via "$VIA" store
	complains "w1: 409: it has cosigned $n entries, and this log has $(size)"
	# It grows on its own: more entries, and another history.
	i=0
	while [ "$(size)" -le "$n" ]; do
		i=$((i + 1))
		is 0 trailctl trail create "store/fork$i"
	done
	is 4 trailctl witness --policy policy --via "$VIA" store
	complains 'w1: 422: it has cosigned another history of this log'
	cksum one/heads/* | cmp - before
	# The request and the head of the witness.
	cat one/refused/*-first | sed '1,/^$/d' >kept
	{ cat store/checkpoint; echo; cat one/heads/*; } | cmp - kept
	cmp one/refused/*-first one/refused/*-last
	[ "$(cat one/refused/*-count)" -eq 1 ]
	rm -rf one/refused/* two/refused/* copy
	put_back longer
	rm -rf longer
	is 0 trailctl witness --policy policy --via "$VIA" store
}

# A witness that was put back or emptied is reported, although it cosigns again:
# the ledger has its receipts.
a_witness_that_forgot_is_reported() {
	cp "$(head_of one)" older
	had=$(head_size one)
	is 0 trailctl trail create store/remembered
	is 0 trailctl witness --policy policy --via "$VIA" store
	seen=$(head_size one)
	cp older "$(head_of one)"
	is 1 trailctl witness --policy policy --via "$VIA" store
	complains "^trailctl: w1: it remembers $had entries, and the ledger has its receipt for $seen: the witness was put back"
	[ "$(grep -c '^trailctl: w2:' err)" -eq 0 ]
	says '^w1: cosigned '
	says '^quorum both: met'
	is 0 trailctl witness --policy policy --via "$VIA" store
	# Nothing is left of it: the same.
	seen=$(head_size one)
	rm "$(head_of one)"
	is 1 trailctl witness --policy policy --via "$VIA" store
	complains "w1: it remembers 0 entries, and the ledger has its receipt for $seen"
	is 0 trailctl witness --policy policy --via "$VIA" store
	# By hand too.
	cp older "$(head_of one)"
	is 0 trailctl witness --policy policy --print w1 store
	cp out request
	is 0 trailctl witness-serve one <request
	cp out answer
	is 1 trailctl witness --policy policy --accept w1 --request request \
		store <answer
	complains "w1: it remembers $had entries"
	complains "ask again with --print w1 --old $had"
	is 1 trailctl witness --policy policy --via "$VIA" store
	# It knows the log no more.
	cp one/logs logs
	: >one/logs
	rm "$(head_of one)"
	is 1 trailctl witness --policy policy --via "$VIA" store
	complains 'w1: 404: it does not know this log.*it has cosigned [0-9]* entries'
	is 0 trailctl status store
	says '^trouble *witness witness.example/one refused: 404: it does not know'
	cp logs one/logs
	is 1 trailctl witness --policy policy --via "$VIA" store
	is 0 trailctl witness --policy policy --via "$VIA" store
}

# A witness that was made anew under the same name has another key: a person has
# put it into the policy, and the first run says so.
another_key_of_the_same_name_is_reported() {
	is 0 trailctl witness-serve --init witness.example/one again
	cat vkey >>again/logs
	sed "s|^witness w1 .*|witness w1 $(cat again/vkey) http://a.example/again|" \
		policy >again.policy
	is 1 trailctl witness --policy again.policy --via "$VIA" store
	complains '^trailctl: w1: the policy has another key of witness.example/one than its newest receipt'
	[ "$(grep -c '^trailctl: w2:' err)" -eq 0 ]
	says '^quorum both: met'
	is 0 trailctl witness --policy again.policy --via "$VIA" store
	# A policy that has both keys says what is meant.
	{
		grep -v '^group\|^quorum' policy
		echo "witness w3 $(cat again/vkey) http://a.example/again"
		echo 'group three all w1 w2 w3'
		echo 'quorum three'
	} >both.policy
	is 0 trailctl trail create store/both
	is 0 trailctl witness --policy both.policy --via "$VIA" store
	is 0 trailctl trail create store/back
	is 1 trailctl witness --policy policy --via "$VIA" store
	is 0 trailctl witness --policy policy --via "$VIA" store
}

# A wrong proof of an honest log is no evidence against it, and however many come,
# what is kept of them stays small.
wrong_proofs_do_not_fill_the_disk() {
	is 0 trailctl trail create store/honest
	ask_from_head w1 one
	cksum one/heads/* >before
	i=0
	while [ $i -lt "${WRONG_PROOFS-40}" ]; do
		i=$((i + 1))
		line=$(echo "$i" | openssl dgst -sha256 -binary | base64)
		sed "2s|.*|$line|" request >wrong
		[ $((i % 20)) -ne 0 ] || cp request wrong
		[ $((i % 20)) -ne 0 ] || sed -i '2d' wrong
		trailctl witness-serve one <wrong >out
		says '^Status: 422 '
	done
	[ "$(find one/refused -name '*conflict*' | wc -l)" -eq 0 ]
	[ "$(find one/refused -type f | wc -l)" -eq 3 ]
	[ "$(cat one/refused/*-unproven-count)" -ge "$i" ]
	cksum one/heads/* | cmp - before
	rm one/refused/*
	is 0 trailctl witness-serve one <request
	says '^Status: 200 '
}

# Two signed roots of one size are evidence, whatever else the request has.
two_roots_of_one_size_are_evidence() {
	cp -a store copy
	is 0 trailctl trail create store/this
	is 0 trailctl witness --policy policy --via "$VIA" store
	cp "$(head_of one)" head
	n=$(head_size one)
	cp -a store longer
	put_back copy
	i=0
	while [ "$(size)" -lt "$n" ]; do
		i=$((i + 1))
		is 0 trailctl trail create "store/that$i"
	done
	if [ "$(size)" -eq "$n" ]; then
		{ printf 'old 0\n\n'; cat store/checkpoint; } >request
		is 0 trailctl witness-serve one <request
		says '^Status: 409 '
		cat one/refused/*-conflict-first | sed '1,/^$/d' >kept
		{ cat store/checkpoint; echo; cat head; } | cmp - kept
		rm one/refused/*
	else
		echo "sizes $(size) and $n"
		exit 1
	fi
	put_back longer
	rm -rf copy longer
	is 0 trailctl witness --policy policy --via "$VIA" store
}

# Of two histories that come at the same time, one is cosigned.
two_histories_at_once_cannot_both_be_cosigned() {
	is 0 trailctl witness --policy policy --via "$VIA" store
	cp -a store copy
	for f in a b; do
		put_back copy
		is 0 trailctl trail create "store/$f"
		is 0 trailctl witness --policy policy --print w1 store
		cp out "request.$f"
	done
	cp "$(head_of one)" head
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		cp head "$(head_of one)"
		timeout 60 trailctl witness-serve one <request.a >answer.a &
		timeout 60 trailctl witness-serve one <request.b >answer.b &
		wait
		[ "$(cat answer.a answer.b | grep -c '^Status: 200 ')" -eq 1 ]
		[ "$(cat answer.a answer.b | grep -c '^Status: 409 ')" -eq 1 ]
	done
	# The other tests go on with the history of b.
	cp head "$(head_of one)"
	rm -rf copy
}

# State that was damaged, or put there, is never built upon.
damaged_state_gives_no_cosignature() {
	is 0 trailctl trail create store/damaged
	ask_from_head w1 one
	head=$(head_of one)
	cp "$head" good
	for bad in cut signature size empty; do
		case $bad in
		cut) head -c 60 good >"$head" ;;
		signature) sed 's|^\(.* example.org/w .\{30\}\).|\1x|' good >"$head" ;;
		size) sed '2s/.*/1/' good >"$head" ;;
		empty) : >"$head" ;;
		esac
		is 4 trailctl witness-serve one <request
		says '^Status: 500 '
		never_says witness.example
	done
	cp good "$head"
	mv one/vkey two.vkey
	cp two/vkey one/vkey
	is 2 trailctl witness-serve one <request
	says '^Status: 500 '
	mv two.vkey one/vkey
	chmod 644 one/key
	is 3 trailctl witness-serve one <request
	says '^Status: 500 '
	chmod 400 one/key
	is 0 trailctl witness-serve one <request
	says '^Status: 200 '
}

# State that cannot be written gives no cosignature: a full disk, an I/O error.
no_state_no_cosignature() {
	is 0 trailctl trail create store/full
	ask_from_head w1 one
	cksum one/heads/* >before
	for fault in pwrite64:error=ENOSPC fsync:error=EIO \
		renameat:error=ENOSPC; do
		is 3 strace -qq -o trace -e trace="${fault%%:*}" \
			-e "inject=$fault" trailctl witness-serve one <request
		says '^Status: 500 '
		never_says witness.example
	done
	cksum one/heads/* | cmp - before
	# The directory was not synced: the head may be new, the line is not out.
	is 3 strace -qq -o trace -e trace=fsync \
		-e inject=fsync:error=EIO:when=2 \
		trailctl witness-serve one <request
	never_says witness.example
	is 0 trailctl witness --policy policy --via "$VIA" store
}

# Killed after the state was written and before the answer left: the log asks
# again from the new size and gets its cosignature.
a_killed_witness_has_its_state() {
	is 0 trailctl trail create store/killed
	ask_from_head w1 one
	mkfifo full
	exec 3<>full
	# The pipe is full: the answer cannot leave.
	head -c 65536 /dev/zero >&3
	trailctl witness-serve one <request >&3 2>err &
	pid=$!
	new=$(size)
	i=0
	until [ "$(head_size one)" = "$new" ]; do
		kill -0 $pid
		i=$((i + 1))
		[ $i -lt 600 ] || exit 1
		sleep 0.1
	done
	kill -9 $pid
	wait $pid || :
	exec 3>&-
	is 0 trailctl witness-serve one <request
	says '^Status: 409 '
	says "^$new$"
	is 0 trailctl witness --policy policy --via "$VIA" store
	says "^w1: cosigned $new entries"
}

# Whenever it is killed, the state is the old head or the new one, and the next
# request is answered.
a_witness_killed_anywhere_goes_on() {
	is 0 trailctl trail create store/anywhere
	ask_from_head w1 one
	cp "$(head_of one)" old
	for call in openat flock pwrite64 fsync renameat write; do
		i=0
		while [ $i -lt 40 ]; do
			i=$((i + 1))
			cp old "$(head_of one)"
			got=0
			strace -qq -o trace -e trace=$call \
				-e inject=$call:signal=KILL:when=$i \
				trailctl witness-serve one <request \
				>out 2>err || got=$?
			case $(head_size one) in
			"$(sed -n 2p old)" | "$(size)") ;;
			*) exit 1 ;;
			esac
			# What left was in the state before.
			if grep -q witness.example out; then
				[ "$(head_size one)" = "$(size)" ]
			fi
			[ $got -ne 0 ] || break
		done
		[ $i -gt 1 ]
	done
	[ "$(find one/heads -type f | wc -l)" -eq 1 ] || {
		is 0 trailctl witness-serve one <request
		[ "$(find one/heads -type f | wc -l)" -eq 1 ]
	}
	is 0 trailctl witness --policy policy --via "$VIA" store
}

# Twenty clients at once: every answer is a 200 or a 409, and each 200 is over
# the checkpoint that the state has had.
many_requests_at_once_stay_in_order() {
	is 0 trailctl trail create store/many
	ask_from_head w2 two
	i=0
	while [ $i -lt 20 ]; do
		i=$((i + 1))
		timeout 60 trailctl witness-serve two <request >"many.$i" &
	done
	wait
	cat many.*
	ok=$(cat many.* | grep -c '^Status: 200 ')
	conflict=$(cat many.* | grep -c '^Status: 409 ')
	[ "$ok" -eq 1 ]
	[ "$conflict" -eq 19 ]
	[ "$(head_size two)" = "$(size)" ]
}

# --- over HTTP --------------------------------------------------------------------

# make_site: two CGI programs, of which each is a witness.
make_site() {
	mkdir -p www/cgi-bin
	for w in one two; do
		cat >"www/cgi-bin/$w" <<-EOF
		#!/bin/sh
		exec "$BUILD/trailctl" witness-serve "$work/$w"
		EOF
		chmod +x "www/cgi-bin/$w"
	done
}

# ask_over_http PORT PID: the witnesses behind the server answer all that a client
# may ask.  The server ends.
ask_over_http() {
	i=0
	until curl -s -o page "http://127.0.0.1:$1/"; do
		kill -0 "$2"
		i=$((i + 1))
		[ $i -lt 600 ] || exit 1
		sleep 0.1
	done
	sed "s|http://a.example/|http://127.0.0.1:$1/cgi-bin/|" policy >http
	status=0
	(
		is 0 trailctl trail create "store/http$1"
		is 0 trailctl witness --policy http \
			--via 'curl -sS -i --data-binary @-' store
		says '^quorum both: met, 2 of 2'
		# A client without memory: 409 over HTTP, and again.
		is 0 trailctl witness --policy http --print w1 --old 0 store
		curl -sS -i --data-binary @out \
			"http://127.0.0.1:$1/cgi-bin/one/add-checkpoint" >page
		grep -q '^\(HTTP/1..\|Status:\) 409 ' page
		curl -sS -i --data-binary x \
			"http://127.0.0.1:$1/cgi-bin/one/add-entries" >page
		grep -q '^\(HTTP/1..\|Status:\) 404 ' page
		# A refusal comes as one, however the server says it.
		cp one/logs logs
		: >one/logs
		mv "$(head_of one)" head
		is 0 trailctl trail create "store/refused$1"
		is 1 trailctl witness --policy http \
			--via 'curl -sS -i --data-binary @-' store
		complains 'w1: 404: it does not know this log'
		mv head "one/heads/$(basename two/heads/*)"
		cp logs one/logs
		is 0 trailctl witness --policy http \
			--via 'curl -sS -i --data-binary @-' store
	) || status=1
	kill "$2"
	wait "$2" 2>/dev/null || :
	return $status
}

# A CGI program behind busybox httpd, and curl as the transport.
a_witness_answers_over_http() {
	needs busybox curl python3
	busybox --list | grep -qx httpd || skip 'busybox has no httpd'
	make_site
	port=$(python3 -c 'import socket; s = socket.socket();
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	busybox httpd -f -h www -p "127.0.0.1:$port" &
	ask_over_http "$port" $!
}

# Python's server answers each CGI program with "200 Script output follows" and
# passes its status on as a header.
a_witness_answers_behind_another_server() {
	needs curl python3
	python3 -W ignore -c 'from http.server import CGIHTTPRequestHandler' ||
		skip 'python3 has no CGI'
	make_site
	rm -f port
	(cd www && exec python3 -W ignore -c '
import http.server as h, os
h.nobody_uid = os.getuid # the state is ours
s = h.HTTPServer(("127.0.0.1", 0), h.CGIHTTPRequestHandler)
open("../port.tmp", "w").write(str(s.server_port))
os.rename("../port.tmp", "../port")
s.serve_forever()' 2>/dev/null) &
	server=$!
	i=0
	until [ -s port ]; do
		kill -0 $server
		i=$((i + 1))
		[ $i -lt 600 ] || exit 1
		sleep 0.1
	done
	ask_over_http "$(cat port)" $server
}

run a_log_has_two_witnesses
run a_witness_is_made_once
run the_witnesses_cosign
run an_idle_log_does_not_grow
run a_client_without_memory_asks_again
run an_answer_comes_by_hand
run a_wrong_answer_is_not_recorded
run each_refusal_has_its_reason
run the_status_is_read_in_every_form
run one_of_two_may_fail
run a_url_is_no_command
run a_policy_must_fit
run a_mount_is_witnessed
run verify_counts_the_quorum
run verify_finds_a_missing_quorum
run verify_counts_the_lines_of_a_checkpoint
run verify_counts_the_cosigned_checkpoint_of_a_log
run the_library_of_signed_notes_agrees
run verify_counts_the_quorum_of_a_package
run a_quorum_survives_a_witness_that_is_down
run another_key_of_a_name_is_another_witness
run the_witness_knows_what_it_refuses
run the_witness_refuses_a_fork
run a_witness_that_forgot_is_reported
run another_key_of_the_same_name_is_reported
run wrong_proofs_do_not_fill_the_disk
run two_roots_of_one_size_are_evidence
run two_histories_at_once_cannot_both_be_cosigned
run damaged_state_gives_no_cosignature
with strace no_state_no_cosignature
run a_killed_witness_has_its_state
with strace a_witness_killed_anywhere_goes_on
run many_requests_at_once_stay_in_order
run a_witness_answers_over_http
run a_witness_answers_behind_another_server
finish
