'use strict';
/* The report of `skipc inspect --html`. Its JSON is that of --json (tools/schema/inspect.json), but that `candidates` may be the
 * number of a kernel that has the same. All text of a model goes into the page as text: names are data. */
const $ = id => document.getElementById(id);
const read = id => JSON.parse($(id).textContent.trim() || 'null');
const report = read('report'), kernels = report.kernels, blocks = report.blocks;
const buffers = new Map(report.buffers.map(b => [b.id, b]));

/* ---- elements ---- */

/* h('b.name', { attributes }, children ..): children are elements or text; null is nothing. */
function h(what, attributes, ...children) {
	const [tag, ...classes] = what.split('.'), e = document.createElement(tag);

	if (classes.length)
		e.className = classes.join(' ');
	for (const [k, v] of Object.entries(attributes || {}))
		if (k.startsWith('--'))
			e.style.setProperty(k, v);
		else if (typeof v === 'function')
			e[k] = v;
		else if (v != null)
			e.setAttribute(k, v);
	e.append(...children.filter(c => c != null));
	return e;
}

function svg(tag, attributes, text) {
	const e = document.createElementNS('http://www.w3.org/2000/svg', tag);

	for (const [k, v] of Object.entries(attributes))
		e.setAttribute(k, v);
	if (text != null)
		e.textContent = text;
	return e;
}

/* ---- numbers and names for people ---- */

const whole = n => n.toLocaleString('en');
const digits = v => v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2);

function amount(n) {
	const unit = n >= 1e9 ? [1e9, ' G'] : n >= 1e6 ? [1e6, ' M'] : n >= 1e4 ? [1e3, ' k'] : null;

	return unit ? digits(n / unit[0]) + unit[1] : whole(n);
}

function bytes(n) {
	return n >= 1 << 20 ? digits(n / (1 << 20)) + ' MiB' : n >= 1e4 ? digits(n / 1024) + ' KiB' : whole(n) + ' B';
}

const seconds = s => s >= 1 ? digits(s) + ' s' : s >= 1e-3 ? digits(s * 1e3) + ' ms' : digits(s * 1e6) + ' us';
const percent = p => (p >= 0.1 ? (100 * p).toFixed(0) : (100 * p).toFixed(1)) + ' %';
const shape = r => '[' + r.shape.join(',') + ']';
const plural = (n, word) => whole(n) + ' ' + word + (n === 1 ? '' : 's');

/* /layer1/layer1.0/conv1/Conv: layer1.0, conv1 */
function path(node) {
	const parts = node.split('/').filter(p => p);

	if (parts.length > 1 && /^[A-Z]\w*$/.test(parts[parts.length - 1]))
		parts.pop();
	return parts.filter((p, k) => k + 1 === parts.length || !parts[k + 1].startsWith(p + '.'));
}

const nameOf = k => k.nodes.length ? path(k.nodes[0]).join('.') : k.output.tensor;

/* What the nodes' names have in common. */
function common(nodes) {
	const all = nodes.map(path);
	let n = 0;

	while (all.length && all[0].length > n && all.every(p => p[n] === all[0][n]))
		n++;
	return all.length > 1 ? all[0].slice(0, n).join('.') : (all[0] || []).join('.');
}

const FAMILIES = [
	[/^winograd/, 'winograd'], [/^depthwise/, 'depthwise'], [/^conv/, 'conv'], [/^(linear|matmul|attention|dot)/, 'linear'],
	[/pool|reduce|norm|soft|mean/, 'pool'],
];

function family(k) {
	if (k.op === 'Conv' && k.constants.some(c => c.shape.length > 2 && c.shape.slice(2).every(n => n === 1)))
		return 'var(--point)';
	const found = k.op && FAMILIES.find(([pattern]) => pattern.test(k.row || k.title));

	return `var(--${found ? found[1] : 'other'})`;
}

/* ---- times: skipc bench --json, where it is of this code ---- */

const profile = (() => {
	let p;

	try {
		p = read('profile');
	} catch (fault) {
		note(`The profile cannot be read: ${fault.message}`);
	}
	if (!p)
		return null;
	if (!p.layers)
		return note('The profile has no times of steps: skipc bench --json --layers has.');
	const other = kernels.find((k, n) => !p.layers.steps[n] || p.layers.steps[n].function !== k.function);

	if (other || p.layers.steps.length !== kernels.length)
		return note(`The profile is of other code${other ? `: step ${other.id} is not ${other.function} there` : ''} (${p.options}).`);
	if (p.load > p.processors / 2)
		note(`Measured at load ${p.load.toFixed(2)} on ${plural(p.processors, 'processor')}: times are only indicative.`);
	return p;
})();

function note(text) {
	$('notes').append(h('p.note', { role: 'note' }, text));
	return null;
}

