import { describe, expect, it } from 'vitest';
import { bar, columnsOf, cutTo, wrapTo } from './line.width.js';

describe('the width of a text on a terminal', () => {
  it.each([
    ['titre', 5],
    ['発酵', 4],
    ['Ｆ', 2],
    ['é', 1],
    ['e\u0301', 1],
    ['a\u200bb', 2],
    ['🧪', 2],
    ['', 0],
  ])('of "%s" is %d', (text, columns) => expect(columnsOf(text)).toBe(columns));
});

describe('a text that is cut', () => {
  it('ends in an ellipsis and never takes more columns', () => {
    expect(cutTo('fermentation', 6)).toBe('ferme…');
    expect(cutTo('発酵発酵', 6)).toBe('発酵…');
    expect(cutTo('発酵発酵', 4)).toBe('発…');
    expect(cutTo('short', 6)).toBe('short');
    expect(cutTo('x', 0)).toBe('');
  });

  it('has no control character, and nothing that turns the writing', () => {
    expect(cutTo('a\u001b[31mb\nc\u202ed', 40)).toBe('a [31mb c d');
  });
});

describe('a text that is wrapped', () => {
  it('breaks at spaces and says that more would follow', () => {
    expect(wrapTo('one two three four five', 9, 2)).toEqual(['one two', 'three fo…']);
    expect(wrapTo('one two', 9, 2)).toEqual(['one two']);
    expect(wrapTo('unbreakable words', 6, 3)).toEqual(['unbre…', 'words']);
    expect(wrapTo('', 9, 2)).toEqual([]);
  });
});

describe('a bar', () => {
  it.each([
    [0, 5, '░░░░'],
    [1, 100, '█░░░'],
    [99, 100, '███░'],
    [5, 5, '████'],
    [7, 5, '████'],
    [0, 0, '░░░░'],
  ])('of %d in %d', (done, of, text) => expect(bar(done, of, 4)).toBe(text));
});
