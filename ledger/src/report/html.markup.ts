import { shownText } from './shown.text.js';

/** Markup that this package has written. Everything else that goes into a page is text of somebody else, and is escaped. */
export class Html {
  constructor(readonly markup: string) {}
}

export type HtmlPart = string | number | Html | readonly Html[];

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A template of markup: what is put into it is escaped, whether it stands between tags or in a quoted attribute, unless it is markup itself. */
export function markup(template: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return new Html(template.reduce((page, literal, index) => `${page}${markupOf(parts[index - 1]!)}${literal}`));
}

function markupOf(part: HtmlPart): string {
  if (part instanceof Html) return part.markup;
  if (typeof part === 'number') return `${part}`;
  if (typeof part === 'string') return shownText(part).replaceAll(/[&<>"']/g, (character) => entities[character]!);
  return part.map(({ markup }) => markup).join('');
}
