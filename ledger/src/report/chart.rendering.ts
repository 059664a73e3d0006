import { HeatmapChart, LineChart } from 'echarts/charts';
import { GridComponent, VisualMapPiecewiseComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { Html, markup } from './html.markup.js';

use([HeatmapChart, LineChart, GridComponent, VisualMapPiecewiseComponent, SVGRenderer]);

export interface Chart {
  /** Distinct in a page: the names of what is inside it start with it. */
  readonly id: string;
  readonly title: string;
  /** What the chart shows, for whoever does not see it. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
  readonly option: EChartsCoreOption;
}

/** The chart as SVG without a script, the same for the same chart. */
export function drawChart({ id, title, description, width, height, option }: Chart): Html {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ ...option, animation: false });
    // The library numbers its charts over the life of the process; its styles are for a pointer over a part, which paper does not have.
    const drawn = chart
      .renderToSVGString()
      .replaceAll(/ class="zr[^"]*"/g, '')
      .replaceAll(/<style[^>]*>.*?<\/style>/gs, '')
      .replaceAll(/\bzr\d+-/g, `${id}-`);
    const inside = new Html(drawn.slice(drawn.indexOf('>') + 1, drawn.lastIndexOf('</svg>')));
    return markup`<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title" aria-describedby="${id}-text">
      <title id="${id}-title">${title}</title>
      <desc id="${id}-text">${description}</desc>
      ${inside}
    </svg>`;
  } finally {
    chart.dispose();
  }
}