for (const k of kernels) {
	if (typeof k.candidates === 'number')
		k.candidates = kernels[k.candidates].candidates;
	k.weight = profile ? profile.layers.steps[k.id].seconds : k.instead_of == null ? k.cost : 0;
	k.rate = profile && k.weight > 0 ? 2e-9 * k.macs / k.weight : 0;
	k.words = [k.id, k.title, k.function, k.row, k.output.tensor, ...k.nodes].join('\n').toLowerCase();
}
const total = kernels.reduce((sum, k) => sum + k.weight, 0) || 1;
const peakLive = kernels.reduce((most, k) => Math.max(most, k.live), 0);

/* What is right of a bar. */
function measure(k) {
	if (!profile)
		return percent(k.weight / total);
	return seconds(k.weight) + (k.rate > 0 && profile.layers.peak > 0 ? '  ' + percent(k.rate / profile.layers.peak) : '');
}

/* ---- the top ---- */

function tiles() {
	const m = report.memory, sum = list => list.reduce((n, r) => n + (buffers.get(r) || r).bytes, 0),
	      ends = sum(report.buffers.filter(b => b.place !== 'arena')), joined = blocks.filter(b => b.join != null).length,
	      proof = m.arena === m.bound ? 'no plan is smaller' : 'not proved least',
	      all = [
		[amount(report.macs), 'multiply-adds'],
		[`${whole(report.onnx_nodes)} \u2192 ${whole(kernels.length)}`, 'ONNX nodes \u2192 steps'],
		[blocks.length ? `${joined} of ${blocks.length}` : 'none', 'skip connections added where they are computed'],
		[bytes(m.arena + report.prepared_bytes + ends), `RAM: arena ${bytes(m.arena)} (${proof})` +
			(report.prepared_bytes ? `, prepared ${bytes(report.prepared_bytes)}` : '') + `, inputs and outputs ${bytes(ends)}`],
		[bytes(report.weights_bytes), 'flash: weights; code comes on top'],
		[bytes(report.stack_bytes), 'stack at most'],
	      ];

	if (profile) {
		const [ours, ...others] = profile.results;

		all.push([ours.median ? seconds(ours.median) : seconds(total), `median of a run, ${plural(profile.threads, 'thread')}`]);
		for (const r of others.filter(r => r.ratio))
			all.push([digits(r.ratio) + ' \u00d7', `time of ${r.name} ${r.version}`]);
	}
	$('tiles').append(...all.map(([value, text]) => h('div', null, h('dt', null, text), h('dd', null, value))));
	const file = report.model.split('/').pop(), end = t => `${t.name} ${t.type}[${t.shape}]`;

	document.title = `${file} \u2013 skipc`;
	$('name').textContent = file;
	$('about').textContent = [report.inputs.map(end).join(', ') + ' \u2192 ' + report.outputs.map(end).join(', '),
		report.producer || 'an unknown producer', report.options, 'SHA-256 ' + report.sha256.slice(0, 16) + '\u2026',
		'skipc ' + report.skipc].join('  \u00b7  ');
}

/* ---- what repeats ---- */

/* Steps are alike that compute the same of the same shapes: in a quantised network functions differ by scales. */
const alike = k => [k.title, k.inputs.map(shape), shape(k.output), k.macs, k.epilogue].join(' ');

/* Units of steps: those of a block, or one. */
function units() {
	const end = new Int32Array(kernels.length), list = [];

	for (const b of blocks)
		if (b.join != null && b.kernels.length) {
			b.first = b.source == null || b.kernels.includes(b.source) ? b.kernels[0] : Math.max(b.kernels[0], b.source + 1);
			b.first = Math.min(b.first, b.join);
			end[b.first] = Math.max(end[b.first], b.join);
		}
	for (let k = 0, last; k < kernels.length; k = last + 1) {
		last = k;
		for (let j = k; j <= last; j++)
			last = Math.max(last, end[j]);
		list.push({ first: k, last, is: kernels.slice(k, last + 1).map(alike).join() });
	}
	return list;
}

/* Where units repeat three times or more, with a period of up to eight: all but the first turn can be folded. */
function repeats() {
	const u = units(), found = [];

	for (let i = 0; i < u.length;) {
		let best = null;

		for (let p = 1; p <= 8 && i + 3 * p <= u.length; p++) {
			let n = p;

			while (i + n < u.length && u[i + n].is === u[i + n - p].is)
				n++;
			n -= n % p;
			if (n >= 3 * p && (!best || n > best.n))
				best = { p, n };
		}
		if (best)
			found.push({ from: u[i + best.p].first, to: u[i + best.n - 1].last, times: best.n / best.p - 1, open: true });
		i += best ? best.n : 1;
	}
	return found;
}

/* ---- the axis ---- */

const ROWS = [2, 4, 8, 16, 31, 44]; /* heights */
const view = { folds: repeats(), zoom: 4, rows: [], rowOf: new Int32Array(kernels.length), chosen: null, hits: [], hit: -1 };
const height = () => ROWS[view.zoom];
const top_ = k => view.rowOf[k] * height();

