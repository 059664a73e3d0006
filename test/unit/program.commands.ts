import 'reflect-metadata';
import type { Command } from 'commander';
import { agentProgram } from '../../client-agent/src/cli/program.ts';
import { operatorProgram } from '../../coordinator/src/cli/program.ts';
import { auditProgram } from '../../ledger/src/cli/audit.command.ts';

const nowhere = { out: () => {}, err: () => {} };

/** Everything that a person can type, as the programs themselves know it. */
export const programs: readonly Command[] = [operatorProgram(), agentProgram(), auditProgram(nowhere, () => {})];

/** A command as it is typed, e.g. `coferment plan publish`. */
export interface TypedCommand {
  readonly name: string;
  readonly command: Command;
}

/** All commands that do something, and not only hold others. */
export const typedCommands: readonly TypedCommand[] = programs.flatMap((program) => below(program, program.name()));

function below(parent: Command, name: string): TypedCommand[] {
  return parent.commands.flatMap((command) => {
    const typed = { name: `${name} ${command.name()}`, command };
    const inner = below(command, typed.name);
    return inner.length === 0 ? [typed] : inner;
  });
}

/** The one that is meant when none is named. Commander has no public way to ask. */
function defaultOf(group: Command): Command | undefined {
  const name = (group as unknown as { _defaultCommandName: string | null })._defaultCommandName;
  return group.commands.find((command) => command.name() === name);
}

export function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return text;
}

/** As far as the words name commands; the rest are arguments and options. */
export function commandOf([name, ...rest]: readonly string[]): { command: Command; rest: string[] } {
  let command = programs.find((program) => program.name() === name)!;
  while (command.commands.length > 0) {
    const child = command.commands.find((candidate) => candidate.name() === rest[0]);
    if (child !== undefined) rest.shift();
    const next = child ?? defaultOf(command);
    if (next === undefined) break;
    command = next;
  }
  return { command, rest };
}

/**
 * What is wrong with a line somebody is told to type, from the program's name on.
 * @param isWhole also say what is missing; a line in running text may leave out what is not the point
 */
export function wrongIn(words: readonly string[], isWhole: boolean): string[] {
  const { command, rest } = commandOf(words);
  const [first] = rest;
  // A group in running text, such as "the sites commands", or a placeholder.
  if (command.commands.length > 0 && first !== undefined && /^[a-z]/.test(first)) return [`no command "${first}"`];
  const problems: string[] = [];
  const given = new Set<string>();
  let operands = 0;
  while (rest.length > 0) {
    const [word, ...value] = rest.shift()!.split('=');
    if (!word!.startsWith('--')) {
      if (word !== '…') operands += 1;
      continue;
    }
    if (word === '--help') continue;
    const option = command.options.find(({ long }) => long === word) ?? command.parent?.options.find(({ long }) => long === word);
    if (option === undefined) {
      problems.push(`no option ${word}`);
      continue;
    }
    given.add(word!);
    const text = option.isBoolean() || option.negate ? undefined : (value[0] ?? rest.shift());
    if (isWhole && option.required && (text === undefined || text.startsWith('--'))) problems.push(`no value for ${word}`);
    if (option.argChoices !== undefined && text !== undefined && /^[a-z]/.test(text) && !option.argChoices.includes(text))
      problems.push(`${word} cannot be ${text}`);
  }
  const taken = command.registeredArguments;
  if (command.commands.length === 0 && operands > taken.length && taken.at(-1)?.variadic !== true)
    problems.push(`${operands} arguments, not ${taken.length}`);
  if (!isWhole) return problems;
  const required = taken.filter((argument) => argument.required).length;
  if (operands < required) problems.push(`${operands} arguments, not ${required}`);
  for (const { long, mandatory } of command.options) if (mandatory && !given.has(long!)) problems.push(`${long} is missing`);
  return problems;
}
