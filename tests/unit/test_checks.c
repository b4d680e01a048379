/* Types of attestations: operators, schemas, definitions, reports. */
#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/base/bytes.h"
#include "../../core/ledger/checks.h"
#include "vectors.h"

/* A check, the evidence, and the cause in the report. */
static const struct {
	const char *check, *evidence, *cause;
} operators[] = {
#define EQ(v) "{operator: equals, path: a, value: " v "}"
	{ EQ("x"), "{\"a\":\"x\"}", "satisfied" },
	{ EQ("x"), "{\"a\":\"y\"}", "value" },
	{ EQ("x"), "{\"a\":\"xx\"}", "value" },
	{ EQ("x"), "{\"a\":[\"x\"]}", "value" },
	{ EQ("x"), "{\"a\":null}", "null" },
	{ EQ("x"), "{\"b\":\"x\"}", "absent" },
	{ EQ("''"), "{\"a\":\"\"}", "satisfied" },
	{ EQ("null"), "{\"a\":null}", "satisfied" },
	{ EQ("null"), "{}", "absent" },
	{ EQ("'null'"), "{\"a\":null}", "null" },
	{ EQ("'null'"), "{\"a\":\"null\"}", "satisfied" },
	{ EQ("true"), "{\"a\":true}", "satisfied" },
	{ EQ("true"), "{\"a\":\"true\"}", "value" },
	{ EQ("true"), "{\"a\":1}", "value" },
	{ EQ("false"), "{\"a\":null}", "null" },
	{ EQ("1"), "{\"a\":1.0}", "satisfied" },
	{ EQ("1"), "{\"a\":10e-1}", "satisfied" },
	{ EQ("1"), "{\"a\":\"1\"}", "value" },
	{ EQ("0.1"), "{\"a\":0.1000000000000000000001}", "value" },
	{ EQ("9007199254740993"), "{\"a\":9007199254740992}", "value" },
	{ EQ("1"), "{\"a\":1e1000000000000000}", "value" },
	/* Paths. */
	{ "{operator: present, path: a.b.c}", "{\"a\":{\"b\":{\"c\":0}}}",
	    "satisfied" },
	{ "{operator: present, path: a.b.c}", "{\"a\":{\"b\":3}}", "absent" },
	{ "{operator: present, path: a.b}", "{\"a\":[{\"b\":1}]}", "absent" },
	{ "{operator: present, path: [a.b]}", "{\"a.b\":1}", "satisfied" },
	{ "{operator: present, path: [a.b]}", "{\"a\":{\"b\":1}}", "absent" },
	{ "{operator: present, path: a}", "{\"a\":null}", "null" },
	{ "{operator: present, path: a}", "{\"a\":\"\"}", "satisfied" },
	{ "{operator: present, path: a}", "{\"a\":[]}", "satisfied" },
#define WHERE "[l, {where: {t: x}}, v]"
	{ "{operator: equals, path: " WHERE ", value: 1}",
	    "{\"l\":[{\"t\":\"y\",\"v\":2},{\"t\":\"x\",\"v\":1}]}",
	    "satisfied" },
	{ "{operator: equals, path: " WHERE ", value: 1}",
	    "{\"l\":{\"p\":{\"t\":\"x\",\"v\":1}}}", "satisfied" },
	{ "{operator: equals, path: " WHERE ", value: 1}",
	    "{\"l\":[{\"t\":\"x\",\"v\":1},{\"t\":\"x\",\"v\":1}]}",
	    "ambiguous" },
	{ "{operator: equals, path: " WHERE ", value: 1}",
	    "{\"l\":[{\"t\":\"z\",\"v\":1},3,null]}", "unmatched" },
	{ "{operator: equals, path: " WHERE ", value: 1}", "{\"l\":\"x\"}",
	    "unmatched" },
	{ "{operator: equals, path: " WHERE ", value: 1}", "{}", "absent" },
	{ "{operator: equals, path: " WHERE ", value: 1}",
	    "{\"l\":[{\"t\":\"x\"}]}", "absent" },
	/* Strings. */
	{ "{operator: non_empty_string, path: a}", "{\"a\":\"x\"}",
	    "satisfied" },
	{ "{operator: non_empty_string, path: a}", "{\"a\":\"\"}", "value" },
	{ "{operator: non_empty_string, path: a}", "{\"a\":1}", "value" },
	{ "{operator: non_empty_string, path: a}", "{\"a\":null}", "null" },
	{ "{operator: non_empty_string, path: a}", "{}", "absent" },
#define ANY "{operator: matches_any, path: a, patterns: ['^b', 'c$']}"
#define NOT "{operator: not_matches_any, path: a, patterns: ['^b', 'c$']}"
	{ ANY, "{\"a\":\"bx\"}", "satisfied" },
	{ ANY, "{\"a\":\"xc\"}", "satisfied" },
	{ ANY, "{\"a\":\"xbx\"}", "value" },
	{ ANY, "{\"a\":\"b\\u0000\"}", "value" },
	{ ANY, "{\"a\":[\"b\"]}", "value" },
	{ ANY, "{\"a\":null}", "null" },
	{ ANY, "{}", "absent" },
	{ NOT, "{\"a\":\"xbx\"}", "satisfied" },
	{ NOT, "{\"a\":\"\"}", "satisfied" },
	{ NOT, "{\"a\":\"bx\"}", "value" },
	{ NOT, "{\"a\":\"xc\"}", "value" },
	{ NOT, "{\"a\":\"x\\u0000\"}", "value" },
	{ NOT, "{\"a\":3}", "value" },
	{ NOT, "{\"a\":null}", "null" },
	{ NOT, "{}", "absent" },
/* Numbers. */
#define RANGE "{operator: range, path: a, min: -1, max: 2.5}"
	{ RANGE, "{\"a\":-1}", "satisfied" },
	{ RANGE, "{\"a\":2.50}", "satisfied" },
	{ RANGE, "{\"a\":2.5000000000000000000001}", "value" },
	{ RANGE, "{\"a\":-1.01}", "value" },
	{ RANGE, "{\"a\":\"1\"}", "value" },
	{ RANGE, "{\"a\":1e-1000000000000000}", "value" },
	{ RANGE, "{\"a\":null}", "null" },
	{ RANGE, "{}", "absent" },
	{ "{operator: range, path: a, max: 0}", "{\"a\":-1e300}", "satisfied" },
	{ "{operator: range, path: a, min: 0}", "{\"a\":1e300}", "satisfied" },
	{ "{operator: range, path: a, min: 0}", "{\"a\":-1}", "value" },
	/* Arrays. */
	{ "{operator: includes, path: a, value: x}", "{\"a\":[1,\"x\"]}",
	    "satisfied" },
	{ "{operator: includes, path: a, value: x}", "{\"a\":[[\"x\"]]}",
	    "value" },
	{ "{operator: includes, path: a, value: x}", "{\"a\":[]}", "value" },
	{ "{operator: includes, path: a, value: x}", "{\"a\":\"x\"}", "value" },
	{ "{operator: includes, path: a, value: x}", "{\"a\":{\"k\":\"x\"}}",
	    "value" },
	{ "{operator: includes, path: a, value: null}", "{\"a\":[null]}",
	    "satisfied" },
	{ "{operator: includes, path: a, value: x}", "{}", "absent" },
	{ "{operator: excludes, path: a, value: x}", "{\"a\":[\"y\"]}",
	    "satisfied" },
	{ "{operator: excludes, path: a, value: x}", "{\"a\":[]}",
	    "satisfied" },
	{ "{operator: excludes, path: a, value: x}", "{\"a\":[\"x\"]}",
	    "value" },
	{ "{operator: excludes, path: a, value: 1}", "{\"a\":[1.0]}", "value" },
	{ "{operator: excludes, path: a, value: x}", "{\"a\":\"y\"}", "value" },
	{ "{operator: excludes, path: a, value: x}", "{\"a\":null}", "null" },
	{ "{operator: excludes, path: a, value: x}", "{}", "absent" },
/* Two values. */
#define CMP(c) "{operator: compare, path: a, other: b, cmp: " c "}"
	{ CMP("eq"), "{\"a\":1,\"b\":1.0}", "satisfied" },
	{ CMP("eq"), "{\"a\":1,\"b\":\"1\"}", "value" },
	{ CMP("ne"), "{\"a\":1,\"b\":\"1\"}", "value" },
	{ CMP("ne"), "{\"a\":\"x\",\"b\":\"y\"}", "satisfied" },
	{ CMP("ne"), "{\"a\":\"x\",\"b\":\"x\"}", "value" },
	{ CMP("lt"), "{\"a\":9,\"b\":10}", "satisfied" },
	{ CMP("lt"), "{\"a\":\"9\",\"b\":\"10\"}", "value" },
	{ CMP("lte"), "{\"a\":10,\"b\":10}", "satisfied" },
	{ CMP("gt"), "{\"a\":10,\"b\":10}", "value" },
	{ CMP("gte"), "{\"a\":10,\"b\":10}", "satisfied" },
	{ CMP("gt"), "{\"a\":\"b\",\"b\":\"a\"}", "satisfied" },
	{ CMP("eq"), "{\"a\":true,\"b\":true}", "satisfied" },
	{ CMP("ne"), "{\"a\":true,\"b\":false}", "satisfied" },
	{ CMP("eq"), "{\"a\":true,\"b\":false}", "value" },
	{ CMP("gt"), "{\"a\":true,\"b\":false}", "value" },
	{ CMP("eq"), "{\"a\":null,\"b\":null}", "null" },
	{ CMP("ne"), "{\"a\":null,\"b\":1}", "null" },
	{ CMP("ne"), "{\"a\":1,\"b\":null}", "null" },
	{ CMP("ne"), "{\"a\":1}", "absent" },
	{ CMP("lt"), "{\"b\":1}", "absent" },
	{ CMP("eq"), "{\"a\":[],\"b\":[]}", "value" },
	{ CMP("ne"), "{\"a\":1e1000000000000000,\"b\":1}", "value" },
#define TIME(c) "{operator: compare_time, path: a, other: b, cmp: " c "}"
	{ TIME("lt"),
	    "{\"a\":\"2026-01-01T00:00:00Z\",\"b\":\"2026-01-01T00:00:01Z\"}",
	    "satisfied" },
	{ TIME("eq"),
	    "{\"a\":\"2026-01-01T00:00:00+02:00\","
	    "\"b\":\"2025-12-31t22:00:00.000z\"}",
	    "satisfied" },
	{ TIME("eq"),
	    "{\"a\":\"2026-01-01T00:00:00-00:30\","
	    "\"b\":\"2026-01-01T00:30:00Z\"}",
	    "satisfied" },
	{ TIME("gt"),
	    "{\"a\":\"2026-01-01T00:00:00.1Z\","
	    "\"b\":\"2026-01-01T00:00:00.0999999999999Z\"}",
	    "satisfied" },
	{ TIME("lt"),
	    "{\"a\":\"2026-02-29T00:00:00Z\",\"b\":\"2027-01-01T00:00:00Z\"}",
	    "value" },
	{ TIME("lt"),
	    "{\"a\":\"2024-02-29T00:00:00Z\",\"b\":\"2027-01-01T00:00:00Z\"}",
	    "satisfied" },
	{ TIME("lt"),
	    "{\"a\":\"2026-01-01T00:00:00\",\"b\":"
	    "\"2027-01-01T00:00:00Z\"}",
	    "value" },
	{ TIME("lt"),
	    "{\"a\":\"2026-01-01 00:00:00Z\",\"b\":"
	    "\"2027-01-01T00:00:00Z\"}",
	    "value" },
	{ TIME("lt"),
	    "{\"a\":\"2026-01-01T24:00:00Z\",\"b\":"
	    "\"2027-01-01T00:00:00Z\"}",
	    "value" },
	{ TIME("lt"),
	    "{\"a\":\"2026-01-01T00:00:00.Z\",\"b\":"
	    "\"2027-01-01T00:00:00Z\"}",
	    "value" },
	{ TIME("lt"),
	    "{\"a\":\"2026-01-01T00:00:00+24:00\",\"b\":"
	    "\"2027-01-01T00:00:00Z\"}",
	    "value" },
	{ TIME("lt"),
	    "{\"a\":\"2026-01-01T00:00:00ZZ\",\"b\":"
	    "\"2027-01-01T00:00:00Z\"}",
	    "value" },
	{ TIME("ne"), "{\"a\":\"x\",\"b\":\"y\"}", "value" },
	{ TIME("lt"), "{\"a\":1.5,\"b\":2}", "satisfied" },
	{ TIME("lt"), "{\"a\":1,\"b\":\"2027-01-01T00:00:00Z\"}", "value" },
	{ TIME("ne"), "{\"a\":true,\"b\":false}", "value" },
	{ TIME("lt"), "{\"a\":null,\"b\":1}", "null" },
/* Each element. */
#define ALL \
	"{operator: all, path: l, check: {operator: equals, path: v, value: 1}}"
#define SOME \
	"{operator: any, path: l, check: {operator: equals, path: v, value: 1}}"
	{ ALL, "{\"l\":[{\"v\":1},{\"v\":1.0}]}", "satisfied" },
	{ ALL, "{\"l\":[{\"v\":1},{\"v\":2}]}", "value" },
	{ ALL, "{\"l\":[{\"v\":1},{}]}", "absent" },
	{ ALL, "{\"l\":[{\"v\":1},{\"v\":null}]}", "null" },
	{ ALL, "{\"l\":[]}", "absent" },
	{ ALL, "{\"l\":null}", "null" },
	{ ALL, "{\"l\":{\"v\":1}}", "value" },
	{ ALL, "{}", "absent" },
	{ SOME, "{\"l\":[{\"v\":2},{\"v\":1}]}", "satisfied" },
	{ SOME, "{\"l\":[{\"v\":2},{}]}", "value" },
	{ SOME, "{\"l\":[{},{\"v\":2}]}", "absent" },
	{ SOME, "{\"l\":[]}", "absent" },
	{ SOME, "{\"l\":3}", "value" },
	{ "{operator: all, path: l, check: {operator: non_empty_string}}",
	    "{\"l\":[\"a\",\"b\"]}", "satisfied" },
	{ "{operator: all, path: l, check: {operator: non_empty_string}}",
	    "{\"l\":[\"a\",\"\"]}", "value" },
	/* Substitutes. */
	{ "{operator: present, path: a, substitute: {operator: equals, path: b,"
	  " value: 1}}",
	    "{\"b\":1}", "substituted" },
	{ "{operator: present, path: a, substitute: {operator: equals, path: b,"
	  " value: 1}}",
	    "{\"a\":1,\"b\":2}", "satisfied" },
	{ "{operator: present, path: a, substitute: {operator: equals, path: b,"
	  " value: 1}}",
	    "{\"b\":2}", "absent" },
};