function lay() {
	view.rows = [];
	for (let k = 0, f = 0; k < kernels.length;) {
		while (f < view.folds.length && view.folds[f].from < k)
			f++;
		const fold = view.folds[f];

		if (fold && fold.from === k)
			view.rows.push({ fold });
		if (fold && fold.from === k && !fold.open) {
			view.rowOf.fill(view.rows.length - 1, k, fold.to + 1);
			k = fold.to + 1;
			continue;
		}
		view.rowOf[k] = view.rows.length;
		view.rows.push({ k });
		k++;
	}
	const axis = $('axis'), most = view.rows.reduce((m, r) => Math.max(m, r.k != null ? kernels[r.k].weight : 0), 0) || 1;

	axis.style.setProperty('--r', height() + 'px');
	axis.style.setProperty('--n', String(kernels.length).length + 1 + 'ch');
	axis.className = height() < 12 ? 'small' : height() < 26 ? 'mid' : '';
	axis.style.height = view.rows.length * height() + 'px';
	$('rows').replaceChildren(...view.rows.map(r => r.fold ? foldRow(r.fold, most) : stepRow(kernels[r.k], most)));
	$('bands').replaceChildren(...bands());
	drawArcs();
	drawArena();
	const closed = view.folds.length > 0 && view.folds.every(f => !f.open);

	$('fold').hidden = view.folds.length === 0;
	$('fold').setAttribute('aria-pressed', closed);
	drawWeights();
	mark();
}

const span = f => kernels.slice(f.from, f.to + 1);
const weightOf = f => f.open ? 0 : span(f).reduce((s, k) => s + k.weight, 0);

function stepRow(k, most) {
	const epilogue = k.op && k.epilogue.length ? ' + ' + k.epilogue.join(' + ') : '';

	return h('div.row', { role: 'option', id: 'step-' + k.id, 'data-k': k.id, '--f': family(k), 'aria-selected': 'false' },
		h('div.what', null, h('i'), h('span.no', null, String(k.id)), h('span', null, k.title), h('span.shape', null, shape(k.output)),
			h('span.sub', null, nameOf(k) + epilogue)),
		h('div.bar', { '--w': k.weight / most }, h('i'), h('span', null, measure(k))));
}

function foldRow(f, most) {
	const w = weightOf(f),
	      text = f.open ? `fold ${f.times} repeats, steps ${f.from} to ${f.to}` : `\u00d7 ${whole(f.times)} more, alike: steps ${f.from} to ${f.to}`;

	return h('div.row.fold', { role: 'option', id: 'fold-' + f.from, 'data-f': view.folds.indexOf(f), '--f': 'var(--other)', 'aria-selected': 'false', 'aria-expanded': f.open },
		h('div.what', null, h('i'), h('span.no', null, f.open ? '\u25be' : '\u25b8'), h('span', null, text)),
		h('div.bar' + (w > most ? '.over' : ''), { '--w': Math.min(w / most, 1) }, ...f.open ? [] : [h('i'), h('span', null, profile ? seconds(w) : percent(w / total))]));
}

/* A block's rows, or null where a fold hides it. */
function rowsOf(b) {
	if (b.first == null)
		return null;
	const first = view.rowOf[b.first], last = view.rowOf[b.join];

	return view.rows[first].fold || view.rows[last].fold ? null : [first, last];
}

function bands() {
	let free = -1e9;
	const list = [];

	for (const b of blocks) {
		const rows = rowsOf(b), r = height();

		if (!rows)
			continue;
		const y = rows[0] * r, size = (rows[1] - rows[0] + 1) * r, middle = y + size / 2, label = middle - free > 15 && size > 9;

		if (label)
			free = middle;
		list.push(h('div', { style: `top:${y + (r > 12)}px;height:${Math.max(size - 2 * (r > 12), 1)}px`, '--c': `var(--${b.kind})`, 'data-b': b.id },
			label ? h('b', null, common(b.nodes) || `block ${b.id}`) : null, label && size > 28 ? h('span', null, b.kind) : null));
	}
	return list;
}

/* From the step that computes what a shortcut brings to the one that adds it; a projection has another, from where it reads. */
function drawArcs() {
	const r = height(), right = $('arcs').clientWidth - 8, list = [];

	const arc = (b, from, to, name) => {
		const y1 = (from < 0 ? -0.2 : view.rowOf[from] + 0.7) * r, y2 = (view.rowOf[to] + 0.4) * r,
		      d = Math.min(right + 6, 12 + Math.sqrt(Math.max(y2 - y1, 1)) * 3.4);

		list.push(svg('path', { d: `M${right},${y1} C${right - d},${y1} ${right - d},${y2} ${right - 4},${y2}`, class: name || '', style: `--c:var(--${b.kind})` }));
		if (r > 6)
			list.push(svg('path', { d: `M${right + 3},${y2} l-8,-4 v8 z`, class: 'head', style: `--c:var(--${b.kind})` }));
	};

	for (const b of blocks) {
		if (!rowsOf(b))
			continue;
		const made = b.source != null && b.source >= b.first;

		if (made && b.source !== b.join)
			arc(b, b.source, b.join);
		if (made)
			arc(b, Math.max(-1, ...entry(b)), b.source, 'entry');
		else
			arc(b, b.source == null ? -1 : b.source, b.join);
	}
	$('arcs').replaceChildren(...list);
}

