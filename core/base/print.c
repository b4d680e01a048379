/*
 * The style of pages for paper.  Sheets keep the size that the printer has.  The foot
 * is made of the margin boxes of CSS Paged Media, whose text is a string of CSS: only
 * the origin, which cannot hold a quote, a number, a digest and words of ours stand
 * there.
 */
#include "bytes.h"
#include "html.h"
#include "print.h"

static const char style[] =
    "*{box-sizing:border-box}"
    "html{color-scheme:light}"
    "body{margin:0 auto;max-width:180mm;padding:6mm;background:#fff;color:#000;"
    "font:9.5pt/1.4 \"Liberation Sans\",\"DejaVu Sans\",Arial,sans-serif;"
    "overflow-wrap:anywhere}"
    "h1{font-size:16pt;line-height:1.25;margin:0 0 3mm}"
    "h2{font-size:12pt;margin:7mm 0 2mm;border-bottom:.3mm solid #000}"
    "h3{font-size:10.5pt;margin:5mm 0 1mm}"
    "h1,h2,h3{break-after:avoid}"
    "dl{display:grid;grid-template-columns:38mm minmax(0,1fr);gap:.6mm 4mm;"
    "margin:1mm 0}"
    "dt,.soft{color:#333}dd{margin:0;white-space:pre-line}"
    "table{border-collapse:collapse;width:100%%;margin:1.5mm 0}"
    "thead{display:table-header-group}"
    "th,td{text-align:left;vertical-align:top;padding:.7mm 2mm .7mm 0;"
    "border-bottom:.2mm solid #999;font-size:8.5pt}"
    "tr,li{break-inside:avoid}"
    "td.n,th.n{text-align:right}"
    "code{font:7.5pt/1.3 \"Liberation Mono\",\"DejaVu Sans Mono\",monospace}"
    "th code,thead th,time{white-space:nowrap}"
    ".verdict{border:.4mm solid #000;padding:.3mm 2mm;font-size:11pt;"
    "white-space:nowrap}"
    ".badge{font-weight:600}"
    ".sheet{break-before:page}"
    ".blank{border-bottom:.2mm solid #000;min-height:8mm}";

void
tf_print_style(struct tf_buf *out, const char *origin, uint64_t size,
    const struct tf_hash *root, const char *verdict)
{
	char hex[65];

	tf_hex(root->b, sizeof(root->b), hex);
	tf_html(out, "<style>");
	tf_html(out, style);
	/* Quotes would be escaped, and an element's text is not unescaped in
	 * <style>: the strings have apostrophes, and no text has any. */
	tf_buf_printf(out,
	    "@page{margin:16mm 15mm 24mm;"
	    "@bottom-left{content:'%s, %llu entries, %s\\A root %s';"
	    "white-space:pre;font:6.5pt/1.4 'Liberation Sans',Arial,"
	    "sans-serif;text-align:left;width:80%%}"
	    "@bottom-right{content:'Page ' counter(page) ' of ' "
	    "counter(pages);font:7.5pt 'Liberation Sans',Arial,sans-serif}}"
	    "@media print{body{max-width:none;padding:0}}",
	    origin, (unsigned long long)size, verdict, hex);
	tf_html(out, "</style>\n");
}
