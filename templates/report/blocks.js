/* What skipc gates and skipc lesion found of the blocks: a row each, with its gates by unit, and what is lost without it. */

/* What stands in the page, if it is of these blocks; else a word, and null. of: its entries that have blocks. */
function found(command, of) {
	let document_, list;

	try {
		document_ = read(command);
		list = document_ && of(document_);
		if (document_ && (document_.command !== command || !Array.isArray(list)))
			return note(`--${command} wants what skipc ${command} --json prints, and this is something else.`);
	} catch (fault) {
		return note(`The file of --${command} cannot be read: ${fault.message}`);
	}
	const last = b => b && b.nodes[b.nodes.length - 1],
	      other = (list || []).find(l => last(blocks[l.block]) !== l.node);

	return other ? note(`The file of --${command} is of other blocks: ${other.block} does not end in ${other.node} (${document_.options}).`) : document_;
}

const share = p => (100 * p).toFixed(2) + ' %';

/* Units from left to right, as opaque as they are open. */
function strip(layer) {
	const n = layer.units.length, c = h('canvas.strip', { width: n, height: 1, role: 'img', 'aria-label': `gates of block ${layer.block}, ${plural(n, 'unit')}: ${share(layer.mean)} open in the mean` }),
	      pen = c.getContext('2d');

	layer.units.forEach((v, k) => {
		pen.fillStyle = `rgba(194, 37, 139, ${Math.min(Math.max(v, 0), 1)})`;
		pen.fillRect(k, 0, 1, 1);
	});
	c.onpointermove = event => {
		const k = Math.min(n - 1, Math.max(0, Math.floor(n * event.offsetX / c.clientWidth))), box = $('tip');

		event.stopPropagation();
		box.of = null;
		box.textContent = `block ${layer.block}, unit ${k}: open by ${layer.units[k].toFixed(4)} in the mean`;
		box.hidden = false;
		box.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8)) + 'px';
		box.style.top = event.clientY + 18 + 'px';
	};
	return c;
}

/* What is lost without a block: points of what is recognised, else how far outputs are. */
function losses(lesion) {
	const known = lesion.whole.recognised != null, of = one => known ? lesion.whole.accuracy - one.accuracy : one.distance == null ? Infinity : one.distance,
	      most = Math.max(...lesion.alone.map(of).filter(Number.isFinite), 1e-9);

	return { known, of, most, text: one => known ? (100 * of(one)).toFixed(2) + ' points' : Number.isFinite(of(one)) ? of(one).toFixed(4) : 'not finite' };
}

function blockRow(b, layer, one, lost, columns) {
	const gate = layer ? [h('td.n', null, layer.mean.toFixed(4)), h('td.n.wide', null, share(layer.closed)), h('td', null, strip(layer))] : [h('td'), h('td.wide'), h('td')],
	      worth = one ? [h('td.n', null, one.recognised != null ? share(one.accuracy) : ''),
		h('td.worth', null, h('i', { '--w': Math.max(0, Math.min(1, lost.of(one) / lost.most)) }), lost.text(one))] : [h('td'), h('td.quiet', null, b.stays || '')];

	return h('tr', b.join == null ? null : { 'data-k': b.join }, h('td.n', null, String(b.id)), h('td.wide', null, common(b.nodes) || b.branch), h('td.wide', null, b.kind),
		...columns.gates ? gate : [], ...columns.lesion ? worth : []);
}

