import { type RunAccount, type Standing, standings } from '../account/index.js';
import { type Chart, drawChart } from './chart.rendering.js';
import { standingWords } from './account.words.js';
import { type Html, markup } from './html.markup.js';

const WIDTH = 760;
const ROW = 22;
/** Cells that are still told apart on paper. */
const ROUNDS_OF_A_CHART = 50;
const MAX_CHARTS = 10;
const MAX_NAME = 24;

/** Told apart without colour by their letters, and by whoever sees colours differently: after Okabe and Ito, Color Universal Design (2008). */
const looks: Readonly<Record<Standing, { colour: string; letter: string }>> = {
  counted: { colour: '#0072B2', letter: '' },
  late: { colour: '#E69F00', letter: 'L' },
  dropped: { colour: '#D55E00', letter: 'D' },
  refused: { colour: '#CC79A7', letter: 'R' },
  absent: { colour: '#BBBBBB', letter: 'A' },
  'set-aside': { colour: '#F0E442', letter: 'S' },
  'left-out': { colour: '#EEEEEE', letter: 'O' },
  'not-opened': { colour: '#56B4E9', letter: 'N' },
  unproven: { colour: '#000000', letter: '!' },
  unnamed: { colour: '#000000', letter: '?' },
};
const darkColours = new Set(['#000000', '#0072B2']);

interface Cell {
  readonly round: number;
  readonly sum: number;
}

/** Where each site stands in each training round, in charts of at most 50 rounds, the last 500. */
export function roundCharts(run: RunAccount, id: string): Html[] {
  const sums = decided(run).slice(-ROUNDS_OF_A_CHART * MAX_CHARTS);
  const charts: Html[] = [];
  for (let first = 0; first < sums.length; first += ROUNDS_OF_A_CHART)
    charts.push(drawChart(roundChart(run, sums.slice(first, first + ROUNDS_OF_A_CHART), `${id}-${first / ROUNDS_OF_A_CHART}`)));
  return charts;
}

/** The sums that decide rounds: whoever is not counted names one, and so does whoever is. */
function decided({ sums, contributions }: RunAccount): Cell[] {
  const named = new Set(contributions.flatMap(({ notCounted }) => notCounted.map(({ sum }) => sum)));
  return sums.flatMap(({ kind, sum, round, outcome }) =>
    kind === 'update' && round !== undefined && (outcome === 'opened' || named.has(sum)) ? [{ round, sum }] : [],
  );
}

function roundChart({ contributions }: RunAccount, cells: readonly Cell[], id: string): Chart {
  const rows = contributions.map(({ site, notCounted }) => {
    const reasons = new Map(notCounted.map(({ sum, standing }) => [sum, standing]));
    return { site, standings: cells.map(({ sum }) => reasons.get(sum) ?? 'counted') };
  });
  const present = standings.filter((standing) => rows.some((row) => row.standings.includes(standing)));
  const data = rows.flatMap((row, y) =>
    row.standings.map((standing, x) => ({
      value: [x, y, present.indexOf(standing)],
      label: {
        show: looks[standing].letter !== '',
        formatter: looks[standing].letter,
        color: inkOn(looks[standing].colour),
      },
    })),
  );
  const pieces = present.map((standing, index) => ({ value: index, color: looks[standing].colour }));
  const names = rows.map(({ site }) => (site.length > MAX_NAME ? `${site.slice(0, MAX_NAME - 1)}…` : site));
  const [from, to] = [cells[0]!.round, cells.at(-1)!.round];
  return {
    id,
    title: `Contributions by site, rounds ${from} to ${to}`,
    description: rows
      .map(
        ({ site, standings }) =>
          `${site}: counted in ${standings.filter((standing) => standing === 'counted').length} of ${standings.length}`,
      )
      .join('. '),
    width: WIDTH,
    height: rows.length * ROW + 60,
    option: {
      grid: { left: labelWidth(names), right: 10, top: 10, bottom: 50, outerBoundsMode: 'none' },
      xAxis: { type: 'category', data: cells.map(({ round }) => `${round}`), name: 'round', nameLocation: 'middle', nameGap: 24 },
      yAxis: { type: 'category', data: names, inverse: true },
      visualMap: { type: 'piecewise', pieces, show: false, dimension: 2 },
      series: [{ type: 'heatmap', silent: true, data, itemStyle: { borderColor: '#fff', borderWidth: 1 } }],
    },
  };
}

/** What the colours and letters of all charts of a run mean. */
export function roundLegend({ contributions }: RunAccount): Html {
  const present = standings.filter((standing) => contributions.some(({ rounds }) => rounds[standing] > 0));
  const entry = (standing: Standing) => {
    const { colour, letter } = looks[standing];
    return markup`<li><span class="swatch" style="background: ${colour}; color: ${inkOn(colour)}">${letter}</span>${standingWords[standing]}</li>`;
  };
  return markup`<ul>${present.map(entry)}</ul>`;
}

const inkOn = (colour: string) => (darkColours.has(colour) ? '#fff' : '#000');

/** The library guesses how wide a text is; a reader's font may be wider. */
function labelWidth(names: readonly string[]): number {
  return 16 + 8 * names.reduce((longest, { length }) => Math.max(longest, length), 0);
}
