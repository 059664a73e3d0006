import { describeModel } from '@coferment/consortium';
import { CoordinatorError } from '../errors/index.js';
import { OPERATOR } from './act.entity.js';
import { type RunView } from './run.view.js';
import { slots } from './slot.names.js';

export interface ReleasedModel {
  model: string;
  parameters: number;
}

export function isReleased(view: RunView): boolean {
  return view.acts.has('model-released', OPERATOR, slots.ofRun());
}

/** What a release of this run releases: the model that it ended with, never one on the way. @throws CoordinatorError 'not-completed' */
export function releasable(view: RunView): ReleasedModel {
  const { run, state, model } = view.run;
  if (state !== 'completed')
    throw new CoordinatorError(
      'not-completed',
      `Run ${run} is "${state}": only the model of a run that has completed can be released. Follow it: coferment watch ${run}`,
    );
  return { model, parameters: describeModel(view.plan).parameters };
}
