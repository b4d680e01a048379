// The player of a page that replays a recording of a terminal session.
//
// The bytes of the recording are hostile: whoever was recorded chose them.  They
// reach the page only as textContent and as numbers, so nothing in them becomes
// markup, a link, a title, a request or a key.  What a terminal answers to its
// program (reports, clipboard, titles, hyperlinks) is read and dropped.
//
// Every table has a limit that the recording cannot change: LIMIT_COLS and
// LIMIT_ROWS for the screen, LIMIT_ARGS and LIMIT_ARG for a control sequence.
'use strict';
(() => {
const LIMIT_COLS = 500, LIMIT_ROWS = 200, LIMIT_ARGS = 32, LIMIT_ARG = 9999;
const LIMIT_SHARED = 64; // kinds of lines of equal cells
const IDLE = 2; // seconds; a longer pause is shortened to this
const LIMIT_FOUND = 200; // lines that a search shows
const $ = id => document.getElementById(id);

// --- characters -----------------------------------------------------------

// Code points that take no cell, and those that take two, as ranges.
const NARROW = [0x300, 0x36f, 0x483, 0x489, 0x591, 0x5bd, 0x610, 0x61a, 0x64b,
	0x65f, 0x6d6, 0x6dc, 0xe31, 0xe31, 0xe34, 0xe3a, 0xe47, 0xe4e, 0x1ab0, 0x1aff,
	0x1dc0, 0x1dff, 0x200b, 0x200f, 0x202a, 0x202e, 0x2060, 0x2069, 0x20d0, 0x20f0,
	0xfe00, 0xfe0f, 0xfe20, 0xfe2f, 0xfeff, 0xfeff, 0xe0100, 0xe01ef];
const WIDE = [0x1100, 0x115f, 0x231a, 0x231b, 0x23e9, 0x23ec, 0x25fd, 0x25fe,
	0x2614, 0x2615, 0x26a1, 0x26a1, 0x2705, 0x2705, 0x274c, 0x274c, 0x2753, 0x2755,
	0x2757, 0x2757, 0x2795, 0x2797, 0x2e80, 0x303e, 0x3041, 0x33ff, 0x3400, 0x4dbf,
	0x4e00, 0x9fff, 0xa000, 0xa4cf, 0xa960, 0xa97f, 0xac00, 0xd7a3, 0xf900, 0xfaff,
	0xfe30, 0xfe6f, 0xff00, 0xff60, 0xffe0, 0xffe6, 0x1f300, 0x1f64f, 0x1f680,
	0x1f6ff, 0x1f900, 0x1f9ff, 0x1fa70, 0x1faff, 0x20000, 0x3fffd];
const within = (ranges, c) => {
	for (let i = 0; i < ranges.length && c >= ranges[i]; i += 2)
		if (c <= ranges[i + 1])
			return true;
	return false;
};
const width = c => c < 0x300 ? 1 : within(NARROW, c) ? 0 : within(WIDE, c) ? 2 : 1;
// Characters that would reorder or hide the text beside them.
const hidden = c => (c >= 0x80 && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
	(c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c === 0x61c ||
	c === 0xfeff || (c >= 0xfff9 && c <= 0xfffb);
// The line drawing characters of a VT100, from '`' on.
const DRAWING = '\u25c6\u2592\u2409\u240c\u240d\u240a\u00b0\u00b1\u2424\u240b' +
	'\u2518\u2510\u250c\u2514\u253c\u23ba\u23bb\u2500\u23bc\u23bd\u251c\u2524' +
	'\u2534\u252c\u2502\u2264\u2265\u03c0\u2260\u00a3\u00b7';

// --- the screen -----------------------------------------------------------

// A style: colours are -1 (default), 0-255 (palette) or 0x1000000 + RGB.
const PLAIN = {fg: -1, bg: -1, bold: false, dim: false, italic: false, under: false,
	strike: false, inverse: false, conceal: false};
const BLANK = {c: ' ', s: PLAIN};

class Screen {
	constructor(cols, rows) {
		this.cols = cols;
		this.rows = rows;
		this.shared = new Map();
		this.reset();
	}
	reset() {
		this.style = PLAIN;
		this.x = this.y = 0;
		this.wrapped = false; // the next character begins a line
		this.top = 0;
		this.bottom = this.rows - 1;
		this.origin = false;
		this.wraps = true;
		this.inserts = false;
		this.shows = true; // the cursor
		this.sets = [false, false]; // G0, G1: line drawing
		this.set = 0;
		this.stops = null; // of tabs; null: each eighth column
		this.lines = this.empty();
		this.other = null; // the main screen while the alternate one is shown
		this.saved = null;
		this.last = ''; // for REP
		this.state = 'text';
		this.need = this.code = 0; // of a UTF-8 character
	}
	blank() {
		return this.style.bg < 0 ? BLANK : {c: ' ', s: {...PLAIN, bg: this.style.bg}};
	}
	// A line of equal cells.  Lines are shared until something is written to
	// them: a recording of nothing but erasures must not take minutes.
	line(cell = this.blank()) {
		const key = cell.c + cell.s.bg;
		let l = this.shared.get(key);
		if (!l) {
			if (this.shared.size > LIMIT_SHARED)
				this.shared.clear();
			l = Array(this.cols).fill(cell);
			l.shared = true;
			this.shared.set(key, l);
		}
		return l;
	}
	// Line y, to be written to.
	own(y) {
		const l = this.lines[y];
		return l.shared ? this.lines[y] = l.slice() : l;
	}
	tabs() {
		if (this.stops === null) {
			this.stops = new Set();
			for (let i = 8; i < LIMIT_COLS; i += 8)
				this.stops.add(i);
		}
		return this.stops;
	}
	stopsAt(x) {
		return this.stops === null ? x % 8 === 0 : this.stops.has(x);
	}
	empty() {
		return Array(this.rows).fill(this.line());
	}
	resize(cols, rows) {
		if (cols === this.cols && rows === this.rows)
			return;
		const fit = lines => {
			// Lines above go first if the cursor would be below the end.
			const cut = Math.max(0, Math.min(lines.length, this.y + 1) - rows);
			lines = lines.slice(cut, cut + rows).map(l => {
				l = l.slice(0, cols);
				while (l.length < cols)
					l.push(BLANK);
				return l;
			});
			while (lines.length < rows)
				lines.push(Array(cols).fill(BLANK));
			return [lines, cut];
		};
		this.shared.clear();
		const [lines, cut] = fit(this.lines);
		if (this.other)
			this.other = fit(this.other)[0];
		this.lines = lines;
		this.y = Math.min(rows - 1, this.y - cut);
		this.cols = cols;
		this.rows = rows;
		this.x = Math.min(cols - 1, this.x);
		this.top = 0;
		this.bottom = rows - 1;
		this.wrapped = false;
	}
	// Scroll the lines top to bottom by n, up if n is positive.
	scroll(n, top = this.top) {
		const size = this.bottom - top + 1;
		const up = n > 0;
		n = Math.min(Math.abs(n), size);
		const more = Array(n).fill(this.line());
		if (up) {
			this.lines.splice(top, n);
			this.lines.splice(this.bottom + 1 - n, 0, ...more);
		} else {
			this.lines.splice(this.bottom + 1 - n, n);
			this.lines.splice(top, 0, ...more);
		}
	}
	down() {
		if (this.y === this.bottom)
			this.scroll(1);
		else if (this.y < this.rows - 1)
			this.y++;
	}
	up() {
		if (this.y === this.top)
			this.scroll(-1);
		else if (this.y > 0)
			this.y--;
	}
	move(x, y) {
		this.wrapped = false;
		this.x = Math.max(0, Math.min(this.cols - 1, x));
		this.y = Math.max(0, Math.min(this.rows - 1, y));
	}
	// Move by lines: a scroll region holds the cursor that is in it.
	climb(n) {
		const low = n < 0 && this.y >= this.top ? this.top : 0;
		const high = n > 0 && this.y <= this.bottom ? this.bottom : this.rows - 1;
		this.move(this.x, Math.max(low, Math.min(high, this.y + n)));
	}
	moveTo(x, y) {
		if (!this.origin)
			this.move(x, y);
		else
			this.move(x, Math.max(this.top,
				Math.min(this.bottom, y + this.top)));
	}
	// Half of a wide character that is overwritten leaves a space.
	split(l, x) {
		if (l[x] && l[x].c === '' && x > 0)
			l[x - 1] = BLANK;
		if (l[x + 1] && l[x + 1].c === '')
			l[x + 1] = BLANK;
	}
	fill(y, from, to) {
		from = Math.max(0, from);
		to = Math.min(this.cols, to);
		if (from >= to)
			return;
		if (from === 0 && to === this.cols) {
			this.lines[y] = this.line();
			return;
		}
		const l = this.own(y), b = this.blank();
		this.split(l, from);
		this.split(l, to - 1);
		l.fill(b, from, to);
	}
	put(code) {
		let c = String.fromCodePoint(code), w = width(code);
		if (this.sets[this.set] && code >= 0x60 && code < 0x7f)
			c = DRAWING[code - 0x60];
		if (hidden(code))
			return;
		if (w === 0) { // belongs to the character before it
			const l = this.own(this.y);
			let x = this.wrapped ? this.x : this.x - 1;
			if (x > 0 && l[x].c === '')
				x--;
			if (x >= 0 && l[x].c.length < 16)
				l[x] = {c: l[x].c + c, s: l[x].s};
			return;
		}
		if (w > this.cols)
			return;
		if (this.wrapped || (this.x + w > this.cols && this.wraps)) {
			this.wrapped = false;
			this.x = 0;
			this.down();
		}
		if (this.x + w > this.cols)
			this.x = this.cols - w;
		const l = this.own(this.y);
		if (this.inserts) {
			for (let i = 0; i < w; i++)
				l.splice(this.x, 0, BLANK);
			l.length = this.cols;
		}
		this.split(l, this.x);
		if (w === 2)
			this.split(l, this.x + 1);
		l[this.x] = {c, s: this.style};
		if (w === 2)
			l[this.x + 1] = {c: '', s: this.style};
		this.x += w;
		if (this.x >= this.cols) {
			this.x = this.cols - 1;
			this.wrapped = this.wraps;
		}
		this.last = code;
	}
	save() {
		this.saved = {x: this.x, y: this.y, style: this.style,
			sets: [...this.sets], set: this.set, origin: this.origin,
			wrapped: this.wrapped};
	}
	restore() {
		const s = this.saved;
		if (s === null)
			return this.move(0, 0);
		this.style = s.style;
		this.sets = [...s.sets];
		this.set = s.set;
		this.origin = s.origin;
		this.move(s.x, s.y);
		this.wrapped = s.wrapped;
	}
	alternate(on, clears) {
		if (on && this.other === null) {
			this.other = this.lines;
			this.lines = this.empty();
		} else if (on && clears) {
			this.lines = this.empty();
		} else if (!on && this.other !== null) {
			this.lines = this.other;
			this.other = null;
		}
	}

	// --- bytes ------------------------------------------------------------

	write(bytes) {
		for (let i = 0; i < bytes.length; i++)
			this.byte(bytes[i]);
	}
	// UTF-8, with U+FFFD for what is malformed.
	byte(b) {
		if (this.need > 0) {
			if (b >= this.low && b <= this.high) {
				this.code = this.code << 6 | (b & 0x3f);
				this.low = 0x80;
				this.high = 0xbf;
				if (--this.need === 0)
					this.char(this.code);
				return;
			}
			this.need = 0;
			this.char(0xfffd);
		}
		this.low = 0x80;
		this.high = 0xbf;
		if (b < 0x80) {
			this.char(b);
		} else if (b >= 0xc2 && b < 0xe0) {
			this.need = 1;
			this.code = b & 0x1f;
		} else if (b >= 0xe0 && b < 0xf0) {
			this.need = 2;
			this.code = b & 0xf;
			if (b === 0xe0)
				this.low = 0xa0;
			if (b === 0xed)
				this.high = 0x9f;
		} else if (b >= 0xf0 && b < 0xf5) {
			this.need = 3;
			this.code = b & 7;
			if (b === 0xf0)
				this.low = 0x90;
			if (b === 0xf4)
				this.high = 0x8f;
		} else {
			this.char(0xfffd);
		}
	}
	// A character, by the state of Paul Williams' parser of the VT500.
	char(c) {
		if (c === 0x18 || c === 0x1a) {
			this.state = 'text';
			return;
		}
		if (this.state === 'string' || this.state === 'end') {
			// OSC, DCS and their like: dropped up to their end.
			if (c === 7 || (this.state === 'end' && c === 0x5c))
				this.state = 'text';
			else if (this.state === 'end' && c !== 0x1b) {
				this.between = '';
				this.escaped(c);
			}
			else
				this.state = c === 0x1b ? 'end' : 'string';
			return;
		}
		if (c === 0x1b) {
			this.state = 'escape';
			this.between = '';
			return;
		}
		if (c < 0x20)
			return this.control(c);
		if (this.state === 'text') {
			if (c !== 0x7f)
				this.put(c);
		} else if (this.state === 'escape') {
			this.escaped(c);
		} else {
			this.sequence(c);
		}
	}
	control(c) {
		switch (c) {
		case 8:
			this.move(this.x - 1, this.y);
			break;
		case 9: {
			let x = this.x + 1;
			while (x < this.cols - 1 && !this.stopsAt(x))
				x++;
			this.move(x, this.y);
			break;
		}
		case 10: case 11: case 12:
			this.wrapped = false;
			this.down();
			break;
		case 13:
			this.move(0, this.y);
			break;
		case 14: case 15:
			this.set = c === 14 ? 1 : 0;
			break;
		}
	}
	escaped(c) {
		const f = String.fromCodePoint(c);
		if (c >= 0x20 && c < 0x30) {
			this.state = 'escape';
			this.between = (this.between + f).slice(0, 4);
			return;
		}
		this.state = 'text';
		if (this.between === '(' || this.between === ')') {
			this.sets[this.between === '(' ? 0 : 1] = f === '0';
			return;
		}
		if (this.between === '#' && f === '8') { // alignment
			this.lines = Array(this.rows).fill(this.line({c: 'E', s: PLAIN}));
			this.top = 0;
			this.bottom = this.rows - 1;
			this.move(0, 0);
		}
		if (this.between !== '')
			return;
		switch (f) {
		case '[':
			this.state = 'csi';
			this.args = [];
			this.arg = -1;
			this.mark = this.between = '';
			this.parts = false;
			break;
		case ']': case 'P': case 'X': case '^': case '_': case 'k':
			this.state = 'string';
			break;
		case '7': this.save(); break;
		case '8': this.restore(); break;
		case 'D': this.wrapped = false; this.down(); break;
		case 'E': this.move(0, this.y); this.down(); break;
		case 'M': this.wrapped = false; this.up(); break;
		case 'H': this.tabs().add(this.x); break;
		case 'c': this.reset(); break;
		}
	}
	sequence(c) {
		const f = String.fromCodePoint(c);
		if (f >= '0' && f <= '9') {
			this.arg = Math.min(LIMIT_ARG, Math.max(0, this.arg) * 10 + c - 48);
		} else if (f === ';' || f === ':') {
			if (this.args.length < LIMIT_ARGS)
				this.args.push({n: this.arg, part: this.parts});
			this.arg = -1;
			this.parts = f === ':';
		} else if (c >= 0x3c && c <= 0x3f) {
			this.mark = f;
		} else if (c < 0x30) {
			this.between = (this.between + f).slice(0, 4);
		} else {
			this.state = 'text';
			if (c >= 0x40 && c < 0x7f) {
				if (this.args.length < LIMIT_ARGS)
					this.args.push({n: this.arg, part: this.parts});
				this.run(this.mark + this.between + f);
			}
		}
	}
	// Argument i; d if it is absent or, where 0 means the same, 0.
	n(i, d = 1) {
		const a = this.args[i];
		return !a || a.n < 0 || (d === 1 && a.n === 0) ? d : a.n;
	}
	run(what) {
		const n = this.n(0), zero = this.n(0, 0), x = this.x, y = this.y;
		switch (what) {
		case 'A': this.climb(-n); break;
		case 'B': case 'e': this.climb(n); break;
		case 'C': case 'a': this.move(x + n, y); break;
		case 'D': this.move(x - n, y); break;
		case 'E': this.climb(n); this.move(0, this.y); break;
		case 'F': this.climb(-n); this.move(0, this.y); break;
		case 'G': case '`': this.move(n - 1, y); break;
		case 'd': this.moveTo(x, n - 1); break;
		case 'H': case 'f': this.moveTo(this.n(1) - 1, n - 1); break;
		case 'I':
			for (let i = 0; i < Math.min(n, this.cols); i++)
				this.control(9);
			break;
		case 'Z':
			for (let i = 0; i < Math.min(n, this.cols) && this.x > 0; i++)
				do
					this.move(this.x - 1, y);
				while (this.x > 0 && !this.stopsAt(this.x));
			break;
		case 'J': case '?J':
			if (zero === 0 || zero === 2)
				for (let i = y + (zero === 0); i < this.rows; i++)
					this.fill(i, 0, this.cols);
			if (zero === 1 || zero === 2)
				for (let i = 0; i < y; i++)
					this.fill(i, 0, this.cols);
			if (zero === 0)
				this.fill(y, x, this.cols);
			if (zero === 1)
				this.fill(y, 0, x + 1);
			break;
		case 'K': case '?K':
			this.fill(y, zero === 0 ? x : 0, zero === 1 ? x + 1 : this.cols);
			break;
		case 'X':
			this.fill(y, x, x + n);
			break;
		case '@': case 'P': {
			const l = this.own(y), k = Math.min(n, this.cols - x);
			this.split(l, x);
			const more = Array(k).fill(this.blank());
			if (what === '@')
				l.splice(x, 0, ...more);
			else {
				l.splice(x, k);
				l.push(...more);
			}
			l.length = this.cols;
			break;
		}
		case 'L': case 'M':
			if (y >= this.top && y <= this.bottom) {
				this.scroll(what === 'M' ? n : -n, y);
				this.move(0, y);
			}
			break;
		case 'S': this.scroll(n); break;
		case 'T': if (this.args.length < 2) this.scroll(-n); break;
		case 'b':
			// Within the line, as tmux has it.
			for (let i = Math.min(n, this.cols - x); i > 0 &&
				this.last !== ''; i--)
				this.put(this.last);
			break;
		case 'g':
			if (zero === 0)
				this.tabs().delete(x);
			else if (zero === 3)
				this.tabs().clear();
			break;
		case 'r': {
			const top = n - 1;
			const end = Math.min(this.rows, this.n(1, 0) || this.rows) - 1;
			if (top < end) {
				this.top = top;
				this.bottom = end;
				this.moveTo(0, 0);
			}
			break;
		}
		case 's': this.save(); break;
		case 'u': this.restore(); break;
		case 'h': case 'l':
			if (zero === 4)
				this.inserts = what === 'h';
			break;
		case '?h': case '?l':
			for (let i = 0; i < this.args.length; i++)
				this.mode(this.args[i].n, what === '?h');
			break;
		case 'm': this.colour(); break;
		case '!p':
			this.style = PLAIN;
			this.origin = this.inserts = false;
			this.wraps = this.shows = true;
			this.top = 0;
			this.bottom = this.rows - 1;
			this.sets = [false, false];
			this.set = 0;
			this.saved = null;
			break;
		}
	}
	mode(n, on) {
		switch (n) {
		case 6:
			this.origin = on;
			this.moveTo(0, 0);
			break;
		case 7:
			this.wraps = on;
			if (!on)
				this.wrapped = false;
			break;
		case 25: this.shows = on; break;
		case 47: case 1047: this.alternate(on, n === 1047); break;
		case 1048: on ? this.save() : this.restore(); break;
		case 1049:
			if (on)
				this.save();
			this.alternate(on, true);
			if (!on)
				this.restore();
			break;
		}
	}
	colour() {
		const s = {...this.style}, a = this.args;
		for (let i = 0; i < a.length; i++) {
			const n = Math.max(0, a[i].n);
			if (a[i].part)
				continue; // of an argument that was not understood
			if (n === 0) Object.assign(s, PLAIN);
			else if (n === 1) s.bold = true;
			else if (n === 2) s.dim = true;
			else if (n === 3) s.italic = true;
			else if (n === 4) s.under = !(a[i + 1] && a[i + 1].part && a[i + 1].n === 0);
			else if (n === 21) s.under = true;
			else if (n === 7) s.inverse = true;
			else if (n === 8) s.conceal = true;
			else if (n === 9) s.strike = true;
			else if (n === 22) s.bold = s.dim = false;
			else if (n === 23) s.italic = false;
			else if (n === 24) s.under = false;
			else if (n === 27) s.inverse = false;
			else if (n === 28) s.conceal = false;
			else if (n === 29) s.strike = false;
			else if (n >= 30 && n < 38) s.fg = n - 30;
			else if (n >= 40 && n < 48) s.bg = n - 40;
			else if (n >= 90 && n < 98) s.fg = n - 82;
			else if (n >= 100 && n < 108) s.bg = n - 92;
			else if (n === 39) s.fg = -1;
			else if (n === 49) s.bg = -1;
			else if (n === 38 || n === 48 || n === 58) {
				const parts = [];
				let j = i + 1;
				if (a[j] && a[j].part) {
					while (a[j] && a[j].part)
						parts.push(a[j++].n);
					if (parts[0] === 2 && parts.length > 4)
						parts.splice(1, 1); // colour space
				} else if (a[j]) {
					const k = a[j].n === 2 ? 4 : a[j].n === 5 ? 2 : 1;
					while (parts.length < k && a[j])
						parts.push(a[j++].n);
				}
				i = j - 1;
				const byte = v => Math.max(0, Math.min(255, v || 0));
				const colour = parts[0] === 5 ? byte(parts[1]) :
					parts[0] === 2 ? 0x1000000 + byte(parts[1]) * 65536 +
					byte(parts[2]) * 256 + byte(parts[3]) : null;
				if (colour !== null && n !== 58)
					s[n === 38 ? 'fg' : 'bg'] = colour;
			}
		}
		this.style = s;
	}
	text() {
		return this.lines.map(l => l.map(c => c.c).join('').trimEnd()).join('\n');
	}
}

// --- drawing --------------------------------------------------------------

// A colour for CSS, made of numbers; ground: of a background.
const css = (n, ground) => {
	if (n >= 0x1000000)
		return `rgb(${n >> 16 & 255},${n >> 8 & 255},${n & 255})`;
	if (n < 16)
		return `var(--${ground ? 'b' : 'f'}${n})`;
	if (n >= 232)
		return `rgb(${Array(3).fill((n - 232) * 10 + 8)})`;
	n -= 16;
	return `rgb(${[Math.floor(n / 36), Math.floor(n / 6) % 6, n % 6].map(v =>
		v ? v * 40 + 55 : 0)})`;
};
const dress = (span, s, cursor) => {
	let fg = s.fg, bg = s.bg;
	if (s.bold && fg >= 0 && fg < 8)
		fg += 8;
	const turned = s.inverse !== cursor;
	if (turned)
		[fg, bg] = [bg, fg];
	if (fg >= 0 || turned)
		// Black is visible on a background, and grey without one.
		span.style.color = fg < 0 ? 'var(--screen)' :
			fg === 0 && (bg > 0 || turned) ? '#000' : css(fg, false);
	if (bg >= 0 || turned)
		span.style.backgroundColor = bg < 0 ? 'var(--ink)' : css(bg, true);
	if (s.bold)
		span.style.fontWeight = 'bold';
	if (s.dim)
		span.style.opacity = '.7';
	if (s.italic)
		span.style.fontStyle = 'italic';
	if (s.under || s.strike)
		span.style.textDecoration = (s.under ? 'underline ' : '') +
			(s.strike ? 'line-through' : '');
	if (s.conceal)
		span.className = 'conceal';
};
const drawLine = (l, cursor) => {
	const div = document.createElement('div');
	let text = '', style = null, span;
	const end = () => {
		if (text === '')
			return;
		if (style === PLAIN) {
			div.append(document.createTextNode(text));
		} else {
			span = document.createElement('span');
			dress(span, style, false);
			span.textContent = text;
			div.append(span);
		}
		text = '';
	};
	for (let x = 0; x < l.length; x++) {
		if (l[x].s !== style || x === cursor)
			end();
		style = l[x].s;
		text += l[x].c;
		if (x === cursor) {
			span = document.createElement('span');
			dress(span, style, true);
			span.textContent = text;
			div.append(span);
			text = '';
		}
	}
	end();
	return div;
};

// --- the recording --------------------------------------------------------

const data = JSON.parse($('recording').textContent);
const events = data.events; // [microseconds since the one before, kind, content]
const size = (cols, rows) => [Math.max(1, Math.min(LIMIT_COLS, cols)),
	Math.max(1, Math.min(LIMIT_ROWS, rows))];
const decode = text => {
	const s = atob(text), out = new Uint8Array(s.length);
	for (let i = 0; i < s.length; i++)
		out[i] = s.charCodeAt(i);
	return out;
};
const times = new Float64Array(events.length);
for (let i = 0, t = 0; i < events.length; i++)
	times[i] = t += events[i][0] / 1e6;
const length = events.length ? times[events.length - 1] : 0;

let screen, at, now, keys;
const begin = () => {
	screen = new Screen(...size(data.cols, data.rows));
	at = 0;
	now = 0;
	keys = '';
};
// Apply the events up to time t.  Going back means beginning again.
const advance = t => {
	t = Math.max(0, Math.min(length, t));
	if (t < now)
		begin();
	for (; at < events.length && times[at] <= t; at++) {
		const [, kind, content] = events[at];
		if (kind === 'o')
			screen.write(decode(content));
		else if (kind === 'i')
			keys = (keys + Array.from(decode(content), b => b < 32 ?
				'^' + String.fromCharCode(b + 64) : b < 127 ?
				String.fromCharCode(b) : b === 127 ? '^?' : '\u00b7')
				.join('')).slice(-80);
		else if (kind === 'r')
			screen.resize(...size(content[0], content[1]));
	}
	now = t;
};

// --- the page -------------------------------------------------------------

const clock = t => {
	const s = Math.floor(t), two = n => String(n).padStart(2, '0');
	return (s >= 3600 ? Math.floor(s / 3600) + ':' + two(Math.floor(s / 60) % 60) :
		Math.floor(s / 60)) + ':' + two(s % 60);
};
let playing = false, drawn = null;
const draw = () => {
	const pre = $('screen'), cursor = screen.shows ? screen.y : -1;
	pre.replaceChildren(...screen.lines.map((l, y) =>
		drawLine(l, y === cursor ? screen.x : -1)));
	pre.style.width = screen.cols + 'ch';
	$('seek').value = now;
	$('seek').setAttribute('aria-valuetext', `${clock(now)} of ${clock(length)}`);
	$('time').textContent = `${clock(now)} / ${clock(length)}`;
	$('size').textContent = `${screen.cols}\u00d7${screen.rows}`;
	if ($('keys'))
		$('keys').textContent = keys;
	let step = -1;
	for (let i = 0; i < data.steps.length && data.steps[i][0] <= now + 1e-6; i++)
		step = i;
	if (drawn !== step) {
		drawn = step;
		[...$('steps').children].forEach((li, i) => {
			if (i === step)
				li.firstChild.setAttribute('aria-current', 'step');
			else
				li.firstChild.removeAttribute('aria-current');
		});
	}
};
const play = on => {
	playing = on && length > 0;
	$('play').textContent = playing ? 'Pause' : 'Play';
	if (playing) {
		if (now >= length)
			begin();
		last = null;
		requestAnimationFrame(tick);
	}
};
let last = null;
const tick = stamp => {
	if (!playing)
		return;
	let t = now;
	if (last !== null)
		t += (stamp - last) / 1000 * Number($('speed').value);
	last = stamp;
	// After IDLE seconds of a pause, go on shortly before the next event.
	if ($('idle').checked && at < events.length && times[at] - t > 0.1 &&
		t - (at > 0 ? times[at - 1] : 0) > IDLE)
		t = times[at] - 0.1;
	advance(t);
	draw();
	if (now >= length)
		play(false);
	else
		requestAnimationFrame(tick);
};
const seek = t => {
	advance(t);
	last = null;
	draw();
};
const step = by => {
	let i;
	if (by > 0) {
		i = data.steps.findIndex(s => s[0] > now + 1e-6);
	} else {
		i = data.steps.length - 1;
		while (i >= 0 && data.steps[i][0] > now - 0.5)
			i--;
	}
	if (i >= 0)
		seek(data.steps[i][0]);
};

const button = (t, text) => {
	const li = document.createElement('li'), b = document.createElement('button');
	b.type = 'button';
	b.textContent = `${clock(t)} ${text}`;
	b.addEventListener('click', () => seek(t));
	li.append(b);
	return li;
};
// The lines of the plain text: a time, two spaces, the text.
const lines = $('text').textContent.split('\n').map(l => {
	const m = /^ *(\d+):(\d\d):(\d\d\.\d{3})  (.*)$/.exec(l);
	return m ? [m[1] * 3600 + m[2] * 60 + Number(m[3]), m[4]] : null;
}).filter(l => l !== null);
const search = () => {
	const want = $('find').value.toLowerCase();
	const found = want === '' ? [] :
		lines.filter(l => l[1].toLowerCase().includes(want));
	$('found').replaceChildren(...found.slice(0, LIMIT_FOUND).map(l =>
		button(l[0], l[1])));
	$('count').textContent = want === '' ? '' : found.length > LIMIT_FOUND ?
		`${found.length} lines, the first ${LIMIT_FOUND} are shown` :
		`${found.length} ${found.length === 1 ? 'line' : 'lines'}`;
};

// #t=SECONDS of the address: where to begin.
const from = () => {
	const m = /^#t=(\d{1,12}(\.\d{1,6})?)$/.exec(location.hash);
	return m ? Number(m[1]) : null;
};

begin();
$('seek').max = length;
$('seek').step = 'any';
$('steps').replaceChildren(...data.steps.map(s => button(s[0], s[1])));
$('play').addEventListener('click', () => play(!playing));
$('seek').addEventListener('input', () => seek(Number($('seek').value)));
$('back').addEventListener('click', () => step(-1));
$('next').addEventListener('click', () => step(1));
$('find').addEventListener('input', search);
window.addEventListener('hashchange', () => {
	if (from() !== null)
		seek(from());
});
document.addEventListener('keydown', e => {
	if (e.altKey || e.ctrlKey || e.metaKey ||
		/^(INPUT|SELECT|TEXTAREA|BUTTON|SUMMARY)$/.test(e.target.tagName))
		return;
	switch (e.key) {
	case ' ': case 'k': play(!playing); break;
	case 'ArrowLeft': seek(now - 5); break;
	case 'ArrowRight': seek(now + 5); break;
	case 'Home': seek(0); break;
	case 'End': seek(length); break;
	case '[': step(-1); break;
	case ']': step(1); break;
	case '/': $('find').focus(); break;
	default: return;
	}
	e.preventDefault();
});
$('player').hidden = false;
seek(from() === null ? 0 : from());
})();
