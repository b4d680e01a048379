/* Pages for people: whole, harmless, and their links lead somewhere. */
#include <sys/xattr.h>

#include "../faults/fault.h"
#include "harness.h"

static const char *const pages[] = { "mnt/.trailfs/index.html",
	"mnt/t/.trailfs/index.html", W "/.trailfs/index.html" };

/* What somebody might call a file who means harm, or nothing by it. */
static const char *const names[] = { "<img src=x onerror=alert(1)>.txt",
	"<script>alert(1)<&script>", "\"><svg onload=alert(1)>", "' onclick='x",
	"javascript:alert(1)", "data:text,x", "&lt;", "&#x3c;b", "%3Cb%3E",
	"?a=b#c", "back\\slash", "-->", "]]>", "a b", ".env", "\xc3\xbc",
	"\xd7\xa2\xd7\x91\xd7\xa8.txt", "{{7*7}}", "%s%n" };

static void
make_hostile(void)
{
	char path[300], *longest = path + sizeof A;

	make_attestation();
	for (size_t i = 0; i < LEN(names); i++) {
		snprintf(path, sizeof path, A "/%s", names[i]);
		put(path, names[i]);
	}
	snprintf(path, sizeof path, A "/%0255d", 0);
	ck_assert_uint_eq(255, strlen(longest));
	put(path, "long");
	run(0, "mkdir -p '" A "/<b>/d e' && echo x >'" A "/<b>/d e/f?'");
	run(0,
	    "chmod a-w " A " && mkdir " A "@2 " W "/b mnt/t/w2 mnt/t2 && "
	    "chmod g+w mnt/t");
}

START_TEST(pages_are_well_formed)
{
	skip_unless(have("xmllint"), "no xmllint");
	make_hostile();
	for (size_t i = 0; i < LEN(pages); i++) {
		run(0, "xmllint --noout %s", pages[i]);
		run(0, "head -n 1 %s | grep -qx '<!DOCTYPE html>'", pages[i]);
	}
}
END_TEST

START_TEST(no_name_becomes_markup)
{
	static const char *const never[] = { "<img", "<script>a", "<svg o",
		"<b>", "onclick='", "javascript:alert(1)\"",
		"\"data:", "http://", "https://" };

	make_hostile();
	for (size_t i = 0; i < LEN(pages); i++)
		for (size_t k = 0; k < LEN(never); k++)
			ck_assert_msg(strstr(content(pages[i], NULL),
					  never[k]) == NULL,
			    "'%s' in %s", never[k], pages[i]);
	says(content(pages[2], NULL), "&lt;img src=x onerror=alert(1)&gt;.txt");
	says(content(pages[2], NULL),
	    "href=\"../a/javascript%3Aalert%281%29\"");
}
END_TEST

/* Follow every link from the vault's page, as a static web server serves it. */
static const char crawl[] =
    "import functools, html.parser, http.server, re, sys, threading\n"
    "import urllib.parse, urllib.request\n"
    "class Quiet(http.server.SimpleHTTPRequestHandler):\n"
    "    def log_message(self, *args): pass\n"
    "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0),\n"
    "    functools.partial(Quiet, directory='mnt'))\n"
    "threading.Thread(target=s.serve_forever, daemon=True).start()\n"
    "base = 'http://127.0.0.1:%d/' % s.server_port\n"
    "class Links(html.parser.HTMLParser):\n"
    "    def __init__(self):\n"
    "        super().__init__()\n"
    "        self.links, self.ids, self.tags = [], set(), set()\n"
    "    def handle_starttag(self, tag, attrs):\n"
    "        a = dict(attrs)\n"
    "        self.tags.add(tag)\n"
    "        assert not any(k.startswith('on') for k in a), attrs\n"
    "        assert 'src' not in a, attrs\n"
    "        if 'href' in a: self.links.append(a['href'])\n"
    "        if 'id' in a: self.ids.add(a['id'])\n"
    "def untimed(b): return re.sub(rb'\"evaluated.*?,|>As of <.*?</time>|"
    "<figure>.*?</figure>',\n"
    "    b'', b, flags=re.S)\n"
    "todo, seen, files = [base + '.trailfs/index.html'], set(), 0\n"
    "while todo:\n"
    "    url = todo.pop()\n"
    "    if url in seen: continue\n"
    "    seen.add(url)\n"
    "    with urllib.request.urlopen(url) as r: body = r.read()\n"
    "    path = urllib.parse.unquote(url[len(base):])\n"
    "    here = open('mnt/' + path, 'rb').read()\n"
    "    assert untimed(body) == untimed(here), url\n"
    "    if '/.trailfs/' not in '/' + path: files += 1\n"
    "    if not url.endswith('/index.html'): continue\n"
    "    p = Links()\n"
    "    p.feed(body.decode())\n"
    "    assert not p.tags & {'img', 'b', 'link', 'iframe'}, p.tags\n"
    "    assert body.count(b'<script') == 1, url\n"
    "    assert body.count(b'<svg') <= 1, url\n"
    "    for l in p.links:\n"
    "        if l.startswith('#'): assert l[1:] in p.ids, l\n"
    "        else: todo.append(urllib.parse.urljoin(url, l))\n"
    "        assert todo == [] or todo[-1].startswith(base), l\n"
    "print(files, len(seen))\n";