static struct tf_type *
type_of(const char *text)
{
	struct tf_type *t;
	struct tf_error err;

	if (tf_type_parse(text, strlen(text), &t, &err) != TF_OK)
		ck_abort_msg("%s\n%s", err.text, text);
	return t;
}

static struct tf_evaluation
evaluate(const struct tf_type *t, const char *p, size_t n)
{
	struct tf_evaluation e;
	char *exact = malloc(n + (n == 0));

	memcpy(exact, p, n);
	ck_assert_int_eq(TF_OK,
	    tf_checks_evaluate(t, (struct tf_str){ exact, n }, NULL, false, &e,
		NULL));
	free(exact);
	tf_buf_add(&e.report, "", 1);
	ck_assert(!e.report.failed);
	return e;
}

static bool
says(const struct tf_evaluation *e, const char *text)
{
	return strstr(e->report.p, text) != NULL;
}

START_TEST(operators_give_cause_and_verdict)
{
	const char *cause = operators[_i].cause;
	bool passes = strcmp(cause, "satisfied") == 0 ||
	    strcmp(cause, "substituted") == 0;
	char text[1024], row[128];
	struct tf_evaluation e;
	struct tf_type *t;

	snprintf(text, sizeof(text),
	    "version: 1\nevidence: e.json\nrequirements:\n"
	    "- id: r\n  checks:\n  - %s\n",
	    operators[_i].check);
	t = type_of(text);
	e = evaluate(t, operators[_i].evidence, strlen(operators[_i].evidence));
	snprintf(row, sizeof(row), "{\"cause\":\"%s\",\"check\":\"check-1\"",
	    cause);
	if (!says(&e, row) || e.compliant != passes)
		ck_abort_msg("%s\n%s\n%s", operators[_i].check,
		    operators[_i].evidence, e.report.p);
	tf_evaluation_free(&e);
	tf_type_free(t);
}
END_TEST

