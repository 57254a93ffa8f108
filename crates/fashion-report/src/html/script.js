'use strict';
// Shows the items of a cell of the confusion matrix, sorts and filters them, and shows one in
// detail. All numbers come from the block "numbers"; the page is whole without this script.
{
const AT_ONCE = 48;
const byId = id => document.getElementById(id);
const data = JSON.parse(byId('numbers').textContent);
const {names, counts, columns, likely, maps} = data;

// --- The items -------------------------------------------------------------------------------

const pairs = list => list.flatMap((first, i) => i % 2 ? [] : [[first, list[i + 1]]]);

// Probabilities by class: all in order, or of many classes the largest first.
const length = likely ? 2 * likely : names.length;
const items = data.items.map(([index, label, predicted, loss, margin, ...rest], cell) => ({
  cell, index, label, predicted, loss, margin,
  probabilities: new Map(likely ? pairs(rest.slice(0, length)) : rest.slice(0, length).entries()),
  neighbours: pairs(rest.slice(length)),
}));
const order = data.order;
order.close = [...order.margin].reverse();
order.index = items.map(item => item.cell).sort((a, b) => items[a].index - items[b].index);

// A probability as the page prints it: see `per_mille` in the program that wrote this page.
function percent(code) {
  if (code === null) return '–';
  if (code < 0) return '0%';
  if (code === 0) return '<0.1%';
  if (code > 1000) return '>99.9%';
  return code === 1000 ? '100%' : (code / 10).toFixed(1) + '%';
}

const share = code => Math.min(Math.max(code, 0), 1000) / 1000;
const number = n => String(n).replace(/\B(?=(\d{3})+$)/g, ',');
const words = n => number(n) + (n === 1 ? ' item' : ' items');

// An element with properties and content.
function make(tag, properties, ...content) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...content);
  return element;
}

// A part of the sheet, or of the maps.
function picture(cell, className = 'i') {
  const part = make('span', {className});
  part.setAttribute('aria-hidden', 'true');
  part.style.setProperty('--x', cell % columns);
  part.style.setProperty('--y', Math.floor(cell / columns));
  return part;
}

// A class and its probability over a bar.
function bar(kind, role, label, code) {
  const value = make('span', {}, percent(code));
  const line = make('span', {className: 'label ' + kind}, make('b', {}, names[label]), ' ', value);
  if (role) line.prepend(make('span', {className: 'unseen'}, role + ' '));
  line.style.setProperty('--v', share(code));
  return line;
}

const kindOf = (item, label) =>
  label === item.label ? 'is-true' : label === item.predicted ? 'is-wrong' : '';

const sentence = item => item.label === item.predicted
  ? `${names[item.label]}, sorted correctly`
  : `${names[item.label]} taken for ${names[item.predicted]}`;

// --- The gallery -----------------------------------------------------------------------------

const form = byId('filters');
const gallery = byId('gallery');
const more = byId('more');
const back = byId('back');
const count = byId('count');
let chosen = [];

function tile(item) {
  const right = item.label === item.predicted;
  const button = make('button', {type: 'button', className: 'tile'}, picture(item.cell),
    make('span', {className: 'index'}, '#' + item.index));
  if (!right) button.append(bar('is-wrong', 'predicted', item.predicted, item.probabilities.get(item.predicted)), ' ');
  button.append(bar('is-true', 'true', item.label, item.probabilities.get(item.label)));
  button.setAttribute('aria-pressed', 'false');
  button.tabIndex = -1;
  button.item = item;
  return make('li', {}, button);
}

// How many items of the data the filter is about, those included that are not in this page.
const filled = likely ? counts : counts.flatMap((row, i) => row.map((n, j) => [i, j, n]));
function total(label, predicted) {
  const diagonal = label !== '' && label === predicted;
  let sum = 0;
  for (const [i, j, n] of filled) {
    if ((label === '' || i === +label) && (predicted === '' || j === +predicted) && (i === j) === diagonal) sum += n;
  }
  return sum;
}

function title(label, predicted) {
  if (label === '' && predicted === '') return 'all misclassified';
  if (predicted === '') return `${names[label]} taken for something else`;
  if (label === '') return `something else taken for ${names[predicted]}`;
  return sentence({label: +label, predicted: +predicted});
}

function update() {
  const [label, predicted] = [form.elements.true.value, form.elements.predicted.value];
  const diagonal = label !== '' && label === predicted;
  chosen = order[form.elements.order.value].map(cell => items[cell]).filter(item =>
    (label === '' || item.label === +label) && (predicted === '' || item.predicted === +predicted)
    && (item.label === item.predicted) === diagonal);
  const all = total(label, predicted);
  const shown = all > chosen.length ? `${number(chosen.length)} of ${words(all)}` : words(chosen.length);
  count.textContent = `${shown}, ${title(label, predicted)}.`;
  for (const cell of cells) {
    cell.setAttribute('aria-pressed', String(cell.label === label && cell.predicted === predicted));
  }
  back.hidden = !pressed();
  gallery.replaceChildren();
  extend();
  release();
}

// Shows some more of the chosen items.
function extend() {
  const shown = gallery.children.length;
  gallery.append(...chosen.slice(shown, shown + AT_ONCE).map(tile));
  const left = chosen.length - gallery.children.length;
  more.parentElement.hidden = left === 0;
  more.textContent = `Show ${Math.min(left, AT_ONCE)} more of ${number(left)}`;
  if (shown === 0 && chosen.length) gallery.querySelector('button').tabIndex = 0;
}

