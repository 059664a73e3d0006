import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type CommandLine, codeOf, commandLinesIn, commandLinesOfMessages, wordsOf } from './command.lines.ts';
import { commandOf, helpOf, programs, typedCommands, wrongIn } from './program.commands.ts';

const root = join(import.meta.dirname, '../..');
/** Not CHANGELOG.md, which also names what there was once. */
const pages = ['README.md', 'SECURITY.md', 'docs/**/*.md', 'deploy/**/*.md', 'examples/**/*.md', 'crypto/*.md'].flatMap((pattern) =>
  globSync(pattern, { cwd: root, exclude: ['node_modules'] }),
);
const units = globSync('deploy/systemd/*.service', { cwd: root });

/** Of the demonstration, the benchmark, the installer and systemd-creds. */
const OTHER_OPTIONS = ['--fault', '--full', '--prefix', '--with-key'];
/** The title of a file format. */
const NO_COMMAND = new Set(['coferment site record']);

const read = (file: string) => readFileSync(join(root, file), 'utf8');
const spans = pages.flatMap((page) => codeOf(read(page)).map(({ line, code }) => ({ where: `${page}:${line}`, code })));
const inPages = spans.flatMap(({ where, code }) => commandLinesIn(code, where));
const inUnits = units.flatMap((unit) =>
  read(unit)
    .split('\n')
    .flatMap((text, index) => (/^Exec\w+=/.test(text) ? commandLinesIn(text, `${unit}:${index + 1}`) : [])),
);

/** All at once, each with its place. */
function expectSound(lines: readonly CommandLine[], isWhole: boolean): void {
  const problems = lines.flatMap(({ where, words }) => wrongIn(words, isWhole).map((problem) => `${where} ${words.join(' ')}: ${problem}`));
  expect(problems, problems.join('\n')).toEqual([]);
}

describe('a command line in a document', () => {
  it('names commands and options that exist', () => {
    expect(inPages.length).toBeGreaterThan(80);
    expectSound([...inPages, ...inUnits], false);
  });

  it('that leaves out the program, such as `sites admit`, is a command of one of them', () => {
    const shortened = spans.flatMap(({ where, code }) => {
      const [group = '', verb = '', ...rest] = wordsOf(code);
      const candidates = programs.filter(({ commands }) =>
        commands.some((command) => command.name() === group && command.commands.length > 0),
      );
      if (candidates.length === 0 || !/^[a-z-]+$/.test(verb)) return [];
      const wrong = candidates.map((program) => wrongIn([program.name(), group, verb, ...rest], false));
      return wrong.some((found) => found.length === 0) ? [] : [`${where} ${code}: ${wrong.flat().join(', ')}`];
    });
    expect(shortened, shortened.join('\n')).toEqual([]);
  });

  it('has no option, however little stands around it, that none of our programs knows', () => {
    const known = new Set([...typedCommands.flatMap(({ command }) => command.options.map(({ long }) => long!)), ...OTHER_OPTIONS]);
    const unknown = spans.filter(({ code }) => {
      const option = /^--[a-z-]+(?=[\s=]|$)/.exec(code)?.[0];
      return option !== undefined && !known.has(option);
    });
    const listed = unknown.map(({ where, code }) => `${where} ${code}`);
    expect(listed, listed.join('\n')).toEqual([]);
  });
});

describe('a message', () => {
  it('names commands and options that exist', () => {
    const sources = globSync('{client-agent,consortium,coordinator,ledger}/src/**/*.ts', { cwd: root }).filter(
      (file) => !/\.(?:spec|medium|fixture)\.ts$/.test(file),
    );
    const told = sources
      .flatMap((file) => commandLinesOfMessages(read(file), file))
      .filter(({ words }) => !NO_COMMAND.has(words.join(' ')));
    expect(told.length).toBeGreaterThan(80);
    const wrong = told.flatMap(({ where, words }) =>
      wrongIn(words, false).flatMap((problem) =>
        /^no (?:command|option)/.test(problem) ? [`${where} ${words.join(' ')}: ${problem}`] : [],
      ),
    );
    expect(wrong, wrong.join('\n')).toEqual([]);
  });
});

describe.each(typedCommands.map(({ name, command }) => ({ name, command, help: helpOf(command) })))('$name', ({ command, help }) => {
  it('has an example in its help, complete as it stands', () => {
    const lines = help.split('\n').flatMap((text) => (text.startsWith('  ') ? commandLinesIn(text, 'help') : []));
    expect(lines.filter(({ words }) => commandOf(words).command === command)).not.toEqual([]);
    expectSound(lines, true);
  });

  it('prints JSON beside what people read', () => {
    expect(command.options.map(({ long }) => long)).toContain('--json');
  });
});