/* Steps before the block that its own step `source` reads from. */
const entry = b => kernels[b.source].inputs.flatMap(r => (buffers.get(r.buffer) || { writers: [] }).writers.filter(w => w < b.first));

/* Buffers that a shortcut leaves waiting, while other steps run. */
const waiting = new Set();

for (const b of blocks)
	if (b.join != null && b.source != null)
		for (const r of kernels[b.join].inputs) {
			const place = buffers.get(r.buffer);

			if (place.place === 'arena' && place.writers.includes(b.source) && b.join > b.source + 1)
				waiting.add(place.id);
		}

function drawArena() {
	const r = height(), size = report.memory.arena || 1, wide = $('arena').clientWidth, seen = new Set(), list = [];

	const put = (name, offset, bytes_, y1, y2, attributes, text) => list.push(h('div' + name, { ...attributes,
		style: `left:${100 * offset / size}%;width:max(${100 * bytes_ / size}%,3px);top:${y1}px;height:${Math.max(y2 - y1, 1)}px` },
		...bytes_ * wide > 40 * size ? [y2 - y1 > 14 ? h('span', null, text) : null, y2 - y1 > 28 ? h('span', null, bytes(bytes_)) : null] : []));

	for (const b of report.buffers) {
		if (b.place !== 'arena')
			continue;
		const first = view.rowOf[b.first], last = view.rowOf[b.last], folded = view.rows[first].fold && first === last,
		      taken = kernels[b.last].replaces === b.id, takes = kernels[b.first].replaces != null && b.writers.length === 1,
		      name = (waiting.has(b.id) ? '.wait' : '') + (folded ? '.many' : ''), key = [b.offset, b.bytes, first, name].join();

		if (folded && seen.has(key))
			continue;
		seen.add(key);
		put(name, b.offset, b.bytes, first * r + (takes && !view.rows[first].fold ? r / 2 : 0), (last + 1) * r - (taken && !view.rows[last].fold ? r / 2 : 0),
			{ 'data-m': b.id }, folded ? '' : path(b.tensor || '').join('.'));
	}
	for (const k of kernels)
		if (k.scratch > 0 && !view.rows[view.rowOf[k.id]].fold)
			put('.scratch', k.scratch_offset, k.scratch, top_(k.id), top_(k.id) + r, { 'data-k': k.id }, 'scratch');
	const full = kernels.find(k => k.live === peakLive);

	if (full)
		list.push(h('div', { id: 'peak', style: `top:${top_(full.id) + r / 2}px` },
			h('span', null, peakLive === report.memory.arena ? `step ${full.id} needs all of it` : `step ${full.id} needs most: ${bytes(peakLive)}`)));
	$('arena').replaceChildren(...list);
	$('arena').setAttribute('aria-label', `The arena, ${whole(report.memory.arena)} bytes from left to right, steps from top to bottom: the table of steps says where each result lies.`);
}

/* ---- one step: summary and details ---- */

function placeText(r) {
	const strides = r.strides, last = strides.length - 1;

	return `${r.type}${shape(r)} at ${r.place} + ${whole(r.offset)}` + (last > 1 && strides[1] === 1 && r.shape[1] > 1 ? ', channels last' : '');
}

const summary = k => [`step ${k.id}: ${k.function}`, k.nodes.join('\n'), k.inputs.map(shape).join(' ') + ' \u2192 ' + shape(k.output),
	`${whole(k.macs)} multiply-adds, ${bytes(k.constants_bytes)} of weights`, measure(k)].join('\n');

function candidates(k) {
	if (!k.candidates.length)
		return h('p.quiet', null, 'Elementwise nodes and copies have one way to be computed.');
	const most = Math.max(...k.candidates.map(c => c.cost)) || 1, rank = c => c.taken ? -1 : c.cost > 0 ? c.cost : Infinity;

	return h('table', null, h('thead', null, h('tr', null, ...['row', 'cost, multiply-adds', 'why'].map(t => h('th', { scope: 'col' }, t)))),
		h('tbody', null, ...[...k.candidates].sort((a, b) => a.taken ? -1 : b.taken ? 1 : rank(a) === rank(b) ? 0 : rank(a) - rank(b)).map(c =>
			h('tr' + (c.taken ? '.taken' : c.cost > 0 ? '' : '.not'), null, h('td', null, c.row),
				h('td.cost', null, ...c.cost > 0 ? [h('i', { '--w': c.cost / most }), amount(c.cost)] : []), h('td', null, c.taken ? 'taken' : c.why)))));
}

