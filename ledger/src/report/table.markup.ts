import type { AccountTable } from './account.rows.js';
import { type Html, markup } from './html.markup.js';

/** A table whose first cells name their rows. */
export function tableMarkup({ columns, rows }: AccountTable, caption: string): Html {
  const numberClass = (isNumber: boolean | undefined) => (isNumber === true ? markup` class="number"` : markup``);
  const head = columns.map(({ title, isNumber }) => markup`<th scope="col"${numberClass(isNumber)}>${title}</th>`);
  const body = rows.map((row) => {
    const cells = row.map((cell, index) =>
      index === 0 ? markup`<th scope="row">${cell}</th>` : markup`<td${numberClass(columns[index]!.isNumber)}>${cell}</td>`,
    );
    return markup`<tr>
      ${cells}
    </tr> `;
  });
  return markup`<div class="scroll">
    <table>
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${body}
      </tbody>
    </table>
  </div> `;
}

/** Terms and what stands for them. */
export function termsMarkup(terms: readonly (readonly [string, string | Html])[]): Html {
  return markup`<dl>
    ${terms.map(
      ([term, value]) =>
        markup`<dt>${term}</dt>
          <dd>${value}</dd> `,
    )}
  </dl> `;
}
