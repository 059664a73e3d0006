export interface Family {
  name: string;
  help: string;
  type: string;
  samples: { name: string; labels: Record<string, string>; value: number }[];
}

const METRIC_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/**
 * Reads the text format of Prometheus, version 0.0.4, and takes nothing that its scraper would not: one HELP and one TYPE before the samples of a family, families in
 * one piece, no series twice. https://prometheus.io/docs/instrumenting/exposition_formats/ @throws Error with the line
 */
export function parseExposition(text: string): Family[] {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family>();
  const series = new Set<string>();
  let current: Family | undefined;
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (!METRIC_NAME.test(name) || families.has(name)) throw new Error(`a family that was there before, or has no name: ${line}`);
      current = { name, help: rest, type: '', samples: [] };
      families.set(name, current);
    } else if (keyword === 'TYPE') {
      if (current?.name !== name || current.type !== '' || !TYPES.includes(rest)) throw new Error(`a type in the wrong place: ${line}`);
      current.type = rest;
    } else if (line.startsWith('#')) {
      throw new Error(`an unknown comment: ${line}`);
    } else {
      const sample = parseSample(line);
      if (current === undefined || current.type === '' || baseOf(sample.name, current.type) !== current.name)
        throw new Error(`a sample outside its family: ${line}`);
      const key = `${sample.name} ${Object.entries(sample.labels)
        .map((label) => JSON.stringify(label))
        .toSorted()
        .join()}`;
      if (series.has(key)) throw new Error(`a series twice: ${line}`);
      series.add(key);
      current.samples.push(sample);
    }
  }
  return [...families.values()];
}

function parseSample(line: string): Family['samples'][number] {
  const [, name = '', inner, number = ''] = SAMPLE.exec(line) ?? [];
  const value = number === '+Inf' ? Infinity : number === '-Inf' ? -Infinity : Number(number);
  // Prometheus reads it in any case of its letters, and the client library writes `Nan` for a mean of nothing.
  if (name === '' || (!/^nan$/i.test(number) && (Number.isNaN(value) || number.trim() === ''))) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  for (let rest = inner ?? ''; rest !== '';) {
    const [whole = '', label = '', text = ''] = LABEL.exec(rest) ?? [];
    if (whole === '' || Object.hasOwn(labels, label)) throw new Error(`labels that cannot be read: ${line}`);
    labels[label] = text;
    rest = rest.slice(whole.length);
  }
  return { name, labels, value };
}

function baseOf(sample: string, type: string): string {
  if (type === 'histogram') return sample.replace(/_(?:bucket|sum|count)$/, '');
  return type === 'summary' ? sample.replace(/_(?:sum|count)$/, '') : sample;
}

/** What `promtool check metrics` would say of names and units, and whether buckets add up. Empty when all is well. */
export function lintFamilies(families: readonly Family[]): string[] {
  return families.flatMap((family) => {
    const { name, help, type } = family;
    const found: string[] = [];
    if (help === '') found.push('has no help');
    if ((type === 'counter') !== name.endsWith('_total')) found.push('ends in _total only if it is a counter');
    if (/_(?:ms|milliseconds|minutes|hours|kilobytes|kb|mb|bits|percent)(?:_|$)/.test(name)) found.push('is not in base units');
    if (/_(?:gauge|counter|histogram)(?:_|$)/.test(name) || /[A-Z:]/.test(name)) found.push('has its type, capitals or colons in its name');
    if (type === 'histogram') found.push(...lintBuckets(family));
    return found.map((what) => `${name} ${what}`);
  });
}

function lintBuckets({ name, samples }: Family): string[] {
  const groups = new Map<string, Family['samples']>();
  for (const sample of samples) {
    const { le: _, ...labels } = sample.labels;
    const key = JSON.stringify(labels);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups].flatMap(([key, group]) => {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => (labels['le'] === '+Inf' ? Infinity : Number(labels['le'])));
    const isRising = buckets.every(({ value }, at) => at === 0 || (bounds[at]! > bounds[at - 1]! && value >= buckets[at - 1]!.value));
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const isWhole = bounds.at(-1) === Infinity && buckets.at(-1)?.value === count;
    return isRising && isWhole ? [] : [`has buckets that do not add up: ${key}`];
  });
}