function facts(k) {
	const inside = blocks.filter(b => b.kernels.includes(k.id)), list = [
		['nodes', k.nodes.join('  ')],
		['reads', k.inputs.map(r => `${r.tensor}: ${placeText(r)}`).join('\n') || 'constants alone'],
		['gives', `${k.output.tensor}: ${placeText(k.output)}` + (k.in_place ? ', over what it reads' : '')],
		['epilogue', k.op ? k.epilogue.join(' + ') || 'none' : 'elementwise: ' + (k.epilogue.join(' + ') || 'a copy')],
		['multiply-adds', whole(k.macs)],
		['weights', k.constants_bytes ? bytes(k.constants_bytes) + ' in ' + [...new Set(k.constants.map(c => c.place))].join(', ') : null],
		['reads and writes', bytes(k.traffic) + (k.macs ? `, ${digits(2 * k.macs / k.traffic)} FLOP a byte` : '')],
		['arena', `${bytes(k.live)} in use` + (k.scratch ? `, ${bytes(k.scratch)} of it scratch` : '')],
		['time', profile ? `${seconds(k.weight)}, ${percent(k.weight / total)}` + (k.rate ? `; ${digits(k.rate)} GFLOP/s` : '') : null],
		['arithmetic', k.arithmetic && k.arithmetic + (k.why_floats ? ': ' + k.why_floats : '') + (k.sum ? `; sums are ${k.sum}, none beyond ${whole(k.sum_bound)}` : '')],
		['scale', k.scale != null ? `${k.scale} (q - ${k.zero}), ${k.type}` : null],
		['threads', k.parts > 1 ? `${k.parts} parts: ` + k.ranges.filter(r => r.parts > 1).map(r => `${r.parts} of ${r.name}`).join(', ') : 'one part'],
		['block', inside.map(b => `${b.id}: ${b.kind}${b.preactivation ? ', pre-activation' : ''}, ${b.shortcut} ${b.gate ? 'and' : '+'} ${b.branch}` +
			(b.gate ? `, gate ${b.gate}` : '') + (b.join === k.id ? '; joined here' : '')).join('\n') || null],
		['template', `${k.template}, row ${k.row}`],
	];

	return h('dl', null, ...list.filter(([, v]) => v).flatMap(([name, value]) => [h('dt', null, name), h('dd', { style: 'white-space:pre-line' }, value)]));
}

function choose(id, show) {
	view.chosen = id;
	mark();
	if (id == null) {
		$('detail').hidden = true;
		return;
	}
	const k = kernels[id], panel = $('detail');

	if (show || !panel.hidden) {
		panel.replaceChildren(
			h('nav', null, h('button', { type: 'button', 'aria-label': 'step before', onclick: () => go(id - 1) }, '\u2191'),
				h('button', { type: 'button', 'aria-label': 'next step', onclick: () => go(id + 1) }, '\u2193'),
				h('button', { type: 'button', id: 'close', onclick: close_ }, 'close')),
			h('h2', null, `Step ${id}: ${k.function}`),
			h('div', null, facts(k), h('div', null, h('h3', null, 'Rows considered, and why they lost'), candidates(k))));
		panel.hidden = false;
		panel.scrollTop = 0;
	}
}

function close_() {
	$('detail').hidden = true;
	$('rows').focus({ preventScroll: true });
}

/* To a step, wherever a fold hides it. */
function go(id, show = true) {
	if (id < 0 || id >= kernels.length)
		return;
	const fold = view.rows[view.rowOf[id]].fold;

	if (fold && !fold.open) {
		fold.open = true;
		lay();
	}
	choose(id, show);
	reveal($('step-' + id));
}

function reveal(row) {
	const box = row.getBoundingClientRect(), low = innerHeight - ($('detail').hidden ? 0 : $('detail').offsetHeight) - 40;

	if (box.top < 60 || box.bottom > low)
		scrollBy(0, box.top - Math.min(200, low / 2));
}

const classes = (e, names) => Object.entries(names).forEach(([name, on]) => e.classList.toggle(name, Boolean(on)));

/* What is chosen, what feeds it and what it feeds; what a search leaves. */
function mark() {
	const k = kernels[view.chosen], from = new Set(), to = new Set(), reads = new Set(), hits = view.hits.length ? new Set(view.hits) : null;

	if (k) {
		for (const r of k.inputs) {
			reads.add(r.buffer);
			buffers.get(r.buffer).writers.filter(w => w < k.id).forEach(w => from.add(w));
		}
		buffers.get(k.output.buffer).readers.filter(r => r > k.id).forEach(r => to.add(r));
	}
	for (const row of $('rows').children) {
		const id = row.dataset.k === undefined ? null : Number(row.dataset.k), on = id != null && id === view.chosen;

		classes(row, { chosen: on, from: from.has(id), to: to.has(id), dim: hits && id != null && !hits.has(id) });
		row.setAttribute('aria-selected', on);
	}
	for (const box of $('arena').children)
		if (box.dataset.m)
			classes(box, { read: reads.has(Number(box.dataset.m)), written: k && k.output.buffer === Number(box.dataset.m) });
	for (const e of document.querySelectorAll('#weights > div, #roof circle'))
		classes(e, { chosen: k && Number(e.dataset.k) === k.id });
	const active = k && $('step-' + k.id) ? 'step-' + k.id : view.cursor != null ? view.cursor : '';

	$('rows').setAttribute('aria-activedescendant', active);
}