/* A schema, the evidence, and the violations as KEYWORD@PLACE. */
static const struct {
	const char *schema, *evidence, *violations;
} schemas[] = {
	{ "{}", "null", "" },
	{ "{type: object}", "{}", "" },
	{ "{type: object}", "[]", "type@" },
	{ "{type: [string, null]}", "null", "" },
	{ "{type: [string, 'null']}", "3", "type@" },
	{ "{type: integer}", "1.0", "" },
	{ "{type: integer}", "1.5", "type@" },
	{ "{type: integer}", "1e1000000000000000", "type@" },
	{ "{type: number}", "1", "" },
	{ "{type: boolean}", "false", "" },
	{ "{type: object, required: [a, b]}", "{\"b\":null}", "required@a" },
	{ "{type: object, required: [a, b]}", "{}", "required@a required@b" },
	{ "{type: object, properties: {a: {type: array, items: {type: object,"
	  " properties: {b: {type: string}}}}}}",
	    "{\"a\":[{\"b\":\"x\"},{\"b\":1},{}]}", "type@a[1].b" },
	{ "{enum: [a, 1, null, true]}", "1.0", "" },
	{ "{enum: [a, 1, null, true]}", "null", "" },
	{ "{enum: [a, 1, null, true]}", "\"b\"", "enum@" },
	{ "{enum: [a]}", "[\"a\"]", "enum@" },
	{ "{type: string, pattern: '^[a-z]+$'}", "\"abc\"", "" },
	{ "{type: string, pattern: '^[a-z]+$'}", "\"ab1\"", "pattern@" },
	{ "{type: string, pattern: a}", "\"a\\u0000\"", "pattern@" },
	{ "{type: number, minimum: 1, maximum: 2}", "1.5", "" },
	{ "{type: number, minimum: 1, maximum: 2}", "0.9", "minimum@" },
	{ "{type: number, minimum: 1, maximum: 2}", "2.1", "maximum@" },
	{ "{type: number, minimum: 1}", "1e1000000000000000", "minimum@" },
	{ "{type: [number, string], minimum: 1}", "\"0\"", "" },
};