START_TEST(every_link_leads_to_a_file)
{
	unsigned files = 0, all = 0;

	skip_unless(have("python3"), "no python3");
	make_hostile();
	run(0,
	    "cd " W "/b && echo '<testsuite/>' >r.xml && "
	    "printf x >.trailfs/user-data");
	allowed(setxattr(W "/b", "user.trailfs.type", "junit", 5, 0));
	run(0, "trailctl seal " W "/b");
	says(content(pages[2], NULL), "href=\"../b/.trailfs/user-data\"");
	put("crawl.py", crawl);
	ck_assert_int_eq(2,
	    sscanf(run(0, "python3 crawl.py"), "%u %u", &files, &all));
	ck_assert_uint_eq(LEN(names) + 3, files); /* each piece of evidence */
	ck_assert_uint_gt(all, 2 * files);	  /* and its proof */
}
END_TEST

/* The unsealed, the unknown and the root itself. */
START_TEST(pages_say_how_things_are)
{
	make_attestation();
	says(content(pages[2], NULL), "<title>w: INCOMPLETE - trailfs</title>");
	says(content(pages[2], NULL),
	    ">not yet: attestations can still be added<");
	put_sealed(A "/f", "x");
	run(0, "trailctl seal " W);
	says(content(pages[2], NULL), "<title>w: COMPLIANT - trailfs</title>");
	says(content(pages[2], NULL),
	    "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
	says(content(pages[2], NULL), "<td>Workflow sealed</td>");
	says(content(pages[1], NULL), ">COMPLIANT<");
	says(content(pages[0], NULL), "example.org/test");
	refused(ENOENT, try_open(A "/.trailfs/index.html", O_RDONLY));
	ck_assert_int_eq(0440, stat_of(pages[2]).st_mode & 07777);
}
END_TEST

/* After one start with the clock ten years ahead the ledger's order stays there;
 * people are shown when things happened. */
START_TEST(times_are_those_of_the_clock)
{
	static const char marked[] = "by the clock; its place in the ledger is";
	const char *today = run(0, "date -u +%%Y-%%m-%%d | tr -d '\\n'");
	char begun[64], month[64];

	skip_unless(FAULTS_WORK, "a sanitizer wants to be loaded first");
	unmount_vault();
	run(0,
	    "LD_PRELOAD=" FAULTS_SHIM " SHIM_CLOCK_AHEAD_S=315360000 "
	    "trailctl sync store");
	mount_vault("settle=0");
	make_attestation();
	put_sealed(A "/f", "x");
	run(0, "chmod a-w " A);
	snprintf(begun, sizeof begun, "<time datetime=\"%s", today);
	snprintf(month, sizeof month, "\"clock\":\"%.7s", today);
	for (size_t i = 0; i < LEN(pages); i++) {
		says(content(pages[i], NULL), begun);
		says(content(pages[i], NULL), marked);
	}
	says(content(W "/.trailfs/status.md", NULL), marked);
	says(content(W "/.trailfs/status.json", NULL), month);
	says(content(W "/.trailfs/status.json", NULL), "\"reported_clock\":");
	says(content(A "/.trailfs/attestation.json", NULL), month);
	says(content(A "/.trailfs/attestation.json", NULL),
	    "\"sealed_clock\":");
	if (have("jq"))
		run(0,
		    "now=$(date +%%s); for f in mnt/t " W " " A "; do "
		    "f=$f/.trailfs/status.json; [ -e $f ] || "
		    "f=" A "/.trailfs/attestation.json; "
		    "[ $((now - $(jq '.created_at|floor' $f))) -lt 86400 ] || exit 1; "
		    "done");
}
END_TEST

START_TEST(pages_lead_up_down_and_away)
{
	make_attestation();
	put_sealed(A "/f", "x");
	says(content(pages[2], NULL),
	    "<a href=\"../../../.trailfs/index.html\">");
	says(content(pages[2], NULL), "<a href=\"package.zip\">");
	says(content(pages[1], NULL), "<a href=\"package.zip\">");
	/* What an event is about. */
	says(content(pages[2], NULL), "<td class=\"path\"><a href=\"../a/f\">");
	says(content(pages[2], NULL),
	    "<td class=\"path\"><a href=\"../a/.trailfs/attestation.json\">");
	says(content(pages[1], NULL),
	    "<td class=\"path\"><a href=\"../w/.trailfs/index.html\">");
	says(content(pages[0], NULL),
	    "<td class=\"path\"><a href=\"../t/w/a/f\">");
	says(content(pages[0], NULL),
	    "<td class=\"path\"><a href=\"../t/w/.trailfs/index.html\">");
}
END_TEST

/* Tables scroll by themselves, and by keyboard. */
START_TEST(wide_tables_take_the_focus)
{
	make_attestation();
	put_sealed(A "/f", "x");
	for (size_t i = 0; i < LEN(pages); i++) {
		run(1, "grep '<table' %s | grep -v 'tabindex=\"0\"'", pages[i]);
		run(1,
		    "grep '<table' %s | grep -v 'role=\"region\".* "
		    "aria-label=\"[A-Z]'",
		    pages[i]);
		says(content(pages[i], NULL), ".who{white-space:nowrap}");
		says(content(pages[i], NULL), "<bdi class=\"who\">root (0)<");
	}
	says(content(pages[2], NULL), "aria-label=\"Evidence of a\"");
}
END_TEST

/* In a frame as wide as a telephone, by a real browser: how wide is each page,
 * and which of its parts stick out? */
static const char frame[] =
    "<!DOCTYPE html><body><iframe id=\"f\" "
    "style=\"width:390px;height:3000px;border:0\"></iframe><pre id=\"o\">"
    "</pre><script>"
    "async function go() {"
    " const f = document.getElementById('f'), out = [];"
    " for (const p of ['.trailfs', 't/.trailfs', 't/w/.trailfs']) {"
    "  await new Promise(r => { f.onload = r;"
    "   f.src = 'mnt/' + p + '/index.html' });"
    "  const d = f.contentDocument;"
    "  const n = [...d.querySelectorAll('body *')].filter(x =>"
    "   !x.closest('.wide') && x.getBoundingClientRect().right > 390.5);"
    "  out.push('WIDTH ' + (d.documentElement.scrollWidth <= 390) + ' '"
    "   + n.length);"
    " }"
    " document.getElementById('o').textContent = out.join(';');"
    "}"
    "go()</script>";

static const char look[] =
    "import functools, http.server, subprocess, threading\n"
    "class Quiet(http.server.SimpleHTTPRequestHandler):\n"
    "    def log_message(self, *args): pass\n"
    "s = http.server.ThreadingHTTPServer(('127.0.0.1', 0),\n"
    "    functools.partial(Quiet, directory='.'))\n"
    "threading.Thread(target=s.serve_forever, daemon=True).start()\n"
    "p = subprocess.run(['chromium', '--headless', '--no-sandbox',\n"
    "    '--disable-gpu', '--no-first-run', '--disable-component-update',\n"
    "    '--disable-background-networking', '--disable-sync',\n"
    "    '--user-data-dir=profile', '--virtual-time-budget=20000',\n"
    "    '--dump-dom', 'http://127.0.0.1:%d/frame.html' % s.server_port],\n"
    "    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=300)\n"
    "print(p.stdout.decode().split('<pre id=\"o\">')[1].split('<')[0])\n";

START_TEST(no_page_scrolls_sideways_on_a_telephone)
{
	skip_unless(have("python3"), "no python3");
	skip_unless(have("chromium"), "no chromium");
	make_hostile();
	put("frame.html", frame);
	put("look.py", look);
	ck_assert_str_eq("WIDTH true 0;WIDTH true 0;WIDTH true 0\n",
	    run(0, "python3 look.py"));
}
END_TEST

/* A page says of which moment it is, and is read again while its directory can
 * change, also without a script; a package has no present. */
START_TEST(only_what_can_change_is_read_again)
{
	static const char again[] =
	    "<noscript><meta http-equiv=\"refresh\" content=";

	make_attestation();
	put_sealed(A "/f", "x");
	for (size_t i = 0; i < LEN(pages); i++) {
		says(content(pages[i], NULL), again);
		says(content(pages[i], NULL), ">As of <time datetime=\"20");
	}
	run(0, "trailctl package -o open.zip " W);
	run(0, "trailctl seal " W);
	ck_assert_ptr_null(strstr(content(pages[2], NULL), again));
	says(content(pages[2], NULL), ">As of <time datetime=\"20");
	says(content(pages[1], NULL), again);
	run(0, "trailctl seal mnt/t && trailctl package -o t.zip mnt/t");
	ck_assert_ptr_null(strstr(content(pages[1], NULL), again));
	says(content(pages[0], NULL), again);
	skip_unless(have("unzip"), "no unzip");
	run(1, "unzip -p open.zip '*index.html' | grep 'refresh\\|>As of <'");
	run(1, "unzip -p t.zip '*index.html' | grep 'refresh\\|>As of <'");
	run(0, "unzip -p open.zip '*index.html' >page.html");
	says(content("page.html", NULL), "<svg role=\"img\"");
}
END_TEST

/* Names that a template asks for, and the picture and the table of times. */
START_TEST(pages_say_what_is_missing_and_when)
{
	make_attestation();
	put("mnt/t/.trailfs/template.yml",
	    "version: 1\ntrail:\n  attestations:\n    - name: tests\n"
	    "      type: generic\n    - name: review\n      type: generic\n");
	run(0, "mkdir -p mnt/t/x/tests && echo x >mnt/t/x/tests/f");
	run(0, "trailctl seal mnt/t/x/tests");
	says(content("mnt/t/x/.trailfs/index.html", NULL),
	    "<dt>Missing</dt><dd><bdi>review</bdi></dd>");
	run(0,
	    "grep -A 9 '<h2>What is missing' %s | tr -d '\\n' | "
	    "grep -q '/x/.trailfs/index.html.*<td><bdi>review</bdi></td>'",
	    pages[1]);
	says(content("mnt/t/x/.trailfs/index.html", NULL),
	    "<title>tests: COMPLIANT</title></rect>");
	says(content(pages[2], NULL), "<title>a: OPEN</title></rect>");
	says(content(pages[2], NULL), "<title id=\"timeline-name\">");
	says(content(pages[2], NULL), "aria-label=\"Timeline\"><table>");
	says(content(pages[2], NULL), "<h2>Anchors</h2>\n<p>None: ");
}
END_TEST

/* The picture does not grow with the attestations. */
START_TEST(a_timeline_of_many_is_bounded)
{
	size_t n;

	run(0, "mkdir -p " W " && cd " W " && seq 1010 | xargs mkdir");
	content(pages[2], &n);
	run(0, "test $(grep -c '^<rect ' %s) = 1000", pages[2]);
	says(content(pages[2], NULL), "The last 1000 of 1010 attestations.");
	says(content(pages[2], NULL), "viewBox=\"0 0 960 744\"");
	run(0, "test $(sed -n '/<svg/,/<.svg/p' %s | wc -c) -lt 150000",
	    pages[2]);
	ck_assert_uint_lt(n, 2 << 20);
}
END_TEST

START_TEST(a_page_of_many_is_not_endless)
{
	size_t n;

	run(0, "mkdir mnt/t && cd mnt/t && seq 620 | xargs mkdir");
	run(0, "test $(grep -c '<tr><th scope=\"row\">' %s) = 620", pages[1]);
	says(content(pages[1], NULL), "href=\"../620/.trailfs/index.html\"");
	run(0, "test $(grep -c '^<tbody>' %s) = 8", pages[1]);
	run(0, "test $(wc -l <mnt/t/.trailfs/status.json) = 620");
	/* A row of 10,000 costs few bytes. */
	content(pages[1], &n);
	ck_assert_uint_lt(n, 620 * 420 + 500 * 400 + 40000);
}
END_TEST

Suite *
suite_pages(void)
{
	Suite *s = suite_create("pages");
	TCase *t = mounted_case(s, "pages");

	tcase_add_test(t, pages_are_well_formed);
	tcase_add_test(t, no_name_becomes_markup);
	tcase_add_test(t, every_link_leads_to_a_file);
	tcase_add_test(t, pages_say_how_things_are);
	tcase_add_test(t, times_are_those_of_the_clock);
	tcase_add_test(t, pages_lead_up_down_and_away);
	tcase_add_test(t, wide_tables_take_the_focus);
	tcase_add_test(t, no_page_scrolls_sideways_on_a_telephone);
	tcase_add_test(t, only_what_can_change_is_read_again);
	tcase_add_test(t, pages_say_what_is_missing_and_when);
	tcase_add_test(t, a_timeline_of_many_is_bounded);
	tcase_add_test(t, a_page_of_many_is_not_endless);
	return s;
}