/* Recognised, or how far outputs are, without more and more blocks. */
function togetherPlot(lesion, lost) {
	const list = [lesion.whole, ...lesion.together], w = 280, t = 190, x0 = 44, y0 = t - 26, value = one => lost.known ? one.accuracy : one.distance == null ? 0 : one.distance,
	      most = lost.known ? 1 : Math.max(...list.map(value), 1e-9), X = k => x0 + (w - x0 - 12) * k / Math.max(list.length - 1, 1), Y = v => y0 - (y0 - 12) * v / most,
	      g = svg('svg', { viewBox: `0 0 ${w} ${t}`, width: w, role: 'img', 'aria-label': `${lost.known ? 'recognised' : 'distance of outputs'} without more and more blocks, from none to ${list.length - 1}` });

	for (const part of [0, 0.5, 1])
		g.append(svg('line', { x1: x0, x2: w - 12, y1: Y(part * most), y2: Y(part * most) }),
			svg('text', { x: x0 - 5, y: Y(part * most) + 4, 'text-anchor': 'end' }, lost.known ? 100 * part + ' %' : digits(part * most)));
	for (const k of [0, list.length - 1])
		g.append(svg('text', { x: X(k), y: y0 + 13, 'text-anchor': 'middle' }, k));
	g.append(svg('text', { x: (x0 + w) / 2, y: t - 2, 'text-anchor': 'middle' }, 'blocks left out, the least important first'),
		svg('polyline', { points: list.map((one, k) => `${X(k)},${Y(value(one))}`).join(' ') }));
	return g;
}

/* What the tips of the bands say, too. */
function noteBlocks(gates, lesion, lost) {
	for (const l of gates ? gates.layers : [])
		blocks[l.block].found = `\ngate open by ${l.mean.toFixed(4)} in the mean`;
	for (const one of lesion ? lesion.alone : [])
		blocks[one.block].found = (blocks[one.block].found || '') + (lost.known ? `\nwithout it ${share(one.accuracy)} are recognised` : `\nwithout it outputs are ${lost.text(one)} away`);
	for (const one of lesion ? lesion.stay : [])
		if (blocks[one.block])
			blocks[one.block].stays = `stays: ${one.why}`;
}

function drawBlocks() {
	const gates = found('gates', d => d.layers), lesion = found('lesion', d => d.alone);

	if (!gates && !lesion)
		return;
	const lost = lesion && losses(lesion), layers = new Map((gates ? gates.layers : []).map(l => [l.block, l])),
	      alone = new Map((lesion ? lesion.alone : []).map(one => [one.block, one])), columns = { gates: Boolean(gates), lesion: Boolean(lesion) };

	noteBlocks(gates, lesion, lost);
	const shown = blocks.filter(b => layers.has(b.id) || alone.has(b.id) || b.stays),
	      head = ['block', '.wide nodes', '.wide kind', ...gates ? ['gate, mean', `.wide below ${gates.closed_below}`, 'by unit, clear is closed'] : [],
		...lesion ? [lost.known ? 'without it' : '', lost.known ? 'lost' : 'distance without it'] : []],
	      cell = t => t.startsWith('.wide') ? h('th.wide', { scope: 'col' }, t.slice(6)) : h('th', { scope: 'col' }, t),
	      about = [gates && `Gates of ${plural(gates.layers.length, 'highway layer')} on ${plural(gates.rows, 'row')}: open by ${share(gates.mean)} in the mean.`,
		lesion && (lost.known ? `With all blocks ${whole(lesion.whole.recognised)} of ${plural(lesion.rows, 'row')} are recognised: ${share(lesion.whole.accuracy)}.` :
			`Distances of outputs on ${plural(lesion.rows, 'row')}, |y - y0| / |y0|.`)].filter(t => t);

	const list = h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': 'blocks, as gates and lesion found them' },
		h('table', null, h('thead', null, h('tr', null, ...head.map(cell))),
			h('tbody', null, ...shown.map(b => blockRow(b, layers.get(b.id), alone.get(b.id), lost, columns)))));

	$('measured').append(h('h2', null, gates && lesion ? 'Gates, and what is lost without a block' : gates ? 'Gates' : 'What is lost without a block'), h('p.quiet', null, about.join(' ')), h('div.both', null, list,
		lesion && lesion.together.length ? h('div', null, h('h3', null, 'Without more and more'), togetherPlot(lesion, lost)) : null));
}