START_TEST(schemas_name_each_violation)
{
	struct tf_evaluation e;
	struct tf_type *t;
	char text[1024], *words, *rest;
	size_t n = 0, rows = 0;

	snprintf(text, sizeof(text), "version: 1\nevidence: e.json\nschema: %s",
	    schemas[_i].schema);
	t = type_of(text);
	e = evaluate(t, schemas[_i].evidence, strlen(schemas[_i].evidence));
	ck_assert_int_eq(*schemas[_i].violations == '\0', e.compliant);
	rest = words = strdup(schemas[_i].violations);
	for (char *w; (w = strsep(&rest, " ")) != NULL;) {
		char *place = strchr(w, '@');

		if (place == NULL)
			continue;
		*place++ = '\0';
		snprintf(text, sizeof(text),
		    "{\"name\":\"keyword\",\"value\":\"%s\"},{\"name\":\"%s\"",
		    w, place);
		if (!says(&e, text))
			ck_abort_msg("%s: %s", text, e.report.p);
		n++;
	}
	for (const char *p = e.report.p; (p = strstr(p, "$schema")); p++)
		rows++;
	ck_assert_uint_eq(n > 0 ? n : 1, rows);
	free(words);
	tf_evaluation_free(&e);
	tf_type_free(t);
}
END_TEST

#define HEAD "version: 1\nevidence: e.json\n"
#define REQUIREMENT HEAD "requirements:\n- id: r\n"
#define CHECK REQUIREMENT "  checks:\n  - "

/* Definitions that are refused, and the beginning of the message. */
static const struct {
	const char *text, *message;
} refused[] = {
	{ "", "line 1" },
	{ "[]", "line 1, column 1" },
	{ "version: 1\n", "line 1, column 1: evidence is missing" },
	{ "evidence: e\nschema: {}", "line 1, column 1: version is missing" },
	{ "version: 2\nevidence: e\nschema: {}", "line 1, column 10" },
	{ HEAD, "line 1, column 1: schema or requirements is missing" },
	{ HEAD "schema: {}\nmore: 1", "line 4, column 1" },
	{ HEAD "schema: {}\nschema: {}", "line 4, column 1" },
	{ "version: 1\nevidence: /e\nschema: {}", "line 2, column 11" },
	{ "version: 1\nevidence: a//e\nschema: {}", "line 2, column 11" },
	{ "version: 1\nevidence: ../e\nschema: {}", "line 2, column 11" },
	{ "version: 1\nevidence: a/\nschema: {}", "line 2, column 11" },
	{ "version: 1\nevidence: ''\nschema: {}", "line 2, column 11" },
	{ HEAD "schema: []", "line 3, column 9" },
	{ HEAD "schema: {title: x}", "line 3, column 10" },
	{ HEAD "schema: {type: text}", "line 3, column 16: unknown type text" },
	{ HEAD "schema: {type: []}", "line 3, column 16" },
	{ HEAD "schema: {enum: []}", "line 3, column 16" },
	{ HEAD "schema: {enum: [[]]}", "line 3, column 17" },
	{ HEAD "schema: {pattern: a}",
	    "line 3, column 19: pattern has no effect without type: string" },
	{ HEAD "schema: {type: string, minimum: 1}", "line 3, column 33" },
	{ HEAD "schema: {type: number, minimum: '1'}", "line 3, column 33" },
	{ HEAD "schema: {type: number, minimum: 1e1000000000000000}",
	    "line 3, column 33: minimum has a huge exponent" },
	{ HEAD "schema: {required: [a]}", "line 3, column 20" },
	{ HEAD "schema: {type: object, required: [a, a]}", "line 3" },
	{ HEAD "schema: {type: array, items: {foo: 1}}", "line 3, column 31" },
	{ HEAD "schema: {type: string, pattern: '('}", "line 3, column 33" },
	{ HEAD "requirements: []", "line 3, column 15" },
	{ HEAD "requirements: {}", "line 3, column 15" },
	{ HEAD "requirements: [{checks: []}]",
	    "line 3, column 16: id is missing" },
	{ REQUIREMENT, "line 4, column 3: checks is missing" },
	{ REQUIREMENT "  checks: []", "line 5, column 11" },
	{ REQUIREMENT "  require: most\n  checks: []",
	    "line 5, column 12: require is neither every nor some" },
	{ REQUIREMENT "  min_subjects: -1\n  checks: []", "line 5" },
	{ REQUIREMENT "  from: a..b\n  checks: []",
	    "line 5, column 9: from has an empty key" },
	{ HEAD "requirements: [{id: $x, checks: []}]", "line 3, column 21" },
	{ HEAD "requirements: [{id: a b, checks: []}]", "line 3, column 21" },
	{ CHECK "present", "line 6, column 5: a check is a map" },
	{ CHECK "{path: a}", "line 6, column 5: operator is missing" },
	{ CHECK "{operator: exists, path: a}",
	    "line 6, column 16: unknown operator exists" },
	{ CHECK "{operator: present}", "line 6, column 5: path is missing" },
	{ CHECK "{operator: present, path: a, value: 1}", "line 6, column 34" },
	{ CHECK "{operator: equals, path: a}", "line 6, column 5: value" },
	{ CHECK "{operator: equals, path: a, value: [1]}",
	    "line 6, column 40: value is not a single value" },
	{ CHECK "{operator: equals, path: a, value: yes}",
	    "line 6, column 40" },
	{ CHECK "{operator: equals, path: a, value: NULL}",
	    "line 6, column 40" },
	{ CHECK "{operator: equals, path: a, value: ~}", "line 6, column 40" },
	{ CHECK "{operator: equals, path: a, value: 0x1f}",
	    "line 6, column 40" },
	{ CHECK "{operator: equals, path: a, value: 1.2.3}",
	    "line 6, column 40" },
	{ CHECK "{operator: equals, path: a, value: .5}", "line 6, column 40" },
	{ CHECK "{operator: range, path: a}", "line 6, column 5: min or max" },
	{ CHECK "{operator: range, path: a, min: 2, max: 1}",
	    "line 6, column 45: max is less than min" },
	{ CHECK "{operator: range, path: a, min: x}", "line 6, column 37" },
	{ CHECK "{operator: matches_any, path: a, patterns: []}", "line 6" },
	{ CHECK "{operator: matches_any, path: a, patterns: ['a{256}']}",
	    "line 6, column 49: pattern: more than 255 repeats" },
	{ CHECK "{operator: compare, path: a, other: b}", "line 6, column 5" },
	{ CHECK "{operator: compare, path: a, other: b, cmp: '<'}",
	    "line 6, column 49" },
	{ CHECK "{operator: compare, path: a, cmp: eq}", "line 6, column 5" },
	{ CHECK "{operator: all, path: a}", "line 6, column 5: check is" },
	{ CHECK "{operator: all, path: a, check: {operator: all, path: b}}",
	    "line 6, column 48: unknown operator all" },
	{ CHECK "{operator: all, path: a, check: {operator: present, id: x}}",
	    "line 6" },
	{ CHECK "{operator: present, path: a, substitute: {operator: present,"
		" path: b, id: x}}",
	    "line 6, column 46: a substitute has neither id nor substitute" },
	{ CHECK "{operator: present, path: [a, {where: {}}]}", "line 6" },
	{ CHECK "{operator: present, path: [a, {where: {b: [1]}}]}", "line 6" },
	{ CHECK "{operator: present, path: [{where: {a: 1}}, {where: {a: 1}}]}",
	    "line 6, column 31: path has more than one where" },
	{ CHECK "{operator: present, path: [a, [b]]}", "line 6" },
	{ CHECK "{operator: present, path: a, id: x}\n"
		"  - {operator: present, path: b, id: x}",
	    "line 7, column 5: two checks have the id x" },
	{ CHECK "{operator: present, path: a, id: $x}", "line 6, column 38" },
	{ CHECK "{operator: present, path: a}\n"
		"- id: r\n  checks:\n  - {operator: present, path: a}",
	    "line 7, column 3: two requirements have the id r" },
};

