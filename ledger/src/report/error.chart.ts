import type { ErrorRecord, RunAccount } from '../account/index.js';
import { drawChart } from './chart.rendering.js';
import type { Html } from './html.markup.js';

/** The first metric that has two values or more; with one, a sentence says more than a chart. */
export function errorChart({ errors }: RunAccount, id: string): Html | undefined {
  const placed = errors.filter((error): error is ErrorRecord & { afterRound: number } => error.afterRound !== undefined);
  const metric = placed.find((error, index) => placed.findIndex((earlier) => earlier.metric === error.metric) < index)?.metric;
  if (metric === undefined) return undefined;
  const points = placed.filter((error) => error.metric === metric);
  return drawChart({
    id,
    title: `Federated error (${metric}) by round`,
    description: points.map(({ afterRound, value }) => `after round ${afterRound}: ${value}`).join('. '),
    width: 760,
    height: 280,
    option: {
      grid: { left: 80, right: 30, top: 30, bottom: 40, outerBoundsMode: 'none' },
      xAxis: { type: 'value', minInterval: 1, min: 'dataMin', max: 'dataMax', name: 'after round', nameLocation: 'middle', nameGap: 26 },
      yAxis: { type: 'value', name: 'error', scale: true },
      series: [
        {
          type: 'line',
          silent: true,
          symbol: 'circle',
          symbolSize: 6,
          color: '#0072B2',
          data: points.map(({ afterRound, value }) => [afterRound, value]),
        },
      ],
    },
  });
}
