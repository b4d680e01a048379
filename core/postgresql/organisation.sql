-- The ledger of an organisation in PostgreSQL.  The engine runs this text to
-- make one; an administrator may read it, and run it with psql instead:
--
--	psql -1 -v ON_ERROR_STOP=1 -f organisation.sql DATABASE
--
-- Who runs it owns the ledger.  He must own the database, and either have
-- CREATEROLE or be given the three roles below WITH ADMIN OPTION.
--
-- Promises, which the functions keep whatever a member sends:
--   P1  A member may call some functions and has no right to any table.  What he
--       sends is judged while the row of his origin is locked.
--   P2  Numbers come from rows that are locked until the commit, never from a
--       sequence: no index of the ledger is skipped or used twice.
--   P3  Success is answered after a commit that waits for a standby.  That holds
--       for a repeat too: it changes a row, so its commit is behind all that it
--       has seen, and has a place in the log that the standby must have.  Without
--       this, entries whose wait was cancelled or cut by a crash would be
--       answered as safe.  A refusal waits as well: a former primary, which has no
--       standby any more, must not refuse what the primary of now would accept.
--   P4  What is refused as a fork or a gap is recorded, and the verdict is a
--       value: an error would roll the record back.
--   P5  A row of the ledger is not changed and not deleted, not even by the
--       owner's mistake.  Who administers the server can do it: the organisation's
--       signed checkpoints show it.

DO $$
DECLARE
	group_name text;
BEGIN
	FOREACH group_name IN ARRAY
		ARRAY['trailfs_member', 'trailfs_reader', 'trailfs_organiser']
	LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = group_name)
		THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', group_name);
		END IF;
		IF NOT pg_catalog.pg_has_role(current_user, group_name, 'MEMBER') THEN
			EXECUTE pg_catalog.format('GRANT %I TO CURRENT_USER', group_name);
		END IF;
	END LOOP;
	IF EXISTS (SELECT FROM pg_catalog.pg_database
		WHERE datname = pg_catalog.current_database()
			AND pg_catalog.pg_has_role(datdba, 'USAGE'))
	THEN
		EXECUTE pg_catalog.format('REVOKE ALL ON DATABASE %I FROM PUBLIC',
			pg_catalog.current_database());
		EXECUTE pg_catalog.format('GRANT CONNECT ON DATABASE %I TO '
			'trailfs_member, trailfs_reader, trailfs_organiser',
			pg_catalog.current_database());
	END IF;
END $$;

CREATE SCHEMA trailfs;
SET LOCAL search_path = pg_catalog, pg_temp;

-- One row, as of head.  Replicas none: one node is enough for success.
CREATE TABLE trailfs.organisation (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	version integer NOT NULL,
	replicas text NOT NULL CHECK (replicas IN ('required', 'none'))
);
CREATE TABLE trailfs.head (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	size bigint NOT NULL DEFAULT 0,
	refusals bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);
INSERT INTO trailfs.head DEFAULT VALUES;

-- An origin is any bytes; next is the number of its next entry.  Role '' is any role
-- that may append; trailfs_organiser, every organiser.
CREATE TABLE trailfs.member (
	id integer PRIMARY KEY,
	origin bytea NOT NULL UNIQUE,
	vkey text NOT NULL,
	role text NOT NULL,
	next bigint NOT NULL DEFAULT 0,
	revoked boolean NOT NULL DEFAULT false,
	refused boolean NOT NULL DEFAULT false	-- since it was revoked, and recorded
) WITH (fillfactor = 50);
CREATE TABLE trailfs.leaf (
	seq bigint PRIMARY KEY,
	member integer NOT NULL,
	number bigint NOT NULL,
	body bytea NOT NULL,
	UNIQUE (member, number)
);
-- A checkpoint of the origin of so many entries.
CREATE TABLE trailfs.note (
	member integer,
	entries bigint,
	note bytea NOT NULL,
	PRIMARY KEY (member, entries)
);
-- Where a member says that the bytes of an object are.
CREATE TABLE trailfs.located (
	member integer,
	object bytea,
	bundle bytea NOT NULL,
	off bigint NOT NULL,
	len bigint NOT NULL,
	PRIMARY KEY (member, object)
);
CREATE TABLE trailfs.refusal (
	seq bigint PRIMARY KEY,
	member integer NOT NULL,
	number bigint NOT NULL,
	fork boolean NOT NULL,
	revoked boolean NOT NULL DEFAULT false,
	given bytea NOT NULL,
	there bytea,
	at timestamptz NOT NULL DEFAULT clock_timestamp(),
	UNIQUE (member, number, given)
);
-- The checkpoints of the organisation, in the order in which they were put.
CREATE TABLE trailfs.checkpoint (
	seq bigint PRIMARY KEY,
	size bigint NOT NULL,
	note bytea NOT NULL
);