// Filters by a cell of the matrix and goes to its items.
function go(label, predicted) {
  form.elements.true.value = label;
  form.elements.predicted.value = predicted;
  update();
  count.focus({preventScroll: true});
  form.scrollIntoView();
}

form.addEventListener('change', update);
byId('all').addEventListener('click', () => go('', ''));
form.addEventListener('submit', event => event.preventDefault());
more.addEventListener('click', () => {
  const shown = gallery.children.length;
  extend();
  gallery.children[shown].firstChild.focus({preventScroll: true});
});
for (const button of document.querySelectorAll('[data-predicted]')) {
  button.addEventListener('click', () => go(button.dataset.true, button.dataset.predicted));
}

// --- One item in detail ----------------------------------------------------------------------

const detail = byId('detail');
let held = null;

// The item with the map over it, of what covering takes from the predicted class, and how to read it.
const mapped = item => make('div', {className: 'why'}, picture(item.cell), picture(item.cell, 'm'));
const reading = item => make('p', {}, make('b', {className: 'is-wrong'}, 'Orange'),
  ` speaks for ${names[item.predicted]}: covered there, it is less probable. `,
  make('b', {className: 'is-true'}, 'Blue'), ' speaks against it.');

function show(item, closely = false) {
  const why = closely && maps && item.label !== item.predicted;
  const list = make('ul', {}, ...[...item.probabilities].map(([label, code]) =>
    make('li', {}, bar(kindOf(item, label), '', label, code))));
  const facts = [['Loss', item.loss === null ? '–' : (item.loss / 100).toFixed(2)], ['Margin', percent(item.margin)]];
  const near = make('ul', {className: 'near'});
  for (const [index, label] of item.neighbours) {
    near.append(make('li', {}, make('b', {className: kindOf(item, label)}, names[label]), ` #${index}`));
  }
  const close = make('button', {type: 'button', className: 'close'}, 'Close');
  close.addEventListener('click', release);
  detail.replaceChildren(why ? mapped(item) : picture(item.cell), make('h3', {}, 'Item ' + item.index),
    make('p', {}, sentence(item)), ...why ? [reading(item)] : [], list, make('dl', {}, ...facts.map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value)))),
    ...item.neighbours.length ? [make('h4', {}, 'Nearest in the training set'), near] : [], close);
}

// Keeps an item in detail until another is chosen; without one, what is pointed at is shown.
function hold(tile) {
  if (tile === held) return release();
  held?.setAttribute('aria-pressed', 'false');
  held = tile;
  held.setAttribute('aria-pressed', 'true');
  detail.classList.add('open');
  show(tile.item, true);
  const parts = [...tile.item.probabilities].map(([label, code]) => [code, `${names[label]} ${percent(code)}`]);
  const told = parts.filter(([code]) => code > 0).sort((a, b) => b[0] - a[0]).map(([, text]) => text);
  byId('chosen').textContent = `Item ${tile.item.index}, ${sentence(tile.item)}. ${told.join(', ')}.`;
}

function release() {
  if (held && detail.contains(document.activeElement)) held.focus();
  held?.setAttribute('aria-pressed', 'false');
  held = null;
  detail.classList.remove('open');
  byId('chosen').textContent = '';
  if (chosen.length) show(chosen[0]); else detail.replaceChildren();
}

function point(event) {
  const tile = event.target.closest('.tile');
  if (tile && !held) show(tile.item);
}

gallery.addEventListener('pointerover', point);
gallery.addEventListener('focusin', point);
gallery.addEventListener('click', event => {
  const tile = event.target.closest('.tile');
  if (tile) hold(tile);
});
document.addEventListener('keydown', event => {
  if (event.key === 'Escape') release();
});

// --- The matrix ------------------------------------------------------------------------------

const cells = [];
const matrix = byId('matrix');
[...matrix?.tBodies[0].rows ?? []].forEach((row, i) => [...row.cells].slice(1).forEach((place, j) => {
  const cell = make('button', {type: 'button', label: String(i), predicted: String(j), tabIndex: -1}, ...place.childNodes);
  cell.setAttribute('aria-label', `${words(counts[i][j])}: ${sentence({label: i, predicted: j})}`);
  cell.addEventListener('click', () => go(cell.label, cell.predicted));
  place.append(cell);
  cells.push(cell);
}));
if (cells.length) cells[0].tabIndex = 0;

const pressed = () => cells.find(cell => cell.getAttribute('aria-pressed') === 'true');
back.addEventListener('click', () => {
  const cell = pressed();
  byId('confusion').scrollIntoView();
  cell.focus({preventScroll: true});
});

// --- Keys: one tab stop for all buttons of a box, the arrows move inside --------------------

function rove(box) {
  const buttons = () => [...box.querySelectorAll('button')];
  const top = button => button.parentElement.getBoundingClientRect().top;
  box.addEventListener('focusin', event => {
    buttons().forEach(button => { button.tabIndex = button === event.target ? 0 : -1; });
  });
  box.addEventListener('keydown', event => {
    const all = buttons();
    const at = all.indexOf(document.activeElement);
    const row = all.filter(button => top(button) === top(all[0])).length;
    const steps = {ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row, Home: -at, End: all.length - 1 - at};
    const next = all[at + steps[event.key]];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.focus();
  });
}

rove(gallery);
if (matrix) rove(matrix.tBodies[0]);
for (const part of document.querySelectorAll('[data-script]')) part.hidden = false;
update();
}
