import { describe, expect, it } from 'vitest';
import { lintFamilies, parseExposition } from '../monitoring/exposition.format.ts';

const head = '# HELP a_total Counts.\n# TYPE a_total counter\n';

describe('the check of the exposition format', () => {
  it('reads families, labels and values', () => {
    expect(parseExposition(`${head}a_total{site="x\\"y",code="ok"} 4\na_total 1e3\n`)).toEqual([
      {
        name: 'a_total',
        help: 'Counts.',
        type: 'counter',
        samples: [
          { name: 'a_total', labels: { site: 'x\\"y', code: 'ok' }, value: 4 },
          { name: 'a_total', labels: {}, value: 1000 },
        ],
      },
    ]);
  });

  it.each([
    ['a_total 1\n', 'outside its family'],
    [`${head}b 1\n`, 'outside its family'],
    [`${head}a_total 1`, 'no end'],
    [`${head}a_total one\n`, 'not a sample'],
    [`${head}a_total{x=1} 1\n`, 'labels'],
    [`${head}a_total{x="1"y="2"} 1\n`, 'labels'],
    [`${head}a_total{x="1",x="2"} 1\n`, 'labels'],
    [`${head}a_total{x="1"} 1\na_total{x="1"} 2\n`, 'twice'],
    [`${head}${head}`, 'there before'],
    ['# HELP a x\n# TYPE b gauge\n', 'wrong place'],
    ['# HELP a x\n# TYPE a speed\n', 'wrong place'],
    ['# EOF\n', 'unknown comment'],
  ])('refuses %j', (text, why) => expect(() => parseExposition(text)).toThrow(why));

  it('finds names, units and buckets that are not as they should be', () => {
    const buckets = '# HELP h_ms x\n# TYPE h_ms histogram\nh_ms_bucket{le="1"} 3\nh_ms_bucket{le="+Inf"} 2\nh_ms_sum 1\nh_ms_count 2\n';
    const text = `# HELP a x\n# TYPE a counter\na 1\n# HELP b_total \n# TYPE b_total gauge\nb_total 1\n${buckets}`;
    expect(lintFamilies(parseExposition(text))).toEqual([
      'a ends in _total only if it is a counter',
      'b_total has no help',
      'b_total ends in _total only if it is a counter',
      'h_ms is not in base units',
      'h_ms has buckets that do not add up: {}',
    ]);
  });
});
