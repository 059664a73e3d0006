import { join } from 'node:path';
import { readMembership } from '../enrolment/membership.file.js';
import { Journal } from '../journal/journal.js';

/** For commands beside a serving agent: the journal of a data folder, without its keys. */
export async function withJournal<T>(folder: string, work: (journal: Journal) => T | Promise<T>): Promise<T> {
  readMembership(folder);
  const journal = Journal.open(join(folder, 'journal.sqlite'));
  try {
    return await work(journal);
  } finally {
    journal.close();
  }
}