CREATE FUNCTION trailfs.append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'rows of trailfs.% stay as they are', TG_TABLE_NAME
		USING ERRCODE = 'TF003';
END $$;
DO $$
DECLARE
	name text;
BEGIN
	FOREACH name IN ARRAY
		ARRAY['leaf', 'note', 'located', 'refusal', 'checkpoint']
	LOOP
		EXECUTE format('CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON trailfs.%I '
			'FOR EACH ROW EXECUTE FUNCTION trailfs.append_only()', name);
		EXECUTE format('CREATE TRIGGER stays_whole BEFORE TRUNCATE ON trailfs.%I '
			'FOR EACH STATEMENT EXECUTE FUNCTION trailfs.append_only()', name);
	END LOOP;
END $$;

-- Let the commit of this transaction wait for a standby, whatever the session
-- says.  False: the server is set up so that success would not be durable.
-- Who waits for another transaction is told to try later, and keeps the connection:
-- connections of which nobody waits any more would add up behind one that waits for
-- a standby.
CREATE FUNCTION trailfs.durable() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('lock_timeout', '10s', true);
	IF current_setting('synchronous_commit') <> 'remote_apply' THEN
		PERFORM set_config('synchronous_commit', 'on', true);
	END IF;
	RETURN current_setting('fsync') = 'on'
		AND ((SELECT replicas FROM trailfs.organisation) = 'none'
			OR btrim(current_setting('synchronous_standby_names')) <> '');
END $$;

-- May the session's role speak for the member with this role?  session_user:
-- current_user is the owner in these functions.
CREATE FUNCTION trailfs.speaks(role text) RETURNS boolean LANGUAGE sql AS $$
	SELECT role = '' OR role = session_user
		OR (role = 'trailfs_organiser'
			AND pg_has_role(session_user, 'trailfs_organiser', 'MEMBER'))
$$;
-- May it also ask about the member?
CREATE FUNCTION trailfs.may_ask(role text) RETURNS boolean LANGUAGE sql AS $$
	SELECT trailfs.speaks(role)
		OR pg_has_role(session_user, 'trailfs_reader', 'MEMBER')
		OR pg_has_role(session_user, 'trailfs_organiser', 'MEMBER')
$$;

CREATE FUNCTION trailfs.refuse(whose integer, which bigint, is_fork boolean,
	what bytea, instead_of bytea) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	IF EXISTS (SELECT FROM trailfs.refusal r WHERE r.member = whose
		AND r.number = which AND r.given = sha256(what))
	THEN
		UPDATE trailfs.head SET size = size; -- P3
		RETURN;
	END IF;
	UPDATE trailfs.head SET refusals = refusals + 1 RETURNING refusals - 1 INTO n;
	INSERT INTO trailfs.refusal (seq, member, number, fork, given, there)
		VALUES (n, whose, which, is_fork, sha256(what), sha256(instead_of));
END $$;

