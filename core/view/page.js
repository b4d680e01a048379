// Search, filter and sort of the tables of a page, and its reading again.
//
// Names in the page are hostile.  They are compared, and become text or values of
// controls, and never markup.  The page is complete without this script.  What was
// searched stands in the fragment of the address, so that it outlasts a reload.
// Less-than and ampersand are not used: the page is well-formed XML as well.
'use strict';
(() => {
const state = new URLSearchParams(
	location.hash.includes('=') ? location.hash.slice(1) : '');
const remember = (key, value) => {
	if (value === '')
		state.delete(key);
	else
		state.set(key, value);
	try {
		history.replaceState(null, '', '#' + state);
	} catch {
		// Without an address the choice ends with the reload.
	}
};
const make = (name, facts) => Object.assign(document.createElement(name), facts);
const labelled = (text, control) => {
	const label = make('label', {textContent: text + ' '});
	label.append(control);
	return label;
};

// --- one table ------------------------------------------------------------

const collator = new Intl.Collator('en', {numeric: true});

const list = (table, at) => {
	// A long table has several bodies: see page.css.
	const bodies = [...table.tBodies], rows = bodies.flatMap(b => [...b.rows]);
	const part = bodies[0].rows.length;
	const heads = [...table.tHead.rows[0].cells];
	const filtered = heads.findIndex(h => h.dataset.filter !== undefined);
	const texts = new Map();
	const find = make('input', {type: 'search', value: state.get('q' + at) ?? ''});
	const only = make('select');
	const count = make('span', {className: 'soft'});
	let sorted = -1, down = false, waits = 0;

	const text = row => {
		if (!texts.has(row))
			texts.set(row, row.textContent.toLowerCase());
		return texts.get(row);
	};
	const word = row => row.cells[filtered].textContent.trim();
	const show = () => {
		const words = find.value.toLowerCase().split(/\s+/).filter(w => w !== '');
		let shown = 0;
		for (const row of rows) {
			const is = (only.value === '' || word(row) === only.value) ?
				words.every(w => text(row).includes(w)) : false;
			row.hidden = !is;
			shown += is;
		}
		count.textContent = shown === rows.length ? rows.length + ' rows' :
			shown + ' of ' + rows.length + ' rows match';
	};
	// A time sorts as such, a number as one; equal rows keep their order.
	const value = (row, column) => {
		const cell = row.cells[column];
		return cell.querySelector('time')?.dateTime ??
			cell.textContent.replace(/,(?=\d{3})/g, '');
	};
	const sort = () => {
		heads.forEach((h, i) => h.setAttribute('aria-sort', i !== sorted ? 'none' :
			down ? 'descending' : 'ascending'));
		const values = rows.map((row, i) => [sorted === -1 ? '' : value(row, sorted), i]);
		values.sort((a, b) => (down ? collator.compare(b[0], a[0]) :
			collator.compare(a[0], b[0])) || a[1] - b[1]);
		bodies.forEach((b, i) => b.replaceChildren(
			...values.slice(i * part, (i + 1) * part).map(v => rows[v[1]])));
	};
	const choose = (column, backwards) => {
		sorted = column;
		down = backwards;
		sort();
		remember('s' + at, sorted === -1 ? '' : (down ? '-' : '') + sorted);
	};

	heads.forEach((head, i) => {
		const button = make('button', {type: 'button', textContent: head.textContent});
		button.addEventListener('click', () => {
			if (sorted !== i)
				choose(i, false);
			else if (down)
				choose(-1, false);
			else
				choose(i, true);
		});
		head.replaceChildren(button);
		head.setAttribute('aria-sort', 'none');
	});
	const tools = make('div', {className: 'tools'});
	tools.setAttribute('role', 'search');
	tools.setAttribute('aria-label', table.dataset.list);
	tools.append(labelled('Search', find));
	find.addEventListener('input', () => {
		clearTimeout(waits);
		waits = setTimeout(() => {
			show();
			remember('q' + at, find.value);
		}, 120);
	});
	if (filtered !== -1) {
		const words = [...new Set(rows.map(word))].sort(collator.compare);
		only.append(make('option', {value: '', textContent: 'all'}));
		for (const w of words)
			only.append(make('option', {value: w, textContent: w}));
		only.value = state.get('f' + at) ?? '';
		if (only.selectedIndex === -1)
			only.value = '';
		only.addEventListener('change', () => {
			show();
			remember('f' + at, only.value);
		});
		tools.append(labelled(heads[filtered].textContent, only));
	}
	count.setAttribute('role', 'status');
	tools.append(count);
	table.parentElement.before(tools);
	const before = /^(-?)(\d{1,2})$/.exec(state.get('s' + at) ?? '');
	if (before !== null)
		if (heads.length > Number(before[2])) {
			sorted = Number(before[2]);
			down = before[1] === '-';
			sort();
		}
	// The texts of 10,000 rows are read only when they are needed.
	if (find.value !== '' || only.value !== '')
		show();
	else
		count.textContent = rows.length + ' rows';
};
[...document.querySelectorAll('table[data-list]')].forEach((table, at) => {
	if (table.tBodies[0].rows.length > 1)
		list(table, at);
});

// --- reading again ----------------------------------------------------------

// Not while somebody reads, types, selects or has the focus in the page: a reload
// keeps the scroll position, but not the focus.
const live = document.getElementById('live');
if (live !== null) {
	const every = Number(live.dataset.every) * 1000;
	const box = make('input', {type: 'checkbox', checked: state.get('live') !== 'off'});
	const tools = make('div', {className: 'tools'});
	let quiet = performance.now();

	tools.append(labelled('Read again every ' + every / 1000 + ' s', box));
	live.after(tools);
	box.addEventListener('change', () => {
		remember('live', box.checked ? '' : 'off');
		box.blur();
	});
	for (const name of ['keydown', 'pointerdown', 'pointermove', 'wheel', 'scroll',
		'touchstart'])
		addEventListener(name, () => { quiet = performance.now(); },
			{passive: true, capture: true});
	setInterval(() => {
		const idle = [box.checked, !document.hidden, getSelection().isCollapsed,
			document.activeElement === document.body,
			performance.now() - quiet >= every].every(x => x);
		if (idle)
			location.reload();
	}, 1000);
}
})();
