import { type DefaultTreeAdapterMap, type ParserError, parse } from 'parse5';

type Node = DefaultTreeAdapterMap['node'];
export type Element = DefaultTreeAdapterMap['element'];

export interface ReadPage {
  readonly errors: string[];
  readonly elements: Element[];
}

/** A page as a browser takes it apart (WHATWG HTML), with everything that the standard calls an error. */
export function readPage(page: string): ReadPage {
  const errors: string[] = [];
  const onParseError = ({ code, startLine }: ParserError) => void errors.push(`${code} in line ${startLine}`);
  return { errors, elements: elementsOf(parse(page, { onParseError, sourceCodeLocationInfo: true })) };
}

function elementsOf(node: Node): Element[] {
  const inside = 'childNodes' in node ? node.childNodes.flatMap(elementsOf) : [];
  return 'tagName' in node ? [node, ...inside] : inside;
}

export function textOf(node: Node): string {
  if ('value' in node && node.nodeName === '#text') return node.value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}

export const attribute = ({ attrs }: Element, name: string) => attrs.find((candidate) => candidate.name === name)?.value;