/* ---- roofline and weights ---- */

function ticks(low, high) {
	const list = [];

	for (let v = 10 ** Math.ceil(Math.log10(low) - 1e-9); v <= high * 1.0001; v *= 10)
		list.push(v);
	return list;
}

function drawRoof() {
	const list = kernels.filter(k => k.macs > 0 && (!profile || k.rate > 0)), box = $('roof'), w = Math.max(box.clientWidth, 240), t = 300,
	      x0 = 46, y0 = t - 34, yOf = k => profile ? k.rate : k.macs, most = Math.max(...list.map(k => k.weight), 1e-300);

	$('roof-title').textContent = profile ? 'Roofline: which steps leave something' : 'Work and its intensity: what stands to the left waits for memory';
	box.replaceChildren();
	if (!list.length)
		return void box.append(h('p.quiet', null, 'No step multiplies.'));
	const xs = list.map(k => 2 * k.macs / k.traffic), ys = list.map(yOf).concat(profile ? [profile.layers.peak] : []),
	      low = [Math.min(...xs, 1) / 1.6, Math.min(...ys) / 4], high = [Math.max(...xs, 10) * 1.6, Math.max(...ys) * 2.5],
	      at = (v, axis, from, to) => from + (Math.log(v) - Math.log(low[axis])) / (Math.log(high[axis]) - Math.log(low[axis])) * (to - from),
	      X = v => at(v, 0, x0, w - 14), Y = v => at(v, 1, y0, 14),
	      g = svg('svg', { viewBox: `0 0 ${w} ${t}`, height: t, role: 'img', 'aria-label': 'FLOP for each byte read or written against ' + (profile ? 'GFLOP/s' : 'multiply-adds') + ', a circle a step; the table of steps has the figures' });

	for (const v of ticks(low[0], high[0]))
		g.append(svg('line', { x1: X(v), x2: X(v), y1: 14, y2: y0 }), svg('text', { x: X(v), y: y0 + 14, 'text-anchor': 'middle' }, v));
	for (const v of ticks(low[1], high[1]))
		g.append(svg('line', { x1: x0, x2: w - 14, y1: Y(v), y2: Y(v) }), svg('text', { x: x0 - 5, y: Y(v) + 4, 'text-anchor': 'end' }, profile ? v : amount(v)));
	g.append(svg('text', { x: (x0 + w) / 2, y: t - 4, 'text-anchor': 'middle' }, 'FLOP for each byte read or written'),
		svg('text', { x: 0, y: 9 }, profile ? 'GFLOP/s' : 'multiply-adds'));
	if (profile)
		g.append(svg('line', { class: 'peak', x1: x0, x2: w - 14, y1: Y(profile.layers.peak), y2: Y(profile.layers.peak) }),
			svg('text', { x: w - 16, y: Y(profile.layers.peak) - 4, 'text-anchor': 'end' }, `measured peak ${digits(profile.layers.peak)}`));
	const taken = [], numbers = [];

	for (const k of list.sort((a, b) => b.weight - a.weight)) {
		const x = X(2 * k.macs / k.traffic), y = Y(yOf(k));

		g.append(svg('circle', { cx: x, cy: y, r: 3 + 12 * Math.sqrt(k.weight / most), style: `fill:${family(k)}`, 'data-k': k.id }));
		if (taken.length < 40 && taken.every(([a, b]) => Math.abs(x - a) > 22 || Math.abs(y - b) > 11)) {
			numbers.push(svg('text', { class: 'no', x, y: y + 3.5 }, k.id));
			taken.push([x, y]);
		}
	}
	g.append(...numbers);
	box.append(g);
	if (profile && list.some(k => k.rate > profile.layers.peak))
		box.append(h('p.quiet', null, 'Steps above the peak are Winograd\u2019s: they multiply less often than the network says.'));
}

/* Rectangles of these areas, in rows as square as can be (Bruls et al.): [item, x, y, width, height]. */
function squarify(items, x, y, w, t) {
	const list = [];
	let left = items.reduce((s, i) => s + i.area, 0);

	for (let i = 0; i < items.length;) {
		const side = Math.min(w, t), scale = w * t / left;
		let n = 0, sum = 0, worst = Infinity;

		while (i + n < items.length) {
			const s = sum + items[i + n].area, a = s * scale,
			      ratio = Math.max(side * side * items[i].area * scale / (a * a), a * a / (side * side * items[i + n].area * scale));

			if (ratio > worst)
				break;
			worst = ratio;
			sum = s;
			n++;
		}
		const thick = sum * scale / side;
		let along = 0;

		for (let j = 0; j < n; j++) {
			const length = items[i + j].area / sum * side;

			list.push(w < t ? [items[i + j], x + along, y, length, thick] : [items[i + j], x, y + along, thick, length]);
			along += length;
		}
		if (w < t)
			y += thick, t -= thick;
		else
			x += thick, w -= thick;
		left -= sum;
		i += n;
	}
	return list;
}