START_TEST(bad_definitions_are_refused_with_their_place)
{
	const char *text = refused[_i].text, *want = refused[_i].message;
	struct tf_type *t;
	struct tf_error err;

	ck_assert_int_eq(TF_INVALID,
	    tf_type_parse(text, strlen(text), &t, &err));
	ck_assert_ptr_null(t);
	if (strncmp(err.text, want, strlen(want)) != 0)
		ck_abort_msg("%s\n%s", text, err.text);
}
END_TEST

static const struct {
	const char *pattern;
	bool allowed;
} patterns[] = {
	{ "a", true },
	{ "^(a|b)*c$", true },
	{ "^$", true },
	{ "\\.\\[\\]\\{\\}\\(\\)\\*\\+\\?\\^\\$\\|\\\\", true },
	{ "[]a]", true },
	{ "[^]a-z[:digit:]]+", true },
	{ "a{3}", true },
	{ "a{0,3}", true },
	{ "a{3,}", true },
	{ "(a{15}){15}", true },
	{ "", false },
	{ "a|", false },
	{ "|a", false },
	{ "a||b", false },
	{ "()", false },
	{ "(", false },
	{ ")", false },
	{ "a)", false },
	{ "[", false },
	{ "[]", false },
	{ "[a", false },
	{ "[\\d]", false },
	{ "[b-a]", false },
	{ "[a-,z]", false },
	{ "[a-[:digit:]]", false },
	{ "[[:foo:]]", false },
	{ "[[.a.]]", false },
	{ "[[=a=]]", false },
	{ "\\", false },
	{ "\\d", false },
	{ "\\w+", false },
	{ "(a)\\1", false },
	{ "*a", false },
	{ "^*", false },
	{ "^", false },
	{ "$", false },
	{ "a|^", false },
	{ "^^a", false },
	{ "a$$", false },
	{ "(^a)", false },
	{ "(a$)", false },
	{ "a^b", false },
	{ "a$b", false },
	{ ".^b", false },
	{ "^a$|^b$", true },
	{ "\\^a\\$b[$]", true },
	{ "a|*b", false },
	{ "(*a)", false },
	{ "a**", false },
	{ "a{2}{2}", false },
	{ "a{256}", false },
	{ "a{99999999999999999999}", false },
	{ "a{2,1}", false },
	{ "a{,2}", false },
	{ "a{", false },
	{ "a{2", false },
	{ "a{x}", false },
	{ "(a{16}){16}", false },
	{ "((((((((a{2}){2}){2}){2}){2}){2}){2}){2}){2}", false },
	{ "\xc3\xa9", false },
	{ "a\tb", false },
};

START_TEST(only_patterns_that_cannot_run_away_are_allowed)
{
	struct tf_str s = tf_str_of(patterns[_i].pattern);
	struct tf_pattern p = { 0 };
	bool readable, matches;
	unsigned size;

	ck_assert_int_eq(patterns[_i].allowed ? TF_OK : TF_INVALID,
	    tf_pattern_check(s, &size, NULL));
	/* What is allowed, regcomp accepts. */
	if (patterns[_i].allowed)
		ck_assert_int_eq(TF_OK,
		    tf_pattern_match(&p, s, tf_str_of("x"), &readable, &matches,
			NULL));
	tf_pattern_free(&p);
}
END_TEST

