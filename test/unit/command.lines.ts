/** A line that a document tells somebody to type. */
export interface CommandLine {
  readonly where: string;
  readonly words: readonly string[];
}

/** A folder may have the same name; a program with a path stands in a bin folder. */
const PROGRAM = /(?:^|[\s"'(]|\/bin\/)(coferment(?:-agent|-audit)?)\s+(?=\S)/g;

/** Whatever stands in code: whole fenced blocks, in which a backslash continues a line, and spans inside a paragraph. */
export function codeOf(markdown: string): { line: number; code: string }[] {
  const found: { line: number; code: string }[] = [];
  let fenced = false;
  let begun: { line: number; code: string } | undefined;
  for (const [index, text] of markdown.split('\n').entries()) {
    if (/^\s*```/.test(text)) {
      fenced = !fenced;
      continue;
    }
    if (!fenced && begun === undefined) {
      for (const [, code] of text.matchAll(/`([^`]+)`/g)) found.push({ line: index + 1, code: code! });
      continue;
    }
    const code = `${begun?.code ?? ''}${text.replace(/\\$/, '')}`;
    const line = begun?.line ?? index + 1;
    begun = text.endsWith('\\') ? { line, code } : undefined;
    if (begun === undefined) found.push({ line, code });
  }
  return found;
}

/** The command lines in one line of code. What follows a pipe, a comment or another command is not theirs. */
export function commandLinesIn(code: string, where: string): CommandLine[] {
  const found = [...code.matchAll(PROGRAM)];
  // A user and a service have the same name too, but no path.
  const withPath = found.filter(([text]) => text.startsWith('/bin/'));
  return (withPath.length > 0 ? withPath : found).flatMap((match) =>
    eachOf([match[1]!, ...wordsOf(code.slice(match.index + match[0].length))]).map((words) => ({ where, words })),
  );
}

/** `ca show|roll|retire` is three commands. */
function eachOf(words: readonly string[]): string[][] {
  const at = words.findIndex((word) => /^[a-z-]+(?:\|[a-z-]+)+$/.test(word));
  return at < 0 ? [[...words]] : words[at]!.split('|').map((word) => words.with(at, word));
}

/** As a shell cuts it, as far as documents go that far: quotes, no expansion. Optional parts in brackets count as given. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  for (const [word] of text.matchAll(/"[^"]*"|'[^']*'|\[::\]\S*|[[\]]|\S+?(?=[[\]]|\s|$)/g)) {
    if (/^(?:#|\||<$|>|&|;|\()/.test(word)) break;
    if (word !== '[' && word !== ']') words.push(word);
  }
  return words;
}

/** Commands that messages in a source file tell people to type, as far as the options go: prose may follow without a sign. */
export function commandLinesOfMessages(source: string, where: string): CommandLine[] {
  const text = source.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, 'VALUE');
  return [...text.matchAll(/(?<![\w/@-])(coferment(?:-agent|-audit)?) ([a-z][^'"`\\\n.;,:)]*)/g)].map(([, name, rest]) => ({
    where,
    words: [name!, ...wordsOf(rest!)],
  }));
}