function drawWeights() {
	const MOST = 400, box = $('weights'), w = box.clientWidth || 600, t = box.clientHeight || 300, sum = list => list.reduce((s, k) => s + k.constants_bytes, 0),
	      of = r => r.k != null ? [kernels[r.k]] : r.fold.open ? [] : span(r.fold),
	      item = list => ({ area: sum(list), k: list[0], name: list.length > 1 ? `${common(list.flatMap(k => k.nodes.slice(0, 1)))} (${whole(list.length)} steps)` : nameOf(list[0]) }),
	      all = view.rows.map(of).filter(list => sum(list) > 0).map(item).sort((a, b) => b.area - a.area), items = all.slice(0, MOST);

	if (all.length > MOST)
		items.push({ area: all.slice(MOST).reduce((s, i) => s + i.area, 0), name: `${all.length - MOST} smaller` });
	$('weights-title').textContent = `Weights, as kernels read them: ${bytes(sum(kernels))}`;
	box.setAttribute('role', 'img');
	box.setAttribute('aria-label', 'Weights of each step as areas; the table of steps has the figures.');
	box.replaceChildren(...squarify(items.sort((a, b) => b.area - a.area), 0, 0, w, t).map(([item, x, y, a, b]) =>
		h('div', { style: `left:${100 * x / w}%;top:${100 * y / t}%;width:${100 * a / w}%;height:${100 * b / t}%`,
			'--f': item.k ? family(item.k) : 'var(--other)', 'data-k': item.k && item.k.id },
			...a > 34 && b > 16 ? [item.name] : [], ...a > 34 && b > 32 ? [h('br'), bytes(item.area)] : [])));
}

/* ---- tables ---- */

function table() {
	const columns = [['step', k => k.id, 1], ['function', k => k.function], ['nodes', k => k.nodes.join(' ')], ['gives', k => k.output.type + shape(k.output)],
		['multiply-adds', k => whole(k.macs), 1], ['weights, bytes', k => whole(k.constants_bytes), 1], ['reads and writes', k => whole(k.traffic), 1],
		['lies at', k => `${k.output.place} + ${whole(k.output.offset)}`], ['arena in use', k => whole(k.live), 1],
		[profile ? 'time' : 'cost', k => profile ? seconds(k.weight) : amount(k.weight), 1], ...profile ? [['GFLOP/s', k => k.rate ? digits(k.rate) : '', 1]] : []];

	$('all').append(h('table', null, h('thead', null, h('tr', null, ...columns.map(([name, , n]) => h('th' + (n ? '.n' : ''), { scope: 'col' }, name)))),
		h('tbody', null, ...kernels.map(k => h('tr', null, ...columns.map(([, of, n]) => h('td' + (n ? '.n' : ''), null, String(of(k)))))))));
}

function refused() {
	if (report.not_taken.length)
		$('refused').append(h('h2', null, 'Sums and gates that are no skip connections'), h('table', null, h('tbody', null,
			...report.not_taken.slice(0, 200).map(r => h('tr', null, h('td', null, r.node), h('td', null, r.op), h('td', null, r.why))))));
}

/* ---- what the reader does ---- */

function search() {
	const text = $('find').value.trim().toLowerCase();

	view.hits = text ? kernels.filter(k => k.words.includes(text)).map(k => k.id) : [];
	view.hit = -1;
	$('found').textContent = !text ? '' : view.hits.length ? plural(view.hits.length, 'step') : 'nothing';
	mark();
}

function nextHit(by) {
	if (!view.hits.length)
		return;
	view.hit = (view.hit + by + view.hits.length) % view.hits.length;
	$('found').textContent = `${view.hit + 1} of ${view.hits.length}`;
	go(view.hits[view.hit], false);
}

function setFolds(open) {
	view.folds.forEach(f => f.open = open);
	lay();
}

function toggle(f) {
	f.open = !f.open;
	lay();
	cursorTo(view.rows.findIndex(r => r.fold === f));
}

function zoom(by) {
	view.zoom = Math.max(0, Math.min(ROWS.length - 1, view.zoom + by));
	$('less').disabled = view.zoom === 0;
	$('more').disabled = view.zoom === ROWS.length - 1;
	lay();
}

const cursor = () => view.chosen != null && view.cursor == null ? view.rowOf[view.chosen] : view.cursor == null ? -1 : [...$('rows').children].findIndex(e => e.id === view.cursor);