static const struct {
	const char *pattern, *text;
	bool matches;
} matching[] = {
	{ "b", "abc", true },
	{ "^b", "abc", false },
	{ "b$", "abc", false },
	{ "^abc$", "abc", true },
	{ "^$", "", true },
	{ "a", "", false },
	{ "c|^b", "bx", true },
	{ "c|^b", "xb", false },
	{ "^b|c$|^$", "xc", true },
	{ "^b|c$|^$", "xcx", false },
	{ "^b|c$|^$", "", true },
	{ "^b|c$", "a\nbx", false },
	{ "[|]x|^[]|^]y", "a|x", true },
	{ "[|]x|^[]|^]y", "a]y", false },
	/* One text is one line, whatever it holds. */
	{ "b", "a\nb", true },
	{ "^b", "a\nb", false },
	{ "^a$", "a\nb", false },
	{ "^a.b$", "a\nb", true },
	{ "^svc_[a-z]+$", "svc_x\nroot", false },
	/* Bytes: a character of two bytes is two. */
	{ "b$", "\xc3\xa9 b", true },
	{ "^..$", "\xc3\xa9", true },
	{ "^.$", "\xc3\xa9", false },
	{ "[^a]", "\xc3\xa9", true },
	{ "[[:alpha:]]", "\xc3\xa9", false },
	{ "^[]a^-]+$", "]a^-", true },
	{ "^a{2,3}$", "aaaa", false },
	{ "^(ab){2}$", "abab", true },
	{ "\\.", "a", false },
	{ "\\.", "a.", true },
	{ "A", "a", false },
};

START_TEST(patterns_match_bytes_of_one_line)
{
	struct tf_str s = tf_str_of(matching[_i].pattern);
	struct tf_pattern p = { 0 };
	bool readable, matches;

	for (int k = 0; k < 300; k++) {
		must(tf_pattern_match(&p, s, tf_str_of(matching[_i].text),
			 &readable, &matches, NULL) == TF_OK);
		must(readable && matches == matching[_i].matches);
	}
	tf_pattern_free(&p);
}
END_TEST

/* A pattern whose automaton has 2^60 states, over texts that visit new ones. */
START_TEST(no_pattern_needs_time_out_of_proportion)
{
	struct tf_str s = tf_str_of("(a|b)*a(a|b){60}c");
	struct tf_pattern p = { 0 };
	char text[TF_PATTERN_SUBJECT + 1];
	bool readable, matches;
	uint64_t state = 1;
	unsigned size;

	ck_assert_int_eq(TF_OK, tf_pattern_check(s, &size, NULL));
	for (int k = 0; k < 3; k++) {
		for (size_t i = 0; i < TF_PATTERN_SUBJECT; i++)
			text[i] = chance(&state) & 1 ? 'a' : 'b';
		ck_assert_int_eq(TF_OK,
		    tf_pattern_match(&p, s,
			(struct tf_str){ text, TF_PATTERN_SUBJECT }, &readable,
			&matches, NULL));
		ck_assert(readable && !matches);
	}
	ck_assert_int_eq(TF_OK,
	    tf_pattern_match(&p, s,
		(struct tf_str){ text, TF_PATTERN_SUBJECT + 1 }, &readable,
		&matches, NULL));
	ck_assert(!readable && !matches);
	tf_pattern_free(&p);
}
END_TEST

/* A requirement about list "l", and what is satisfied. */
static const struct {
	const char *requirement, *evidence;
	bool satisfied;
	unsigned matching, total;
} requirements[] = {
#define R(more)                                \
	"id: r, from: l, subject_id: n, " more \
	"checks: [{operator: equals, path: v, value: 1}]"
#define SCOPE "applies_to: [{operator: equals, path: s, value: in}], "
	{ R(""), "{\"l\":[{\"v\":1},{\"v\":1}]}", true, 2, 2 },
	{ R(""), "{\"l\":[{\"v\":1},{\"v\":2}]}", false, 2, 2 },
	{ R(""), "{\"l\":{\"v\":1}}", true, 1, 1 },
	{ R(""), "{\"l\":[]}", false, 0, 0 },
	{ R(""), "{\"l\":\"x\"}", false, 0, 0 },
	{ R(""), "{\"l\":null}", false, 0, 0 },
	{ R(""), "{}", false, 0, 0 },
	{ R(""), "{\"l\":[1]}", false, 1, 1 },
	{ R("min_subjects: 2, "), "{\"l\":[{\"v\":1}]}", false, 1, 1 },
	{ R("min_subjects: 0, "), "{\"l\":[]}", true, 0, 0 },
	{ R("min_subjects: 0, "), "{\"l\":[{\"v\":2}]}", false, 1, 1 },
	{ R("require: some, "), "{\"l\":[{\"v\":2},{\"v\":1}]}", true, 2, 2 },
	{ R("require: some, "), "{\"l\":[{\"v\":2},{\"v\":3}]}", false, 2, 2 },
	{ R("require: some, "), "{\"l\":[]}", false, 0, 0 },
	{ R("require: some, min_subjects: 0, "), "{\"l\":[]}", true, 0, 0 },
	{ R("require: some, min_subjects: 0, "), "{\"l\":[{\"v\":2}]}", false,
	    1, 1 },
	{ R("require: some, min_subjects: 2, "), "{\"l\":[{\"v\":1}]}", false,
	    1, 1 },
	{ R(SCOPE), "{\"l\":[{\"v\":1,\"s\":\"in\"},{\"v\":2}]}", true, 1, 2 },
	{ R(SCOPE), "{\"l\":[{\"v\":1,\"s\":\"out\"}]}", false, 0, 1 },
	/* Checks must hold for one and the same subject. */
	{ "id: r, from: l, require: some, checks: [{operator: equals, path: v,"
	  " value: 1}, {operator: equals, path: w, value: 1}]",
	    "{\"l\":[{\"v\":1,\"w\":2},{\"v\":2,\"w\":1}]}", false, 2, 2 },
	{ "id: r, from: [l, {where: {k: 1}}], checks: [{operator: equals,"
	  " path: v, value: 1}]",
	    "{\"l\":[{\"k\":1,\"v\":1},{\"k\":2,\"v\":2}]}", true, 1, 1 },
	{ "id: r, checks: [{operator: equals, path: v, value: 1}]", "{\"v\":1}",
	    true, 1, 1 },
	{ "id: r, checks: [{operator: equals, path: v, value: 1}]",
	    "[{\"v\":1},{\"v\":1}]", true, 2, 2 },
	{ "id: r, checks: [{operator: equals, path: v, value: 1}]", "1", false,
	    0, 0 },
};

