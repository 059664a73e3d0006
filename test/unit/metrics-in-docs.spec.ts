import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { AgentMetrics } from '../../client-agent/src/telemetry/agent.metrics.ts';
import { Metrics } from '../../coordinator/src/telemetry/metrics.ts';

interface Described {
  name: string;
  type: string;
  labels: string[];
}

interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: { severity: string };
  annotations: { summary: string };
}

const page = readFileSync(join(import.meta.dirname, '../../docs/monitoring.md'), 'utf8');

const measured = [new Metrics(), new AgentMetrics()].flatMap(({ registry }) =>
  registry.getMetricsAsArray().map((metric): Described => {
    const { name, labelNames } = metric as unknown as { name: string; labelNames: string[] };
    return { name, type: String(metric.type), labels: labelNames.toSorted() };
  }),
);

const documented = page.split('\n').flatMap((line): Described[] => {
  const [, name, type, labels] = /^\| `(coferment_\w+)` \| (\w+) \| ([\w, ]*) ?\| .{8,} \|$/.exec(line) ?? [];
  if (name === undefined || type === undefined || labels === undefined) return [];
  return [
    {
      name,
      type,
      labels: labels
        .split(',')
        .map((label) => label.trim())
        .filter((label) => label !== '')
        .toSorted(),
    },
  ];
});

const byName = (a: Described, b: Described) => (a.name < b.name ? -1 : 1);

describe('docs/monitoring.md', () => {
  it('describes every metric with its type and labels, each once, and none that does not exist', () => {
    expect(documented.toSorted(byName)).toEqual(measured.toSorted(byName));
  });

  it('names no metric anywhere that does not exist', () => {
    const names = new Set(measured.map(({ name }) => name));
    const told = [...page.matchAll(/coferment_[a-z_]+/g)].map(([name]) => name);
    expect(told.filter((name) => !names.has(name))).toEqual([]);
  });
});

describe('the alerts in docs/monitoring.md', () => {
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, block]) => parse(block ?? '') as unknown);
  const { groups } = blocks.find((block): block is { groups: { name: string; rules: Rule[] }[] } =>
    Object.hasOwn(block as object, 'groups'),
  )!;
  const rules = groups.flatMap((group) => group.rules);

  it('are whole rules with names of their own', () => {
    expect(rules.length).toBeGreaterThan(15);
    expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
    for (const { alert, expr, labels, annotations, for: wait = '0m' } of rules) {
      expect(alert).toMatch(/^Coferment[A-Z]\w+$/);
      expect(wait).toMatch(/^\d+[smhd]$/);
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(annotations.summary.length).toBeGreaterThan(15);
      for (const [open, close] of ['()', '{}', '[]']) expect(expr.split(open!).length, expr).toBe(expr.split(close!).length);
    }
  });

  it('ask for metrics and labels that exist', () => {
    const labelsOf = new Map(measured.map(({ name, labels }) => [name, labels]));
    for (const { expr, annotations } of rules) {
      const asked = [...expr.matchAll(/\b(up|coferment_\w+)(?:\{([^}]*)\})?/g)];
      expect(asked.length, expr).toBeGreaterThan(0);
      const labels = asked.map(([, name = '']) => (name === 'up' ? ['job'] : labelsOf.get(name)));
      for (const [at, [whole, , matchers = '']] of asked.entries()) {
        expect(labels[at], whole).toBeDefined();
        for (const [, label] of matchers.matchAll(/(\w+)(?:=~|!~|!=|=)/g)) expect(labels[at], whole).toContain(label);
      }
      for (const [, label] of annotations.summary.matchAll(/\$labels\.(\w+)/g)) expect(labels.flat(), expr).toContain(label);
    }
  });

  it('have one for each thing that an operator must not overlook', () => {
    const all = rules.map(({ alert }) => alert).join(' ');
    for (const what of ['RunStuck', 'SiteAbsent', 'CheckpointNotCosigned', 'CertificateExpires', 'DiskFull', 'AgentSplitView'])
      expect(all).toContain(what);
  });
});