/* The keyboard's place among the rows: a step is chosen, a fold's row only marked. */
function cursorTo(n) {
	const row = $('rows').children[Math.max(0, Math.min(view.rows.length - 1, n))];

	if (!row)
		return;
	view.cursor = row.id;
	document.querySelectorAll('.row.here').forEach(e => e.classList.remove('here'));
	row.classList.add('here');
	choose(row.dataset.k === undefined ? null : Number(row.dataset.k), false);
	reveal(row);
}

function keys(event) {
	const at = cursor(), r = view.rows[at], moves = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: at - 10, Home: 0, End: view.rows.length - 1 };

	if (event.key in moves)
		cursorTo(moves[event.key]);
	else if (event.key === 'Escape')
		choose(null);
	else if (r && r.fold && (event.key === 'Enter' || event.key === ' ' || (event.key === 'ArrowRight') !== r.fold.open && event.key.startsWith('Arrow')))
		toggle(r.fold);
	else if (r && r.k != null && (event.key === 'Enter' || event.key === ' '))
		choose(r.k, true);
	else
		return;
	event.preventDefault();
}

const owner = event => event.target.closest && event.target.closest('[data-k],[data-f],[data-m],[data-b]');

function click(event) {
	const e = owner(event);

	if (!e)
		return;
	if (e.dataset.f !== undefined)
		toggle(view.folds[e.dataset.f]);
	else if (e.dataset.k !== undefined || e.dataset.m !== undefined) {
		const id = Number(e.dataset.k !== undefined ? e.dataset.k : buffers.get(Number(e.dataset.m)).first);

		view.cursor = 'step-' + id;
		go(id);
	}
}

function tipText(e) {
	if (e.dataset.k !== undefined)
		return summary(kernels[e.dataset.k]);
	if (e.dataset.m !== undefined) {
		const b = buffers.get(Number(e.dataset.m));

		return `${b.tensor}\n${whole(b.bytes)} bytes at arena + ${whole(b.offset)}\nsteps ${b.first} to ${b.last}` + (waiting.has(b.id) ? '\na shortcut, which waits for its addition' : '');
	}
	if (e.dataset.b !== undefined) {
		const b = blocks[e.dataset.b];

		return `block ${b.id}: ${b.kind}${b.preactivation ? ', pre-activation' : ''}\n${b.shortcut} ${b.gate ? 'and' : '+'} ${b.branch}${b.found || ''}`;
	}
	return 'Click to fold or unfold';
}

function tip(event) {
	const e = event.pointerType === 'touch' ? null : owner(event), box = $('tip');

	box.hidden = !e;
	if (!e)
		return;
	if (box.of !== e)
		box.textContent = tipText(e);
	box.of = e;
	const x = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8), y = event.clientY + 18;

	box.style.left = Math.max(4, x) + 'px';
	box.style.top = (y + box.offsetHeight > innerHeight ? event.clientY - box.offsetHeight - 10 : y) + 'px';
}

function heads() {
	const m = report.memory, what = profile ? `time: ${seconds(total)}` + (profile.layers.peak ? ', % of peak' : '') : 'expected cost, % of all';

	$('heads').append(h('span', null, 'blocks'), h('span', null, 'shortcuts'), h('span', null, h('span', null, 'steps (kernels), in order')), h('span', null, what),
		h('span', null, h('span', null, 'arena' + (m.arena === m.bound ? ': no plan is smaller' : '')), h('span', null, bytes(m.arena))));
	const kinds = [...new Set(blocks.map(b => b.kind))].map(kind => [`var(--${kind})`, kind + (/high|blend/.test(kind) ? '' : ' shortcut')]);

	$('legend').append(...[...kinds, ...waiting.size ? [['var(--wait)', 'waits for its addition']] : [], ['var(--memory)', 'read soon']].map(([c, text]) =>
		h('span', null, h('i', { style: `background:${c}` }), text)));
}

function start() {
	tiles();
	heads();
	drawBlocks();
	if (kernels.length > 80)
		view.folds.forEach(f => f.open = false);
	lay();
	drawRoof();
	refused();
	$('find').oninput = search;
	$('find').onkeydown = e => e.key === 'Enter' ? nextHit(e.shiftKey ? -1 : 1) : e.key === 'Escape' ? ($('find').value = '', search()) : null;
	$('fold').onclick = () => setFolds($('fold').getAttribute('aria-pressed') === 'true');
	$('less').onclick = () => zoom(-1);
	$('more').onclick = () => zoom(1);
	$('rows').onkeydown = keys;
	document.onclick = click;
	document.onpointermove = tip;
	document.onkeydown = e => e.key === 'Escape' && !$('detail').hidden ? close_() : e.key === '/' && e.target.tagName !== 'INPUT' ? ($('find').focus(), e.preventDefault()) : null;
	$('all').ontoggle = () => $('all').children.length === 1 && table();
	onbeforeprint = () => { $('all').open = true; };
	let width = innerWidth;

	onresize = () => innerWidth !== width && (width = innerWidth, drawArcs(), drawArena(), drawRoof(), drawWeights(), mark());
	document.documentElement.dataset.ready = Math.round(performance.now());
}