-- Record the first new entry of a batch that a revoked member gives, once for each
-- revocation: who has lost the right cannot fill the ledger with refusals.
CREATE FUNCTION trailfs.refuse_revoked(m trailfs.member, first_number bigint,
	entries bytea[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	k integer := least(greatest(m.next - first_number, 0), 1024) + 1;
	n bigint;
BEGIN
	IF m.refused OR m.role = 'trailfs_organiser' OR k > cardinality(entries)
		OR EXISTS (SELECT FROM trailfs.refusal r WHERE r.member = m.id
			AND r.number = first_number + k - 1
			AND r.given = sha256(entries[k]))
	THEN
		RETURN;
	END IF;
	UPDATE trailfs.member SET refused = true WHERE id = m.id;
	UPDATE trailfs.head SET refusals = refusals + 1 RETURNING refusals - 1 INTO n;
	INSERT INTO trailfs.refusal (seq, member, number, fork, revoked, given)
		VALUES (n, m.id, first_number + k - 1, false, true, sha256(entries[k]));
END $$;

-- The only way into the ledger for a member.  The verdict is one of
--   ok       all entries are there, now or since earlier
--   denied   no such origin, revoked, or it is not the caller's
--   fork     a number has other bytes: nothing is appended
--   gap      first_number is above next
--   unsafe   the server keeps nothing safe now
--   invalid  a limit is broken
CREATE FUNCTION trailfs.trail_append(of_origin bytea, first_number bigint,
	entries bytea[], objects bytea[], bundles bytea[], offs bigint[],
	lens bigint[], checkpoint bytea,
	OUT verdict text, OUT next_number bigint, OUT ledger_size bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	m trailfs.member;
	n integer := coalesce(cardinality(entries), 0);
	n_located integer := coalesce(cardinality(objects), 0);
	have integer;	-- so many entries of the batch are there already
	same integer;
	k bigint;
	old bytea;
BEGIN
	IF n NOT BETWEEN 1 AND 1024 OR array_ndims(entries) <> 1
		OR array_lower(entries, 1) <> 1
		OR first_number IS NULL OR first_number < 0
		OR first_number >= 4611686018427387904 - 1024
		OR coalesce(octet_length(checkpoint), 1) NOT BETWEEN 1 AND 65536
		OR EXISTS (SELECT FROM unnest(entries) AS e
			WHERE e IS NULL OR octet_length(e) NOT BETWEEN 1 AND 16384)
		OR n_located > 4096
		OR n_located <> coalesce(cardinality(bundles), 0)
		OR n_located <> coalesce(cardinality(offs), 0)
		OR n_located <> coalesce(cardinality(lens), 0)
		OR EXISTS (SELECT FROM unnest(objects, bundles, offs, lens)
				AS l (object, bundle, off, len)
			WHERE NOT coalesce(octet_length(l.object) = 32
				AND octet_length(l.bundle) = 32
				AND l.off BETWEEN 0 AND 4611686018427387904
				AND l.len BETWEEN 0 AND 65536, false))
	THEN
		verdict := 'invalid';
		RETURN;
	END IF;
	IF NOT trailfs.durable() THEN
		verdict := 'unsafe';
		RETURN;
	END IF;

	SELECT * INTO m FROM trailfs.member WHERE origin = of_origin FOR UPDATE;
	IF m.id IS NULL OR m.revoked OR NOT trailfs.speaks(m.role) THEN
		IF m.revoked AND trailfs.speaks(m.role) THEN
			PERFORM trailfs.refuse_revoked(m, first_number, entries);
		END IF;
		UPDATE trailfs.head SET size = size; -- P3
		verdict := 'denied';
		RETURN;
	END IF;
	next_number := m.next;
	IF first_number > m.next THEN
		PERFORM trailfs.refuse(m.id, first_number, false, entries[1], NULL);
		verdict := 'gap';
		RETURN;
	END IF;

	have := least(m.next - first_number, n);
	IF have > 0 THEN
		SELECT count(*) INTO same FROM trailfs.leaf l
			JOIN unnest(entries) WITH ORDINALITY AS e (body, i)
				ON l.number = first_number + e.i - 1
			WHERE l.member = m.id AND l.number >= first_number
				AND l.number < first_number + have AND l.body = e.body;
	END IF;
	IF same <> have THEN
		SELECT e.i, l.body INTO k, old
			FROM unnest(entries) WITH ORDINALITY AS e (body, i)
			LEFT JOIN trailfs.leaf l ON l.member = m.id
				AND l.number = first_number + e.i - 1
			WHERE e.i <= have AND l.body IS DISTINCT FROM e.body
			ORDER BY e.i LIMIT 1;
		IF old IS NULL THEN
			RAISE EXCEPTION 'entry % of member % is not there any more',
				first_number + k - 1, m.id USING ERRCODE = 'TF001';
		END IF;
		PERFORM trailfs.refuse(m.id, first_number + k - 1, true, entries[k], old);
		verdict := 'fork';
		RETURN;
	END IF;

	-- From here to the commit no other member appends: the commit that waits
	-- is what one batch costs, so batches are worth their size.
	UPDATE trailfs.head SET size = size + (n - have) RETURNING size
		INTO ledger_size;
	IF have < n THEN
		INSERT INTO trailfs.leaf (seq, member, number, body)
			SELECT ledger_size - n + e.i - 1, m.id, first_number + e.i - 1, e.body
			FROM unnest(entries) WITH ORDINALITY AS e (body, i)
			WHERE e.i > have ORDER BY e.i;
		next_number := first_number + n;
		UPDATE trailfs.member SET next = next_number WHERE id = m.id;
	END IF;
	IF checkpoint IS NOT NULL THEN
		INSERT INTO trailfs.note (member, entries, note)
			VALUES (m.id, first_number + n, checkpoint) ON CONFLICT DO NOTHING;
	END IF;
	IF n_located > 0 THEN
		INSERT INTO trailfs.located (member, object, bundle, off, len)
			SELECT m.id, l.object, l.bundle, l.off, l.len
			FROM unnest(objects, bundles, offs, lens)
				AS l (object, bundle, off, len) ON CONFLICT DO NOTHING;
	END IF;
	verdict := 'ok';
END $$;

-- The cursor of a forwarder.  It waits for a standby like an append (P3): what is
-- below next is then safe.
CREATE FUNCTION trailfs.trail_member(of_origin bytea,
	OUT verdict text, OUT next_number bigint, OUT checkpoint bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	m trailfs.member;
BEGIN
	IF NOT pg_is_in_recovery() THEN
		IF NOT trailfs.durable() THEN
			verdict := 'unsafe';
			RETURN;
		END IF;
		UPDATE trailfs.head SET size = size;
	END IF;
	SELECT * INTO m FROM trailfs.member WHERE origin = of_origin;
	IF m.id IS NULL OR NOT trailfs.may_ask(m.role) THEN
		verdict := 'absent';
		RETURN;
	END IF;
	next_number := m.next;
	SELECT note INTO checkpoint FROM trailfs.note
		WHERE member = m.id ORDER BY entries DESC LIMIT 1;
	verdict := CASE WHEN m.revoked THEN 'revoked' ELSE 'ok' END;
END $$;

-- The number of entries that are safe.  On a standby all that is there is.
CREATE FUNCTION trailfs.trail_size(OUT safe boolean, OUT ledger_size bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	safe := true;
	IF pg_is_in_recovery()
		OR current_setting('transaction_read_only') = 'on'
	THEN
		SELECT size INTO ledger_size FROM trailfs.head;
	ELSE
		safe := trailfs.durable();
		UPDATE trailfs.head SET size = size RETURNING size INTO ledger_size;
	END IF;
END $$;
-- The same without waiting, to see whether there is something new.
CREATE FUNCTION trailfs.trail_glance() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT size FROM trailfs.head
$$;

CREATE FUNCTION trailfs.trail_hello(OUT version integer, OUT replicas text,
	OUT recovering boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT o.version, o.replicas, pg_is_in_recovery() FROM trailfs.organisation o
$$;

CREATE FUNCTION trailfs.trail_locate(of_origin bytea, digest bytea)
RETURNS TABLE (bundle bytea, off bigint, len bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT l.bundle, l.off, l.len FROM trailfs.member m
		JOIN trailfs.located l ON l.member = m.id AND l.object = digest
		WHERE m.origin = of_origin AND trailfs.may_ask(m.role)
$$;
CREATE FUNCTION trailfs.trail_find(of_origin bytea, which bigint)
RETURNS TABLE (seq bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT l.seq FROM trailfs.member m
		JOIN trailfs.leaf l ON l.member = m.id AND l.number = which
		WHERE m.origin = of_origin AND trailfs.may_ask(m.role)
$$;

-- Verdicts: ok, exists (with another key), invalid.
CREATE FUNCTION trailfs.trail_enrol(of_origin bytea, its_vkey text, its_role text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	m trailfs.member;
BEGIN
	IF NOT coalesce(octet_length(of_origin) BETWEEN 1 AND 128
		AND octet_length(its_vkey) BETWEEN 1 AND 512, false)
		OR its_role IS NULL
		OR (its_role <> '' AND NOT EXISTS
			(SELECT FROM pg_roles WHERE rolname = its_role))
	THEN
		RETURN 'invalid';
	END IF;
	IF NOT trailfs.durable() THEN
		RETURN 'unsafe';
	END IF;
	PERFORM FROM trailfs.organisation FOR UPDATE; -- one at a time
	SELECT * INTO m FROM trailfs.member WHERE origin = of_origin FOR UPDATE;
	IF m.id IS NOT NULL AND m.vkey <> its_vkey THEN
		RETURN 'exists';
	END IF;
	IF m.id IS NULL THEN
		INSERT INTO trailfs.member (id, origin, vkey, role)
			SELECT coalesce(max(id) + 1, 0), of_origin, its_vkey, its_role
			FROM trailfs.member;
	ELSE
		UPDATE trailfs.member
			SET role = its_role, revoked = false, refused = false
			WHERE id = m.id;
	END IF;
	IF its_role <> '' AND NOT pg_has_role(its_role, 'trailfs_member', 'MEMBER')
	THEN
		EXECUTE format('GRANT trailfs_member TO %I', its_role);
	END IF;
	RETURN 'ok';
END $$;

CREATE FUNCTION trailfs.trail_revoke(of_origin bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
	IF NOT trailfs.durable() THEN
		RETURN 'unsafe';
	END IF;
	UPDATE trailfs.member SET revoked = true, refused = false
		WHERE origin = of_origin;
	RETURN CASE WHEN FOUND THEN 'ok' ELSE 'absent' END;
END $$;

-- One of the two, and the organisation's own entry about it.  Verdicts: theirs, and
-- busy (own_number is not the next one).
CREATE FUNCTION trailfs.trail_govern(of_origin bytea, its_vkey text, its_role text,
	revokes boolean, own bytea, own_number bigint, entry bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	o trailfs.member;
	answer text;
	n bigint;
BEGIN
	IF NOT coalesce(octet_length(entry) BETWEEN 1 AND 16384, false)
		OR revokes IS NULL OR own IS NULL OR of_origin = own
	THEN
		RETURN 'invalid';
	END IF;
	SELECT * INTO o FROM trailfs.member WHERE origin = own FOR UPDATE;
	IF o.role IS DISTINCT FROM 'trailfs_organiser'
		OR o.next IS DISTINCT FROM own_number
	THEN
		RETURN 'busy';
	END IF;
	answer := CASE WHEN revokes THEN trailfs.trail_revoke(of_origin)
		ELSE trailfs.trail_enrol(of_origin, its_vkey, its_role) END;
	IF answer <> 'ok' THEN
		RETURN answer; -- and nothing was changed
	END IF;
	UPDATE trailfs.head SET size = size + 1 RETURNING size INTO n;
	INSERT INTO trailfs.leaf (seq, member, number, body)
		VALUES (n - 1, o.id, o.next, entry);
	UPDATE trailfs.member SET next = next + 1 WHERE id = o.id;
	RETURN 'ok';
END $$;

-- Verdicts: ok, busy (another checkpoint is there), invalid.
CREATE FUNCTION trailfs.trail_checkpoint_put(expected bigint, entries bigint,
	text_of bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
	all_entries bigint;
	newest trailfs.checkpoint;
BEGIN
	IF NOT trailfs.durable() THEN
		RETURN 'unsafe';
	END IF;
	SELECT size INTO all_entries FROM trailfs.head FOR UPDATE;
	SELECT * INTO newest FROM trailfs.checkpoint ORDER BY seq DESC LIMIT 1;
	IF newest.size IS DISTINCT FROM expected THEN
		RETURN 'busy';
	END IF;
	IF entries IS NULL OR entries < coalesce(expected, 0)
		OR entries > all_entries
		OR coalesce(octet_length(text_of), 0) NOT BETWEEN 1 AND 65536
	THEN
		RETURN 'invalid';
	END IF;
	INSERT INTO trailfs.checkpoint (seq, size, note)
		VALUES (coalesce(newest.seq + 1, 0), entries, text_of);
	RETURN 'ok';
END $$;

-- --- rights -------------------------------------------------------------

REVOKE ALL ON SCHEMA trailfs FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA trailfs FROM PUBLIC;
GRANT USAGE ON SCHEMA trailfs
	TO trailfs_member, trailfs_reader, trailfs_organiser;
GRANT EXECUTE ON FUNCTION trailfs.trail_hello(), trailfs.trail_size(),
	trailfs.trail_glance(), trailfs.trail_member(bytea),
	trailfs.trail_locate(bytea, bytea), trailfs.trail_find(bytea, bigint)
	TO trailfs_member, trailfs_reader, trailfs_organiser;
GRANT EXECUTE ON FUNCTION trailfs.trail_append(bytea, bigint, bytea[], bytea[],
	bytea[], bigint[], bigint[], bytea) TO trailfs_member;
GRANT EXECUTE ON FUNCTION trailfs.trail_enrol(bytea, text, text),
	trailfs.trail_revoke(bytea),
	trailfs.trail_govern(bytea, text, text, boolean, bytea, bigint, bytea),
	trailfs.trail_checkpoint_put(bigint, bigint, bytea) TO trailfs_organiser;
GRANT SELECT ON trailfs.organisation, trailfs.head, trailfs.member, trailfs.leaf,
	trailfs.note, trailfs.located, trailfs.refusal, trailfs.checkpoint
	TO trailfs_reader, trailfs_organiser;
