/*
 * How hosts append to the ledger of an organisation, and how auditors read it, as
 * a model for spin(1).  Three nodes of a database hold the log: one is primary, and
 * a commit waits until one of the two standbys has it.
 *
 * What may happen, any number of times: a standby gets a transaction late; the
 * primary dies, the standby that has more is promoted, and the dead node is made
 * again from it; an administrator ends a wait, which leaves rows that can be seen
 * and are perhaps nowhere else; an answer is lost; a forwarder is killed and starts
 * anew.  One thing may not: a second node dies before a standby has what the new
 * primary had when it was promoted (TOO_SOON shows that then entries are lost).
 *
 * What must hold in every state (HOLDS):
 *  order	 the numbers of an origin are dense and rising, and none is there twice
 *  kept	 what was acknowledged to a forwarder is in the log
 *  reader	 what an auditor has read stays the beginning of the log
 *
 * Each of these macros takes one rule away, and spin finds what the rule prevents:
 *  TWICE		append does not look at the number that it is given
 *  AT_ONCE		a repeated append is answered without waiting
 *  ANY_STANDBY		a standby that has less may be promoted
 *  READ_VISIBLE	auditors read beyond the newest checkpoint
 *  TOO_SOON		see above
 */
#define ORIGINS 2 /* the steps of world() are written out for two */
#define NUMBERS 2 /* entries of each origin */
#define PLACES (ORIGINS * NUMBERS + 1)

/*
 * The log of the primary.  A standby has the beginning of it, so its size says all.
 * An entry is ORIGIN * 8 + NUMBER; the last one of a transaction has LAST added.
 */
#define LAST 64
byte log[PLACES], size;
byte standby[2];
byte whole; /* what a standby must have before the next node may die */

/* The transaction that has the row of the head: its commit waits until a standby
 * has `size` entries. */
bool locked;
/* What each forwarder waits for: an answer that all entries below asked[] are
 * there.  The last place is that of the organiser, who signs so many entries. */
byte asked[ORIGINS + 1];
bool waits[ORIGINS + 1]; /* for a standby */
#define ORGANISER ORIGINS

byte acked[ORIGINS]; /* entries that the forwarder knows to be kept */
byte seen;	     /* entries that an auditor may have read */

byte had[ORIGINS], i, from, to, who; /* of the step that runs, 0 between */

/* How many entries of each origin the log has; in order. */
inline COUNT()
{
	i = 0;
	do
	:: i < size ->
		assert((log[i] & 7) == had[(log[i] & 63) >> 3]); /* order */
		had[(log[i] & 63) >> 3]++;
		i++
	:: else -> break
	od;
	i = 0
}

inline FORGET()
{
	i = 0;
	do
	:: i < ORIGINS -> had[i] = 0; i++
	:: else -> break
	od;
	i = 0;
	from = 0;
	to = 0;
	who = 0
}

inline HOLDS()
{
	FORGET();
	COUNT();
	assert(seen <= size); /* reader; entries only go from the end */
	do
	:: i < ORIGINS ->
		assert(acked[i] <= had[i]); /* kept */
		i++
	:: else -> break
	od;
	FORGET()
}

/* A forwarder sends entries, and the primary judges and commits. */
inline APPEND(me)
{
	COUNT();
	/* It asked what comes next, or its own last answer said so. */
	if
	:: from = acked[me]
	:: from = had[me]
	fi;
	if
	:: to = NUMBERS
	:: from + 1 < NUMBERS -> to = from + 1
	fi;
	if
	:: from > had[me] /* a gap: refused */
	:: else ->
#ifdef TWICE
		i = from;
		if
		:: size + to - from > PLACES -> i = to
		:: else
		fi;
#else
		i = (had[me] > from -> had[me] : from);
#endif
		waits[me] = true;
#ifdef AT_ONCE
		waits[me] = i < to;
#endif
		locked = waits[me];
		asked[me] = to;
		do
		:: i < to ->
			log[size] = me * 8 + i + (i + 1 == to -> LAST : 0);
			size++;
			i++
		:: else -> break
		od
	fi;
#ifdef READ_VISIBLE
	seen = (size > seen -> size : seen);
#endif
	HOLDS()
}

inline SELECT(limit)
{
	who = 0;
	do
	:: who + 1 < limit -> who++
	:: break
	od
}

/* The wait of one caller is over; the commit stays. */
inline END_WAIT(me)
{
	if
	:: waits[me] -> locked = false
	:: else
	fi;
	waits[me] = false;
	asked[me] = 0
}

/* The standby s becomes the primary. */
inline PROMOTE(s)
{
	size = standby[s];
	standby[1 - s] = (standby[1 - s] > size -> size : standby[1 - s]);
	standby[s] = 0; /* the dead node is made again in its stead */
	whole = size;
	locked = false;
	i = size;
	do
	:: i < PLACES -> log[i] = 0; i++
	:: else -> break
	od;
	i = 0;
	do
	:: i <= ORIGINS -> asked[i] = 0; waits[i] = false; i++
	:: else -> break
	od;
	HOLDS()
}

#define elsewhere(many) (standby[0] >= many || standby[1] >= many)
#define answered(me) (asked[me] != 0 && (!waits[me] || elsewhere(size)))

active proctype world()
{
	do
	/* A forwarder that has no answer yet may be killed: then it asks again. */
	:: atomic { !locked -> SELECT(ORIGINS);
		if
		:: acked[who] < NUMBERS && asked[who] == 0 -> to = who
		:: else -> to = ORIGINS
		fi;
		who = 0;
		if
		:: to == 0 -> to = 0; APPEND(0)
		:: to == 1 -> to = 0; APPEND(1)
		:: else -> to = 0
		fi }
	/* An answer: it comes, or it is lost. */
	:: atomic { answered(0) ->
		if
		:: acked[0] = (asked[0] > acked[0] -> asked[0] : acked[0])
		:: true
		fi;
		END_WAIT(0);
		HOLDS() }
	:: atomic { answered(1) ->
		if
		:: acked[1] = (asked[1] > acked[1] -> asked[1] : acked[1])
		:: true
		fi;
		END_WAIT(1);
		HOLDS() }
	/* The organiser signs what is there, in a transaction that waits too. */
	:: atomic { !locked && asked[ORGANISER] == 0 && seen < size ->
		locked = true; waits[ORGANISER] = true; asked[ORGANISER] = size }
	:: atomic { answered(ORGANISER) ->
		seen = (asked[ORGANISER] > seen -> asked[ORGANISER] : seen);
		END_WAIT(ORGANISER) }
	/* An administrator ends a wait. */
	:: atomic { waits[0] -> END_WAIT(0) }
	:: atomic { waits[1] -> END_WAIT(1) }
	:: atomic { waits[ORGANISER] -> END_WAIT(ORGANISER) }
	/* A standby receives a transaction. */
	:: atomic { standby[0] < size ->
		do
		:: standby[0]++;
			if
			:: log[standby[0] - 1] >= LAST -> break
			:: else
			fi
		od }
	:: atomic { standby[1] < size ->
		do
		:: standby[1]++;
			if
			:: log[standby[1] - 1] >= LAST -> break
			:: else
			fi
		od }
	/* The primary dies. */
#ifndef TOO_SOON
	:: atomic { elsewhere(whole) ->
#else
	:: atomic { true ->
#endif
		if
		:: standby[0] >= standby[1] -> PROMOTE(0)
		:: standby[1] >= standby[0] -> PROMOTE(1)
#ifdef ANY_STANDBY
		:: PROMOTE(0)
		:: PROMOTE(1)
#endif
		fi }
	od
}