START_TEST(requirements_are_satisfied_by_enough_subjects)
{
	struct tf_evaluation e;
	struct tf_type *t;
	char text[1024];

	snprintf(text, sizeof(text), HEAD "requirements: [{%s}]",
	    requirements[_i].requirement);
	t = type_of(text);
	e = evaluate(t, requirements[_i].evidence,
	    strlen(requirements[_i].evidence));
	snprintf(text, sizeof(text),
	    "\"satisfied\":%s,\"subjects\":{\"matching\":%u,\"total\":%u}}",
	    requirements[_i].satisfied ? "true" : "false",
	    requirements[_i].matching, requirements[_i].total);
	if (!says(&e, text) || e.compliant != requirements[_i].satisfied)
		ck_abort_msg("%s\n%s", text, e.report.p);
	/* A refusal is never silent. */
	ck_assert(e.compliant || says(&e, "\"passed\":false"));
	tf_evaluation_free(&e);
	tf_type_free(t);
}
END_TEST

#define NUMBERS                                                \
	HEAD "requirements: [{id: r, from: l, subject_id: n, " \
	     "checks: [{operator: range, path: v, max: 10}]}]"

/* Evidence that cannot be judged is not compliant, and the report says why. */
START_TEST(evidence_that_cannot_be_judged_fails_closed)
{
	static const struct tf_str none = { NULL, 0 };
	struct tf_type *t = type_of(NUMBERS);
	struct tf_evaluation e = evaluate(t, "{\"l\":[{\"v\":1}]", 14);

	ck_assert(!e.compliant);
	ck_assert(says(&e,
	    "{\"cause\":\"value\",\"check\":\"$well_formed\",\"inputs\":"
	    "[{\"name\":\"error\",\"value\":\"line 1, column 15: "));
	ck_assert(says(&e, "\"satisfied\":false"));
	assert_same("{\"failed\":1,\"passed\":0,\"requirements\":1,"
		    "\"satisfied\":0}",
	    strlen("{\"failed\":1,\"passed\":0,\"requirements\":1,"
		   "\"satisfied\":0}"),
	    e.counts.p, e.counts.n);
	tf_evaluation_free(&e);
	e = evaluate(t, "", 0);
	ck_assert(!e.compliant && says(&e, "$well_formed"));
	tf_evaluation_free(&e);
	ck_assert_int_eq(TF_OK,
	    tf_checks_evaluate(t, none, "there is no such file", true, &e,
		NULL));
	ck_assert(!e.compliant);
	tf_buf_add(&e.report, "", 1);
	ck_assert(says(&e, "\"cause\":\"absent\",\"check\":\"$well_formed\""));
	ck_assert(!says(&e, "sha256"));
	tf_evaluation_free(&e);
	tf_type_free(t);
}
END_TEST

/* Reports stay small, and no failure is lost among rows that passed. */
START_TEST(long_reports_are_cut_and_say_so)
{
	struct tf_type *t = type_of(NUMBERS);
	struct tf_buf b = { 0 };
	struct tf_evaluation e;

	tf_buf_str(&b, "{\"l\":[");
	for (unsigned i = 0; i < 20000; i++)
		tf_buf_printf(&b, "{\"n\":%u,\"v\":%u},", i, i % 20);
	tf_buf_str(&b, "{\"n\":\"last\",\"v\":11}]}");
	e = evaluate(t, b.p, b.n);
	ck_assert(!e.compliant);
	ck_assert_uint_lt(e.report.n, TF_REPORT_BYTES);
	ck_assert(says(&e,
	    "{\"cause\":\"value\",\"check\":\"$cut\",\"inputs\":"
	    "[{\"name\":\"failed\",\"value\":8501},"
	    "{\"name\":\"passed\",\"value\":10502}],"
	    "\"passed\":false"));
	tf_evaluation_free(&e);
	/* 20,000 pass and the last one does not. */
	b.n = 0;
	tf_buf_str(&b, "{\"l\":[");
	for (unsigned i = 0; i < 20000; i++)
		tf_buf_printf(&b, "{\"n\":%u,\"v\":1},", i);
	tf_buf_str(&b, "{\"n\":\"last\",\"v\":11}]}");
	e = evaluate(t, b.p, b.n);
	ck_assert(!e.compliant && says(&e, "\"subject\":{\"id\":\"last\""));
	ck_assert(says(&e, "\"check\":\"$cut\""));
	tf_evaluation_free(&e);
	/* One that all pass. */
	b.n -= strlen(",{\"n\":\"last\",\"v\":11}]}");
	tf_buf_str(&b, "]}");
	e = evaluate(t, b.p, b.n);
	ck_assert(e.compliant && says(&e, "\"check\":\"$cut\""));
	tf_evaluation_free(&e);
	tf_buf_free(&b);
	tf_type_free(t);
}
END_TEST

START_TEST(long_values_are_cut_at_a_character)
{
	struct tf_type *t = type_of(HEAD
	    "requirements: [{id: r, subject_id: n,"
	    " checks: [{operator: present, path: v}]}]");
	struct tf_buf b = { 0 };
	struct tf_evaluation e;

	tf_buf_str(&b, "{\"v\":\"");
	for (unsigned i = 0; i < 100000; i++)
		tf_buf_str(&b, "\xe2\x82\xac");
	tf_buf_str(&b, "\",\"n\":[");
	for (unsigned i = 0; i < 1000; i++)
		tf_buf_str(&b, "1,");
	tf_buf_str(&b, "1]}");
	e = evaluate(t, b.p, b.n);
	ck_assert(e.compliant);
	ck_assert_uint_lt(e.report.n, 2000);
	ck_assert(says(&e,
	    "{\"cut\":true,\"name\":\"v\",\"value\":\"\\\""
	    "\xe2\x82\xac"));
	ck_assert(says(&e, "{\"cut\":true,\"id\":\"[1,1,"));
	e.report.n--;
	for (size_t i = 0, len; i < e.report.n; i += len) {
		uint32_t cp;

		len = tf_utf8(e.report.p + i, e.report.n - i, &cp);
		must(len > 0);
	}
	tf_evaluation_free(&e);
	tf_buf_free(&b);
	tf_type_free(t);
}
END_TEST

/* Long texts and a pattern that is long when its repeats are written out. */
START_TEST(too_much_work_fails_closed)
{
	struct tf_type *t = type_of(HEAD
	    "requirements: [{id: r, from: l, checks: [{operator: "
	    "not_matches_any, path: v, patterns: ['x{254}']}]}]");
	struct tf_buf b = { 0 };
	struct tf_evaluation e;
	char text[TF_PATTERN_SUBJECT + 1] = "";

	memset(text, 'a', TF_PATTERN_SUBJECT);
	tf_buf_str(&b, "{\"l\":[{\"v\":\"\"}");
	for (unsigned i = 0; i < 100; i++)
		tf_buf_printf(&b, ",{\"v\":\"%s\"}", text);
	tf_buf_str(&b, "]}");
	e = evaluate(t, b.p, b.n);
	ck_assert(e.compliant);
	tf_evaluation_free(&e);
	b.n -= 2;
	for (unsigned i = 0; i < 100; i++)
		tf_buf_printf(&b, ",{\"v\":\"%s\"}", text);
	tf_buf_str(&b, "]}");
	e = evaluate(t, b.p, b.n);
	ck_assert(!e.compliant);
	ck_assert(says(&e, "judging it is too much work"));
	ck_assert(!says(&e, "\"satisfied\":true"));
	tf_evaluation_free(&e);
	tf_buf_free(&b);
	tf_type_free(t);
}
END_TEST

/* NAME.yml judges NAME.json: the report is NAME.report.json, byte for byte, and
 * is JSON as the reader for others' JSON reads it. */
START_TEST(reports_are_those_of_the_vectors)
{
	DIR *d = opendir(TF_VECTORS "/checks");
	unsigned seen = 0;
	struct dirent *f;

	ck_assert_ptr_nonnull(d);
	while ((f = readdir(d)) != NULL) {
		size_t n = strlen(f->d_name);
		struct tf_buf yaml, json, report;
		struct tf_evaluation e;
		struct tf_any_doc doc;
		struct tf_type *t;
		char name[300];

		if (n < 4 || strcmp(f->d_name + n - 4, ".yml") != 0)
			continue;
		n -= 4;
		snprintf(name, sizeof(name), "checks/%s", f->d_name);
		yaml = read_vector(name);
		snprintf(name, sizeof(name), "checks/%.*s.json", (int)n,
		    f->d_name);
		json = read_vector(name);
		snprintf(name, sizeof(name), "checks/%.*s.report.json", (int)n,
		    f->d_name);
		report = read_vector(name);
		ck_assert_int_eq(TF_OK,
		    tf_type_parse(yaml.p, yaml.n, &t, NULL));
		e = evaluate(t, json.p, json.n);
		assert_same(report.p, report.n, e.report.p, e.report.n - 1);
		ck_assert_int_eq(TF_OK,
		    tf_any_parse(&doc, report.p, report.n, NULL));
		tf_any_free(&doc);
		tf_evaluation_free(&e);
		tf_type_free(t);
		tf_buf_free(&yaml);
		tf_buf_free(&json);
		tf_buf_free(&report);
		seen++;
	}
	closedir(d);
	ck_assert_uint_ge(seen, 3);
}
END_TEST

/* The example of the manual page is a type, as it is printed. */
START_TEST(the_type_of_the_manual_is_accepted)
{
	static const char begin[] = ".Bd -literal -offset indent\n";
	struct tf_buf page = read_vector("../../man/trailfs-type.5");
	const char *text = strstr(page.p, begin), *end;
	struct tf_error err = { 0 };
	struct tf_type *t;

	ck_assert_ptr_nonnull(text);
	text += strlen(begin);
	end = strstr(text, ".Ed\n");
	ck_assert_ptr_nonnull(end);
	ck_assert_msg(tf_type_parse(text, (size_t)(end - text), &t, &err) ==
		TF_OK,
	    "%s", err.text);
	ck_assert_uint_eq(1, t->n);
	ck_assert_uint_eq(2, t->requirements[0].checks.n);
	tf_type_free(t);
	tf_buf_free(&page);
}
END_TEST

#define LOOP(t, test, table) \
	tcase_add_loop_test(t, test, 0, sizeof(table) / sizeof(*(table)))

Suite *
suite_checks(void)
{
	Suite *s = suite_create("checks");
	TCase *t = tcase_create("checks");

	tcase_set_timeout(t, 120);
	LOOP(t, operators_give_cause_and_verdict, operators);
	LOOP(t, schemas_name_each_violation, schemas);
	LOOP(t, bad_definitions_are_refused_with_their_place, refused);
	LOOP(t, only_patterns_that_cannot_run_away_are_allowed, patterns);
	LOOP(t, patterns_match_bytes_of_one_line, matching);
	tcase_add_test(t, no_pattern_needs_time_out_of_proportion);
	LOOP(t, requirements_are_satisfied_by_enough_subjects, requirements);
	tcase_add_test(t, evidence_that_cannot_be_judged_fails_closed);
	tcase_add_test(t, long_reports_are_cut_and_say_so);
	tcase_add_test(t, long_values_are_cut_at_a_character);
	tcase_add_test(t, too_much_work_fails_closed);
	tcase_add_test(t, reports_are_those_of_the_vectors);
	tcase_add_test(t, the_type_of_the_manual_is_accepted);
	suite_add_tcase(s, t);
	return s;
}
